"""DARK: distribution-aware coordinates of keypoints (arXiv 1910.06278), encode and decode.

Encode draws a Gaussian at the exact, unrounded position. Decode smooths a predicted map so that it looks
like what it was trained on, takes its logarithm, which makes a Gaussian a parabola, and finds that
parabola's top by one Newton step from the highest cell. All positions are heatmap cells, whole numbers
are cell centres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import InputError

Rounding = Literal["unbiased", "floor", "round", "ceil"]
Method = Literal["dark", "argmax", "shift", "shift4"]
Modulation = Literal["max", "minmax", "none"]

FLOOR = 1e-10
"""Smallest value before the logarithm."""

LEAST_CURVATURE = 1e-9
"""Smallest determinant of the second derivatives that still counts as a maximum."""

CLIMB = 1
"""Cells that the smoothed maximum may lie beside the raw one, each way."""

REACH = CLIMB + 2
"""Cells around the raw maximum that the differences look at."""

Array = NDArray[np.float32]

_MOVERS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "unbiased": np.positive,
    "floor": np.floor,
    "round": np.round,
    "ceil": np.ceil,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """What maps (N, K, h, w) say.

    Attributes:
        cells: (N, K, 2) float32, x and y in heatmap cells; NaN where the map's highest value is not finite.
        scores: (N, K) float32, each map's highest value clipped to [0, 1]; 0 where it is not finite.
    """

    cells: Array
    scores: Array


def encode(
    points: NDArray[np.floating], size_wh: tuple[int, int], sigma: float, rounding: Rounding = "unbiased"
) -> Array:
    """Draw the training target: a Gaussian of peak 1 for each point.

    Args:
        points: (..., 2) x, y in heatmap cells; NaN gives an empty map.
        size_wh: width and height of the maps, cells.
        sigma: standard deviation, cells.
        rounding: "unbiased" (eq. 13 of the paper) leaves the centre as it is; the others move it to a cell.

    Returns:
        (..., h, w) float32 in [0, 1].

    Raises:
        InputError: if `sigma` is not above 0 or `rounding` is not known.
    """
    if not sigma > 0:
        raise InputError(f"heatmap sigma {sigma}", "must be above 0")
    if rounding not in _MOVERS:
        raise InputError(f"unknown rounding {rounding!r}", "one of: " + ", ".join(_MOVERS))
    centres = _MOVERS[rounding](np.asarray(points, dtype=np.float64))
    width, height = size_wh
    along_x = np.exp(-0.5 * ((np.arange(width) - centres[..., 0:1]) / sigma) ** 2)
    along_y = np.exp(-0.5 * ((np.arange(height) - centres[..., 1:2]) / sigma) ** 2)
    maps: Array = np.nan_to_num(along_y[..., :, None] * along_x[..., None, :]).astype(np.float32)
    return maps


def decode(
    heatmaps: NDArray[np.floating], sigma: float, method: Method = "dark", modulation: Modulation = "max"
) -> Decoded:
    """Find the joint in each map to a fraction of a cell.

    Args:
        heatmaps: (N, K, h, w).
        sigma: standard deviation of the Gaussians that the network was trained on, cells.
        method: "dark"; "argmax" the highest cell; "shift" a quarter cell from it towards the second
            highest cell of the map (eq. 1); "shift4" a quarter cell in x and in y towards the higher
            neighbour, as common code does.
        modulation: how "dark" smooths. "max" convolves with the training Gaussian and keeps the old
            maximum, which is what common code does; "minmax" also takes the minimum away (eq. 11);
            "none" does not smooth.

    Raises:
        InputError: for another shape, method or modulation, or a `sigma` that is not above 0.
    """
    check_decode(np.shape(heatmaps), sigma, method, modulation)
    maps = np.asarray(heatmaps, dtype=np.float32)
    n, k, h, w = maps.shape
    flat = maps.reshape(n * k, h, w)
    peaks, top = _peaks(flat)
    finite = np.isfinite(top)
    if not finite.all():
        flat = np.where(finite[:, None, None], flat, np.float32(0))
    # Singular steps and infinite cells are found afterwards, map by map.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if method == "dark":
            cells = _newton(flat, peaks, top, sigma, modulation)
        elif method == "shift":
            cells = peaks + _towards_second(flat, peaks)
        elif method == "shift4":
            cells = peaks + _towards_neighbour(flat, peaks)
        else:
            cells = peaks.astype(np.float32)
    cells = np.where(finite[:, None], cells, np.nan).astype(np.float32)
    scores = np.clip(np.where(finite, top, 0.0), 0.0, 1.0).astype(np.float32)
    return Decoded(cells.reshape(n, k, 2), scores.reshape(n, k))


def check_decode(shape: tuple[int, ...], sigma: float, method: str, modulation: str) -> None:
    """Raise `InputError` for settings that `decode` cannot work with."""
    if len(shape) != 4 or min(shape[2:]) < 1:
        raise InputError(f"heatmaps of shape {shape}", "must be (N, K, height, width)")
    if not sigma > 0:
        raise InputError(f"heatmap sigma {sigma}", "must be above 0")
    if method not in get_args(Method):
        raise InputError(f"unknown decoding {method!r}", "one of: " + ", ".join(get_args(Method)))
    if modulation not in get_args(Modulation):
        raise InputError(f"unknown modulation {modulation!r}", "one of: " + ", ".join(get_args(Modulation)))


def gaussian_kernel(sigma: float) -> Array:
    """Return the smoothing weights (2r + 1,), r = 3 sigma rounded up, that sum to 1."""
    radius = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel: Array = (weights / weights.sum()).astype(np.float32)
    return kernel


def smoothing_matrix(kernel: Array, size: int) -> Array:
    """Return (size, size + 2r): its product with a zero-padded line is the line smoothed."""
    matrix = np.zeros((size, size + len(kernel) - 1), dtype=np.float32)
    for i in range(size):
        matrix[i, i : i + len(kernel)] = kernel
    return matrix


def _peaks(flat: Array) -> tuple[NDArray[np.int64], Array]:
    """Return each map's highest cell (M, 2) as x, y and its value (M,)."""
    m, h, w = flat.shape
    lines = flat.reshape(m, h * w)
    place = lines.argmax(axis=1)
    top = lines[np.arange(m), place]
    return np.stack([place % w, place // w], axis=1), top


def _towards_second(flat: Array, peaks: NDArray[np.int64]) -> Array:
    """Quarter of a cell from the highest towards the second highest cell of the map (M, 2)."""
    m, h, w = flat.shape
    rest = flat.reshape(m, h * w).copy()
    rest[np.arange(m), peaks[:, 1] * w + peaks[:, 0]] = -np.inf
    place = rest.argmax(axis=1)
    way = np.stack([place % w, place // w], axis=1) - peaks
    length = np.linalg.norm(way, axis=1, keepdims=True)
    shift: Array = (0.25 * way / np.maximum(length, 1e-9)).astype(np.float32)
    return shift


def _towards_neighbour(flat: Array, peaks: NDArray[np.int64]) -> Array:
    """Quarter of a cell in x and in y towards the higher neighbour (M, 2); none at the map's edge."""
    m, h, w = flat.shape
    rows, (x, y) = np.arange(m), peaks.T
    inside_x, inside_y = (x > 0) & (x < w - 1), (y > 0) & (y < h - 1)
    dx = flat[rows, y, np.minimum(x + 1, w - 1)] - flat[rows, y, np.maximum(x - 1, 0)]
    dy = flat[rows, np.minimum(y + 1, h - 1), x] - flat[rows, np.maximum(y - 1, 0), x]
    signs = np.stack([np.sign(dx) * inside_x, np.sign(dy) * inside_y], axis=1)
    shift: Array = (0.25 * np.nan_to_num(signs)).astype(np.float32)
    return shift


def _windows(flat: Array, centres: NDArray[np.int64], reach: int) -> Array:
    """Cut (M, 2 * reach + 1, 2 * reach + 1) around the centres; 0 outside the map."""
    _, h, w = flat.shape
    offsets = np.arange(-reach, reach + 1)
    rows, columns = centres[:, 1, None] + offsets, centres[:, 0, None] + offsets
    # Padding whole maps to cut windows out of them would cost more than all the rest of decoding.
    inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None, :]
    rows, columns = rows.clip(0, h - 1), columns.clip(0, w - 1)
    there = flat[np.arange(len(flat))[:, None, None], rows[:, :, None], columns[:, None, :]]
    cut: Array = np.where(inside, there, np.float32(0))
    return cut


def _smooth_windows(flat: Array, peaks: NDArray[np.int64], top: Array, sigma: float) -> Array:
    """Return windows (M, 7, 7) of the smoothed maps, their maximum as it was; only these windows are smoothed."""
    kernel = gaussian_kernel(sigma)
    lines = smoothing_matrix(kernel, 2 * REACH + 1)
    smooth = lines @ _windows(flat, peaks, REACH + len(kernel) // 2) @ lines.T
    scale = top / np.maximum(smooth.max(axis=(1, 2)), FLOOR)
    scaled: Array = (smooth * scale[:, None, None]).astype(np.float32, copy=False)
    return scaled


def _smooth_minmax_windows(flat: Array, peaks: NDArray[np.int64], top: Array, sigma: float) -> Array:
    """Return windows (M, 7, 7) of the smoothed maps, rescaled to 0 .. old maximum (eq. 11)."""
    kernel = gaussian_kernel(sigma)
    _, h, w = flat.shape
    radius = len(kernel) // 2
    padded = np.pad(flat, ((0, 0), (radius, radius), (radius, radius)))
    whole = smoothing_matrix(kernel, h) @ padded @ smoothing_matrix(kernel, w).T
    low, high = whole.min(axis=(1, 2), keepdims=True), whole.max(axis=(1, 2), keepdims=True)
    return _windows((whole - low) / np.maximum(high - low, FLOOR) * top[:, None, None], peaks, REACH)


def _modulated_windows(
    flat: Array, peaks: NDArray[np.int64], top: Array, sigma: float, modulation: Modulation
) -> Array:
    """Return what the Newton step looks at: the modulated maps around their maxima, (M, 7, 7)."""
    if modulation == "none":
        return _windows(flat, peaks, REACH)
    smoother = _smooth_windows if modulation == "max" else _smooth_minmax_windows
    smooth = smoother(flat, peaks, top, sigma)
    # At the map's edge half of the Gaussian is missing and smoothing would draw the top inwards, by up to a cell.
    to_edge = np.minimum(peaks, np.array([flat.shape[2] - 1, flat.shape[1] - 1]) - peaks).min(axis=1)
    cut = np.flatnonzero(to_edge <= sigma)
    if cut.size:
        smooth[cut] = _windows(flat[cut], peaks[cut], REACH)
    return smooth


def _newton(flat: Array, peaks: NDArray[np.int64], top: Array, sigma: float, modulation: Modulation) -> Array:
    """Return mu = m - D''^-1 D' of the log-map (eq. 10); quarter shift where that step is no good (M, 2)."""
    m, h, w = flat.shape
    log = np.log(np.maximum(_modulated_windows(flat, peaks, top, sigma, modulation), FLOOR))
    # Noise may lift a cell beside the top: start from the smoothed maximum next to the raw one.
    side = 2 * CLIMB + 1
    near = log[:, 2:-2, 2:-2].reshape(m, side * side).argmax(axis=1)
    climb = np.stack([near % side, near // side], axis=1) - CLIMB
    start = np.clip(peaks + climb, 0, [w - 1, h - 1])
    rows, (x, y) = np.arange(m), (start - peaks + REACH).T

    def at(dx: int, dy: int) -> Array:
        value: Array = log[rows, y + dy, x + dx]
        return value

    here = at(0, 0)
    gx, gy = (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2
    gxx, gyy = (at(2, 0) - 2 * here + at(-2, 0)) / 4, (at(0, 2) - 2 * here + at(0, -2)) / 4
    gxy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
    det = gxx * gyy - gxy**2
    step = -np.stack([gyy * gx - gxy * gy, gxx * gy - gxy * gx], axis=1) / det[:, None]
    good = (det > LEAST_CURVATURE) & (gxx < 0) & (np.abs(step) <= 1).all(axis=1)
    inner = (start >= 2).all(axis=1) & (start[:, 0] < w - 2) & (start[:, 1] < h - 2)
    good &= inner
    fallback = peaks + _towards_neighbour(flat, peaks)
    cells: Array = np.where(good[:, None], start + np.where(good[:, None], step, 0), fallback).astype(np.float32)
    return cells
