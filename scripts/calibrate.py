"""Fit the factors that make a model's uncertainty honest: 68% of errors within one sigma, joint by joint.

    python scripts/calibrate.py --weights runs/export/sadinet-s.json --root DIR --out scale.json
    python scripts/calibrate.py --weights mine.json --dataset coco --root DIR --annotations FILE --out scale.json
    python scripts/export_onnx.py runs/s/best.pt ... --sigma-scale scale.json

Fitted on one part of the labelled people and shown on another too: LSPet's pictures 8001:8500 and 8501:9000, or of
another set every second picture and the rest. Joints that the set does not label (in LSPet the face) take the factor
of all joints, or in LSPet their own from the teachers' labels with --teachers. A factor that the model already
carries is kept and multiplied, so that the file always holds the whole scale.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from safetensors.numpy import load_file

from sadinet.atomic import check_writable, discard, write_bytes
from sadinet.errors import InputError, SadinetError
from sadinet.people.estimator import PoseEstimator
from sadinet.skeletons import BODY19, Skeleton, convert
from sadinet.training.calibration import Calibration, fit_calibration
from sadinet.training.evaluation import predict_readable
from sadinet.training.examination import DATASETS, Examination, open_examination
from sadinet.training.metrics import sigma_coverage
from sadinet.training.sets.selection import Selection
from sadinet.training.sets.with_teachers import lspet_labels
from sadinet.weights import Weights, find_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """A model on labelled people: joints, labels and sigmas (N, K, 2), picture pixels, NaN where there is none."""

    joints: Floats
    labels: Floats
    sigmas: Floats

    def coverage(self, factors: Floats, joint: slice = slice(None)) -> Floats:
        """Return the percent of errors in x and y within one sigma times `factors` (K, 2)."""
        weight = np.isfinite(self.labels[..., 0])
        scaled = (self.sigmas * factors)[:, joint]
        covered = sigma_coverage(self.joints[:, joint], self.labels[:, joint], weight[:, joint], scaled, times=(1.0,))
        return np.asarray(covered[0], dtype=float)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="default", help="name, manifest or folder of a model")
    parser.add_argument("--dataset", choices=DATASETS, default="lspet", help="(default: %(default)s)")
    parser.add_argument("--root", type=Path, required=True, help="lsp, lspet: images/ and joints.mat; else pictures")
    parser.add_argument("--annotations", type=Path, help="labels of COCO and MPII (default: the one file in ROOT)")
    parser.add_argument("--fit", help="pictures to fit on, first:last or K/N (default: LSPet 8001:8500, else 1/2)")
    parser.add_argument("--show", help="pictures to check on, likewise (default: LSPet 8501:9000, else 2/2)")
    parser.add_argument("--teachers", type=Path, help="lspet.npz with the teachers' joints, for the face")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, required=True, help="JSON with (K, 2) factors")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Calibrate; returns the exit code."""
    options = parse(arguments)
    try:
        if options.teachers and options.dataset != "lspet":
            raise InputError("--teachers are of LSPet", "leave them out")
        check_writable(options.out)
        discard(options.out)
        weights = find_weights(options.weights)
        carried = carried_scale(weights)
        estimator = PoseEstimator(weights, device="cpu", threads=options.threads)
        fit, show = parts_of(options)
        chosen, others = (open_part(options, part) for part in (fit, show))
        refuse_shared(chosen, others)
        fitted = measure(estimator, options, fit, chosen)
        calibration = fit_calibration(fitted.joints, fitted.labels, fitted.sigmas, estimator.skeleton)
        shown = measure(estimator, options, show, others)
        print_table(calibration, {fit: fitted, show: shown}, estimator.skeleton)
        scale = np.round(calibration.factors * carried, 4).tolist()
        write_bytes(options.out, (json.dumps(scale) + "\n").encode())
    except SadinetError as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    return 0


def carried_scale(weights: Weights) -> Floats:
    """Return the scale (K, 2) that the model already applies."""
    if weights.pose.outputs.sigma is None:
        raise InputError(f"model {weights.name} gives no uncertainty", "there is nothing to calibrate")
    if not weights.has("safetensors"):
        raise InputError(f"model {weights.name} has no safetensors file", "only SADI-NETs are exported with a scale")
    return np.asarray(load_file(weights.file("safetensors"))["sigma_scale"], dtype=float)


