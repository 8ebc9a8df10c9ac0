"""Checkpoints, and trainings that go on from them: what is kept, told and refused."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from sadinet.errors import InputError, OutputError, WeightsError
from sadinet.network.config import NetworkConfig
from sadinet.training.batches import Mixture
from sadinet.training.checkpoint import load_checkpoint, save_checkpoint
from sadinet.training.config import Stage, TrainConfig
from sadinet.training.loop import Trainer
from sadinet.training.losses import LossWeights
from sadinet.training.machine import TorchMachine

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from made_people import people  # noqa: E402
from small_training import config, trainer  # noqa: E402


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


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_file_that_grows_too_large_leaves_the_old_checkpoint(tmp_path):
    """As on a disk that fills up in the middle of a checkpoint: the system itself stops the write."""
    code = """
        import resource, signal, sys
        from pathlib import Path
        import torch
        from sadinet.errors import OutputError
        from sadinet.training.checkpoint import save_checkpoint

        path = Path(sys.argv[1])
        save_checkpoint(path, {"epoch": 1})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            save_checkpoint(path, {"epoch": 2, "values": torch.rand(1_000_000)})
        except OutputError as error:
            print(error)
    """
    path = tmp_path / "last.pt"
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert "cannot save" in done.stdout, done.stderr
    assert "the previous checkpoint is untouched" in done.stdout
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


def test_a_checkpoint_of_another_network_is_one_line_that_says_what_differs(tmp_path):
    trainer(tmp_path, config()).run(Mixture((people(8, 3),), (1.0,)), people(4, 4))
    other = TrainConfig(NetworkConfig(size_wh=(64, 64), widths=(16, 32)), (Stage((64, 64), 1),), precision="fp32")
    with pytest.raises(WeightsError, match=r"another network: widths is \[16, 24\] there, \[16, 32\] here") as caught:
        trainer(tmp_path, other)
    assert "\n" not in str(caught.value)


def test_the_best_of_earlier_epochs_is_known_when_a_training_goes_on(tmp_path):
    """A worse epoch after a kill must not take the place of `best.pt`."""
    mixture, held_out = Mixture((people(16, 3),), (1.0,)), people(4, 4)
    made = trainer(tmp_path, config())
    made.run(mixture, held_out)
    saved = load_checkpoint(tmp_path / "last.pt")
    assert saved["best"] == made.best >= 0
    save_checkpoint(tmp_path / "last.pt", {**saved, "best": 100.0})
    best = (tmp_path / "best.pt").read_bytes()
    trainer(tmp_path, config(stages=(Stage((64, 64), 2),))).run(mixture, held_out)
    assert (tmp_path / "best.pt").read_bytes() == best


def test_settings_that_changed_are_told_and_hold_when_a_training_goes_on(tmp_path):
    mixture, held_out, lines = Mixture((people(16, 3),), (1.0,)), people(4, 4), []
    trainer(tmp_path, config()).run(mixture, held_out)
    wanted = config(stages=(Stage((64, 64), 2, 1.5),), decay=0.5, batch=4, losses=LossWeights(rle=0.5))
    machine = TorchMachine(torch.device("cpu"), "fp32")
    again = Trainer(wanted, tmp_path, lines.append, machine=machine, workers=0)
    assert [group["weight_decay"] for group in again.optimiser.param_groups] == [0.5, 0.0]
    (told,) = [line for line in lines if line.startswith("settings that are others")]
    was = LossWeights().rle
    for change in (
        "stages: 64x64x2 with sigma 1.5, was 64x64x1",
        "decay: 0.5, was 0.02",
        "batch: 4, was 8",
        f"rle: 0.5, was {was}",
    ):
        assert change in told
    assert "seed" not in told
    lines.clear()
    Trainer(config(), tmp_path, lines.append, machine=machine, workers=0)
    assert lines == ["resumed at epoch 1, batch 0"]


@pytest.mark.parametrize("change", [{"batch": 4}, {"seed": 2}], ids=str)
def test_within_an_epoch_batch_and_seed_must_stay(tmp_path, change):
    trainer(tmp_path, config()).run(Mixture((people(16, 3),), (1.0,)), people(4, 4))
    state = load_checkpoint(tmp_path / "last.pt")
    save_checkpoint(tmp_path / "last.pt", {**state, "epoch": 0, "batch_done": 1})
    with pytest.raises(InputError, match=r"lies within an epoch that was begun with (batch 8|seed 1)"):
        trainer(tmp_path, config(**change))


@pytest.mark.parametrize(("was", "now"), [("adamw", "adam"), ("adam", "rmsprop"), ("rmsprop", "adam")])
def test_another_optimiser_does_not_go_on_with_the_state_of_the_first(tmp_path, was, now):
    trainer(tmp_path, config(optimiser=was)).run(Mixture((people(8, 3),), (1.0,)), people(4, 4))
    with pytest.raises(InputError, match=f"was trained with the optimiser {was}"):
        trainer(tmp_path, config(optimiser=now))


def test_within_an_epoch_the_people_must_stay(tmp_path):
    trainer(tmp_path, config()).run(Mixture((people(16, 3),), (1.0,)), people(4, 4))
    state = load_checkpoint(tmp_path / "last.pt")
    save_checkpoint(tmp_path / "last.pt", {**state, "epoch": 0, "batch_done": 1})
    with pytest.raises(InputError, match="lies within an epoch of other people"):
        trainer(tmp_path, config()).run(Mixture((people(24, 5),), (1.0,)), people(4, 4))
    with pytest.raises(InputError, match="lies within an epoch of other people"):
        trainer(tmp_path, config()).run(Mixture((people(16, 3),), (0.5,)), people(4, 4))
    trainer(tmp_path, config()).run(Mixture((people(16, 3),), (1.0,)), people(4, 4))
    lines, machine = [], TorchMachine(torch.device("cpu"), "fp32")
    more = Trainer(config(stages=(Stage((64, 64), 2),)), tmp_path, lines.append, machine=machine, workers=0)
    more.run(Mixture((people(24, 5),), (1.0,)), people(4, 4))
    assert "other people are trained on from here on" in lines


def test_a_checkpoint_knows_whom_it_has_seen(tmp_path):
    mixture = Mixture((people(8, 3),), (1.0,))
    trainer(tmp_path, config()).run(mixture, people(4, 4))
    split = load_checkpoint(tmp_path / "last.pt")["split"]
    assert split["trained"] == [f"dots3/{i}" for i in range(8)]
    assert split["held_out"] == [f"dots4/{i}" for i in range(4)]
    again = trainer(tmp_path, config(stages=(Stage((64, 64), 2),)))
    with pytest.raises(InputError, match="held-out dots3/0 was trained on before"):
        again.run(Mixture((people(8, 5),), (1.0,)), people(4, 3))
