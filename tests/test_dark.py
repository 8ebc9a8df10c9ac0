"""Encoding and decoding of heatmaps."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.dark import decode, encode, gaussian_kernel
from sadinet.errors import InputError

WAYS = [("dark", "max"), ("dark", "minmax"), ("dark", "none"), ("argmax", "max"), ("shift", "max"), ("shift4", "max")]
SIGMAS = [1.5, 2.0, 2.5, 3.0]


def inside(count: int, size_wh: tuple[int, int], sigma: float, seed: int = 0) -> np.ndarray:
    """Centres (1, count, 2) at least three sigma inside the map."""
    low = 3 * sigma
    high = np.array(size_wh) - 1 - low
    return np.random.default_rng(seed).uniform(low, high, (1, count, 2))


def noisy(maps: np.ndarray, seed: int, share: float = 0.05) -> np.ndarray:
    return (maps + np.random.default_rng(seed).normal(0, share, maps.shape)).astype(np.float32)


def mean_error(maps: np.ndarray, points: np.ndarray, sigma: float, method="dark", modulation="max") -> float:
    return float(np.linalg.norm(decode(maps, sigma, method, modulation).cells - points, axis=-1).mean())


# --- encode


@given(st.floats(-5, 70), st.floats(-5, 70), st.sampled_from(SIGMAS))
def test_encode_is_the_gaussian_of_the_exact_point(x, y, sigma):
    maps = encode(np.array([x, y]), (48, 64), sigma)
    assert maps.shape == (64, 48)
    assert maps.dtype == np.float32
    for column, row in ((0, 0), (47, 63), (20, 31)):
        expected = math.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * sigma**2))
        assert maps[row, column] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("rounding", "centre"), [("floor", (10, 20)), ("round", (10, 21)), ("ceil", (11, 21)), ("unbiased", (10.3, 20.7))]
)
def test_roundings_move_the_centre(rounding, centre):
    maps = encode(np.array([10.3, 20.7]), (48, 64), 2.0, rounding)
    np.testing.assert_allclose(maps, encode(np.array(centre), (48, 64), 2.0), atol=1e-6)


def test_only_a_whole_centre_reaches_one():
    assert encode(np.array([10.0, 20.0]), (48, 64), 2.0).max() == 1
    assert encode(np.array([10.5, 20.5]), (48, 64), 2.0).max() == pytest.approx(math.exp(-0.5 / 8))


def test_missing_joints_give_empty_maps():
    maps = encode(np.array([[np.nan, 3], [4, np.nan], [4, 3]]), (8, 8), 2.0)
    assert maps[:2].max() == 0
    assert maps[2].max() == 1


def test_encode_refuses_nonsense():
    for sigma in (0.0, -1.0, math.nan):
        with pytest.raises(InputError, match="sigma"):
            encode(np.zeros(2), (8, 8), sigma)
    with pytest.raises(InputError, match="rounding"):
        encode(np.zeros(2), (8, 8), 2.0, "nearest")


# --- dark


@given(st.integers(0, 10**6), st.floats(1.5, 3.0), st.sampled_from([(48, 64), (64, 64), (24, 32)]))
def test_dark_finds_any_centre(seed, sigma, size_wh):
    points = inside(19, size_wh, sigma, seed)
    maps = encode(points, size_wh, sigma)
    for modulation in ("max", "minmax", "none"):
        cells = decode(maps, sigma, "dark", modulation).cells
        np.testing.assert_allclose(cells, points, atol=0.02)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("modulation", ["max", "minmax"])
@pytest.mark.parametrize("seed", range(3))
def test_dark_stands_five_percent_noise(seed, modulation, sigma):
    points = inside(500, (48, 64), sigma, seed)
    maps = noisy(encode(points, (48, 64), sigma), seed)
    assert mean_error(maps, points, sigma, "dark", modulation) <= 0.1


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_dark_is_best_on_gaussians(noise):
    points = inside(500, (48, 64), 2.0)
    maps = noisy(encode(points, (48, 64), 2.0), 1, noise)
    error = {method: mean_error(maps, points, 2.0, method) for method in ("dark", "shift", "shift4", "argmax")}
    assert error["dark"] < 0.3 * error["shift4"]
    assert error["shift4"] < error["shift"] < error["argmax"]
    if noise:
        assert error["dark"] < 0.5 * mean_error(maps, points, 2.0, "dark", "none")


def test_dark_finds_a_tilted_gaussian():
    """The mixed derivative counts: an oblong, turned Gaussian has its top where it was put."""
    x, y = np.arange(48), np.arange(64)[:, None]
    dx, dy = x - 20.3, y - 30.8
    maps = np.exp(-0.5 * (dx**2 / 4 + dy**2 / 9 - 0.2 * dx * dy)).astype(np.float32)[None, None]
    for modulation in ("max", "none"):
        np.testing.assert_allclose(decode(maps, 2.0, "dark", modulation).cells[0, 0], [20.3, 30.8], atol=0.02)


def test_two_peaks_the_higher_wins_undisturbed():
    one = encode(np.array([[[12.4, 15.2]]]), (64, 64), 2.0)
    other = encode(np.array([[[45.0, 50.0]]]), (64, 64), 2.0)
    decoded = decode(0.9 * one + 0.6 * other, 2.0)
    np.testing.assert_allclose(decoded.cells[0, 0], [12.4, 15.2], atol=0.02)
    assert decoded.scores[0, 0] == pytest.approx(0.9 * one.max())


def plain_dark(heatmap: np.ndarray, sigma: float, *, minmax: bool) -> tuple[float, float]:
    """The paper's equations, one map, one cell at a time, in double precision."""
    h, w = heatmap.shape
    reach = math.ceil(3 * sigma)
    taps = [math.exp(-(d**2) / (2 * sigma**2)) for d in range(-reach, reach + 1)]
    taps = [t / sum(taps) for t in taps]
    smooth = np.zeros((h, w))
    for row in range(h):
        for column in range(w):
            for i, down in enumerate(taps):
                for j, right in enumerate(taps):
                    r, c = row + i - reach, column + j - reach
                    if 0 <= r < h and 0 <= c < w:
                        smooth[row, column] += down * right * float(heatmap[r, c])
    low = smooth.min() if minmax else 0.0
    smooth = (smooth - low) / (smooth.max() - low) * float(heatmap.max())
    log = np.log(np.maximum(smooth, 1e-10))
    y, x = np.unravel_index(np.argmax(smooth), smooth.shape)
    gx = (log[y, x + 1] - log[y, x - 1]) / 2
    gy = (log[y + 1, x] - log[y - 1, x]) / 2
    gxx = (log[y, x + 2] - 2 * log[y, x] + log[y, x - 2]) / 4
    gyy = (log[y + 2, x] - 2 * log[y, x] + log[y - 2, x]) / 4
    gxy = (log[y + 1, x + 1] - log[y - 1, x + 1] - log[y + 1, x - 1] + log[y - 1, x - 1]) / 4
    step = -np.linalg.inv([[gxx, gxy], [gxy, gyy]]) @ [gx, gy]
    return float(x + step[0]), float(y + step[1])


