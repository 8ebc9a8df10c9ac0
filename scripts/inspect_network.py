"""Draw what a SADI-NET attends to on one person: its gates, weights and maps as one sheet.

    python scripts/inspect_network.py --picture photo.jpg --box 765,51,163,295 -o sheet.png
    python scripts/inspect_network.py --weights runs/s/best.pt --size 256 --picture photo.jpg -o sheet.png

Without --box the whole picture is the person's box; a video's first frame is taken as the picture.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sadinet.atomic import write_bytes
from sadinet.dark import decode
from sadinet.errors import InputError, SadinetError
from sadinet.geometry import Box, crop_matrix, heatmap_to_crop
from sadinet.media.draw import draw_poses
from sadinet.media.lettering import put_text, shorten
from sadinet.media.source import open_source
from sadinet.network.config import STEM_STRIDE
from sadinet.network.layers import SqueezeExcite
from sadinet.network.model import Deployed, SadiNet
from sadinet.network.sfm import GlobalFusion, LocalFusion
from sadinet.results import Pose
from sadinet.skeletons import SKELETONS, Skeleton
from sadinet.training.models import network_of
from sadinet.training.sizes import parse_size
from sadinet.training.warp import cut_crop

Picture = NDArray[np.uint8]

TILE, GAP, HEAD, COLUMNS = 232, 14, 30, 4
PAPER, INK, FAINT, BAR = (250, 250, 250), (40, 40, 40), (205, 205, 205), (170, 110, 40)


@dataclass(slots=True, eq=False)
class Seen:
    """What the hooks caught in one pass.

    Attributes:
        se: of each block, by name, the channels' factors (C,).
        gates: of each local fusion, by name, the gate (h, w): 1 takes the finer feature, 0 the coarser.
        shares: of each global fusion, by name, the scales' shares (scales, C), 1 where it changes nothing.
    """

    se: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    gates: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    shares: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def watch(network: SadiNet, seen: Seen) -> None:
    """Hang hooks on all gates of a network, which fill `seen` at the next pass."""
    for name, module in network.named_modules():
        if isinstance(module, SqueezeExcite):
            module.excite.register_forward_hook(_keeper(seen.se, name, _factors))
        elif isinstance(module, LocalFusion):
            module.gate.register_forward_hook(_keeper(seen.gates, name, _gate))
        elif isinstance(module, GlobalFusion):
            module.weigh.register_forward_hook(_keeper(seen.shares, name, _shares_of(module)))


def _keeper(kept: dict[str, NDArray[np.float32]], name: str, read: Any) -> Any:
    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        kept[name] = read(output.detach().float()).numpy()

    return keep


def _factors(logits: Tensor) -> Tensor:
    return torch.sigmoid(logits[0, :, 0, 0])


def _gate(logits: Tensor) -> Tensor:
    return torch.sigmoid(logits[0, 0])


def _shares_of(module: GlobalFusion) -> Any:
    def read(logits: Tensor) -> Tensor:
        return module.scales * logits.view(module.scales, module.channels).softmax(dim=0)

    return read


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="default", help="model's name or manifest, or a checkpoint (.pt)")
    parser.add_argument("--picture", type=Path, required=True, help="picture or video")
    parser.add_argument("--box", help="x,y,width,height of the person in pixels")
    parser.add_argument("--size", help="side or WxH of the crop (default: the model's)")
    parser.add_argument("-o", "--out", type=Path, required=True, help="PNG to write")
    return parser.parse_args(arguments)


def open_network(name: str, text: str | None) -> SadiNet:
    """Return a network in evaluation mode; raises `WeightsError` or `InputError` if there is none of that kind."""
    return network_of(name, None if text is None else parse_size(text))


def read_person(path: Path, box: str | None, size_wh: tuple[int, int]) -> Picture:
    """Return the crop (h, w, 3) of the person; raises `SourceError` or `InputError`."""
    with open_source(path) as source:
        image = next(iter(source)).image
    values = [0.0, 0.0, float(image.shape[1]), float(image.shape[0])]
    if box is not None:
        try:
            values = [float(part) for part in box.split(",")]
        except ValueError:
            values = []
        if len(values) != 4:
            raise InputError(f"box {box!r}", "write x,y,width,height in pixels")
    person = Box(*values).checked()
    height, width = image.shape[:2]
    if person.x >= width or person.y >= height or person.x + person.width <= 0 or person.y + person.height <= 0:
        raise InputError(f"box {box!r} lies outside of the picture", f"it has {width}x{height} pixels")
    return cut_crop(image, crop_matrix(person, size_wh), size_wh)


class Sheet:
    """Tiles with titles, row after row, COLUMNS in each."""

    def __init__(self) -> None:
        self._tiles: list[tuple[str, Picture]] = []

    def add(self, title: str, tile: Picture) -> None:
        """Add a tile of TILE x TILE pixels."""
        self._tiles.append((title, tile))

    def draw(self) -> Picture:
        """Return the sheet (H, W, 3)."""
        rows = -(-len(self._tiles) // COLUMNS)
        shape = (rows * (TILE + HEAD) + GAP, COLUMNS * (TILE + GAP) + GAP, 3)
        sheet = np.full(shape, PAPER, dtype=np.uint8)
        for place, (title, tile) in enumerate(self._tiles):
            top, left = place // COLUMNS * (TILE + HEAD) + HEAD, place % COLUMNS * (TILE + GAP) + GAP
            sheet[top : top + TILE, left : left + TILE] = tile
            put_text(sheet, shorten(title, 14, TILE), left, top - 8, 14, INK)
        return sheet


def fit(picture: Picture, *, smooth: bool = True) -> Picture:
    """Return a picture inside a tile, its shape kept."""
    scale = TILE / max(picture.shape[:2])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    tile = np.full((TILE, TILE, 3), PAPER, dtype=np.uint8)
    shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smooth else cv2.INTER_NEAREST)
    top, left = (TILE - size[1]) // 2, (TILE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = shown
    return tile


def laid_over(crop: Picture, values: NDArray[np.float32]) -> Picture:
    """Return the crop in grey under a map (h, w) in [0, 1], dark for 0 to yellow for 1."""
    large = cv2.resize(values, crop.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    coloured = cv2.applyColorMap((255 * large.clip(0, 1)).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.addWeighted(grey, 0.4, coloured, 0.6, 0), dtype=np.uint8)


def bars(rows: list[tuple[str, float, float, float]], highest: float) -> Picture:
    """Return horizontal bars: name, mean, lowest and highest value; a thin line spans the latter two."""
    tile = np.full((TILE, TILE, 3), PAPER, dtype=np.uint8)
    step = min(24, TILE // max(len(rows), 1))
    left, right = 96, TILE - 34
    for row, (name, mean, low, high) in enumerate(rows):
        top = row * step + 2

        def across(value: float) -> int:
            return left + round((right - left) * min(max(value / highest, 0), 1))

        cv2.rectangle(tile, (left, top), (right, top + step - 4), FAINT, cv2.FILLED)
        cv2.rectangle(tile, (left, top), (across(mean), top + step - 4), BAR, cv2.FILLED)
        cv2.line(tile, (across(low), top + step // 2 - 2), (across(high), top + step // 2 - 2), INK, 1)
        size = max(8, min(12, step - 1))
        put_text(tile, shorten(name, size, left - 6), 0, top + step - 5, size, INK)
        put_text(tile, f"{mean:.2f}", right + 5, top + step - 5, size, INK)
    return tile


def se_strips(blocks: dict[str, NDArray[np.float32]]) -> Picture:
    """Return a strip a block, from the input down: its channels' factors, sorted, dark 0 to yellow 1."""
    strips = [cv2.resize(np.sort(v)[::-1][None], (TILE, 1), interpolation=cv2.INTER_AREA) for v in blocks.values()]
    grid = (255 * np.concatenate(strips).clip(0, 1)).astype(np.uint8)
    tall = cv2.resize(grid, (TILE, TILE), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.applyColorMap(tall, cv2.COLORMAP_VIRIDIS), dtype=np.uint8)


