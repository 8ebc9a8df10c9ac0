r"""Turn a checkpoint into shipped files: NAME.safetensors, NAME.onnx, NAME-fp16.onnx, NAME.json.

    python scripts/export_onnx.py runs/s/best.pt --name sadinet-s --size 256 [--sigma-scale scale.json] \
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
from typing import get_args

import numpy as np
import torch

from sadinet.dark import Modulation
from sadinet.engines.torch import load_network
from sadinet.errors import SadinetError
from sadinet.manifest import DecodeSpec, FileKind, HeatmapSpec, InputSpec, Manifest, Origin, OutputsSpec, PoseSpec
from sadinet.network.config import STEM_STRIDE
from sadinet.network.model import Deployed
from sadinet.skeletons import skeleton_by_name
from sadinet.training.checkpoint import network_of_checkpoint
from sadinet.training.export import write_onnx, write_safetensors
from sadinet.weights import FileEntry, file_entry, find_weights, write_manifest


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="of a training; or the manifest (.json) of an exported model")
    parser.add_argument("--name")
    parser.add_argument("--out", type=Path, default=Path("weights"))
    parser.add_argument("--size", type=int, help="side of the square input, pixels")
    parser.add_argument("--skeleton", default="body19")
    parser.add_argument("--sigma-scale", type=Path, help="JSON with (K, 2) factors from scripts/calibrate.py")
    parser.add_argument("--data", help="what it was trained on, one line")
    parser.add_argument("--licence")
    parser.add_argument("--modulation", choices=get_args(Modulation), default="max", help="how DARK smooths")
    parser.add_argument("--smoothing", type=float, help="cells by which it does (default: those of the targets)")
    parser.add_argument("--figures", type=Path, help="JSON with measured figures")
    options = parser.parse_args(arguments)
    needed = [f"--{name}" for name in ("name", "size", "data", "licence") if getattr(options, name) is None]
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
        scale = torch.tensor(json.loads(options.sigma_scale.read_text())) if options.sigma_scale else None
        network = network_of_checkpoint(options.checkpoint, (options.size, options.size))
        deployed = Deployed(network, scale).eval()
        options.out.mkdir(parents=True, exist_ok=True)
        paths: dict[FileKind, Path] = {
            "onnx": options.out / f"{options.name}.onnx",
            "onnx_fp16": options.out / f"{options.name}-fp16.onnx",
            "safetensors": options.out / f"{options.name}.safetensors",
        }
        write_safetensors(deployed, paths["safetensors"])
        write_both(deployed, paths)
        manifest = describe(options, network.config.heatmap_sigma, deployed, paths)
        write_manifest(options.out / f"{options.name}.json", manifest)
    except SadinetError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    return 0


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


def describe(options: argparse.Namespace, sigma: float, deployed: Deployed, paths: dict[FileKind, Path]) -> Manifest:
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
            skeleton_by_name(options.skeleton),
            HeatmapSpec(STEM_STRIDE, float(np.round(sigma, 4))),
            DecodeSpec(modulation=options.modulation, smoothing=options.smoothing),
            OutputsSpec("heatmaps", "sigma" if config.dlm != "off" else None),
            config.to_dict(),
        ),
        figures=json.loads(options.figures.read_text()) if options.figures else {},
    )


if __name__ == "__main__":
    sys.exit(main())