@pytest.mark.parametrize("modulation", ["max", "minmax"])
def test_dark_agrees_with_the_equations_written_out(modulation):
    points = inside(6, (24, 20), 1.5)
    # So little noise that the smoothed top is next to the raw one.
    maps = noisy(encode(points, (24, 20), 1.5), 5, 0.03)
    expected = [plain_dark(m, 1.5, minmax=modulation == "minmax") for m in maps[0]]
    np.testing.assert_allclose(decode(maps, 1.5, "dark", modulation).cells[0], expected, atol=1e-3)


# --- the alternatives, against plain references


def plain_argmax(heatmap: np.ndarray) -> tuple[int, int]:
    best = (0, 0)
    for row in range(heatmap.shape[0]):
        for column in range(heatmap.shape[1]):
            if heatmap[row, column] > heatmap[best[1], best[0]]:
                best = (column, row)
    return best


def plain_shift(heatmap: np.ndarray) -> tuple[float, float]:
    first = plain_argmax(heatmap)
    rest = heatmap.copy()
    rest[first[1], first[0]] = -np.inf
    second = plain_argmax(rest)
    dx, dy = second[0] - first[0], second[1] - first[1]
    length = math.hypot(dx, dy)
    return first[0] + dx / length / 4, first[1] + dy / length / 4


