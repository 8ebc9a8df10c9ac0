"""Checkpoints, and trainings that go on from them: what is kept, told and refused."""

import errno
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from sadinet.errors import InputError, OutputError, WeightsError
from sadinet.network.config import NetworkConfig
from sadinet.training.batches import Mixture
from sadinet.training.checkpoint import load_checkpoint, network_of_checkpoint, save_checkpoint
from sadinet.training.config import Stage, TrainConfig
from sadinet.training.loop import Trainer
from sadinet.training.losses import LossWeights
from sadinet.training.machine import TorchMachine

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from made_people import people  # noqa: E402
from small_training import config, trainer  # noqa: E402


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"epoch": 1})

    def refuse(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match=r"no space left on device .*; the previous checkpoint is untouched"):
        save_checkpoint(path, {"epoch": 2})
    assert load_checkpoint(path) == {"epoch": 1}
    with pytest.raises(OutputError, match="no space left on device") as caught:
        save_checkpoint(tmp_path / "best.pt", {"epoch": 2})
    assert "previous" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_below_a_file_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*last\.pt: not a directory") as caught:
        save_checkpoint(tmp_path / "file" / "last.pt", {"epoch": 1})
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
@pytest.mark.parametrize("name", ["last.pt", "best.pt"], ids=["there before", "new"])
def test_a_file_that_grows_too_large_leaves_the_old_checkpoint(tmp_path, name):
    """As on a disk that fills up in the middle of a checkpoint: the system itself stops the write."""
    code = """
        import resource, signal, sys
        from pathlib import Path
        import torch
        from sadinet.errors import OutputError
        from sadinet.training.checkpoint import save_checkpoint

        path, other = Path(sys.argv[1]), Path(sys.argv[2])
        save_checkpoint(path, {"epoch": 1})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            save_checkpoint(other, {"epoch": 2, "values": torch.rand(1_000_000)})
        except OutputError as error:
            print(error)
    """
    path = tmp_path / "last.pt"
    command = [sys.executable, "-c", textwrap.dedent(code), str(path), str(tmp_path / name)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert f"cannot write {tmp_path / name}: file too large" in done.stdout, done.stderr
    assert done.stdout.count("\n") == 1
    assert "unexpected pos" not in done.stdout
    assert ("the previous checkpoint is untouched" in done.stdout) == (name == "last.pt")
    assert load_checkpoint(path) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]


DAMAGES = {
    "cut off": lambda path: path.read_bytes()[:100],
    "zeros": lambda path: bytes(path.stat().st_size),
    "a text": lambda path: b"epoch 1 of 20\n" * 100,
    "empty": lambda path: b"",
    "a pickle": lambda path: pickle.dumps({"folder": path}),
    "a model": lambda path: (ROOT / "weights" / "sadinet-s.onnx").read_bytes()[:100_000],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_is_one_line(tmp_path, damage):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"epoch": 1})
    path.write_bytes(damage(path))
    with pytest.raises(WeightsError, match=r"last\.pt is damaged, or is no checkpoint") as caught:
        load_checkpoint(path)
    told = str(caught.value)
    assert "\n" not in told
    # Torch's advice, which would run the file's code, and its words about its own insides.
    assert not [word for word in ("weights_only", "torch", "pickle", "101", "invalid") if word in told]


