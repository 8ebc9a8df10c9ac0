"""The manifest of a model: what its files are, what goes in, what comes out, and where it is from.

These are the data alone; `sadinet.manifest_json` reads and writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sadinet.dark import Method, Modulation
from sadinet.skeletons import SKELETONS, Skeleton

FORMAT = 1

Kind = Literal["pose", "detector"]
FileKind = Literal["onnx", "onnx_fp16", "safetensors"]
Layout = Literal["nhwc", "nchw"]
Dtype = Literal["uint8", "float32"]
Channels = Literal["bgr", "rgb"]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a model: bare name (it lies beside the manifest), SHA-256 in hex, size in bytes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the network wants to be fed.

    Attributes:
        size_wh: width and height, pixels. A detector is fully convolutional: frames keep their shape
            and are scaled to about this many pixels.
        layout: order of the axes after the batch.
        dtype: type of the values.
        channels: order of the colours.
        mean: taken from each channel before the network, in 0..255 units, in the order of `channels`.
        std: what each channel is then divided by; mean 0 and std 1 leave the values as they are.
    """

    size_wh: tuple[int, int]
    layout: Layout = "nhwc"
    dtype: Dtype = "uint8"
    channels: Channels = "bgr"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def is_plain(self) -> bool:
        """Whether the values go in as they are."""
        return self.mean == (0.0, 0.0, 0.0) and self.std == (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class HeatmapSpec:
    """Input pixels per heatmap cell, and the training Gaussian's standard deviation in cells."""

    stride: float
    sigma: float


@dataclass(frozen=True, slots=True)
class DecodeSpec:
    """How joints are read from the heatmaps; see `sadinet.dark`.

    Attributes:
        method: how a joint is found.
        modulation: how DARK smooths first.
        smoothing: standard deviation of that smoothing, cells; None for the training Gaussian's, as the paper
            has it. Maps that came out narrower or lopsided are read better with less.
    """

    method: Method = "dark"
    modulation: Modulation = "max"
    smoothing: float | None = None

    def sigma(self, trained: float) -> float:
        """Return the smoothing in cells for maps trained with Gaussians of `trained` cells."""
        return trained if self.smoothing is None else self.smoothing


@dataclass(frozen=True, slots=True)
class OutputsSpec:
    """Names of the network's outputs; `sigma` is None where it gives no uncertainty."""

    heatmaps: str
    sigma: str | None = None


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """How boxes are read from a detector's raw heads.

    Attributes:
        score: least confidence of a box that is kept.
        iou: overlap above which the weaker of two boxes is dropped.
        max_boxes: most boxes of one frame.
        outputs: names of the heads, finest first, each (N, 4 * bins + 1, h, w): for each side a
            distribution over distances in cells, then the person's logit.
        strides: input pixels per cell of each head.
        bins: distances of a side's distribution: 0, 1 .. bins - 1 cells.
    """

    score: float
    iou: float
    max_boxes: int
    outputs: tuple[str, ...]
    strides: tuple[int, ...]
    bins: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Which commit and command made the files, and, where they were derived, from what."""

    commit: str
    command: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class PoseSpec:
    """What only a pose model has; `network` is None for a network that is not SADI-NET."""

    skeleton: Skeleton
    heatmap: HeatmapSpec
    decode: DecodeSpec
    outputs: OutputsSpec
    network: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that is known about a model; exactly one of `pose` and `detector` is set."""

    name: str
    files: Mapping[FileKind, FileEntry]
    input: InputSpec
    data: str
    licence: str
    origin: Origin
    pose: PoseSpec | None = None
    detector: DetectorSpec | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What the model does."""
        return "detector" if self.detector is not None else "pose"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values in the manifest's own order."""
        values: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "kind": self.kind,
            "files": {kind: _plain(entry) for kind, entry in self.files.items()},
            "input": _plain(self.input),
        }
        if self.detector is not None:
            values["detector"] = _plain(self.detector)
        if self.pose is not None:
            known = SKELETONS.get(self.pose.skeleton.name) == self.pose.skeleton
            values |= {
                "skeleton": self.pose.skeleton.name if known else _plain(self.pose.skeleton),
                "heatmap": _plain(self.pose.heatmap),
                "decode": _plain(self.pose.decode),
                "outputs": _plain(self.pose.outputs),
                "network": None if self.pose.network is None else dict(self.pose.network),
            }
        return values | {
            "data": self.data,
            "figures": dict(self.figures),
            "licence": self.licence,
            "origin": _plain(self.origin),
        }


def _plain(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name in value.__dataclass_fields__:
        item = getattr(value, name)
        plain[name] = _listed(item)
    if isinstance(value, Origin) and not value.source:
        del plain["source"]
    if isinstance(value, DecodeSpec) and value.smoothing is None:
        del plain["smoothing"]
    return plain


def _listed(item: Any) -> Any:
    return [_listed(part) for part in item] if isinstance(item, tuple) else item
