"""Switch parts of SADI-NET off, one at a time, train each variant briefly with several seeds, and print one table.

    python scripts/ablate.py --out runs/ablation --shards data/lspet/train --choose-shards data/lsp/test --budget 100000
    python scripts/ablate.py --out runs/trial --made-up 64 --budget 64 --seeds 1 --set network.widths=[8,16]

Every variant sees the same people in the same order, --budget of them, with the same schedule. A cell, one variant
with one seed, is stored as soon as it is done, and the same line goes on where it was stopped, inside a cell too.
Intervals are 95% of Student's t over the seeds; differences to the first row are taken seed by seed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import scipy.stats
import torch
from made_up_set import made_up_set

from sadinet.atomic import AtomicText, write_bytes
from sadinet.dark import Method
from sadinet.errors import InputError, SadinetError
from sadinet.network.measure import parameters_and_macs
from sadinet.training.batches import Mixture
from sadinet.training.checkpoint import network_of_checkpoint
from sadinet.training.config import TrainConfig, train_config
from sadinet.training.datasets import PersonSet
from sadinet.training.loop import Trainer
from sadinet.training.machine import open_machine
from sadinet.training.plain import override, read_toml
from sadinet.training.sources import DataConfig, Source, load_data
from sadinet.training.validate import limb_pck, predict

METHODS: tuple[Method, ...] = ("argmax", "shift", "dark")

NARROW: dict[str, Any] = {"preset": "t", "network": {"widths": [32, 64, 128, 192], "blocks": []}, "stages": "128x1"}
"""The first row where no settings are given: half the channels, so that fifty trainings fit into hours."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A row of the table: its name, and what it changes of the first row's settings."""

    name: str
    changes: dict[str, Any] = field(default_factory=dict)


VARIANTS = (
    Variant("SADI-NET"),
    Variant("block: residual", {"network.block": "residual"}),
    Variant("block: aspp", {"network.block": "aspp"}),
    Variant("SFM: none", {"network.sfm": "none"}),
    Variant("SFM: global", {"network.sfm": "global"}),
    Variant("SFM: local", {"network.sfm": "local"}),
    Variant("DLM: off", {"network.dlm": "off"}),
    Variant("DLM: fixed", {"network.dlm": "fixed"}),
    Variant("2 stacks", {"network.stacks": 2}),
    Variant("4 stacks", {"network.stacks": 4}),
    Variant("encoding: biased", {"encoding": "floor"}),
    Variant("heatmap loss: wing", {"losses.kind": "wing"}),
    Variant("heatmap loss: hardest half", {"losses.kind": "hardest"}),
    Variant("spatial loss: off", {"losses.spatial": 0.0}),
    Variant("likelihood: off", {"losses.rle": 0.0}),
    Variant("likelihood: Gaussian", {"losses.base": "gaussian"}),
)
"""RFM, both fusions, a learned DLM, one stack, unbiased encoding and the losses' defaults are the first row."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of cells and table")
    parser.add_argument("--config", type=Path, help="TOML settings of the first row (default: a narrow one, 128 px)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any setting of the first row")
    parser.add_argument("--shards", type=Path, action="append", default=[], help="folder packed by prepare_data.py")
    parser.add_argument("--choose-shards", type=Path, help="packed folder that is measured on")
    parser.add_argument("--made-up", type=int, help="made-up people instead of data; a quarter more are measured on")
    parser.add_argument("--budget", type=int, default=100_000, help="people that each cell sees")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="only these rows; the first is always there")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args(arguments)


def chosen(names: Sequence[str] | None) -> tuple[Variant, ...]:
    """Return the first row and those that are named; raises `InputError` for an unknown name."""
    known = {variant.name: variant for variant in VARIANTS}
    if unknown := [name for name in names or () if name not in known]:
        raise InputError(f"unknown variant {unknown[0]!r}", "one of: " + ", ".join(known))
    return VARIANTS if not names else (VARIANTS[0], *(known[n] for n in names if n != VARIANTS[0].name))


def people_of(options: argparse.Namespace) -> tuple[tuple[PersonSet, ...], PersonSet]:
    """Return the sets to train on and the one to measure on."""
    if options.made_up is not None:
        return (made_up_set(options.made_up, 1),), made_up_set(max(4, options.made_up // 4), 2)
    train = tuple(Source("shards", folder) for folder in options.shards)
    choose = Source("shards", options.choose_shards) if options.choose_shards else None
    values = settings_of(options, VARIANTS[0], 0, 1)
    mixture, held_out = load_data(DataConfig(train, choose), values.joint_set, print)
    return mixture.sets, held_out


def settings_of(options: argparse.Namespace, variant: Variant, seed: int, epochs: int) -> TrainConfig:
    """Return a cell's settings."""
    values = read_toml(options.config) if options.config else dict(NARROW)
    values.pop("data", None)
    values = override(values, options.set)
    for name, value in variant.changes.items():
        values = override(values, [f"{name}={json.dumps(value)}"])
    config = train_config({**values, "seed": seed})
    config.check_losses(has_teacher=False)
    last = config.stages[-1]
    stages = [{"size_wh": list(last.size_wh), "epochs": epochs, "sigma": last.sigma}]
    return train_config({**values, "seed": seed, "stages": stages})


