"""DARK on the device: the torch twin of `sadinet.dark.decode` (arXiv 1910.06278).

It runs where the heatmaps are, so that only coordinates leave a GPU, and has no loop over maps or people.
Positions are heatmap cells, whole numbers are cell centres.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sadinet.dark import (
    CLIMB,
    FLOOR,
    LEAST_CURVATURE,
    REACH,
    Method,
    Modulation,
    check_decode,
    gaussian_kernel,
    smoothing_matrix,
)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What maps (N, K, h, w) say, on their device.

    Attributes:
        cells: (N, K, 2) fp32, x and y in heatmap cells; NaN where the map's highest value is not finite.
        scores: (N, K) fp32, each map's highest value clipped to [0, 1]; 0 where it is not finite.
    """

    cells: Tensor
    scores: Tensor


@torch.no_grad()
def decode(heatmaps: Tensor, sigma: float, method: Method = "dark", modulation: Modulation = "max") -> Decoded:
    """Find the joint in each map to a fraction of a cell.

    Args:
        heatmaps: (N, K, h, w), any device and floating type; computed in fp32.
        sigma: standard deviation of the Gaussians that the network was trained on, cells.
        method: as in `sadinet.dark.decode`.
        modulation: as in `sadinet.dark.decode`.

    Raises:
        InputError: for another shape, method or modulation, or a `sigma` that is not above 0.
    """
    check_decode(tuple(heatmaps.shape), sigma, method, modulation)
    # Half precision would blur what this is about, also where the caller runs under autocast.
    with torch.autocast(heatmaps.device.type, enabled=False):
        return _decode(heatmaps.float(), sigma, method, modulation)


def _decode(heatmaps: Tensor, sigma: float, method: Method, modulation: Modulation) -> Decoded:
    n, k, h, w = heatmaps.shape
    flat = heatmaps.reshape(n * k, h, w)
    # amax hands a NaN on, wherever in the map it is.
    top = flat.amax(dim=(1, 2))
    finite = torch.isfinite(top)
    flat = torch.where(finite[:, None, None], flat, 0.0)
    top = torch.where(finite, top, 0.0)
    peaks = _first_at(flat, top)
    if method == "dark":
        cells = _newton(flat, peaks, top, sigma, modulation)
    elif method == "shift":
        cells = peaks + _towards_second(flat, peaks)
    elif method == "shift4":
        cells = peaks + _towards_neighbour(flat, peaks)
    else:
        cells = peaks.float()
    cells = torch.where(finite[:, None], cells, torch.nan)
    return Decoded(cells.reshape(n, k, 2), top.clamp(0.0, 1.0).reshape(n, k))


def _first_at(flat: Tensor, value: Tensor) -> Tensor:
    """Return the first cell (M, 2) of each map that has the value, as x, y; torch's argmax takes any of equals."""
    m, h, w = flat.shape
    order = torch.arange(h * w, device=flat.device)
    same = flat.reshape(m, h * w) == value[:, None]
    place = torch.where(same, order, h * w - 1).amin(dim=1)
    return torch.stack([place % w, torch.div(place, w, rounding_mode="floor")], dim=1)


def _towards_second(flat: Tensor, peaks: Tensor) -> Tensor:
    """Quarter of a cell from the highest towards the second highest cell of the map (M, 2)."""
    m, h, w = flat.shape
    place = (peaks[:, 1] * w + peaks[:, 0])[:, None]
    rest = flat.reshape(m, h * w).scatter(1, place, -torch.inf).reshape(m, h, w)
    way = (_first_at(rest, rest.amax(dim=(1, 2))) - peaks).float()
    length = torch.linalg.vector_norm(way, dim=1, keepdim=True)
    shift: Tensor = 0.25 * way / length.clamp(min=1e-9)
    return shift


def _towards_neighbour(flat: Tensor, peaks: Tensor) -> Tensor:
    """Quarter of a cell in x and in y towards the higher neighbour (M, 2); none at the map's edge."""
    m, h, w = flat.shape
    rows, x, y = torch.arange(m, device=flat.device), peaks[:, 0], peaks[:, 1]
    inside_x, inside_y = (x > 0) & (x < w - 1), (y > 0) & (y < h - 1)
    dx = flat[rows, y, (x + 1).clamp(max=w - 1)] - flat[rows, y, (x - 1).clamp(min=0)]
    dy = flat[rows, (y + 1).clamp(max=h - 1), x] - flat[rows, (y - 1).clamp(min=0), x]
    return 0.25 * torch.stack([dx.sign() * inside_x, dy.sign() * inside_y], dim=1).nan_to_num()