def test_what_is_no_checkpoint_is_told(tmp_path):
    with pytest.raises(WeightsError, match="no checkpoint"):
        load_checkpoint(tmp_path / "none.pt")
    with pytest.raises(WeightsError, match="cannot read checkpoint"):
        load_checkpoint(tmp_path)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(WeightsError, match="is not a checkpoint of a training"):
        load_checkpoint(tmp_path / "list.pt")
    for state in ({"model": 1}, {"config": {"network": 3}}, {"config": {"network": {"widths": 3}}}):
        save_checkpoint(tmp_path / "other.pt", state)
        with pytest.raises(WeightsError, match=r"other\.pt is ") as caught:
            network_of_checkpoint(tmp_path / "other.pt")
        assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_network_is_one_line_that_says_what_differs(tmp_path):
    trainer(tmp_path, config()).run(Mixture((people(8, 3),), (1.0,)), people(4, 4))
    other = TrainConfig(NetworkConfig(size_wh=(64, 64), widths=(16, 32)), (Stage((64, 64), 1),), precision="fp32")
    with pytest.raises(WeightsError, match=r"another network: widths is \[16, 24\] there, \[16, 32\] here") as caught:
        trainer(tmp_path, other)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What a small training wrote."""
    folder = tmp_path_factory.mktemp("trained")
    trainer(folder, config()).run(Mixture((people(8, 3),), (1.0,)), people(4, 4))
    return load_checkpoint(folder / "last.pt")


NEEDED = ["network", "criterion", "optimiser", "average", "random", "epoch", "batch_done", "best"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_checkpoint_that_lacks_an_entry_is_one_line_that_names_it(tmp_path, trained, name):
    save_checkpoint(tmp_path / "last.pt", {key: value for key, value in trained.items() if key != name})
    with pytest.raises(WeightsError, match=f"last.pt cannot be resumed: its entry '{name}'") as caught:
        trainer(tmp_path, config())
    assert "\n" not in str(caught.value)


def without_first(values):
    return dict(list(values.items())[1:])


def of_other_parameters(optimiser):
    state = {**optimiser["state"], 0: {**optimiser["state"][0], "exp_avg": torch.zeros(3)}}
    return {**optimiser, "state": state}


def without_betas(optimiser):
    groups = [{name: value for name, value in group.items() if name != "betas"} for group in optimiser["param_groups"]]
    return {**optimiser, "param_groups": groups}


CHANGES = {
    "network, a tensor less": ("network", without_first),
    "network, another shape": ("network", lambda values: {**values, "stem.first.0.weight": torch.zeros(1)}),
    "criterion": ("criterion", lambda values: {"other": torch.zeros(1)}),
    "optimiser, no groups": ("optimiser", lambda values: {}),
    "optimiser, fewer parameters": ("optimiser", lambda held: {**held, "param_groups": held["param_groups"][:1]}),
    "optimiser, another shape": ("optimiser", of_other_parameters),
    "optimiser, a setting less": ("optimiser", without_betas),
    "average, none": ("average", lambda average: {}),
    "average, a tensor less": ("average", lambda average: {**average, "values": without_first(average["values"])}),
    "average, a tensor more": ("average", lambda held: {**held, "values": {**held["values"], "x": torch.zeros(1)}}),
    "random": ("random", lambda state: state[:100]),
    "epoch": ("epoch", lambda epoch: "one"),
    "batch": ("batch_done", lambda done: -1),
    "best": ("best", lambda best: float("nan")),
    "course, unknown": ("course", lambda course: {"lap": 1}),
    "course, of texts": ("course", lambda course: {"steps": "one", "sums": {"total": "high"}}),
    "due": ("due", lambda due: {"means": {"total": 1.0}}),
    "split": ("split", lambda split: {"trained": []}),
}


@pytest.mark.parametrize(("name", "change"), CHANGES.values(), ids=CHANGES)
def test_a_checkpoint_with_a_foreign_entry_is_one_line(tmp_path, trained, name, change):
    save_checkpoint(tmp_path / "last.pt", {**trained, name: change(trained[name])})
    with pytest.raises(WeightsError, match=r"last\.pt (cannot be resumed|holds another network)") as caught:
        trainer(tmp_path, config())
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_checkpoint_of_an_earlier_version_is_gone_on_with(tmp_path, trained):
    later = ("machine", "course", "due", "people", "split", "random_cuda")
    save_checkpoint(tmp_path / "last.pt", {name: value for name, value in trained.items() if name not in later})
    assert trainer(tmp_path, config()).epoch == 1


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
