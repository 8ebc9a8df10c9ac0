"""What a step of training does beside descending: the moving average, clipping, precision, random states, the log."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from sadinet.network.config import NetworkConfig
from sadinet.training.augment import AugmentConfig
from sadinet.training.batches import EpochPlan, Mixture, epoch_batches
from sadinet.training.checkpoint import MovingAverage, load_checkpoint, network_of_checkpoint, save_checkpoint
from sadinet.training.config import Stage, TrainConfig
from sadinet.training.logs import TrainingLog
from sadinet.training.loop import Trainer
from sadinet.training.machine import TorchMachine

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from made_people import people  # noqa: E402

NETWORK = NetworkConfig(size_wh=(64, 64), widths=(8, 16), dilations=(1, 2))


def made(folder, precision="fp32", **changes) -> Trainer:
    settings = TrainConfig(NETWORK, (Stage((64, 64), 1),), batch=8, precision="fp32", **changes)
    machine = TorchMachine(torch.device("cpu"), precision)
    return Trainer(settings, folder, lambda line: None, machine=machine, workers=0)


@pytest.fixture
def batch():
    plan = EpochPlan((64, 64), 8, AugmentConfig(), seed=1, epoch=0)
    return next(iter(epoch_batches(Mixture((people(8, 3),), (1.0,)), plan, workers=0)))


def test_the_moving_average_is_the_weighted_mean_of_all_values_so_far():
    module = torch.nn.BatchNorm1d(2)
    average = MovingAverage(module, decay=0.5)
    wanted, rng = module.weight.detach().numpy().astype(float), np.random.default_rng(1)
    for step in range(1, 30):
        value = rng.normal(size=2)
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(value))
        module.num_batches_tracked.fill_(step)
        average.update(module)
        keep = min(0.5, (1 + step) / (10 + step))
        wanted = keep * wanted + (1 - keep) * value
    np.testing.assert_allclose(average.values["weight"].numpy(), wanted, rtol=1e-5)
    assert int(average.values["num_batches_tracked"]) == 29
    # Early values count less and less: the first ones are all but forgotten.
    assert not np.allclose(wanted, value, atol=1e-3)


def test_what_is_measured_and_shipped_is_the_average_and_not_the_last_step(tmp_path, monkeypatch):
    import sadinet.training.measuring as measuring

    asked, whole = [], measuring.predict
    watched = lambda network, *given, **how: asked.append(network.state_dict()) or whole(network, *given, **how)  # noqa: E731
    monkeypatch.setattr(measuring, "predict", watched)
    made(tmp_path, average=0.9).run(Mixture((people(32, 3),), (1.0,)), people(4, 4))
    state = load_checkpoint(tmp_path / "best.pt")
    assert state["average"]["steps"] == 4
    shipped = network_of_checkpoint(tmp_path / "best.pt").state_dict()
    for name, value in state["average"]["values"].items():
        torch.testing.assert_close(shipped[name], value, rtol=0, atol=0)
        torch.testing.assert_close(asked[0][name], value, rtol=0, atol=0)
    weights = [name for name, value in shipped.items() if value.ndim == 4]
    assert not any(torch.equal(shipped[name], state["network"][name]) for name in weights)


def test_gradients_are_clipped_to_the_norm_that_is_set(tmp_path, batch):
    trainer = made(tmp_path, clip=0.01)
    norm = float(trainer._step(batch, 1e-3)["gradient"])
    clipped = torch.stack([p.grad.norm() for p in trainer.network.parameters() if p.grad is not None]).norm()
    assert norm > 0.1
    assert float(clipped) == pytest.approx(0.01, rel=1e-3)


def test_bf16_computes_in_bf16_and_the_loss_is_that_of_fp32_but_for_rounding(tmp_path, batch):
    losses, seen = {}, {}
    for precision in ("fp32", "bf16"):
        trainer = made(tmp_path / precision, precision)
        conv = next(each for each in trainer.network.modules() if isinstance(each, torch.nn.Conv2d))
        conv.register_forward_hook(lambda layer, given, out, name=precision: seen.__setitem__(name, out.dtype))
        losses[precision] = float(trainer._step(batch, 1e-3)["total"])
    assert seen == {"fp32": torch.float32, "bf16": torch.bfloat16}
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)
    assert losses["bf16"] != losses["fp32"]


def test_the_random_states_go_on_where_the_checkpoint_was_written(tmp_path):
    made(tmp_path).run(Mixture((people(8, 3),), (1.0,)), people(4, 4))
    torch.manual_seed(77)
    written = torch.get_rng_state()
    wanted = torch.rand(3).tolist()
    save_checkpoint(tmp_path / "last.pt", {**load_checkpoint(tmp_path / "last.pt"), "random": written})
    torch.manual_seed(999)
    made(tmp_path)
    assert torch.rand(3).tolist() == wanted


def test_tensorboard_holds_what_the_log_holds(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with TrainingLog(tmp_path, lambda line: None) as log:
        log.progress(0, 50, 100, {"total": 2.5}, step=50)
        log.epoch({"epoch": 1, "pck02": 61.5})
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(each.step, each.value) for each in events.Scalars("step/total")] == [(50, 2.5)]
    assert [(each.step, each.value) for each in events.Scalars("epoch/pck02")] == [(1, 61.5)]


def test_a_terminal_gets_a_bar_that_moves(tmp_path, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with TrainingLog(tmp_path, pytest.fail) as log:
        log.progress(2, 30, 100, {"total": 2.5}, step=230)
        (task,) = log._bar.tasks
        assert (task.completed, task.total) == (30, 100)
        assert "epoch 2" in task.description
        assert "total 2.500" in task.description
        log.progress(3, 10, 100, {"total": 2.0}, step=310)
        assert task.completed == 10


BARE = textwrap.dedent(
    """
    import importlib.abc
    import sys
    from pathlib import Path

    HIDDEN = ("cv2", "rich", "safetensors", "lightning", "lightning_fabric", "tensorboard", "onnx", "onnxruntime", "av",
              "PyQt6", "pyqtgraph", "ultralytics", "polars", "pyarrow", "pandas", "platformdirs")

    class Hide(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in HIDDEN:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, Hide())
    import importlib.util
    whole = importlib.util.find_spec
    importlib.util.find_spec = lambda name, package=None: None if name.split(".")[0] in HIDDEN else whole(name, package)

    import torch
    from made_people import people
    from sadinet.network.config import NetworkConfig
    from sadinet.training.batches import Mixture
    from sadinet.training.config import Stage, TrainConfig
    from sadinet.training.loop import Trainer

    torch.set_num_threads(1)
    network = NetworkConfig(size_wh=(64, 64), widths=(8, 16), dilations=(1, 2))
    config = TrainConfig(network, (Stage((64, 64), 1),), batch=8, precision="fp32")
    trainer = Trainer(config, Path(sys.argv[1]), print, workers=0)
    assert trainer.machine.name == "torch"
    trainer.run(Mixture((people(16, 3),), (1.0,)), people(4, 4))
    assert not set(HIDDEN) & {name.split(".")[0] for name in sys.modules}
    """
)


def test_it_trains_where_only_torch_numpy_and_scipy_are_installed(tmp_path):
    path = os.pathsep.join([str(ROOT), str(HERE), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", BARE, str(tmp_path)]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert load_checkpoint(tmp_path / "last.pt")["epoch"] == 1
    assert (tmp_path / "log.csv").is_file()
