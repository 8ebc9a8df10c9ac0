"""Options that several subcommands share, and the settings that they stand for."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sadinet.engines import DEVICES, ENGINES, PRECISIONS

if TYPE_CHECKING:
    from sadinet.pipeline import Settings

# Told here, as the modules that define them import numpy; a test holds them together.
SKELETONS = ("body19", "coco17", "lsp14", "mpii16")
METHODS = ("dark", "argmax", "shift", "shift4")


def add_runtime_options(parser: argparse.ArgumentParser) -> None:
    """Add what a model is run on."""
    group = parser.add_argument_group("where to run")
    group.add_argument("--device", choices=DEVICES, default="auto", help="default: auto, the best that works")
    group.add_argument("--engine", choices=ENGINES, default="auto", help="default: auto, onnx unless there is a GPU")
    group.add_argument("--precision", choices=PRECISIONS, default="auto", help="default: auto, fp32 on a CPU")
    group.add_argument(
        "--threads", type=positive_number, metavar="N", help="threads on a CPU (default: as many as it has cores)"
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add which models, and how their output is read."""
    group = parser.add_argument_group("models")
    group.add_argument("--weights", default="default", metavar="NAME|PATH", help="pose model or its manifest")
    group.add_argument(
        "--detector", default="default", metavar="NAME|PATH", help="person detector, or an ultralytics model (.pt)"
    )
    group.add_argument(
        "--detector-score", type=score, metavar="S", help="least score of a person, 0 to 1 (default: the detector's)"
    )
    group.add_argument("--skeleton", choices=SKELETONS, help="joints to return (default: the model's own)")
    group.add_argument("--decode", choices=METHODS, help="how heatmaps are read (default: as the model says)")
    group.add_argument("--flip-test", action="store_true", help="average with the mirrored crop: slower, more exact")


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings that the options name; raises `WeightsError` if --decode is given for a model not found."""
    from sadinet.pipeline import Settings
    from sadinet.weights import find_weights

    settings = Settings(
        engine=options.engine, device=options.device, precision=options.precision, threads=options.threads
    )
    if not hasattr(options, "weights"):
        return settings
    decode = None
    if options.decode is not None:
        decode = replace(find_weights(options.weights).pose.decode, method=options.decode)
    return replace(
        settings,
        weights=options.weights,
        detector=options.detector,
        detector_score=options.detector_score,
        skeleton=options.skeleton,
        decode=decode,
        flip_test=options.flip_test,
    )


def some_name(text: str) -> str:
    """Read a name; an empty one, as a script's unset variable leaves it, would mean the folder that one is in."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name; . is the folder that you are in")
    return text


def some_folder(text: str) -> Path:
    """Read a folder's name."""
    return Path(some_name(text))


def positive_number(text: str) -> int:
    """Read a whole number from 1 on."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def score(text: str) -> float:
    """Read a number above 0 and at most 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 1")
    return value
