"""Tell the size and cost of every preset, and what every model here is."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sadinet.cli.progress import print_facts
from sadinet.errors import InputError, WeightsError

if TYPE_CHECKING:
    from rich.console import Console

    from sadinet.network.measure import Measures
    from sadinet.weights import Weights

HELP = "presets and models: size, cost, hashes, figures"
EPILOG = """\
MACs are the multiply-accumulates of one crop; the receptive field is the side of the square of crop pixels that
one heatmap cell depends on (a larger one than the input covers all of it)."""

COLUMNS = ("parameters", "MACs", "receptive field", "input", "heatmaps", "skeleton")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a preset or a model (default: all)")


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from rich.console import Console

    console = Console()
    has_torch = importlib.util.find_spec("torch") is not None
    shown = 0
    if has_torch:
        shown += _print_presets(console, options.name)
    else:
        print("Sizes and costs of networks need torch: pip install 'sadinet[torch]'")
    broken = []
    for found in _models(options.name):
        shown += 1
        if isinstance(found, WeightsError):
            broken.append(found)
            continue
        if shown > 1:
            print()
        _print_model(found, has_torch)
    if options.name is not None and not shown:
        if not has_torch:
            raise InputError(f"there is no model {options.name!r}", "a preset of this name needs torch to be measured")
        raise InputError(f"there is no preset or model {options.name!r}", "sadinet info lists all")
    for error in broken:
        print(f"sadinet: {error}", file=sys.stderr)
    return 1 if broken else 0


def _print_presets(console: Console, name: str | None) -> int:
    """Print one row for each preset; returns how many."""
    with console.status("measuring"):
        from sadinet.network.measure import measure
        from sadinet.network.presets import PRESETS, SKELETON_NAMES

        chosen = {key: config for key, config in PRESETS.items() if name in (None, key)}
        rows = [
            (key, *_row(measure(config), config.size_wh, config.heatmap_wh, SKELETON_NAMES[key], config.joints))
            for key, config in chosen.items()
        ]
    if rows:
        _print_table(console, "preset", rows)
    return len(rows)


def _models(name: str | None) -> Iterator[Weights | WeightsError]:
    """Yield every model, or the one of that name; one with a wrong manifest does not hide the others."""
    from sadinet.weights import load_weights, manifest_paths

    for path in manifest_paths():
        if name in (None, path.stem):
            try:
                yield load_weights(path)
            except WeightsError as error:
                yield error


def _print_model(weights: Weights, has_torch: bool) -> None:
    facts = list(_facts(weights))
    if has_torch and weights.manifest.pose is not None and weights.manifest.pose.network is not None:
        facts += _measured(weights.manifest.pose.network)
    print(f"{weights.name}: {weights.kind} model, {weights.path}")
    print_facts(facts)


def _facts(weights: Weights) -> Iterator[tuple[str, str]]:
    manifest, pose = weights.manifest, weights.manifest.pose
    for kind, entry in manifest.files.items():
        yield kind, f"{entry.name}, {entry.bytes / 2**20:.1f} MiB, SHA-256 {entry.sha256}"
    width, height = manifest.input.size_wh
    yield "input", f"{width}x{height}, {manifest.input.layout} {manifest.input.dtype} {manifest.input.channels}"
    if pose is not None:
        stride = pose.heatmap.stride
        size = f"{round(width / stride)}x{round(height / stride)}"
        yield "heatmaps", f"{size}, stride {stride:g}, sigma {pose.heatmap.sigma:g} cells"
        yield "skeleton", f"{pose.skeleton.name}, {len(pose.skeleton)} joints"
        cells = pose.decode.sigma(pose.heatmap.sigma)
        smoothing = f", smoothed by {cells:g} cells" if pose.decode.method == "dark" else ""
        yield "decode", f"{pose.decode.method}, modulation {pose.decode.modulation}{smoothing}"
    yield from _flat(manifest.figures)
    yield "data", manifest.data
    yield "licence", manifest.licence
    yield "made by", f"{manifest.origin.command} (commit {manifest.origin.commit[:12]})"
    if manifest.origin.source:
        yield "from", manifest.origin.source


def _measured(network: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from sadinet.network.config import NetworkConfig
    from sadinet.network.measure import measure

    try:
        yield from zip(COLUMNS[:3], _costs(measure(NetworkConfig.from_dict(network))), strict=True)
    except InputError as error:
        yield "network", str(error)


def _costs(measures: Measures) -> tuple[str, str, str]:
    return f"{measures.parameters / 1e6:.2f} M", f"{measures.macs / 1e9:.2f} G", f"{measures.receptive_px} px"


def _row(
    measures: Measures, size_wh: tuple[int, int], heatmap_wh: tuple[int, int], skeleton: str, joints: int
) -> tuple[str, ...]:
    sizes = tuple(f"{width}x{height}" for width, height in (size_wh, heatmap_wh))
    return (*_costs(measures), *sizes, f"{skeleton} ({joints})")


def _flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield figures, nested ones under joined names."""
    for key, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key} ")
        else:
            yield f"{prefix}{key}", f"{value:g}" if isinstance(value, float) else str(value)


def _print_table(console: Console, first: str, rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, column in enumerate((first, *COLUMNS)):
        table.add_column(column, justify="right" if 0 < place < 4 else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
