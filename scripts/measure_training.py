"""Measure how many people a second each preset trains on, and how much of the time it waits for crops.

    python scripts/measure_training.py
    torchrun --nproc-per-node 2 scripts/measure_training.py --threads 1
    python scripts/measure_training.py --device cuda --presets t s m l --people 20000 --batch 256

Whole epochs are trained, on made-up people in pictures of 300 pixels; the second epoch is told, as the first one warms
up. What is learnt is thrown away. Without --sizes each preset runs at its own input size.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from pathlib import Path

import torch
from made_up_set import made_up_set
from torch import distributed as dist

from sadinet.errors import SadinetError
from sadinet.network.measure import parameters_and_macs
from sadinet.network.presets import PRESETS
from sadinet.training.batches import Mixture
from sadinet.training.config import TrainConfig, train_config
from sadinet.training.loop import Trainer
from sadinet.training.machine import Machine, leave_processes, open_machine
from sadinet.training.pace import Pace


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", choices=sorted(PRESETS), default=["t", "s"])
    parser.add_argument("--sizes", nargs="+", type=int, help="sides of square crops, pixels")
    parser.add_argument("--people", type=int, default=800, help="in each of the two epochs")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"])
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16", "fp16"])
    parser.add_argument("--backend", default="auto", choices=["auto", "fabric", "torch"])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=1, help="processes that cut crops, for each process")
    return parser.parse_args(arguments)


def config_of(options: argparse.Namespace, preset: str, side: int) -> TrainConfig:
    """Return the settings of a run; raises `InputError` for a side or batch that does not fit."""
    values = {"preset": preset, "stages": f"{side}x2", "batch": options.batch, "precision": options.precision}
    if preset == "paper":
        values["skeleton"] = "body19"
    return train_config(values)


def measure(options: argparse.Namespace, config: TrainConfig, machine: Machine, folder: Path) -> Pace:
    """Train two epochs in `folder`, which all processes see, and return the second one's pace."""
    mixture = Mixture((made_up_set(options.people, 1, side=300),), (1.0,))
    trainer = Trainer(config, folder, lambda line: None, machine=machine, workers=options.workers)
    trainer.run(mixture, made_up_set(8, 2, name="held-out"))
    with (folder / "log.csv").open(encoding="utf-8") as file:
        row = list(csv.DictReader(file))[-1]
    return Pace(float(row["speed"]), float(row["wait"]))


def main(arguments: list[str] | None = None) -> int:
    """Measure and print a table; returns the exit code."""
    options = parse(arguments)
    torch.set_flush_denormal(True)
    torch.set_num_threads(options.threads)
    first = os.environ.get("RANK", "0") == "0"
    try:
        machine = open_machine(options.device, options.precision, options.backend)
        if first:
            print(f"{machine.ranks} x {machine.device} in {machine.precision}, {machine.name}, batch {options.batch}")
            print("| preset | input | GMACs | people a second | waiting for crops |\n|---|---|---|---|---|", flush=True)
        for preset in options.presets:
            for side in options.sizes or [PRESETS[preset].size_wh[0]]:
                config = config_of(options, preset, side)
                with tempfile.TemporaryDirectory(prefix="sadinet-") as own:
                    shared = [own]
                    if dist.is_initialized():
                        dist.broadcast_object_list(shared, src=0)
                    pace = measure(options, config, machine, Path(shared[0]))
                    machine.barrier()
                macs = parameters_and_macs(config.network)[1] / 1e9
                if first:
                    row = f"| {preset} | {side} | {macs:.2f} | {pace.people_s:.1f} | {100 * pace.wait:.1f}% |"
                    print(row, flush=True)
    except SadinetError as error:
        print(f"measure_training: {error}", file=sys.stderr)
        return 1
    finally:
        leave_processes()
    return 0


if __name__ == "__main__":
    sys.exit(main())
