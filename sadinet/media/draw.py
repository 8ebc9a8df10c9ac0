"""Draw skeletons on a picture.

Left and right have hues that stay apart for colour-blind eyes (Okabe and Ito's blue and vermillion), the
midline is nearly white; all strokes have a dark rim, so that they read on any background.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.media.lettering import Colour, put_text, text_width
from sadinet.results import Pose

LEFT: Colour = (233, 159, 40)  # blue, brightened so that it stands out in shade
RIGHT: Colour = (12, 100, 240)  # vermillion
MIDLINE: Colour = (232, 232, 232)
RIM: Colour = (28, 24, 22)

_FACE = ("nose", "eye", "ear")
_SHIFT = 4  # OpenCV's fixed point: sixteenths of a pixel
_FAR = 30_000.0  # beyond any picture, within OpenCV's range

Image = NDArray[np.uint8]


def side_colour(*joints: str) -> Colour:
    """Return the colour of a joint, or of a limb by the names of its two ends."""
    sides = {joint.partition("_")[0] for joint in joints}
    if "left" in sides and "right" not in sides:
        return LEFT
    if "right" in sides and "left" not in sides:
        return RIGHT
    return MIDLINE


def draw_poses(image: Image, poses: Sequence[Pose], *, threshold: float = 0.3, labels: bool = True) -> Image:
    """Return a copy of the picture with the poses drawn on it.

    Args:
        image: (H, W, 3) uint8, BGR.
        poses: joints in pixels of this picture.
        threshold: joints with a lower score, and limbs that end in one, are left out.
        labels: write each person's number and score, where there is room.
    """
    canvas = np.array(image, copy=True, order="C")
    # Small people first: those in front are mostly larger.
    for pose in sorted(poses, key=_height_px):
        _draw_pose(canvas, pose, threshold)
    if labels:
        for pose in poses:
            _draw_label(canvas, pose, threshold)
    return canvas


def _draw_pose(canvas: Image, pose: Pose, threshold: float) -> None:
    shown = _shown(pose, threshold)
    points = np.clip(np.nan_to_num(pose.joints.astype(float)), -_FAR, _FAR)
    names = pose.skeleton.joints
    width = _stroke_px(pose)
    rim = 1 if width < 3 else 2
    limbs = [
        (points[a], points[b], side_colour(names[a], names[b]), _thinner(width, names[a], names[b]))
        for a, b in pose.skeleton.limb_indices
        if shown[a] and shown[b]
    ]
    for start, end, _, thick in limbs:
        _line(canvas, start, end, RIM, thick + rim)
    for start, end, colour, thick in limbs:
        _line(canvas, start, end, colour, thick)
    for joint, name in enumerate(names):
        if shown[joint]:
            radius = _thinner(width, name) * 0.95 + 0.4
            _dot(canvas, points[joint], RIM, radius + 0.5 + rim / 4)
            _dot(canvas, points[joint], side_colour(name), radius - 0.3)


def _draw_label(canvas: Image, pose: Pose, threshold: float) -> None:
    shown = _shown(pose, threshold)
    height, width = canvas.shape[:2]
    size = int(np.clip(_height_px(pose) * 0.05, 10, max(10, min(height, width) // 28)))
    text = f"{pose.score:.2f}" if pose.track_id is None else f"#{pose.track_id}  {pose.score:.2f}"
    pad = max(2, size // 3)
    pill_wh = (text_width(text, size) + 2 * pad, size + pad)
    # A label that would hide a fifth of the picture's width or more helps nobody.
    if not shown.any() or pill_wh[0] * 5 > width:
        return
    points = np.clip(pose.joints[shown].astype(float), -_FAR, _FAR)
    head = points[np.argmin(points[:, 1])]
    left = int(np.clip(head[0] - pill_wh[0] / 2, 0, width - pill_wh[0]))
    # The box mostly begins above the hair, the joints below it.
    crown = min(head[1] - max(6.0, _height_px(pose) * 0.05), pose.box.y - 2 if np.isfinite(pose.box.y) else np.inf)
    top = int(np.clip(crown - pill_wh[1], 0, height - pill_wh[1]))
    patch = canvas[top : top + pill_wh[1], left : left + pill_wh[0]]
    patch[:] = (patch * 0.35 + np.array(RIM) * 0.65).astype(np.uint8)
    put_text(canvas, text, left + pad, top + pill_wh[1] - pad, size, (255, 255, 255))


def _shown(pose: Pose, threshold: float) -> NDArray[np.bool_]:
    # A score that is not known hides nothing.
    known_low = np.nan_to_num(pose.scores, nan=np.inf) < threshold
    result: NDArray[np.bool_] = np.isfinite(pose.joints).all(axis=1) & ~known_low
    return result


def _height_px(pose: Pose) -> float:
    """Return the person's extent: of the joints, or of the box where it is smaller."""
    points = pose.joints[np.isfinite(pose.joints).all(axis=1)]
    extent = float(np.ptp(points, axis=0).max()) if len(points) > 1 else 0.0
    box = max(pose.box.width, pose.box.height)
    return min(extent, box) if np.isfinite(box) and box > 0 and extent > 0 else max(extent, 0.0)


def _stroke_px(pose: Pose) -> int:
    return int(np.clip(round(_height_px(pose) / 75), 1, 12))


def _thinner(width: int, *joints: str) -> int:
    """Return half the width where all joints belong to the face, which is small."""
    is_face = all(joint.rpartition("_")[2] in _FACE for joint in joints)
    return max(1, round(width / 2)) if is_face else width


def _fixed(point: NDArray[np.floating]) -> tuple[int, int]:
    return round(float(point[0]) * 2**_SHIFT), round(float(point[1]) * 2**_SHIFT)


def _line(canvas: Image, a: NDArray[np.floating], b: NDArray[np.floating], colour: Colour, width: int) -> None:
    cv2.line(canvas, _fixed(a), _fixed(b), colour, width, cv2.LINE_AA, _SHIFT)


def _dot(canvas: Image, at: NDArray[np.floating], colour: Colour, radius: float) -> None:
    cv2.circle(canvas, _fixed(at), max(1, round(radius * 2**_SHIFT)), colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)
