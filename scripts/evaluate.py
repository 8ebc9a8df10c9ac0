"""Hold a model against labelled pictures: PCK on LSP and LSPet, PCKh on MPII, OKS average precision on COCO.

    python scripts/evaluate.py --weights default --dataset lspet --root DIR --select 8501:9000 --json lspet.json
    python scripts/evaluate.py --weights default --dataset mpii --root DIR --annotations valid.json --json mpii.json
    python scripts/evaluate.py --weights default --dataset coco --root DIR --annotations FILE --json coco.json

With several ways of decoding the network still runs once for each picture.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from sadinet._version import __version__
from sadinet.atomic import check_writable, discard, write_bytes
from sadinet.dark import Method, Modulation
from sadinet.engines import DEVICES, ENGINES, PRECISIONS
from sadinet.errors import InputError, SadinetError
from sadinet.manifest import DecodeSpec, Manifest
from sadinet.media.pictures import check_picture_path
from sadinet.people.detector import Detector, PersonDetector, open_detector
from sadinet.people.estimator import PoseEstimator
from sadinet.skeletons import convert
from sadinet.training.evaluation import Predictions, figures, predict_readable
from sadinet.training.examination import DATASETS, Examination, open_examination
from sadinet.training.gallery import write_gallery
from sadinet.training.sets.people import Fault
from sadinet.training.sets.selection import Selection
from sadinet.weights import find_weights


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="default", help="name, manifest or folder of a model")
    parser.add_argument("--dataset", choices=DATASETS, required=True)
    parser.add_argument("--root", type=Path, required=True, help="lsp, lspet: images/ and joints.mat; else pictures")
    parser.add_argument(
        "--annotations",
        type=Path,
        help="COCO's keypoint JSON, MPII's .mat or JSON (default: the one in ROOT)",
    )
    parser.add_argument("--select", help="picture numbers (COCO: picture ids), first:last (default: all)")
    parser.add_argument("--fold", metavar="K/N", help="the K-th of N parts of the pictures, as pack --leave-out has it")
    parser.add_argument(
        "--boxes",
        choices=("labels", "detector"),
        default="labels",
        help="detector: COCO's pictures without labelled people count too",
    )
    parser.add_argument("--detector", default="default", help="name or path, for --boxes detector")
    parser.add_argument("--decode", nargs="+", choices=get_args(Method), help="default: as the model's manifest says")
    parser.add_argument("--modulation", nargs="+", choices=get_args(Modulation), help="how dark smooths; likewise")
    parser.add_argument("--flip-test", action="store_true", help="average each crop with its mirror image")
    parser.add_argument("--engine", choices=ENGINES, default="auto")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--predictions", type=Path, help="write the joints here, .npz (of the first way of decoding)")
    parser.add_argument("--gallery", type=Path, help="draw the worst cases here, .png (of the first way of decoding)")
    parser.add_argument("--gallery-size", type=int, default=25, help="people on it")
    parser.add_argument("--gallery-of-each", type=int, help="people at most of each kind of error")
    parser.add_argument("--gallery-plain", action="store_true", help="on plain ground, without the pictures")
    parser.add_argument("--json", type=Path, required=True, help="write the figures here")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Evaluate; returns the exit code."""
    options = parse(arguments)
    try:
        report = run(options)
        write_bytes(options.json, (json.dumps(report, indent=2) + "\n").encode())
    except SadinetError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    print_report(report)
    return 0


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Return the report: settings, the first way's figures, and those of all ways under `decodes`."""
    selection = Selection.parse(options.select, options.fold) if options.select or options.fold else None
    if options.gallery_size < 1 or (options.gallery_of_each is not None and options.gallery_of_each < 1):
        raise InputError("--gallery-size and --gallery-of-each must be at least 1")
    if options.gallery:
        check_picture_path(options.gallery)
    for path in filter(None, (options.json, options.predictions, options.gallery)):
        check_writable(path)  # not at the end of a long run
        discard(path)
    examination = open_examination(options.dataset, options.root, options.annotations, selection)
    estimator = open_estimator(options, examination)
    detector = None
    if options.boxes == "detector":
        detector = open_detector(options.detector, device=options.device, threads=options.threads)
    ways = ways_of(options, estimator.decode)
    found, examination, unread = predict_all(estimator, examination, list(ways.values()), detector)
    if options.predictions:
        found[0].save(options.predictions)
    if options.gallery:
        write_gallery(
            options.gallery, found[0], examination, options.gallery_size,
            of_each=options.gallery_of_each, plain=options.gallery_plain,
        )  # fmt: skip
    lacking = convert(estimator.weights.pose.skeleton, examination.skeleton).missing
    decodes = {
        name: described_way(way, estimator) | figures(predictions, examination, lacking)
        for (name, way), predictions in zip(ways.items(), found, strict=True)
    }
    first = next(iter(decodes))
    settings = describe(options, examination, estimator, detector) | {"decode": first}
    settings["skipped"] = [str(fault) for fault in (*examination.faults, *unread)]
    settings["absent"] = len(examination.absent)
    return settings | decodes[first] | {"decodes": decodes}


