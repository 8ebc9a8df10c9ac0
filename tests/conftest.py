"""Settings that all tests share, and a small network whose answers can be foreseen."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import settings
from onnx import TensorProto, helper, numpy_helper

from sadinet.manifest import DecodeSpec, HeatmapSpec, InputSpec, Manifest, Origin, OutputsSpec, PoseSpec
from sadinet.skeletons import Skeleton
from sadinet.weights import file_entry, write_manifest

# The same examples on every run; no deadline, as machines that are busy are no bug.
settings.register_profile("sadinet", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("sadinet")


class Markers:
    """Dots of one colour a joint, and a real ONNX network that lights up where its colours are.

    The network is a fixed one: 1 - (distance of a pixel's colour to the joint's)^2 / REACH^2, not below 0, then
    a Gaussian with stride 4. What it says of a dot is therefore known: a bump at the dot's centre.
    """

    RGB = (
        np.array(
            [
                (2, 0, 0), (0, 2, 0), (0, 0, 2), (2, 2, 0), (2, 0, 2), (0, 2, 2), (2, 2, 2), (2, 1, 0), (2, 0, 1),
                (1, 2, 0), (0, 2, 1), (1, 0, 2), (0, 1, 2), (2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 1),
            ]
        )
        * 127.5
    )  # fmt: skip
    REACH = 0.3
    STRIDE = 4
    SIGMA_PX = 6.0
    KERNEL = 40
    MEAN, STD = (120.0, 110.0, 100.0), (60.0, 55.0, 50.0)

    def paint(self, size_wh: tuple[int, int], points: np.ndarray, radius: float) -> np.ndarray:
        """Return a black BGR picture with a smooth-edged dot at each of the points (K, 2); NaN paints nothing."""
        x, y = np.meshgrid(*map(np.arange, size_wh))
        image = np.zeros((*x.shape, 3))
        for colour, (at_x, at_y) in zip(self.RGB, points, strict=False):
            cover = np.nan_to_num(np.clip(radius + 0.5 - np.hypot(x - at_x, y - at_y), 0, 1))[..., None]
            image = image * (1 - cover) + colour[::-1] * cover
        return np.round(image).astype(np.uint8)

    def write(self, path: Path, joints: int, size_wh: tuple[int, int]) -> None:
        """Write the network: RGB float32 "image" (N, 3, h, w), minus MEAN, over STD -> "maps" (N, joints, h/4, w/4)."""
        colours = self.RGB[:joints] / 255
        near = np.concatenate([2 * colours, -np.ones((joints, 3))], axis=1) / self.REACH**2
        bias = 1 - (colours**2).sum(axis=1) / self.REACH**2
        offsets = np.arange(self.KERNEL) - (self.KERNEL - 1) / 2
        line = np.exp(-0.5 * (offsets / self.SIGMA_PX) ** 2)
        blur = np.broadcast_to(line / np.sqrt(60), (joints, 1, self.KERNEL))
        constants = {
            "std": np.reshape(self.STD, (1, 3, 1, 1)) / 255,
            "mean": np.reshape(self.MEAN, (1, 3, 1, 1)) / 255,
            "near": near[:, :, None, None],
            "bias": bias,
            "across": blur[:, :, None, :],
            "down": blur[:, :, :, None],
        }
        pad = (self.KERNEL - self.STRIDE) // 2
        nodes = [
            helper.make_node("Mul", ["image", "std"], ["scaled"]),
            helper.make_node("Add", ["scaled", "mean"], ["rgb"]),
            helper.make_node("Mul", ["rgb", "rgb"], ["squares"]),
            helper.make_node("Concat", ["rgb", "squares"], ["both"], axis=1),
            helper.make_node("Conv", ["both", "near", "bias"], ["likeness"]),
            helper.make_node("Relu", ["likeness"], ["dots"]),
            helper.make_node("Conv", ["dots", "across"], ["rows"], group=joints, strides=[1, 4], pads=[0, pad, 0, pad]),
            helper.make_node("Conv", ["rows", "down"], ["maps"], group=joints, strides=[4, 1], pads=[pad, 0, pad, 0]),
        ]
        width, height = size_wh
        shapes = {"image": ["n", 3, height, width], "maps": ["n", joints, height // 4, width // 4]}
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
        held = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
        graph = helper.make_graph(nodes, "markers", ends[:1], ends[1:], held)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(path))

    def model(self, folder: Path, skeleton: Skeleton, size_wh: tuple[int, int]) -> Path:
        """Write network and manifest of a skeleton; returns the manifest's path."""
        self.write(folder / f"{skeleton.name}.onnx", len(skeleton), size_wh)
        files = {"onnx": file_entry(folder / f"{skeleton.name}.onnx")}
        fed = InputSpec(size_wh, "nchw", "float32", "rgb", self.MEAN, self.STD)
        pose = PoseSpec(skeleton, HeatmapSpec(self.STRIDE, 1.7), DecodeSpec(), OutputsSpec("maps"))
        path = folder / f"{skeleton.name}.json"
        write_manifest(path, Manifest(skeleton.name, files, fed, "dots", "none", Origin("none", "none"), pose))
        return path


@pytest.fixture(scope="session")
def markers() -> Markers:
    """The network that is foreseen."""
    return Markers()


@pytest.fixture(scope="session")
def clip() -> Path:
    """The bundled video: one walker, 106 frames."""
    return Path(__file__).parents[1] / "sadinet" / "_demo" / "walk.mp4"


@pytest.fixture(scope="session")
def short_clip(clip, tmp_path_factory) -> Path:
    """The bundled video's first 7 frames, at times that do not follow a rate."""
    from sadinet.media.overlay import OverlayWriter
    from sadinet.media.source import open_source

    path = tmp_path_factory.mktemp("clip") / "short.mp4"
    with open_source(clip) as source, OverlayWriter(path) as writer:
        for frame, time_s in zip(source, (0.0, 0.04, 0.08, 0.2, 0.24, 0.5, 0.52), strict=False):
            writer.write(frame.image, time_s)
    return path


@pytest.fixture(scope="session")
def walker(clip) -> np.ndarray:
    """The bundled video's first picture, (H, W, 3) uint8 BGR, with one person in it."""
    from sadinet.media.source import open_source

    with open_source(clip) as source:
        return next(iter(source)).image


@pytest.fixture(scope="session")
def people():
    """The shipped default models on a CPU."""
    from sadinet.pipeline import People, Settings

    return People(Settings(engine="onnx", device="cpu"))


@pytest.fixture(autouse=True)
def _subnormal_numbers_come_back():
    """Training flushes them to zero for its whole process, which other tests notice."""
    yield
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_flush_denormal(False)