def skeleton_of(network: SadiNet) -> Skeleton:
    """Return the joint set of as many joints; raises `InputError` if there is none."""
    for skeleton in SKELETONS.values():
        if len(skeleton) == network.config.joints:
            return skeleton
    raise InputError(f"no skeleton has {network.config.joints} joints")


@torch.no_grad()
def inspect(network: SadiNet, crop: Picture) -> Picture:
    """Return the sheet of a network on a crop (h, w, 3) uint8 BGR."""
    seen = Seen()
    watch(network, seen)
    answers = network(Deployed(network).normalise(torch.from_numpy(crop)[None]))
    last, skeleton = answers[-1], skeleton_of(network)
    maps, raw = last.heatmaps[0].float().numpy(), last.raw[0].float().numpy()
    found = decode(maps[None], network.config.heatmap_sigma)
    points = heatmap_to_crop(found.cells[0], STEM_STRIDE).astype(np.float32)
    sigma = np.full_like(points, np.nan) if last.sigma is None else last.sigma[0].numpy() * STEM_STRIDE
    pose = Pose(points, found.scores[0], sigma, Box(0, 0, crop.shape[1], crop.shape[0]), skeleton)
    sheet = Sheet()
    sheet.add(f"joints, score {pose.score:.2f}", fit(draw_poses(crop, [pose], labels=False)))
    # Apart, as the same place on both is how an exchange of left and right begins.
    for side in ("left", "right"):
        sheet.add(f"heatmaps H, {side} joints", fit(laid_over(crop, highest_of(raw, skeleton, f"{side}_"))))
    sheet.add("H mixed with Gaussians P, all", fit(laid_over(crop, highest_of(maps, skeleton))))
    if last.sigma is not None:
        spread = last.sigma[0].mean(dim=1).tolist()
        sheet.add("sigma by joint, cells", bars(_named(skeleton, spread), max(spread)))
        share = torch.sigmoid(network.state_dict()[f"stacks.{len(answers) - 1}.head.weight"]).tolist()
        sheet.add("DLM: P's share w by joint", bars(_named(skeleton, share), 1.0))
    for name, shares in seen.shares.items():
        rows = [
            (f"1/{STEM_STRIDE * 2**i}", float(scale.mean()), float(scale.min()), float(scale.max()))
            for i, scale in enumerate(shares)
        ]
        sheet.add(f"SFM global, {_stack(name)}: scales", bars(rows, float(len(shares)) / 2))
    if seen.se:
        sheet.add(f"SE: {len(seen.se)} blocks x channels, sorted", se_strips(seen.se))
    for name, gate in seen.gates.items():
        told = f"gate {_stack(name)}, {gate.shape[0]} rows: {gate.min():.2f}..{gate.max():.2f}"
        sheet.add(told, fit(laid_over(crop, gate)))
    return sheet.draw()