def _windows(flat: Tensor, centres: Tensor, reach: int) -> Tensor:
    """Cut (M, 2 * reach + 1, 2 * reach + 1) around the centres; 0 outside the map."""
    padded = F.pad(flat, (reach, reach, reach, reach))
    offsets = torch.arange(2 * reach + 1, device=flat.device)
    maps = torch.arange(len(flat), device=flat.device)[:, None, None]
    rows, columns = centres[:, 1, None] + offsets, centres[:, 0, None] + offsets
    return padded[maps, rows[:, :, None], columns[:, None, :]]


def _smooth_windows(flat: Tensor, peaks: Tensor, top: Tensor, sigma: float) -> Tensor:
    """Return windows (M, 7, 7) of the smoothed maps, their maximum as it was; only these windows are smoothed."""
    kernel = gaussian_kernel(sigma)
    lines = torch.from_numpy(smoothing_matrix(kernel, 2 * REACH + 1)).to(flat.device)
    smooth = lines @ _windows(flat, peaks, REACH + len(kernel) // 2) @ lines.T
    scale = top / smooth.amax(dim=(1, 2)).clamp(min=FLOOR)
    return smooth * scale[:, None, None]


def _smooth_minmax_windows(flat: Tensor, peaks: Tensor, top: Tensor, sigma: float) -> Tensor:
    """Return windows (M, 7, 7) of the smoothed maps, rescaled to 0 .. old maximum (eq. 11)."""
    kernel = gaussian_kernel(sigma)
    _, h, w = flat.shape
    radius = len(kernel) // 2
    down, right = (torch.from_numpy(smoothing_matrix(kernel, size)).to(flat.device) for size in (h, w))
    whole = down @ F.pad(flat, (radius, radius, radius, radius)) @ right.T
    low, high = whole.amin(dim=(1, 2), keepdim=True), whole.amax(dim=(1, 2), keepdim=True)
    return _windows((whole - low) / (high - low).clamp(min=FLOOR) * top[:, None, None], peaks, REACH)


def _modulated_windows(flat: Tensor, peaks: Tensor, top: Tensor, sigma: float, modulation: Modulation) -> Tensor:
    """Return what the Newton step looks at: the modulated maps around their maxima, (M, 7, 7)."""
    raw = _windows(flat, peaks, REACH)
    if modulation == "none":
        return raw
    smoother = _smooth_windows if modulation == "max" else _smooth_minmax_windows
    to_edge = torch.minimum(peaks, peaks.new_tensor([flat.shape[2] - 1, flat.shape[1] - 1]) - peaks).amin(dim=1)
    # At the map's edge half of the Gaussian is missing and smoothing would draw the top inwards, by up to a cell.
    return torch.where((to_edge <= sigma)[:, None, None], raw, smoother(flat, peaks, top, sigma))


def _newton(flat: Tensor, peaks: Tensor, top: Tensor, sigma: float, modulation: Modulation) -> Tensor:
    """Return mu = m - D''^-1 D' of the log-map (eq. 10); quarter shift where that step is no good (M, 2)."""
    m, h, w = flat.shape
    log = _modulated_windows(flat, peaks, top, sigma, modulation).clamp(min=FLOOR).log()
    near = log[:, 2:-2, 2:-2]
    climb = _first_at(near, near.amax(dim=(1, 2))) - CLIMB
    start = (peaks + climb).clamp(min=0).minimum(peaks.new_tensor([w - 1, h - 1]))
    rows = torch.arange(m, device=flat.device)
    x, y = (start - peaks + REACH).unbind(dim=1)

    def at(dx: int, dy: int) -> Tensor:
        return log[rows, y + dy, x + dx]

    here = at(0, 0)
    gx, gy = (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2
    gxx, gyy = (at(2, 0) - 2 * here + at(-2, 0)) / 4, (at(0, 2) - 2 * here + at(0, -2)) / 4
    gxy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
    det = gxx * gyy - gxy**2
    step = -torch.stack([gyy * gx - gxy * gy, gxx * gy - gxy * gx], dim=1) / det[:, None]
    inner = (start >= 2).all(dim=1) & (start[:, 0] < w - 2) & (start[:, 1] < h - 2)
    good = (det > LEAST_CURVATURE) & (gxx < 0) & (step.abs() <= 1).all(dim=1) & inner
    return torch.where(good[:, None], start + step, peaks + _towards_neighbour(flat, peaks))
