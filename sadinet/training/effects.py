"""Changes to crops in batches, on any device: a second person, patches, blur, lost resolution, colour, JPEG's noise.

Planes are (B, 3, h, w) fp32 BGR in 0..255; each row of a batch has parameters of its own and sees no other row.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
_CHROMINANCE = (
    (17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99),
)  # fmt: skip
_BLUE, _GREEN, _RED = 0.114, 0.587, 0.299

SOFT_EDGE_PX = 2.0
"""Width of the border over which a pasted person fades."""


def cover(shape: Tensor, size_wh: tuple[int, int]) -> Tensor:
    """Return how much of each pixel capsules cover.

    Args:
        shape: (B, C, 5): x0, y0, x1, y1, radius in pixels; a radius below 0 is no capsule.
        size_wh: of the result.

    Returns:
        (B, 1, h, w) fp32 in [0, 1], soft at the edge.
    """
    x = torch.arange(size_wh[0], device=shape.device, dtype=torch.float32)
    y = torch.arange(size_wh[1], device=shape.device, dtype=torch.float32)[:, None]
    best = shape.new_zeros(len(shape), size_wh[1], size_wh[0])
    # A capsule at a time, as all of them at once would be gigabytes for a large batch.
    for capsule in shape.unbind(dim=1):
        x0, y0, x1, y1, radius = (value[:, None, None] for value in capsule.unbind(dim=1))
        dx, dy = x1 - x0, y1 - y0
        along = (((x - x0) * dx + (y - y0) * dy) / (dx**2 + dy**2).clamp(min=1e-6)).clamp(0, 1)
        apart = torch.hypot(x - x0 - along * dx, y - y0 - along * dy)
        inside = ((radius - apart) / SOFT_EDGE_PX + 0.5).clamp(0, 1) * (radius >= 0)
        best = torch.maximum(best, inside)
    return best[:, None]


def paste(planes: Tensor, others: Tensor, other_shape: Tensor, own_shape: Tensor, in_front: Tensor) -> Tensor:
    """Lay the people of `others` (B, 3, h, w) over the planes; behind the first person where not `in_front` (B,)."""
    size_wh = (planes.shape[3], planes.shape[2])
    shown = cover(other_shape, size_wh)
    hidden = cover(own_shape, size_wh) * ~in_front[:, None, None, None]
    return torch.lerp(planes, others, shown * (1 - hidden))


def hide(planes: Tensor, patches: Tensor) -> Tensor:
    """Draw patches (B, P, 7): left, top, width, height in pixels, blue, green, red."""
    x = torch.arange(planes.shape[3], device=planes.device)
    y = torch.arange(planes.shape[2], device=planes.device)[:, None]
    for patch in patches.unbind(dim=1):
        left, top, width, height = (value[:, None, None] for value in patch[:, :4].unbind(dim=1))
        inside = (x >= left) & (x < left + width) & (y >= top) & (y < top + height)
        planes = torch.where(inside[:, None], patch[:, 4:, None, None], planes)
    return planes


def _blur_lines(size: int, sigma: Tensor) -> Tensor:
    """Return (B, size, size): each row the Gaussian around its own place, of mass 1; the identity for sigma 0."""
    place = torch.arange(size, device=sigma.device, dtype=torch.float32)
    apart = (place[:, None] - place[None, :]) / sigma.clamp(min=1e-3)[:, None, None]
    lines = torch.exp(-0.5 * apart**2)
    return lines / lines.sum(dim=2, keepdim=True)


def _shrink_lines(size: int, factor: Tensor) -> Tensor:
    """Return (B, size, size): means over areas `factor` long, then linear between them; the identity for factor 1."""
    place = torch.arange(size, device=factor.device, dtype=torch.float32)
    cells = (size / factor).round().clamp(min=1)[:, None, None]
    step = size / cells
    low, high = torch.maximum(place[:, None] * step, place), torch.minimum((place[:, None] + 1) * step, place + 1)
    means = (high - low).clamp(min=0) / step
    at = ((place[:, None] + 0.5) / step - 0.5).clamp(min=0).minimum(cells - 1)
    linear = (1 - (at - place).abs()).clamp(min=0)
    return linear @ means


def soften(planes: Tensor, blur: Tensor, low_res: Tensor) -> Tensor:
    """Blur by a Gaussian of `blur` (B,) pixels, then shrink by `low_res` (B,) and enlarge again."""
    down = _shrink_lines(planes.shape[2], low_res) @ _blur_lines(planes.shape[2], blur)
    across = _shrink_lines(planes.shape[3], low_res) @ _blur_lines(planes.shape[3], blur)
    return down[:, None] @ planes @ across[:, None].transpose(2, 3)


def recolour(planes: Tensor, gain: Tensor, offset: Tensor, grey: Tensor) -> Tensor:
    """Return value x gain (B, 3) + offset (B,), kept in 0..255; without colour where `grey` (B,)."""
    planes = (planes * gain[:, :, None, None] + offset[:, None, None, None]).clamp(0, 255)
    light = _light(planes)[:, None]
    return torch.where(grey[:, None, None, None], light, planes)


def _light(planes: Tensor) -> Tensor:
    return _BLUE * planes[:, 0] + _GREEN * planes[:, 1] + _RED * planes[:, 2]


def _quantisation(quality: Tensor) -> Tensor:
    """Return JPEG's tables (B, 3, 8, 8) for Y, Cb, Cr (ITU-T T.81, annex K, scaled as libjpeg does)."""
    coarse = torch.full((8, 8), 99.0)
    coarse[:4, :4] = torch.tensor(_CHROMINANCE)
    tables = torch.stack([torch.tensor(_LUMINANCE, dtype=torch.float32), coarse, coarse]).to(quality.device)
    scale = torch.where(quality < 50, (5000 / quality.clamp(min=1)).floor(), 200 - 2 * quality)
    return ((tables * scale[:, None, None, None] + 50) / 100).floor().clamp(1, 255)


def _cosines(like: Tensor) -> Tensor:
    n = torch.arange(8, device=like.device, dtype=torch.float32)
    lines = torch.cos((2 * n + 1) * n[:, None] * torch.pi / 16) / 2
    lines[0] /= 2**0.5
    return lines


def compress(planes: Tensor, quality: Tensor) -> Tensor:
    """Return what JPEG at `quality` (B,), 1..100, without subsampled colour, leaves; h and w multiples of 8."""
    b, _, h, w = planes.shape
    planes = planes.round()
    light = _light(planes)
    blue, red = 0.5 * (planes[:, 0] - light) / (1 - _BLUE), 0.5 * (planes[:, 2] - light) / (1 - _RED)
    channels = torch.stack([light.round() - 128, blue.round(), red.round()], dim=1)
    blocks = channels.view(b, 3, h // 8, 8, w // 8, 8).transpose(3, 4)
    tables, cosines = _quantisation(quality)[:, :, None, None], _cosines(planes)
    kept = (cosines @ blocks @ cosines.T / tables).round() * tables
    back = (cosines.T @ kept @ cosines).transpose(3, 4).reshape(b, 3, h, w)
    light, blue, red = back[:, 0] + 128, back[:, 1], back[:, 2]
    b_plane, r_plane = light + 2 * (1 - _BLUE) * blue, light + 2 * (1 - _RED) * red
    g_plane = (light - _BLUE * b_plane - _RED * r_plane) / _GREEN
    return torch.stack([b_plane, g_plane, r_plane], dim=1).clamp(0, 255)
