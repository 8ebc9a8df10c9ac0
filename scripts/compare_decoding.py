"""Compare ways of reading heatmaps on labelled people: argmax, both shifts, and DARK with each modulation.

    python scripts/compare_decoding.py --root DIR --select 8501:9000 --size 192x256 --size 96x128
    python scripts/compare_decoding.py --dataset coco --root DIR --annotations FILE --weights mine.json

All ways read the same heatmaps. Differences are in PCK (points) and mean error (pixels), with 95% intervals
from resampling the pictures in pairs. Printed as Markdown. Besides the model's own input size, others may be
tried: the network is fully convolutional, and torch runs it at any size that its depth divides.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from sadinet.atomic import check_writable, discard, write_bytes
from sadinet.errors import InputError, SadinetError
from sadinet.manifest import DecodeSpec
from sadinet.people.estimator import PoseEstimator
from sadinet.training.evaluation import plain, predict_readable
from sadinet.training.examination import DATASETS, Examination, open_examination
from sadinet.training.metrics import LIMB_JOINTS, Interval, distances, paired_bootstrap, torso_length
from sadinet.training.sets.selection import Selection
from sadinet.training.sizes import parse_size
from sadinet.weights import Weights, find_weights

WAYS = {
    "argmax": DecodeSpec("argmax"),
    "shift": DecodeSpec("shift"),
    "shift4": DecodeSpec("shift4"),
    "DARK, max": DecodeSpec("dark", "max"),
    "DARK, minmax": DecodeSpec("dark", "minmax"),
    "DARK, none": DecodeSpec("dark", "none"),
}
BASES = ("argmax", "shift")
SHARES = (0.1, 0.05)
NEAR = 0.2
"""A joint is near where all ways put it within this share of the torso."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One figure: its mean over joints, from a value a picture (N,) and how many joints that is of (N,)."""

    values: Floats
    joints: Floats

    @property
    def mean(self) -> float:
        """Over all joints of all pictures together."""
        total = self.joints.sum()
        return float((self.values * self.joints).sum() / total) if total else float("nan")

    def minus(self, other: Column) -> Interval:
        """Return the difference to another way on the same pictures; only what both have counts."""
        if not self.joints.any():
            return Interval(*(float("nan"),) * 3)
        return paired_bootstrap(self.values, other.values, np.minimum(self.joints, other.joints))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="default", help="name, manifest or folder of a model")
    parser.add_argument("--dataset", choices=DATASETS, default="lspet", help="(default: %(default)s)")
    parser.add_argument("--root", type=Path, required=True, help="lsp, lspet: images/ and joints.mat; else pictures")
    parser.add_argument("--annotations", type=Path, help="labels of COCO and MPII (default: the one file in ROOT)")
    parser.add_argument("--select", help="picture numbers, first:last (default: LSPet 8501:9000, else all)")
    parser.add_argument("--size", action="append", default=[], help="side or WxH of a further input, may be repeated")
    parser.add_argument(
        "--smoothing",
        type=float,
        action="append",
        default=[],
        help="further cells by which DARK smooths, may be repeated; the model's own are always there",
    )
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Compare; returns the exit code."""
    options = parse(arguments)
    try:
        if options.json:
            check_writable(options.json)
            discard(options.json)
        select = options.select or ("8501:9000" if options.dataset == "lspet" else None)
        selection = Selection.parse(select) if select else None
        examination = open_examination(options.dataset, options.root, options.annotations, selection)
        if examination.absent:
            print(f"{len(examination.absent)} labelled pictures are not there and do not count")
        for fault in examination.faults:
            print(f"skipped {fault}")
        weights = find_weights(options.weights)
        ways = ways_of(weights, options.smoothing)
        sized = [weights, *(resized(weights, parse_size(text)) for text in options.size)]
        tables = {}
        for model in sized:
            table = compare(model, examination, ways, options.threads, "onnx" if model is weights else "torch")
            print_table(model, table, examination)
            tables["{}x{}".format(*model.manifest.input.size_wh)] = as_values(table)
        if options.json:
            write_bytes(options.json, (json.dumps(tables, indent=2) + "\n").encode())
    except SadinetError as error:
        print(f"compare_decoding: {error}", file=sys.stderr)
        return 1
    return 0


def ways_of(weights: Weights, smoothing: list[float]) -> dict[str, DecodeSpec]:
    """Return the ways of decoding by name; DARK also with other smoothing, the model's own among it."""
    own = weights.pose.decode.smoothing
    widths = sorted({*smoothing, *([] if own is None else [own])})
    return WAYS | {f"DARK, max, {width:g} cells": DecodeSpec("dark", "max", width) for width in widths}


