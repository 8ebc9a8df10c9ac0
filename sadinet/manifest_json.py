"""Reading and writing manifests.

A manifest is a small JSON file beside the model's files. It is read strictly: a key too many, a key too
few or a value of the wrong type is refused with one line that names the file and the key.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import get_args

from sadinet._fields import Fields
from sadinet.dark import Method, Modulation
from sadinet.errors import OutputError, WeightsError
from sadinet.manifest import (
    FORMAT,
    Channels,
    DecodeSpec,
    DetectorSpec,
    Dtype,
    FileEntry,
    FileKind,
    HeatmapSpec,
    InputSpec,
    Kind,
    Layout,
    Manifest,
    Origin,
    OutputsSpec,
    PoseSpec,
)
from sadinet.skeletons import SKELETONS, Skeleton


def load_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        WeightsError: if the file is missing, is not JSON, or has a key too many, a key too few or a wrong value.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"cannot read the manifest {path}: {_reason(error)}") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise WeightsError(f"the manifest {path} is not JSON: {error}") from None
    return _parse(Fields(values, str(path)))


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest so that a reader sees the old one or the new one, never half of it.

    Raises:
        OutputError: if it cannot be written.
    """
    text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"cannot write the manifest {path}: {_reason(error)}") from error


def _parse(fields: Fields) -> Manifest:
    if fields.integer("format") != FORMAT:
        raise fields.error("format", f"this version reads format {FORMAT}")
    kind = fields.choice("kind", get_args(Kind))
    manifest = Manifest(
        name=fields.text("name"),
        files=_parse_files(fields.part("files")),
        input=_parse_input(fields.part("input")),
        pose=_parse_pose(fields) if kind == "pose" else None,
        detector=_parse_detector(fields.part("detector")) if kind == "detector" else None,
        data=fields.text("data"),
        figures=fields.mapping("figures"),
        licence=fields.text("licence"),
        origin=_parse_origin(fields.part("origin")),
    )
    fields.finish()
    return manifest


def _parse_files(fields: Fields) -> dict[FileKind, FileEntry]:
    files: dict[FileKind, FileEntry] = {}
    for kind in get_args(FileKind):
        if kind not in fields:
            continue
        part = fields.part(kind)
        entry = FileEntry(part.text("name"), part.text("sha256").lower(), part.integer("bytes", at_least=1))
        if Path(entry.name).name != entry.name or "\\" in entry.name:
            raise part.error("name", "must be a bare file name, the file lies beside the manifest")
        if len(entry.sha256) != 64 or set(entry.sha256) - set("0123456789abcdef"):
            raise part.error("sha256", "must be 64 hexadecimal digits")
        part.finish()
        files[kind] = entry
    fields.finish()
    if not files:
        raise fields.error("", "needs at least one of " + ", ".join(get_args(FileKind)))
    return files


def _parse_input(fields: Fields) -> InputSpec:
    width, height = fields.integers("size_wh", 2, at_least=1)
    mean, std = fields.numbers("mean", 3), fields.numbers("std", 3, above=0)
    spec = InputSpec(
        size_wh=(width, height),
        layout=fields.choice("layout", get_args(Layout)),
        dtype=fields.choice("dtype", get_args(Dtype)),
        channels=fields.choice("channels", get_args(Channels)),
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
    )
    fields.finish()
    if spec.dtype == "uint8" and not spec.is_plain:
        raise fields.error("dtype", "uint8 input cannot have a mean or std of its own; use float32")
    return spec


def _parse_pose(fields: Fields) -> PoseSpec:
    heatmap, decode, outputs = fields.part("heatmap"), fields.part("decode"), fields.part("outputs")
    pose = PoseSpec(
        skeleton=_parse_skeleton(fields),
        heatmap=HeatmapSpec(heatmap.number("stride", above=0), heatmap.number("sigma", above=0)),
        decode=DecodeSpec(
            decode.choice("method", get_args(Method)),
            decode.choice("modulation", get_args(Modulation)),
            decode.number("smoothing", above=0) if "smoothing" in decode else None,
        ),
        outputs=OutputsSpec(outputs.text("heatmaps"), outputs.text_or_none("sigma")),
        network=fields.mapping_or_none("network"),
    )
    for part in (heatmap, decode, outputs):
        part.finish()
    return pose


def _parse_skeleton(fields: Fields) -> Skeleton:
    if fields.is_text("skeleton"):
        return SKELETONS[fields.choice("skeleton", tuple(SKELETONS))]
    part = fields.part("skeleton")
    joints = part.texts("joints")
    limbs = part.pairs("limbs")
    skeleton = Skeleton(part.text("name"), joints, limbs, part.numbers("oks_sigmas", len(joints), above=0))
    part.finish()
    if not joints or len(set(joints)) != len(joints):
        raise part.error("joints", "needs at least one joint, and no name twice")
    for joint in (name for limb in limbs for name in limb):
        if joint not in joints:
            raise part.error("limbs", f"names the joint {joint!r}, which `joints` lacks")
    for joint in joints:
        if joint.startswith("left_") and "right_" + joint.removeprefix("left_") not in joints:
            raise part.error("joints", f"has {joint!r} but not its right counterpart")
    if SKELETONS.get(skeleton.name, skeleton) != skeleton:
        raise part.error("name", f"{skeleton.name!r} is a known skeleton with other joints; choose another name")
    return skeleton


def _parse_detector(fields: Fields) -> DetectorSpec:
    outputs = fields.texts("outputs")
    spec = DetectorSpec(
        score=fields.number("score", above=0, at_most=1),
        iou=fields.number("iou", above=0, at_most=1),
        max_boxes=fields.integer("max_boxes", at_least=1),
        outputs=outputs,
        strides=fields.integers("strides", len(outputs), at_least=1),
        bins=fields.integer("bins", at_least=2),
    )
    fields.finish()
    if not outputs:
        raise fields.error("outputs", "needs at least one head")
    return spec


def _parse_origin(fields: Fields) -> Origin:
    source = fields.text("source") if "source" in fields else ""
    origin = Origin(fields.text("commit"), fields.text("command"), source)
    fields.finish()
    return origin


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
