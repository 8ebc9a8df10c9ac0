"""The shipped model says the same in every runtime, precision and batch, on people of a real video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sadinet
from sadinet.engines.onnx import OnnxEngine
from sadinet.errors import DeviceError
from sadinet.geometry import Box
from sadinet.media.video import VideoReader
from sadinet.people.detector import open_detector
from sadinet.people.estimator import PoseEstimator
from sadinet.weights import find_weights

CLIP = Path(sadinet.__file__).parent / "_demo" / "walk.mp4"
SURE = 0.3


@pytest.fixture(scope="module")
def sample():
    """Every fourth frame of the bundled clip with its people's boxes."""
    detector = open_detector("default", "cpu")
    with VideoReader(CLIP) as video:
        frames = [(frame.image, detector(frame.image)) for frame in video if frame.index % 4 == 0]
    frames = [(image, boxes) for image, boxes in frames if boxes]
    assert sum(len(boxes) for _, boxes in frames) >= 5
    return frames


@pytest.fixture(scope="module")
def onnx():
    return PoseEstimator(engine="onnx", device="cpu", precision="fp32")


def stacked(estimator, people):
    poses = [pose for image, boxes in people for pose in estimator(image, boxes)]
    return tuple(np.stack([getattr(pose, name) for pose in poses]) for name in ("joints", "scores", "sigmas"))


@pytest.mark.parametrize(
    ("engine", "precision", "median_px", "most_px"),
    [
        ("onnx", "fp16", 0.1, 0.5),
        ("torch", "fp32", 0.02, 0.1),
        ("torch", "bf16", 0.1, 0.5),
    ],
)
def test_engines_agree(onnx, sample, engine, precision, median_px, most_px):
    other = PoseEstimator(engine=engine, device="cpu", precision=precision)
    assert other.runtime.engine.startswith(engine)
    assert other.runtime.precision == precision
    joints, scores, sigmas = stacked(onnx, sample)
    got, got_scores, got_sigmas = stacked(other, sample)
    sure = scores > SURE
    assert sure.sum() >= 20
    apart = np.linalg.norm(got - joints, axis=2)[sure]
    told = (
        f"{engine} {precision}: {np.median(apart):.4f} px, 99% {np.quantile(apart, 0.99):.3f} px, {sure.sum()} joints"
    )
    print(told)  # noqa: T201  what the limits are held against
    assert np.median(apart) < median_px
    assert np.quantile(apart, 0.99) < most_px
    np.testing.assert_allclose(got_scores, scores, atol=1e-4 if precision == "fp32" else 0.02)
    np.testing.assert_allclose(got_sigmas[sure], sigmas[sure], rtol=1e-3 if precision == "fp32" else 0.1)


def test_fifty_people_in_one_go_are_fifty_single_runs(onnx, sample):
    image, (box, *_) = sample[0]
    rng = np.random.default_rng(0)
    boxes = [
        Box(box.x + dx, box.y + dy, box.width * grow, box.height * grow)
        for dx, dy, grow in rng.uniform((-30, -30, 0.8), (30, 30, 1.3), (50, 3))
    ]
    together = onnx(image, boxes)
    alone = [onnx(image, [each])[0] for each in boxes]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)
        np.testing.assert_allclose(one.sigmas, other.sigmas, rtol=0.01)
        np.testing.assert_allclose(one.joints[one.scores > SURE], other.joints[one.scores > SURE], atol=0.1)


def test_flip_test_leaves_sure_joints_about_where_they_are(sample):
    """The mirrored run, turned back and its sides exchanged, says the same person, within a few percent of its size."""
    plain, flipped = PoseEstimator(device="cpu"), PoseEstimator(device="cpu", flip_test=True)
    joints, scores, _ = stacked(plain, sample)
    got, got_scores, _ = stacked(flipped, sample)
    heights = np.array([box.height for _, boxes in sample for box in boxes])
    apart = np.linalg.norm(got - joints, axis=2) / heights[:, None]
    assert np.median(apart[(scores > SURE) & (got_scores > SURE)]) < 0.02
    assert np.abs(got - joints).max() > 1e-3  # it did run


def test_lanes_change_nothing_but_the_speed() -> None:
    weights = find_weights("default")
    width, height = weights.manifest.input.size_wh
    crops = np.random.default_rng(3).integers(0, 256, (3, height, width, 3), dtype=np.uint8)
    one, three = (OnnxEngine(weights, device="cpu", lanes=lanes) for lanes in (1, 3))
    alone = [one.maps(crops[i : i + 1]) for i in range(3)]
    for engine in (one, three):
        together = engine.maps(crops)
        assert np.array_equal(together.heatmaps, np.concatenate([maps.heatmaps for maps in alone]))
        assert together.sigmas is not None
        assert np.array_equal(together.sigmas, np.concatenate([maps.sigmas for maps in alone]))
        found = engine.joints(crops, weights.pose.decode)
        singly = [engine.joints(crops[i : i + 1], weights.pose.decode) for i in range(3)]
        assert np.array_equal(found.cells, np.concatenate([each.cells for each in singly]))
        assert np.array_equal(found.scores, np.concatenate([each.scores for each in singly]))
        assert np.array_equal(found.sigmas, np.concatenate([each.sigmas for each in singly]))


def test_fp16_of_torch_is_refused_on_a_cpu():
    pytest.importorskip("torch")
    with pytest.raises(DeviceError, match="fp16"):
        PoseEstimator(engine="torch", device="cpu", precision="fp16")
