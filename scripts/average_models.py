"""Average checkpoints and exported models of one network, and set how much its distribution learning counts.

    python scripts/average_models.py runs/s/last.pt@0.7 weights/sadinet-s.safetensors@0.3 --dlm-shift -1 -o mean.pt

The result is a checkpoint for scripts/export_onnx.py. The shift is added to the logit by which each joint's Gaussian is
mixed into its heatmap; choose it, and the shares, on pictures that are not those of the figures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from torch import Tensor

from sadinet.errors import InputError, SadinetError
from sadinet.network.config import NetworkConfig
from sadinet.network.model import SadiNet
from sadinet.training.averaging import shift_dlm_weight, weighted_mean
from sadinet.training.checkpoint import config_of, load_checkpoint, save_checkpoint
from sadinet.training.models import fill_network


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL[@SHARE]",
        help="checkpoint (the first must be one), .safetensors file, or a model's name or manifest",
    )
    parser.add_argument("--dlm-shift", type=float, default=0.0, help="below 0 the heatmap counts more")
    parser.add_argument("-o", "--out", type=Path, required=True, help="checkpoint to write")
    return parser.parse_args(arguments)


def split(text: str) -> tuple[str, float]:
    """Read "MODEL@SHARE"; the share is 1 if there is none."""
    name, found, share = text.rpartition("@")
    try:
        return (name, float(share)) if found else (text, 1.0)
    except ValueError:
        raise InputError(f"{text} has no number behind the @", "such as last.pt@0.7") from None


def values_of(source: str, config: NetworkConfig) -> dict[str, Tensor]:
    """Return the weights of a model of this network, of a checkpoint those of the moving average."""
    network = SadiNet(config)
    fill_network(network, source)
    return network.state_dict()


def main(arguments: list[str] | None = None) -> int:
    """Average; returns the exit code."""
    options = parse(arguments)
    try:
        parts = [split(text) for text in options.models]
        first = Path(parts[0][0])
        state = load_checkpoint(first)
        config = config_of(first, state)
        values = weighted_mean([(values_of(source, config), share) for source, share in parts])
        if options.dlm_shift:
            shift_dlm_weight(values, options.dlm_shift)
        state["average"]["values"] = values
        save_checkpoint(options.out, state)
    except SadinetError as error:
        print(f"average: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