def highest_of(maps: NDArray[np.float32], skeleton: Skeleton, prefix: str = "") -> NDArray[np.float32]:
    """Return the highest value in each cell (h, w) over the maps (K, h, w) of joints whose names begin so."""
    chosen = [place for place, name in enumerate(skeleton.joints) if name.startswith(prefix)]
    return np.asarray(maps[chosen].max(axis=0), dtype=np.float32)


def _named(skeleton: Skeleton, values: list[float]) -> list[tuple[str, float, float, float]]:
    """Return rows for `bars` of one value a joint."""
    return [(name, value, value, value) for name, value in zip(skeleton.joints, values, strict=True)]


def _stack(name: str) -> str:
    return "stack " + str(int(name.split(".")[1]) + 1)


def main(arguments: list[str] | None = None) -> int:
    """Draw the sheet; returns the exit code."""
    options = parse(arguments)
    try:
        network = open_network(options.weights, options.size)
        sheet = inspect(network, read_person(options.picture, options.box, network.config.size_wh))
        made, data = cv2.imencode(".png", sheet)
        if not made:
            raise InputError(f"cannot make a PNG of {sheet.shape[1]}x{sheet.shape[0]} pixels")
        write_bytes(options.out, data.tobytes())
    except SadinetError as error:
        print(f"inspect_network: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: {sheet.shape[1]}x{sheet.shape[0]} pixels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