def parts_of(options: argparse.Namespace) -> tuple[str, str]:
    """Return which pictures to fit on and which to check on."""
    fit, show = _PARTS.get(options.dataset, ("1/2", "2/2"))
    return options.fit or fit, options.show or show


_PARTS = {"lspet": ("8001:8500", "8501:9000")}


def open_part(options: argparse.Namespace, part: str) -> Examination:
    """Return a part of the labelled people, and say what is not there."""
    selection = Selection.parse(fold=part) if "/" in part else Selection.parse(part)
    examination = open_examination(options.dataset, options.root, options.annotations, selection)
    if examination.absent:
        print(f"{part}: {len(examination.absent)} labelled pictures are not there and do not count")
    return examination


def refuse_shared(fit: Examination, show: Examination) -> None:
    """Raise `InputError` if a picture is fitted on and checked on."""
    if shared := set(fit.pictures) & set(show.pictures):
        raise InputError(
            f"{len(shared)} pictures are in both parts, such as number {min(shared)}", "choose --fit and --show apart"
        )


def measure(estimator: PoseEstimator, options: argparse.Namespace, part: str, labelled: Examination) -> Errors:
    """Run the model, in its own skeleton, over labelled people; unreadable pictures are named."""
    own = Examination(labelled.name, estimator.skeleton, labelled.people)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(part, total=len(own.people))
        (found,), own, unread = predict_readable(
            estimator, own, (estimator.decode,), progress=lambda done, _: bar.update(task, completed=done)
        )
    for fault in (*labelled.faults, *unread):
        print(f"skipped {fault}")
    examination = replace(labelled, people=own.people)
    raw = convert(examination.skeleton, estimator.skeleton).apply(examination.labels, axis=1)
    labels = np.asarray(raw, dtype=float)
    if options.teachers is not None:
        told = taught(examination, options.root, options.teachers, estimator.skeleton)
        labels = np.where(np.isfinite(labels), labels, told)
    return Errors(found.joints.astype(float), labels, found.sigmas.astype(float))


def taught(examination: Examination, root: Path, teachers: Path, skeleton: Skeleton) -> Floats:
    """Return the joints (N, K, 2) that LSPet does not label, where both teachers agree."""
    labels = lspet_labels(root, [person.index for person in examination.people], teachers)
    joints = np.where(labels.weight[..., None] > 0, labels.joints, np.nan)
    joints[:, [BODY19.index(name) for name in examination.skeleton.joints]] = np.nan
    return np.asarray(convert(BODY19, skeleton).apply(joints, axis=1), dtype=float)


def print_table(calibration: Calibration, measured: dict[str, Errors], skeleton: Skeleton) -> None:
    """Print factors and coverage before and after, joint by joint."""
    table = Table(title="errors within one sigma, percent in x and y (68.3 is right)", title_justify="left")
    table.add_column("joint")
    table.add_column("samples", justify="right")
    table.add_column("factors", justify="right")
    for select in measured:
        table.add_column(f"{select} before", justify="right")
        table.add_column("after", justify="right")
    before = np.ones_like(calibration.factors)
    for i, joint in enumerate(skeleton.joints):
        cells = [
            pair(errors.coverage(f, slice(i, i + 1)))
            for errors in measured.values()
            for f in (before, calibration.factors)
        ]
        table.add_row(joint, str(calibration.samples[i]), pair(calibration.factors[i], 2), *cells)
    cells = [pair(errors.coverage(f)) for errors in measured.values() for f in (before, calibration.factors)]
    table.add_row("all", "", pair(calibration.overall, 2), *cells)
    Console(width=max(120, Console().width)).print(table)


def pair(values: Floats, decimals: int = 1) -> str:
    """Return x and y as one cell."""
    return " / ".join("-" if np.isnan(value) else f"{value:.{decimals}f}" for value in values)


if __name__ == "__main__":
    sys.exit(main())
