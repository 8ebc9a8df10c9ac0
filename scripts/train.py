"""Train a SADI-NET; run the same line again to resume.

    python scripts/train.py --config scripts/recipes/coco-256x192.toml --out runs/coco [--set rate=1e-3 ..]
    python scripts/train.py --preset s --out runs/s --lspet DIR --teachers DIR [--stanford40 DIR]

On several GPUs, and on a CPU with one thread a process, which is faster than one process with all threads:

    torchrun --nproc-per-node COUNT scripts/train.py ..

On several machines torchrun is started on each, with a folder --out that all of them see:

    torchrun --nnodes 2 --nproc-per-node COUNT --rdzv-backend c10d --rdzv-endpoint HOST:29500 scripts/train.py ..
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sadinet.errors import InputError, SadinetError
from sadinet.network.measure import parameters_and_macs
from sadinet.training.config import TrainConfig, train_config
from sadinet.training.loop import Trainer
from sadinet.training.machine import leave_processes, open_machine
from sadinet.training.plain import build, override, read_toml
from sadinet.training.sources import DataConfig, load_data

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the number of the signal."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of checkpoints and log")
    parser.add_argument("--config", type=Path, help="TOML file; what else is given here comes after it")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any setting, as in losses.rle=0.05"
    )
    parser.add_argument("--preset", help="size of network (default without --config: s)")
    parser.add_argument("--stages", help="side x epochs, in order, as in 128x10,256x3 (default: 128x10,192x6,256x3)")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16", "fp16"])
    parser.add_argument("--seed", type=int)
    parser.add_argument(
        "--init", help="checkpoint, .safetensors file, or model's name or manifest to begin from if nothing is resumed"
    )
    parser.add_argument("--teacher", type=Path, help="checkpoint or model whose heatmaps are imitated")
    data = parser.add_argument_group("data")
    data.add_argument("--shards", type=Path, action="append", default=[], help="folder packed by prepare_data.py")
    data.add_argument("--choose-shards", type=Path, help="packed folder to choose the best by")
    data.add_argument("--lspet", type=Path, help="folder with images/ and joints.mat")
    data.add_argument("--train", default="1:8000", help="LSPet numbers, first:last")
    data.add_argument("--choose", default="8001:8500", help="LSPet numbers to choose the best by")
    data.add_argument("--teachers", type=Path, help="folder with lspet.npz and stanford40.npz")
    data.add_argument("--stanford40", type=Path, help="folder with JPEGImages/ and XMLAnnotations/")
    data.add_argument("--stanford40-share", type=float, default=0.6, help="how much of it an epoch sees")
    parser.add_argument("--describe", action="store_true", help="tell the network's size and cost, and stop")
    run = parser.add_argument_group("machine")
    run.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"])
    run.add_argument("--backend", default="auto", choices=["auto", "fabric", "torch"], help="auto: Fabric if installed")
    run.add_argument("--threads", type=int, default=torch.get_num_threads())
    run.add_argument("--workers", type=int, default=1, help="processes that prepare crops, for each process")
    options = parser.parse_args(arguments)
    if options.out is None and not options.describe:
        parser.error("the following arguments are required: --out")
    return options


_DIRECT = ("preset", "stages", "batch", "rate", "precision", "seed")


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings: the file's, then the options', then those of --set; raises `InputError`."""
    values: dict[str, Any] = read_toml(options.config) if options.config else {"preset": "s"}
    if not options.config:
        values["stages"] = "128x10,192x6,256x3"
    values |= {name: getattr(options, name) for name in _DIRECT if getattr(options, name) is not None}
    data = values.get("data", {})
    if not isinstance(data, dict):
        raise InputError(f"setting data is {data!r}", "must be a table with names")
    values["data"] = data_settings(options, data)
    return override(values, options.set)


def data_settings(options: argparse.Namespace, data: dict[str, Any]) -> dict[str, Any]:
    """Return the sets that the options name, or else those of the file."""
    train: list[dict[str, Any]] = [{"layout": "shards", "root": str(folder)} for folder in options.shards]
    choose: dict[str, Any] | None = None
    teachers = {name: str(options.teachers / f"{name}.npz") for name in _TAUGHT} if options.teachers else {}
    if options.lspet:
        lspet = {"layout": "lspet", "root": str(options.lspet)}
        train.append({**lspet, "numbers": options.train, **_only(teachers=teachers.get("lspet"))})
        choose = {**lspet, "numbers": options.choose}
    if options.stanford40:
        source = {"layout": "stanford40", "root": str(options.stanford40), "share": options.stanford40_share}
        train.append({**source, **_only(teachers=teachers.get("stanford40"))})
    if options.choose_shards:
        choose = {"layout": "shards", "root": str(options.choose_shards)}
    return {**data, **({"train": train} if train else {}), **({"choose": choose} if choose else {})}


_TAUGHT = ("lspet", "stanford40")


def _only(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def describe(config: TrainConfig) -> str:
    """Return one line: size, cost of a crop, and length of the training."""
    parameters, macs = parameters_and_macs(config.network)
    width, height = config.network.size_wh
    return (
        f"{height}x{width} (h x w), {config.skeleton}, {config.network.stacks} x hourglass: {parameters / 1e6:.2f} M "
        f"parameters, {macs / 1e9:.2f} GMACs; {config.epochs} epochs in batches of {config.batch}"
    )


def run(options: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Do what the command line asks for; raises `SadinetError` if that cannot be done."""
    if options.threads < 1 or options.workers < 0:
        raise InputError("--threads must be at least 1, --workers at least 0")
    torch.set_num_threads(options.threads)
    values = settings(options)
    data = build(DataConfig, values.pop("data"), "data")
    config = train_config(values)
    if options.describe:
        print(describe(config))
        return
    config.check_losses(has_teacher=options.teacher is not None)
    machine = open_machine(options.device, config.precision, options.backend)
    mixture, held_out = load_data(data, config.joint_set, say)
    say(f"on {machine.ranks} x {machine.device} in {machine.precision}, {machine.name}")
    told = ", ".join(f"{people.name} {count}" for people, count in zip(mixture.sets, mixture.counts, strict=True))
    say(f"people an epoch: {told}; to choose by: {len(held_out)}")
    trainer = Trainer(
        config, options.out, say, options.init, machine=machine, teacher=options.teacher, workers=options.workers
    )
    if trainer.epoch >= config.epochs:
        say(f"already complete: {trainer.epoch} of {config.epochs} epochs")
    trainer.run(mixture, held_out)


def stopped(folder: Path | None) -> str:
    """Return one line about a training that was stopped by Ctrl-C, and how it goes on."""
    path = folder / "last.pt" if folder else None
    if path is None or not path.exists():
        return "stopped; there is no checkpoint yet"
    return f"stopped; the last checkpoint is {path}, and the same line goes on from there"


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    options = parse(arguments)
    torch.set_flush_denormal(True)  # Gaussian tails are denormal and several times slower
    is_first = os.environ.get("RANK", "0") == "0"
    try:
        run(options, lambda line: print(line, flush=True) if is_first else None)
    except SadinetError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if is_first:
            print(f"train: {stopped(options.out)}", file=sys.stderr)
        return INTERRUPTED
    finally:
        leave_processes()
    return 0


if __name__ == "__main__":
    sys.exit(main())
