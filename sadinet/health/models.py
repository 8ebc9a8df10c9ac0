"""The models that are here, and whether they find anybody."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING

from sadinet.errors import SadinetError, WeightsError
from sadinet.health.finding import Finding, State, first_line, is_installed

if TYPE_CHECKING:
    from sadinet.weights import Weights


def check_models() -> Iterator[Finding]:
    """Hold every file of every model against its manifest's hash, and see that the default models are there."""
    try:
        from sadinet.weights import DEFAULTS, find_weights, load_weights, manifest_paths

        paths = manifest_paths()
    except (ImportError, SadinetError) as error:
        yield Finding("models", f"cannot be looked for: {first_line(error)}", "missing")
        return
    for path in paths:
        try:
            yield from _files(load_weights(path))
        except WeightsError as error:
            yield Finding(path.stem, error.message, "note", error.remedy)
    for kind in DEFAULTS:
        try:
            find_weights("default", kind)
        except WeightsError as error:
            yield Finding(f"default {kind} model", error.message, "missing", error.remedy)


def check_run() -> Finding:
    """Run the first frame of the bundled clip through detector and pose network."""
    try:
        from sadinet.media.source import open_source
        from sadinet.pipeline import People, Settings

        people = People(Settings())
        with resources.as_file(resources.files("sadinet").joinpath("_demo", "walk.mp4")) as clip:
            source = open_source(clip)
            with source:
                frame = next(iter(source))
        people(frame)  # the first run of a network takes longer
        began = time.perf_counter()
        result = people(frame)
        spent_ms = (time.perf_counter() - began) * 1e3
    except SadinetError as error:
        return Finding("self-check", error.message, "missing", error.remedy)
    except Exception as error:  # noqa: BLE001  whatever stops it here would stop every run
        return Finding("self-check", f"failed: {type(error).__name__}: {first_line(error)}", "missing")
    pose, detect = people.estimator.runtime, people.detector.runtime
    where = f"pose on {pose.engine} {pose.device} {pose.precision}, detector on {detect.engine} {detect.device}"
    if not result.poses:
        return Finding("self-check", f"nobody found in a picture with one person; {where}", "missing")
    return Finding("self-check", f"{len(result.poses)} person found in {spent_ms:.0f} ms; {where}")


def _files(weights: Weights) -> Iterator[Finding]:
    from sadinet.weights import DEFAULTS

    is_default = weights.name in DEFAULTS.values()
    for kind, entry in weights.manifest.files.items():
        path = weights.path.parent / entry.name
        if kind == "safetensors" and not path.exists() and not is_installed("torch"):
            # The packaged program has neither.
            yield Finding(f"{weights.name} {kind}", "not here; only torch would read it, which is not here either")
            continue
        if kind == "onnx_fp16" and not path.exists() and getattr(sys, "frozen", False):
            yield Finding(f"{weights.name} {kind}", "not here; it is for graphics cards, and this copy runs on the CPU")
            continue
        try:
            weights.file(kind)
        except WeightsError as error:
            state: State = "missing" if is_default and kind == "onnx" else "note"
            yield Finding(f"{weights.name} {kind}", error.message, state, error.remedy)
        else:
            yield Finding(f"{weights.name} {kind}", f"{entry.name}, SHA-256 {entry.sha256} as it should be")
