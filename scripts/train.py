"""Train a SADI-NET on LSPet and, if given, Stanford 40; run the same line again to resume.

On a CPU one process with one thread for each core is fastest: torchrun --nproc-per-node CORES scripts/train.py ..

python scripts/train.py --preset s --out runs/s --lspet DIR --teachers DIR [--stanford40 DIR]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch
from torch import distributed as dist

from sadinet.errors import SadinetError
from sadinet.network.presets import preset
from sadinet.training.batches import Mixture
from sadinet.training.datasets import load_lspet, load_stanford40
from sadinet.training.loop import Stage, TrainConfig, Trainer


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="s")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints and log")
    parser.add_argument("--lspet", type=Path, required=True, help="folder with images/ and joints.mat")
    parser.add_argument("--teachers", type=Path, help="folder with lspet.npz and stanford40.npz")
    parser.add_argument("--stanford40", type=Path, help="folder with JPEGImages/ and XMLAnnotations/")
    parser.add_argument("--stanford40-share", type=float, default=0.6, help="how much of it an epoch sees")
    parser.add_argument("--train", default="1:8000", help="LSPet numbers, first:last")
    parser.add_argument("--choose", default="8001:8500", help="LSPet numbers to choose the best by")
    parser.add_argument("--stages", default="128x10,192x6,256x3", help="side x epochs, in order")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--init", type=Path, help="safetensors file of a model to begin from, where nothing is resumed")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args(arguments)


def numbers(text: str) -> range:
    """Read "first:last", both included."""
    first, last = (int(part) for part in text.split(":"))
    return range(first, last + 1)


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    options = parse(arguments)
    torch.set_flush_denormal(True)  # Gaussian tails are denormal and several times slower
    torch.set_num_threads(options.threads)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("gloo")
    stages = tuple(Stage((int(s.split("x")[0]),) * 2, int(s.split("x")[1])) for s in options.stages.split(","))
    config = TrainConfig(
        preset(options.preset),
        stages,
        batch=options.batch,
        rate=options.rate,
        seed=options.seed,
        precision=options.precision,
    )

    def say(line: str) -> None:
        if os.environ.get("RANK", "0") == "0":
            print(line, flush=True)

    try:
        teachers = options.teachers / "lspet.npz" if options.teachers else None
        sets = [load_lspet(options.lspet, numbers(options.train), teachers)]
        shares = [1.0]
        if options.stanford40:
            sets.append(load_stanford40(options.stanford40, options.teachers / "stanford40.npz"))
            shares.append(options.stanford40_share)
        held_out = load_lspet(options.lspet, numbers(options.choose))
        say(f"people: {', '.join(f'{s.name} {len(s)}' for s in sets)}; to choose by: {len(held_out)}")
        Trainer(config, options.out, say, options.init).run(Mixture(tuple(sets), tuple(shares)), held_out)
    except SadinetError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