def open_estimator(options: argparse.Namespace, examination: Examination) -> PoseEstimator:
    """Load the model, so that it answers in the labels' skeleton."""
    weights = find_weights(options.weights)
    skeleton = weights.pose.skeleton
    if len(convert(skeleton, examination.skeleton).missing) == len(examination.skeleton):
        raise InputError(f"model {weights.name} ({skeleton.name}) has no joint of {examination.skeleton.name}")
    return PoseEstimator(
        weights,
        engine=options.engine,
        device=options.device,
        precision=options.precision,
        threads=options.threads,
        skeleton=examination.skeleton.name,
        flip_test=options.flip_test,
    )


def ways_of(options: argparse.Namespace, own: DecodeSpec) -> dict[str, DecodeSpec]:
    """Return the ways of decoding by name: the method, and "dark-MODULATION" if there are several modulations."""
    modulations = options.modulation or [own.modulation]
    ways: dict[str, DecodeSpec] = {}
    for method in options.decode or [own.method]:
        for modulation in modulations if method == "dark" else modulations[:1]:
            name = f"dark-{modulation}" if method == "dark" and len(modulations) > 1 else method
            ways[name] = replace(own, method=method, modulation=modulation)
    return ways


def predict_all(
    estimator: PoseEstimator,
    examination: Examination,
    ways: Sequence[DecodeSpec],
    detector: Detector | None,
) -> tuple[tuple[Predictions, ...], Examination, tuple[Fault, ...]]:
    """Predict under a progress bar on the terminal."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(examination.name, total=len(examination.people))
        return predict_readable(
            estimator,
            examination,
            ways,
            detector=detector,
            progress=lambda done, _: bar.update(task, completed=done),
        )


def describe(
    options: argparse.Namespace, examination: Examination, estimator: PoseEstimator, detector: Detector | None
) -> dict[str, Any]:
    """Return what was run on what."""
    runtime, manifest = estimator.runtime, estimator.weights.manifest
    return {
        "dataset": options.dataset,
        "select": options.select,
        "fold": options.fold,
        "pictures": len(examination.pictures),
        "people": len(examination.people),
        # Looked at with a detector only: the labels' boxes lead to none of them.
        "pictures_without_people": 0 if detector is None else len(examination.empty),
        "boxes": options.boxes,
        "detector": None if detector is None else options.detector,
        "detector_model": described_model(detector.weights.manifest) if isinstance(detector, PersonDetector) else None,
        "flip_test": options.flip_test,
        "weights": described_model(manifest),
        "engine": runtime.engine,
        "engine_version": runtime.version,
        "device": runtime.device,
        "precision": runtime.precision,
        "version": __version__,
    }


def described_model(manifest: Manifest) -> dict[str, Any]:
    """Return which model was run, to the byte."""
    return {
        "name": manifest.name,
        "input_wh": list(manifest.input.size_wh),
        "sha256": {kind: entry.sha256 for kind, entry in manifest.files.items()},
    }


def described_way(way: DecodeSpec, estimator: PoseEstimator) -> dict[str, Any]:
    """Return how heatmaps were read; the smoothing of DARK in heatmap cells."""
    if way.method != "dark":
        return {"method": way.method, "modulation": None, "smoothing": None}
    sigma = estimator.weights.pose.heatmap.sigma
    return {
        "method": way.method,
        "modulation": way.modulation,
        "smoothing": sigma if way.smoothing is None else way.smoothing,
    }


def print_report(report: dict[str, Any]) -> None:
    """Print one column a way of decoding."""
    without = report["pictures_without_people"]
    print(
        f"{report['weights']['name']} on {report['dataset']} {report['select'] or 'all'}"
        f"{f', fold {fold}' if (fold := report['fold']) else ''}: "
        f"{report['people']} people in {report['pictures']} pictures"
        f"{f' and {without} without labelled people' if without else ''}, boxes from {report['boxes']}"
        f"{', flip test' if report['flip_test'] else ''}; {report['engine']} {report['device']} {report['precision']}"
    )
    if report["absent"]:
        print(f"{report['absent']} labelled pictures are not there and do not count")
    if report["skipped"]:
        print(f"skipped {len(report['skipped'])}: " + "; ".join(report["skipped"][:5]))
    table = Table("", *report["decodes"])
    for label, path in lines_of(report):
        table.add_row(label, *(shown(figures_of, path) for figures_of in report["decodes"].values()))
    Console().print(table)


def lines_of(report: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the table's lines: what they are called, and where their value lies in a way's figures."""
    plain = [key for key in report if key.startswith(("PCK", "AP", "AR"))]
    lines: list[tuple[str, tuple[str, ...]]] = [(key, (key,)) for key in plain]
    lines += [("mean error, px", ("pixel_error", "mean")), ("median error, px", ("pixel_error", "median"))]
    for times in report["sigma_coverage"]:
        lines += [(f"errors within {times}, {axis}", ("sigma_coverage", times, axis)) for axis in "xy"]
    lines.append(("people missed", ("missed",)))
    for kind, figures_of in report["by_kind"].items():
        lines.append((f"PCK@0.2 {kind} ({figures_of['people']} people)", ("by_kind", kind, "PCK@0.2")))
    for key, parts in report.get("mpii_table", {}).items():
        lines += [(f"{key} {part}", ("mpii_table", key, part)) for part in parts]
    key, joints = next(iter(report["per_joint"].items()))
    return lines + [(f"{key} {joint}", ("per_joint", key, joint)) for joint in joints]


def shown(figures_of: dict[str, Any], path: tuple[str, ...]) -> str:
    """Return one value as a cell."""
    value: Any = figures_of
    for key in path:
        value = value[key]
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
