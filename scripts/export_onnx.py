r"""Turn a checkpoint into shipped files: NAME.safetensors, NAME.onnx, NAME-fp16.onnx, NAME.json.

    python scripts/export_onnx.py runs/s/best.pt --name sadinet-s [--sigma-scale scale.json] \
        --data "..." --licence "..." [--figures figures.json]

    python scripts/export_onnx.py weights/sadinet-s.json

Each ONNX file is run against torch before it takes its name. Given the manifest of a model that was exported before,
its ONNX files are made anew from its safetensors, and all else is kept.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from sadinet.atomic import make_folder
from sadinet.dark import Modulation
from sadinet.engines.torch import load_network
from sadinet.errors import InputError, SadinetError, SourceError
from sadinet.manifest import DecodeSpec, FileKind, HeatmapSpec, InputSpec, Manifest, Origin, OutputsSpec, PoseSpec
from sadinet.network.config import STEM_STRIDE
from sadinet.network.model import Deployed
from sadinet.skeletons import Skeleton, skeleton_by_name
from sadinet.training.checkpoint import load_checkpoint, network_of_checkpoint
from sadinet.training.export import write_onnx, write_safetensors
from sadinet.training.sizes import parse_size
from sadinet.weights import FileEntry, file_entry, find_weights, write_manifest


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="of a training; or the manifest (.json) of an exported model")
    parser.add_argument("--name")
    parser.add_argument("--out", type=Path, default=Path("weights"))
    parser.add_argument("--size", help="side or WxH of the input, pixels (default: as it was trained last)")
    parser.add_argument("--skeleton", help="whose joints its maps are (default: as it was trained)")
    parser.add_argument("--sigma-scale", type=Path, help="JSON with (K, 2) factors from scripts/calibrate.py")
    parser.add_argument("--data", help="what it was trained on, one line")
    parser.add_argument("--licence")
    parser.add_argument("--modulation", choices=get_args(Modulation), default="max", help="how DARK smooths")
    parser.add_argument("--smoothing", type=float, help="cells by which it does (default: those of the targets)")
    parser.add_argument("--figures", type=Path, help="JSON with measured figures")
    options = parser.parse_args(arguments)
    needed = [f"--{name}" for name in ("name", "data", "licence") if getattr(options, name) is None]
    if needed and options.checkpoint.suffix != ".json":
        parser.error(f"a checkpoint needs {', '.join(needed)}")
    return options


def commit() -> str:
    """Return the commit that the files are made by; "unknown" outside of a repository."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def main(arguments: list[str] | None = None) -> int:
    """Export; returns the exit code."""
    options = parse(arguments)
    try:
        if options.checkpoint.suffix == ".json":
            export_again(options.checkpoint)
            return 0
        network = network_of_checkpoint(options.checkpoint, parse_size(options.size) if options.size else None)
        skeleton = skeleton_of(options, network.config.joints)
        scale = sigma_scale(options.sigma_scale, len(skeleton)) if options.sigma_scale else None
        figures = read_figures(options.figures) if options.figures else {}
        deployed = Deployed(network, scale).eval()
        make_folder(options.out)
        paths: dict[FileKind, Path] = {
            "onnx": options.out / f"{options.name}.onnx",
            "onnx_fp16": options.out / f"{options.name}-fp16.onnx",
            "safetensors": options.out / f"{options.name}.safetensors",
        }
        write_safetensors(deployed, paths["safetensors"])
        write_both(deployed, paths)
        manifest = describe(options, skeleton, figures, deployed, paths)
        write_manifest(options.out / f"{options.name}.json", manifest)
    except SadinetError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    return 0


def skeleton_of(options: argparse.Namespace, joints: int) -> Skeleton:
    """Return whose joints the maps are; raises `InputError` if that many are not the network's."""
    held = str(load_checkpoint(options.checkpoint)["config"].get("skeleton", "body19"))
    skeleton = skeleton_by_name(options.skeleton or held)
    if len(skeleton) != joints:
        told = f"{options.checkpoint} has {joints} maps, {skeleton.name} has {len(skeleton)} joints"
        raise InputError(told, f"it was trained on {held}: leave --skeleton out")
    return skeleton


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; raises `SourceError` if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {path}: {error}", "a JSON file is needed") from error


def sigma_scale(path: Path, joints: int) -> Tensor:
    """Return the factors (K, 2) that scripts/calibrate.py wrote; raises `SourceError` for anything else."""
    held = read_json(path)
    try:
        scale = torch.tensor(held, dtype=torch.float32)
    except (OverflowError, TypeError, ValueError) as error:
        raise SourceError(f"{path} holds no table of numbers", "make it with scripts/calibrate.py") from error
    if scale.shape != (joints, 2) or not (scale.isfinite() & (scale > 0)).all():
        shape = "x".join(map(str, scale.shape)) or "one number"
        raise SourceError(f"{path} holds {shape}, not {joints}x2 factors above 0", "make it with scripts/calibrate.py")
    return scale


def read_figures(path: Path) -> dict[str, Any]:
    """Return measured figures; raises `SourceError` if the file holds no table."""
    held = read_json(path)
    if not isinstance(held, dict):
        raise SourceError(f"{path} holds no figures by name", 'write them as {"name": value}')
    return held


def write_both(deployed: Deployed, paths: dict[FileKind, Path]) -> None:
    """Write the ONNX files in both precisions, and tell how close they are."""
    for path, precision in ((paths["onnx"], "fp32"), (paths["onnx_fp16"], "fp16")):
        agreement = write_onnx(deployed, path, precision)
        print(
            f"{path.name}: within {agreement.heatmaps:.1e} of torch in the heatmaps, "
            f"{agreement.sigma:.1e} cells in sigma"
        )


def export_again(path: Path) -> None:
    """Make the ONNX files of an exported model anew, and write down that and by what."""
    weights = find_weights(path)
    paths = {kind: weights.file(kind) for kind in weights.manifest.files}
    write_both(load_network(weights), paths)
    before = weights.manifest.origin
    command = f"{before.command} (commit {before.commit}); python {shlex.join(sys.argv)}"
    files = {kind: file_entry(file) for kind, file in paths.items()}
    write_manifest(
        path, replace(weights.manifest, files=files, origin=replace(before, commit=commit(), command=command))
    )


def describe(
    options: argparse.Namespace,
    skeleton: Skeleton,
    figures: dict[str, Any],
    deployed: Deployed,
    paths: dict[FileKind, Path],
) -> Manifest:
    """Fill the manifest."""
    config = deployed.network.config
    entries: dict[FileKind, FileEntry] = {kind: file_entry(path) for kind, path in paths.items()}
    return Manifest(
        name=options.name,
        files=entries,
        input=InputSpec(config.size_wh),
        data=options.data,
        licence=options.licence,
        origin=Origin(commit(), "python " + shlex.join(sys.argv)),
        pose=PoseSpec(
            skeleton,
            HeatmapSpec(STEM_STRIDE, float(np.round(config.heatmap_sigma, 4))),
            DecodeSpec(modulation=options.modulation, smoothing=options.smoothing),
            OutputsSpec("heatmaps", "sigma" if config.dlm != "off" else None),
            config.to_dict(),
        ),
        figures=figures,
    )


if __name__ == "__main__":
    sys.exit(main())