def plain_shift4(heatmap: np.ndarray) -> tuple[float, float]:
    h, w = heatmap.shape
    x, y = plain_argmax(heatmap)
    fine_x, fine_y = float(x), float(y)
    if 0 < x < w - 1:
        fine_x += 0.25 * ((heatmap[y, x + 1] > heatmap[y, x - 1]) * 1 - (heatmap[y, x + 1] < heatmap[y, x - 1]) * 1)
    if 0 < y < h - 1:
        fine_y += 0.25 * ((heatmap[y + 1, x] > heatmap[y - 1, x]) * 1 - (heatmap[y + 1, x] < heatmap[y - 1, x]) * 1)
    return fine_x, fine_y


@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(2, 12))
def test_argmax_and_shifts_agree_with_plain_references(seed, width, height):
    maps = np.random.default_rng(seed).random((2, 3, height, width), dtype=np.float32)
    for method, plain in (("argmax", plain_argmax), ("shift", plain_shift), ("shift4", plain_shift4)):
        expected = [[plain(m) for m in person] for person in maps]
        np.testing.assert_allclose(decode(maps, 2.0, method).cells, expected, atol=1e-6)


def test_the_two_shifts_differ_as_they_are_defined():
    heatmap = np.zeros((1, 1, 8, 8), np.float32)
    heatmap[0, 0, 3, 3], heatmap[0, 0, 3, 4], heatmap[0, 0, 6, 7] = 1.0, 0.5, 0.8
    np.testing.assert_allclose(decode(heatmap, 2.0, "shift").cells[0, 0], [3 + 0.25 * 0.8, 3 + 0.25 * 0.6], atol=1e-6)
    np.testing.assert_allclose(decode(heatmap, 2.0, "shift4").cells[0, 0], [3.25, 3], atol=1e-6)


# --- borders and bad maps


@pytest.mark.parametrize(("x", "y"), [(0, 0), (47, 63), (0, 30), (20, 63), (1, 62), (0.4, 0.4)])
@pytest.mark.parametrize(("method", "modulation"), WAYS)
def test_joints_at_the_border_stay_within_half_a_cell(method, modulation, x, y):
    cells = decode(encode(np.array([[[x, y]]]), (48, 64), 2.0), 2.0, method, modulation).cells
    np.testing.assert_allclose(cells[0, 0], [x, y], atol=0.5)


@pytest.mark.parametrize("modulation", ["max", "minmax"])
@pytest.mark.parametrize("sigma", [2.0, 3.0])
def test_smoothing_does_not_draw_joints_inwards_from_the_edge(sigma, modulation):
    """Two cells from the edge the Newton step is still exact; the cut-off Gaussian must not be smoothed there."""
    rng = np.random.default_rng(0)
    edges = np.stack([rng.uniform(1.51, 2.4, 200), rng.uniform(20, 40, 200)], axis=1)[None]
    for points in (edges, np.array([47, 63]) - edges):
        maps = encode(points, (48, 64), sigma)
        assert mean_error(maps, points, sigma, "dark", modulation) <= 0.02


@pytest.mark.parametrize(("method", "modulation"), WAYS)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0, -2.0])
def test_flat_maps_stay_in_the_map(value, method, modulation):
    decoded = decode(np.full((2, 1, 16, 12), value, np.float32), 2.0, method, modulation)
    assert np.isfinite(decoded.cells).all()
    assert (decoded.cells >= 0).all()
    assert (decoded.cells <= [11, 15]).all()
    np.testing.assert_allclose(decoded.scores, np.clip(value, 0, 1))