def resized(weights: Weights, size_wh: tuple[int, int]) -> Weights:
    """Return a SADI-NET that takes crops of another size; its weights fit any."""
    pose = weights.pose
    if pose.network is None:
        raise InputError(f"model {weights.name} is not a SADI-NET", "it runs at its own size alone, leave --size out")
    described = dict(pose.network) | {"size_wh": list(size_wh)}
    pose = replace(pose, network=described)
    fed = replace(weights.manifest.input, size_wh=size_wh)
    return replace(weights, manifest=replace(weights.manifest, input=fed, pose=pose))


def compare(
    weights: Weights, examination: Examination, ways: dict[str, DecodeSpec], threads: int | None, engine: str
) -> dict[str, dict[str, Column]]:
    """Return for each way its figures over the limb joints: PCK at each share and mean error.

    A few joints on the wrong limb outweigh all sub-pixel gains in a mean, so it is told once more for the joints
    that every way puts near their label.
    """
    estimator = PoseEstimator(weights, engine=engine, device="cpu", threads=threads, skeleton=examination.skeleton.name)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("{}x{}".format(*weights.manifest.input.size_wh), total=len(examination.people))
        found, examination, unread = predict_readable(
            estimator, examination, tuple(ways.values()), progress=lambda done, _: bar.update(task, completed=done)
        )
    for fault in unread:
        print(f"skipped {fault}")
    labels, weight = examination.labels, examination.weight
    torso = torso_length(labels, weight, examination.skeleton)
    limbs = [examination.skeleton.index(name) for name in LIMB_JOINTS]
    weight[:, [joint for joint in range(len(examination.skeleton)) if joint not in limbs]] = 0
    weight[~np.isfinite(torso)] = 0
    apart = {way: distances(each.joints, labels, weight) for way, each in zip(ways, found, strict=True)}
    limit = torso[:, None]
    near = np.all([errors <= NEAR * limit for errors in apart.values()], axis=0).astype(float)
    return {
        way: {f"PCK@{share:g}": column(np.where(errors <= share * limit, 100.0, 0.0), weight) for share in SHARES}
        | {"mean error": column(errors, weight), "of near joints": column(errors, near)}
        for way, errors in apart.items()
    }


def column(values: Floats, weight: Floats) -> Column:
    """Return the mean of each picture's labelled joints."""
    known = (weight > 0) & np.isfinite(values)
    joints = known.sum(axis=1).astype(float)
    return Column(np.where(known, values, 0.0).sum(axis=1) / np.maximum(joints, 1), joints)


def print_table(weights: Weights, table: Mapping[str, Mapping[str, Column]], examination: Examination) -> None:
    """Print one size as Markdown."""
    width, height = weights.manifest.input.size_wh
    first = next(iter(next(iter(table.values())).values()))
    print(
        f"\n{weights.name} at {height}x{width} (h x w), heatmaps {round(height / weights.pose.heatmap.stride)}x"
        f"{round(width / weights.pose.heatmap.stride)}, sigma {weights.pose.heatmap.sigma:g} cells, "
        f"{int((first.joints > 0).sum())} pictures of {len(examination.people)} with a whole torso, "
        f"{int(first.joints.sum())} joints\n"
    )
    columns = list(next(iter(table.values())))
    heads = [head for name in columns for head in (name, *(f"to {base}" for base in BASES))]
    print("| decoding | " + " | ".join(heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    for way, figures in table.items():
        cells = [cell for name in columns for cell in cells_of(table, way, figures[name], name)]
        print(f"| {way} | " + " | ".join(cells) + " |")


def cells_of(table: Mapping[str, Mapping[str, Column]], way: str, figure: Column, name: str) -> list[str]:
    """Return a figure, and its difference to each base with its interval."""
    cells = [f"{figure.mean:.2f}" + ("" if name.startswith("PCK") else " px")]
    for base in BASES:
        if base == way:
            cells.append("")
            continue
        gap = figure.minus(table[base][name])
        cells.append(f"{gap.difference:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}]")
    return cells


def as_values(table: Mapping[str, Mapping[str, Column]]) -> dict[str, dict[str, dict[str, object]]]:
    """Return the table as plain values."""

    def value(figure: Column, way: str, name: str) -> dict[str, object]:
        gaps = {base: figure.minus(table[base][name]) for base in BASES if base != way}
        return {"value": figure.mean} | {f"to {base}": asdict(gap) for base, gap in gaps.items()}

    held = {way: {name: value(figure, way, name) for name, figure in row.items()} for way, row in table.items()}
    return {way: plain(row) for way, row in held.items()}


if __name__ == "__main__":
    sys.exit(main())