def run_cell(
    options: argparse.Namespace, variant: Variant, seed: int, sets: tuple[PersonSet, ...], held_out: PersonSet
) -> dict[str, Any]:
    """Train and measure one variant with one seed; returns what is stored, or what was stored before.

    Raises:
        InputError: if the folder's cell was made with other settings.
    """
    whole = sum(len(people) for people in sets)
    epochs = max(1, round(options.budget / whole))
    config = settings_of(options, variant, seed, epochs)
    share = options.budget / (epochs * whole)
    settings = {"config": {**asdict(config), "network": config.network.to_dict()}, "budget": options.budget}
    settings |= {"people": whole, "held_out": len(held_out)}
    settings = json.loads(json.dumps(settings))
    name = f"{variant.name.replace(': ', '-').replace(' ', '-').lower()}-{seed}"
    stored = options.out / "cells" / f"{name}.json"
    if stored.exists():
        cell: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8"))
        if cell["settings"] != settings:
            raise InputError(f"{stored} was made with other settings or people", "choose another --out")
        return cell
    folder = options.out / "runs" / name
    machine = open_machine(options.device, config.precision)
    Trainer(config, folder, lambda line: None, machine=machine, workers=options.workers).run(
        Mixture(sets, (share,) * len(sets)), held_out
    )
    figures = measure_cell(folder / "last.pt", config, held_out, machine.device)
    parameters, macs = parameters_and_macs(config.network)
    cell = {"variant": variant.name, "seed": seed, "figures": figures, "parameters": parameters, "macs": macs}
    cell["settings"] = settings
    stored.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(stored, (json.dumps(cell, indent=1) + "\n").encode())
    for path in (folder / "last.pt", folder / "best.pt"):
        path.unlink(missing_ok=True)
    return cell


def measure_cell(
    checkpoint: Path, config: TrainConfig, held_out: PersonSet, device: torch.device
) -> dict[str, list[float]]:
    """Return PCK@0.2 and PCK@0.1 of the averaged network at the end, by way of decoding."""
    network = network_of_checkpoint(checkpoint, config.stages[-1].size_wh).to(device)
    sigma, skeleton = config.stages[-1].target_sigma, config.joint_set
    figures: dict[str, list[float]] = {}
    for method in METHODS:
        joints, _ = predict(network, held_out, config.stages[-1].size_wh, sigma, skeleton=skeleton, method=method)
        figures[method] = limb_pck(joints, held_out, skeleton=skeleton)
    return figures


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and half the width of the 95% interval of Student's t; NaN for a single value."""
    rows = np.asarray(values, dtype=float)
    if len(rows) < 2:
        return float(rows.mean()), float("nan")
    half = scipy.stats.t.ppf(0.975, len(rows) - 1) * rows.std(ddof=1) / np.sqrt(len(rows))
    return float(rows.mean()), float(half)


def _told(values: Sequence[float], sign: str = "") -> str:
    mean, half = interval(values)
    return f"{mean:{sign}.1f}" if np.isnan(half) else f"{mean:{sign}.1f} ± {half:.1f}"


def table(cells: Sequence[dict[str, Any]]) -> str:
    """Return the table as Markdown: a row a variant, then a row a way of decoding, all with intervals."""
    lines = ["| variant | seeds | M parameters | GMACs | PCK@0.2 | difference | PCK@0.1 | difference |"]
    lines.append("|---" * 8 + "|")
    first = {cell["seed"]: cell for cell in cells if cell["variant"] == VARIANTS[0].name}
    for name in dict.fromkeys(cell["variant"] for cell in cells):
        rows = [cell for cell in cells if cell["variant"] == name and cell["seed"] in first]
        lines.append(_row(name, rows, "dark", first, is_first=name == VARIANTS[0].name))
    for method in METHODS[:-1]:
        lines.append(_row(f"decoding: {method}", list(first.values()), method, first, is_first=False))
    return "\n".join(lines) + "\n"


def _row(
    name: str, rows: Sequence[dict[str, Any]], method: Method, first: dict[int, dict[str, Any]], *, is_first: bool
) -> str:
    texts = [name, str(len(rows)), f"{rows[0]['parameters'] / 1e6:.2f}", f"{rows[0]['macs'] / 1e9:.2f}"]
    for place in (0, 1):
        texts.append(_told([row["figures"][method][place] for row in rows]))
        apart = [row["figures"][method][place] - first[row["seed"]]["figures"]["dark"][place] for row in rows]
        texts.append("" if is_first else _told(apart, "+"))
    return "| " + " | ".join(texts) + " |"


def main(arguments: list[str] | None = None) -> int:
    """Run what is missing and write the table; returns the exit code."""
    options = parse(arguments)
    torch.set_flush_denormal(True)
    assert set(METHODS) <= set(get_args(Method))  # noqa: S101  the codec knows them
    try:
        if options.budget < 1 or options.seeds < 1:
            raise InputError("--budget and --seeds must be at least 1")
        if options.workers < 0 or (options.made_up is not None and options.made_up < 1):
            raise InputError("--made-up must be at least 1, --workers at least 0")
        variants = chosen(options.variants)
        sets, held_out = people_of(options)
        cells = []
        # Seed by seed, so that a table of all variants is there early.
        for seed in range(1, options.seeds + 1):
            for variant in variants:
                cells.append(run_cell(options, variant, seed, sets, held_out))
                figures = cells[-1]["figures"]["dark"]
                print(f"{variant.name}, seed {seed}: PCK@0.2 {figures[0]:.1f}, PCK@0.1 {figures[1]:.1f}", flush=True)
                with AtomicText(options.out / "table.md") as file:
                    file.write(table(cells))
    except SadinetError as error:
        print(f"ablate: {error}", file=sys.stderr)
        return 1
    print(table(cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
