"""Draw docs/pictures/angles.svg: where each angle lies, with the degrees that the code itself says of the drawing.

python scripts/draw_angles.py [FILE]
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import write_bytes
from sadinet.motion.angles import ANGLES, angles
from sadinet.skeletons import LSP14

FILE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "angles.svg"
SIZE_WH = (1080, 480)
INK, FAINT, PAPER = "#25303b", "#b9c2cb", "#ffffff"
NEAR, FAR = "#d55e00", "#0072b2"  # tell apart for every eye
FONT = "font-family='Segoe UI, Helvetica, Arial, sans-serif'"

Point = tuple[float, float]

RUNNER: dict[str, Point] = {
    "head_top": (238, 70), "neck": (222, 128), "right_shoulder": (219, 138), "left_shoulder": (229, 136),
    "right_hip": (190, 262), "left_hip": (199, 260), "right_elbow": (143, 176), "right_wrist": (164, 254),
    "left_elbow": (272, 200), "left_wrist": (333, 166), "right_knee": (268, 310), "right_ankle": (228, 392),
    "left_knee": (158, 343), "left_ankle": (72, 362),
}  # fmt: skip
LEANING: dict[str, Point] = {
    "right_hip": (497, 300), "left_hip": (553, 300), "right_shoulder": (532, 168), "left_shoulder": (618, 190),
    "right_knee": (490, 372), "left_knee": (562, 372), "neck": (577, 166), "head_top": (592, 100),
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    options = parser.parse_args(arguments)
    parts = [*moved(60, runner()), *moved(62, leaning()), *moved(92, scale())]
    width, height = SIZE_WH
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}'>"
    paper = f"<rect width='{width}' height='{height}' rx='14' fill='{PAPER}'/>"
    write_bytes(options.file, "\n".join([head, paper, *parts, "</svg>\n"]).encode())
    return 0


def moved(right: float, parts: list[str]) -> list[str]:
    """Shift a drawing to the right."""
    return [f"<g transform='translate({right} 0)'>", *parts, "</g>"]


def degrees_of(figure: dict[str, Point], name: str) -> float:
    """Return what the code says of an angle in the drawing."""
    joints: NDArray[np.float64] = np.array([[figure.get(joint, (math.nan, math.nan)) for joint in LSP14.joints]])
    return float(angles(joints, np.ones_like(joints), LSP14)[name][0][0])


def runner() -> list[str]:
    """Draw the joint angles of a runner's right side."""
    figure = RUNNER
    parts = [title(190, "The angle at a joint"), note(190, 56, "right: the person's own, here the nearer side")]
    for side, colour in (("left", FAR), ("right", NEAR)):
        faint = 0.45 if side == "left" else 1.0
        leg = [figure[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")]
        arm = [figure[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
        trunk = [figure[f"{side}_shoulder"], figure[f"{side}_hip"]]
        parts += [limb(chain, colour, faint) for chain in (trunk, leg, arm)]
        if side == "left":
            parts += neck(figure)
    wanted = {
        "right_shoulder": (30, (118, 128), "end"),
        "right_elbow": (20, (122, 196), "end"),
        "right_hip": (34, (262, 244), "start"),
        "right_knee": (24, (300, 322), "start"),
    }
    for name, (radius, label_at, anchor) in wanted.items():
        end, vertex, other = (figure[joint] for joint in ANGLES[name])
        parts.append(wedge(vertex, end, other, radius))
        parts.append(label(label_at, name, f"{degrees_of(figure, name):.0f}°", anchor))
    parts += [dot(figure[f"right_{joint}"]) for joint in ("shoulder", "hip", "knee", "ankle", "elbow", "wrist")]
    return parts


def leaning() -> list[str]:
    """Draw the lean of the trunk."""
    figure = LEANING
    low = middle(figure["left_hip"], figure["right_hip"])
    high = middle(figure["left_shoulder"], figure["right_shoulder"])
    up = (low[0], high[1] - 40)
    parts = [title(545, "The lean of the trunk"), note(545, 56, "from the middle of the hips to that of the shoulders")]
    outline = [figure[joint] for joint in ("right_hip", "right_shoulder", "left_shoulder", "left_hip", "right_hip")]
    parts += [limb(outline, FAINT, 1.0), *neck(figure)]
    parts += [limb([figure[f"{side}_hip"], figure[f"{side}_knee"]], FAINT, 1.0) for side in ("left", "right")]
    parts.append(wedge(low, up, high, 86))
    dashed = f"stroke='{INK}' stroke-width='1.6' stroke-dasharray='5 5'"
    parts.append(f"<line x1='{low[0]}' y1='{low[1]}' x2='{up[0]}' y2='{up[1]}' {dashed}/>")
    parts.append(limb([low, high], NEAR, 1.0))
    parts += [dot(figure[f"{side}_{joint}"], FAINT) for side in ("left", "right") for joint in ("hip", "shoulder")]
    parts += [dot(low), dot(high)]
    parts.append(label((612, 262), "trunk_lean", f"{degrees_of(figure, 'trunk_lean'):+.0f}°", "start"))
    parts.append(note(545, 404, "0° upright, + to the picture's right,"))
    parts.append(note(545, 422, "− to its left, ±180° upside down"))
    return parts


def scale() -> list[str]:
    """Draw what the numbers mean: knees and shoulders from one end of the scale to the other."""
    parts = [title(850, "From 0° to 180°"), note(850, 56, "whatever side a limb bends to")]
    for place, value in enumerate((180, 120, 60)):
        x = 772 + 78 * place
        hip, knee = (x, 92.0), (x + 14.0 * place, 150.0)
        towards = math.degrees(math.atan2(hip[1] - knee[1], hip[0] - knee[0])) - value
        ankle = around(knee, 56, towards)
        parts += small([hip, knee, ankle], "left_knee", ("left_hip", "left_knee", "left_ankle"), (x + 6, 232))
    parts.append(note(850, 252, "knee, elbow: 180° straight"))
    for place, value in enumerate((0, 90, 170)):
        x = 772 + 78 * place
        shoulder, hip = (x, 330.0), (x, 396.0)
        elbow = around(shoulder, 48, 90 - max(value, 12))
        parts += small(
            [hip, shoulder, elbow], "left_shoulder", ("left_hip", "left_shoulder", "left_elbow"), (x + 6, 422)
        )
    parts.append(note(850, 442, "shoulder: 0° arm along the trunk"))
    parts.append(note(850, 460, "hip: 180° thigh in line with it"))
    return parts


def small(chain: list[Point], name: str, joints: tuple[str, ...], label_at: Point) -> list[str]:
    """Draw two bones, the angle between them, and its degrees."""
    value = degrees_of(dict(zip(joints, chain, strict=True)), name)
    text = f"<text x='{label_at[0]}' y='{label_at[1]}' {FONT} font-size='15' font-weight='600' fill='{INK}' "
    return [
        limb(chain, NEAR, 1.0),
        wedge(chain[1], chain[0], chain[2], 18),
        *(dot(point) for point in chain),
        f"{text}text-anchor='middle'>{value:.0f}°</text>",
    ]


def middle(a: Point, b: Point) -> Point:
    """Return the point half-way."""
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def around(centre: Point, radius: float, degrees: float) -> Point:
    """Return a point on a circle, 0 degrees to the right, growing clockwise on the screen."""
    turn = math.radians(degrees)
    return centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn)


def wedge(vertex: Point, a: Point, b: Point, radius: float) -> str:
    """Draw the smaller angle between two directions."""
    first, second = (math.degrees(math.atan2(p[1] - vertex[1], p[0] - vertex[0])) for p in (a, b))
    if (second - first) % 360 > 180:
        first, second = second, first
    start, stop = around(vertex, radius, first), around(vertex, radius, second)
    path = f"M{vertex[0]:.1f} {vertex[1]:.1f} L{start[0]:.1f} {start[1]:.1f} "
    path += f"A{radius} {radius} 0 0 1 {stop[0]:.1f} {stop[1]:.1f} Z"
    return f"<path d='{path}' fill='#f0c36d' fill-opacity='0.75' stroke='{INK}' stroke-width='1.4'/>"


def limb(chain: list[Point], colour: str, opacity: float) -> str:
    """Draw bones end to end."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in chain)
    style = f"fill='none' stroke='{colour}' stroke-opacity='{opacity}' stroke-width='7'"
    return f"<polyline points='{points}' {style} stroke-linecap='round' stroke-linejoin='round'/>"


def neck(figure: dict[str, Point]) -> list[str]:
    """Draw the head, and the neck from the middle of the shoulders to it."""
    foot = middle(figure["left_shoulder"], figure["right_shoulder"])
    (x, y), (top_x, top_y) = figure["neck"], figure["head_top"]
    centre = (x + 0.62 * (top_x - x), y + 0.62 * (top_y - y))
    place = f"cx='{centre[0]:.1f}' cy='{centre[1]:.1f}' r='23'"
    disc = f"<circle {place} fill='#eef1f4' stroke='{FAINT}' stroke-width='4'/>"
    return [limb([foot, centre], FAINT, 1.0), disc]


def dot(point: Point, colour: str = INK) -> str:
    """Draw a joint."""
    return (
        f"<circle cx='{point[0]:.1f}' cy='{point[1]:.1f}' r='5' fill='{PAPER}' stroke='{colour}' stroke-width='2.4'/>"
    )


def label(at: Point, name: str, value: str, anchor: str) -> str:
    """Write an angle's name and degrees."""
    start = f"<text x='{at[0]}' y='{at[1]}' {FONT} font-size='15' fill='{INK}' text-anchor='{anchor}'>"
    return f"{start}{name} <tspan font-weight='700'>{value}</tspan></text>"


def title(x: float, text: str) -> str:
    """Write a heading."""
    style = f"{FONT} font-size='18' font-weight='700' fill='{INK}' text-anchor='middle'"
    return f"<text x='{x}' y='34' {style}>{text}</text>"


def note(x: float, y: float, text: str) -> str:
    """Write a small line."""
    return f"<text x='{x}' y='{y}' {FONT} font-size='13' fill='#5b6670' text-anchor='middle'>{text}</text>"


if __name__ == "__main__":
    sys.exit(main())