@pytest.mark.parametrize(("method", "modulation"), WAYS)
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 1, 1, 6), (1, 2, 3, 3), (0, 19, 64, 48), (2, 0, 8, 8)])
def test_small_and_empty_maps_do_not_crash(shape, method, modulation):
    maps = np.random.default_rng(0).random(shape, dtype=np.float32)
    decoded = decode(maps, 2.0, method, modulation)
    assert decoded.cells.shape == (*shape[:2], 2)
    assert decoded.scores.shape == shape[:2]
    assert np.isfinite(decoded.cells).all()


@pytest.mark.parametrize(("method", "modulation"), WAYS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_map_that_is_not_finite_has_no_joint_and_spoils_no_other(bad, method, modulation):
    maps = encode(inside(2, (48, 64), 2.0), (48, 64), 2.0)
    good = decode(maps, 2.0, method, modulation)
    maps[0, 0, 5, 5] = bad
    decoded = decode(maps, 2.0, method, modulation)
    assert np.isnan(decoded.cells[0, 0]).all()
    assert decoded.scores[0, 0] == 0
    np.testing.assert_array_equal(decoded.cells[0, 1], good.cells[0, 1])
    assert decoded.scores[0, 1] == good.scores[0, 1]


@pytest.mark.parametrize(("method", "modulation"), WAYS)
def test_minus_infinity_beside_the_peak_stays_in_the_map(method, modulation):
    maps = np.full((1, 1, 16, 16), -np.inf, np.float32)
    maps[0, 0, 7, 8] = 0.5
    np.testing.assert_allclose(decode(maps, 2.0, method, modulation).cells[0, 0], [8, 7], atol=0.5)


@given(st.integers(0, 10**6), st.sampled_from(WAYS))
def test_never_further_than_two_cells_from_the_highest(seed, way):
    """Whatever the map: one cell of climbing and one of the Newton step at most."""
    maps = np.random.default_rng(seed).normal(size=(2, 4, 16, 12)).astype(np.float32)
    far = np.abs(decode(maps, 2.0, *way).cells - decode(maps, 2.0, "argmax").cells)
    assert far.max() <= 2


def test_scores_are_the_highest_value_clipped():
    maps = np.zeros((1, 3, 8, 8), np.float32)
    maps[0, :, 4, 4] = [0.25, 1.7, 0.0]
    np.testing.assert_allclose(decode(maps, 2.0).scores, [[0.25, 1.0, 0.0]])


def test_decode_takes_half_precision_and_leaves_its_input_alone():
    maps = encode(inside(4, (48, 64), 2.0), (48, 64), 2.0).astype(np.float16)
    before = maps.copy()
    assert decode(maps, 2.0).cells.dtype == np.float32
    np.testing.assert_array_equal(maps, before)


def test_decode_refuses_nonsense():
    maps = np.zeros((1, 1, 4, 4), np.float32)
    for arguments in ((maps[0], 2.0), (maps[:, :, :0], 2.0), (maps, 0.0), (maps, 2.0, "x"), (maps, 2.0, "dark", "x")):
        with pytest.raises(InputError):
            decode(*arguments)


def test_kernel_sums_to_one_and_is_even():
    kernel = gaussian_kernel(1.5)
    assert len(kernel) == 11
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_array_equal(kernel, kernel[::-1])
    assert kernel[5] / kernel[8] == pytest.approx(math.exp(2), rel=1e-5)


def test_one_person_costs_no_time():
    """19 maps of 64x64: far below a network's time, with room for a busy machine."""
    maps = encode(inside(19, (64, 64), 2.0), (64, 64), 2.0)
    decode(maps, 2.0)
    best_ms = math.inf
    for _ in range(20):
        began = time.perf_counter()
        decode(maps, 2.0)
        best_ms = min(best_ms, 1000 * (time.perf_counter() - began))
    assert best_ms < 2
