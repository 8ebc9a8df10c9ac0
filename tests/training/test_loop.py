"""The loop on people made of coloured dots: it learns, survives a kill, and shares its work."""

import csv
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from sadinet.errors import OutputError, WeightsError
from sadinet.training.batches import Mixture, epoch_batches
from sadinet.training.checkpoint import load_checkpoint, save_checkpoint
from sadinet.training.loop import TrainConfig, learning_rate

ROOT = Path(__file__).resolve().parents[2]
MAKE = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    import numpy as np
    import torch
    from torch import distributed as dist
    from sadinet.network.config import NetworkConfig
    from sadinet.training.augment import AugmentConfig
    from sadinet.training.batches import Mixture
    from sadinet.training.datasets import PersonSet
    from sadinet.training.loop import Stage, TrainConfig, Trainer

    def people(count, seed):
        rng = np.random.default_rng(seed)
        pictures, joints = [], np.zeros((count, 19, 2), np.float32)
        y, x = np.mgrid[:96, :96]
        for i in range(count):
            joints[i] = rng.uniform(16, 80, 2) + rng.uniform(-14, 14, (19, 2))
            picture = np.zeros((96, 96, 3))
            for k, (jx, jy) in enumerate(joints[i]):
                spot = np.exp(-((x - jx) ** 2 + (y - jy) ** 2) / 12)
                picture += spot[..., None] * (200 * np.array([k % 3 == 0, k % 3 == 1, k % 3 == 2]))
            pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
        return PersonSet("dots", pictures, joints, np.ones((count, 19), np.float32), [str(i) for i in range(count)])

    def config():
        network = NetworkConfig(size_wh=(64, 64), widths=(16, 24), dilations=(1, 2))
        return TrainConfig(network, (Stage((64, 64), 2), Stage((96, 96), 1)), batch=8, rate=4e-3, save_minutes=0.0,
                           augment=AugmentConfig(half_body=0, full_turn=0, rotation_deg=5))

    if __name__ == "__main__":
        torch.set_num_threads(1)
        if len(sys.argv) > 2:
            dist.init_process_group("gloo", init_method=sys.argv[2], rank=int(sys.argv[3]), world_size=2)
        trainer = Trainer(config(), Path(sys.argv[1]), lambda line: print(line, flush=True))
        trainer.run(Mixture((people(40, 1),), (1.0,)), people(8, 2))
    """
)


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train_dots.py"
    path.write_text(MAKE)
    return path


def start(script, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(script), *map(str, arguments)], env=environment, cwd=script.parent)


def log(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_killed_and_started_again_it_ends_where_an_undisturbed_run_ends(script, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert start(script, whole).wait(120) == 0
    process = start(script, torn)
    deadline = time.monotonic() + 60
    while not (torn / "last.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert load_checkpoint(torn / "last.pt")["epoch"] < 3
    assert start(script, torn).wait(120) == 0
    a, b = load_checkpoint(whole / "last.pt"), load_checkpoint(torn / "last.pt")
    assert (a["epoch"], a["batch_done"]) == (b["epoch"], b["batch_done"]) == (3, 0)
    for name, value in a["average"]["values"].items():
        torch.testing.assert_close(value, b["average"]["values"][name], rtol=1e-3, atol=1e-4)
    rows = log(whole)
    assert [row["size"] for row in rows] == ["64", "64", "96"]
    assert float(rows[-1]["heatmap"]) < float(rows[0]["heatmap"])


@pytest.mark.slow
def test_two_processes_train_one_network(script, tmp_path):
    out, meeting = tmp_path / "out", f"file://{tmp_path / 'meeting'}"
    processes = [start(script, out, meeting, rank) for rank in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert load_checkpoint(out / "last.pt")["epoch"] == 3
    assert len(log(out)) == 3


def test_two_processes_share_each_batch(script, monkeypatch):
    monkeypatch.syspath_prepend(str(script.parent))
    made = __import__("train_dots")
    mixture = Mixture((made.people(20, 3),), (1.0,))
    config = made.config()

    def points(**how):
        loader = epoch_batches(mixture, (64, 64), 8, config.augment, seed=1, epoch=0, workers=0, **how)
        return [batch[1] for batch in loader]

    alone = points()
    shared = [torch.cat(pair) for pair in zip(points(rank=0, ranks=2), points(rank=1, ranks=2), strict=True)]
    assert len(alone) == 2
    for a, b in zip(alone, shared, strict=True):
        torch.testing.assert_close(a, b)
    torch.testing.assert_close(points(done=1)[0], alone[1])


def test_the_rate_rises_then_falls(script, monkeypatch):
    monkeypatch.syspath_prepend(str(script.parent))
    config: TrainConfig = __import__("train_dots").config()
    rates = [learning_rate(config, p) for p in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(config.rate, rel=1e-3)
    assert rates[0] == pytest.approx(config.rate / 100)
    assert rates[-1] == pytest.approx(config.rate / 100)
    assert all(a >= b for a, b in itertools.pairwise(rates[3:]))
    assert [config.stage_of(e).size_wh[0] for e in range(3)] == [64, 64, 96]


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"epoch": 1})

    class Bomb:
        def __reduce__(self):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="previous checkpoint is untouched"):
        save_checkpoint(path, {"epoch": Bomb()})
    assert load_checkpoint(path) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_checkpoint_is_one_line(tmp_path):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"epoch": 1})
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WeightsError, match="is damaged"):
        load_checkpoint(path)
    with pytest.raises(WeightsError, match="no checkpoint"):
        load_checkpoint(tmp_path / "none.pt")
