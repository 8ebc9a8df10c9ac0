"""The loop on people made of coloured dots: it learns, survives a kill, and shares its work."""

import csv
import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from sadinet.errors import InputError, OutputError, WeightsError
from sadinet.network.config import NetworkConfig
from sadinet.skeletons import LSP14
from sadinet.training.augment import AugmentConfig
from sadinet.training.batches import EpochPlan, Mixture, batches_of, epoch_batches
from sadinet.training.checkpoint import load_checkpoint
from sadinet.training.config import Stage, TrainConfig, learning_rate
from sadinet.training.loop import Trainer, TrainingFailedError
from sadinet.training.losses import LossWeights
from sadinet.training.machine import TorchMachine, fabric_package

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from made_people import people  # noqa: E402
from small_training import NETWORK, config, trainer  # noqa: E402

MAKE = textwrap.dedent(
    """
    import os
    import signal
    import sys
    from pathlib import Path
    import torch
    from torch import distributed as dist
    from made_people import people
    from sadinet.network.config import NetworkConfig
    from sadinet.training.augment import AugmentConfig
    from sadinet.training.batches import Mixture
    from sadinet.training.loop import Stage, TrainConfig, Trainer
    from sadinet.training.machine import open_machine

    def config():
        network = NetworkConfig(size_wh=(64, 64), widths=(8, 16), dilations=(1, 2))
        return TrainConfig(network, (Stage((64, 64), 2), Stage((96, 96), 1)), batch=8, rate=4e-3, save_minutes=0.0,
                           precision="fp32", augment=AugmentConfig(half_body=0, full_turn=0, rotation_deg=5))

    if __name__ == "__main__":
        torch.set_num_threads(1)
        if len(sys.argv) > 2:
            dist.init_process_group("gloo", init_method=sys.argv[2], rank=int(sys.argv[3]), world_size=2)
        if "KILL_IN_VALIDATION" in os.environ:
            whole_measure, left = Trainer._validate, [int(os.environ["KILL_IN_VALIDATION"])]

            def measure(self, *arguments):
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                return whole_measure(self, *arguments)

            Trainer._validate = measure
        if "KILL_AFTER" in os.environ:
            whole_step, left = Trainer._step, [int(os.environ["KILL_AFTER"])]

            def step(self, *arguments):
                found = whole_step(self, *arguments)
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                return found

            Trainer._step = step
        machine = open_machine("cpu", "fp32", os.environ.get("BACKEND", "torch"))
        trainer = Trainer(config(), Path(sys.argv[1]), lambda line: print(line, flush=True), machine=machine, workers=0)
        trainer.run(Mixture((people(24, 1),), (1.0,)), people(8, 2))
        if machine.ranks > 1:
            torch.save(dict(trainer.network.named_parameters()), Path(sys.argv[1]) / f"rank{machine.rank}.pt")
    """
)


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train_dots.py"
    path.write_text(MAKE)
    return path


def start(script, *arguments, **variables):
    path = os.pathsep.join([str(ROOT), str(HERE), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.Popen([sys.executable, str(script), *map(str, arguments)], env=environment, cwd=script.parent)


def log(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_killed_and_started_again_it_ends_where_an_undisturbed_run_ends(script, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert start(script, whole).wait(240) == 0
    assert start(script, torn, KILL_AFTER="5").wait(240) == -signal.SIGKILL
    # Three batches an epoch; the step that was done and not saved is lost.
    saved = load_checkpoint(torn / "last.pt")
    assert (saved["epoch"], saved["batch_done"]) == (1, 1)
    assert start(script, torn).wait(240) == 0
    a, b = load_checkpoint(whole / "last.pt"), load_checkpoint(torn / "last.pt")
    assert (a["epoch"], a["batch_done"]) == (b["epoch"], b["batch_done"]) == (3, 0)
    for name, value in a["average"]["values"].items():
        torch.testing.assert_close(value, b["average"]["values"][name], rtol=1e-3, atol=1e-4)
    rows = log(whole)
    # The row of an epoch in two legs tells of both; eight people have 96 limb joints.
    for row, other in zip(log(torn), rows, strict=True):
        assert float(row["pck02"]) == pytest.approx(float(other["pck02"]), abs=2.1)
        assert float(row["total"]) == pytest.approx(float(other["total"]), rel=1e-2)
    assert [row["size"] for row in rows] == ["64", "64", "96"]
    assert float(rows[-1]["heatmap"]) < float(rows[0]["heatmap"])


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [2, 3], ids=["an epoch", "the last epoch"])
def test_killed_while_an_epoch_is_measured_it_is_measured_when_the_training_goes_on(script, tmp_path, epoch):
    assert start(script, tmp_path / "torn", KILL_IN_VALIDATION=str(epoch)).wait(240) == -signal.SIGKILL
    assert [row["epoch"] for row in log(tmp_path / "torn")] == [str(n) for n in range(1, epoch)]
    assert start(script, tmp_path / "torn").wait(240) == 0
    rows = log(tmp_path / "torn")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(float(row["heatmap"]) > 0 and float(row["speed"]) > 0 for row in rows)
    last, best = (load_checkpoint(tmp_path / "torn" / f"{name}.pt") for name in ("last", "best"))
    top = max(float(row["pck02"]) for row in rows)
    assert last["best"] == pytest.approx(top, abs=0.01)
    assert best["epoch"] == next(int(row["epoch"]) for row in rows if float(row["pck02"]) == top)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The folder of a training by two processes of plain torch."""
    folder = tmp_path_factory.mktemp("pair")
    script = folder / "train_dots.py"
    script.write_text(MAKE)
    processes = [start(script, folder / "out", (folder / "meeting").as_uri(), rank) for rank in range(2)]
    assert [process.wait(240) for process in processes] == [0, 0]
    return folder / "out"


@pytest.mark.slow
def test_two_processes_train_one_network(pair):
    assert load_checkpoint(pair / "last.pt")["epoch"] == 3
    assert len(log(pair)) == 3
    assert_one_network(pair)


def assert_one_network(folder):
    """Check that both processes ended, and with the same weights, though each saw other people."""
    first, second = (torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(2))
    saved = load_checkpoint(folder / "last.pt")["network"]
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=1e-6, atol=1e-8)
        torch.testing.assert_close(saved[name], value, rtol=0, atol=0)


SHARE = textwrap.dedent(
    """
    import sys
    import torch
    from torch import distributed as dist
    from sadinet.training.machine import TorchMachine

    rank = int(sys.argv[2])
    dist.init_process_group("gloo", init_method=sys.argv[1], rank=rank, world_size=2)
    machine = TorchMachine(torch.device("cpu"), "fp32")
    seen, unseen = torch.nn.Parameter(torch.tensor([10.0, 20.0])), torch.nn.Parameter(torch.tensor(5.0))
    machine.set_up(torch.nn.Module(), torch.optim.SGD([seen, unseen], lr=1.0))
    # The second process has no label for what the other parameter answers.
    loss = (seen * torch.tensor([[2.0, 0.0], [4.0, 6.0]][rank])).sum() + (8 * unseen if rank == 0 else 0)
    machine.backward(loss)
    norm = machine.step([seen, unseen], 100.0)
    print(*seen.tolist(), unseen.item(), norm.item())
    """
)


def end(processes):
    """Leave none of them running, whatever went wrong."""
    for process in processes:
        process.kill()
        process.wait()


def test_processes_step_by_the_mean_of_their_gradients(tmp_path):
    script = tmp_path / "share.py"
    script.write_text(SHARE)
    command = [sys.executable, str(script), (tmp_path / "meeting").as_uri()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    processes = [
        subprocess.Popen([*command, str(rank)], env=environment, stdout=subprocess.PIPE, text=True) for rank in range(2)
    ]
    try:
        answers = [process.communicate(timeout=240)[0] for process in processes]
    finally:
        end(processes)
    assert [process.returncode for process in processes] == [0, 0]
    for told in answers:
        # Gradients (2, 0, 8) and (4, 6, none): the mean is (3, 3, 4).
        assert [float(word) for word in told.split()] == pytest.approx([7, 17, 1, 34**0.5])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "fabric"])
def test_two_machines_train_one_network(script, tmp_path, backend):
    """As torchrun is started on each of them: two agents that find each other at one address, and a shared folder."""
    if backend == "fabric" and fabric_package() is None:
        pytest.skip("Lightning Fabric is not installed")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    run = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
    run += ["--rdzv-backend", "c10d", "--rdzv-endpoint", address, "--local-addr", "localhost"]
    path = os.pathsep.join([str(ROOT), str(HERE), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "BACKEND": backend}
    command = [*run, str(script), str(tmp_path / "out")]
    agents = [subprocess.Popen(command, env=environment, cwd=tmp_path) for _ in range(2)]
    try:
        assert [agent.wait(300) for agent in agents] == [0, 0]
    finally:
        end(agents)
    assert load_checkpoint(tmp_path / "out" / "last.pt")["epoch"] == 3
    assert len(log(tmp_path / "out")) == 3
    assert_one_network(tmp_path / "out")


@pytest.mark.slow
@pytest.mark.skipif(fabric_package() is None, reason="Lightning Fabric is not installed")
def test_two_processes_of_fabric_end_where_two_of_torch_end(script, pair, tmp_path):
    """Both share the gradients of each batch, so that the network is the same but for rounding."""
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    path = os.pathsep.join([str(ROOT), str(HERE), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "BACKEND": "fabric"}
    done = subprocess.run([*run, str(tmp_path / "out")], env=environment, cwd=tmp_path, timeout=300, check=False)
    assert done.returncode == 0
    fabric = load_checkpoint(tmp_path / "out" / "last.pt")["network"]
    for name, value in load_checkpoint(pair / "last.pt")["network"].items():
        torch.testing.assert_close(fabric[name], value, rtol=1e-2, atol=1e-3)


def test_two_processes_share_each_batch():
    mixture = Mixture((people(20, 3),), (1.0,))

    def points(**how):
        plan = EpochPlan((64, 64), 8, AugmentConfig(), seed=1, epoch=0, **how)
        return [batch[1] for batch in epoch_batches(mixture, plan, workers=0)]

    alone = points()
    shared = [torch.cat(pair) for pair in zip(points(rank=0, ranks=2), points(rank=1, ranks=2), strict=True)]
    assert len(alone) == 2
    for a, b in zip(alone, shared, strict=True):
        torch.testing.assert_close(a, b)
    torch.testing.assert_close(points(done=1)[0], alone[1])


def test_the_rate_rises_then_falls():
    config = TrainConfig(NETWORK, (Stage((64, 64), 2), Stage((96, 96), 1)))
    rates = [learning_rate(config, p) for p in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(config.rate, rel=1e-3)
    assert rates[0] == pytest.approx(config.rate / 100)
    assert rates[-1] == pytest.approx(config.rate / 100)
    assert all(a >= b for a, b in itertools.pairwise(rates[3:]))
    assert [config.stage_of(e).size_wh[0] for e in range(3)] == [64, 64, 96]


def test_a_batch_in_parts_has_the_gradient_of_the_whole(tmp_path):
    mixture = Mixture((people(8, 3),), (1.0,))
    batch = next(iter(epoch_batches(mixture, EpochPlan((64, 64), 8, AugmentConfig(), 1, 0), workers=0)))
    steps = {}
    for parts in (1, 2):
        made = trainer(tmp_path / str(parts), config(accumulate=parts))
        made.network.eval()  # batch norm sees each part by itself
        made._step(batch, 1e-3)
        steps[parts] = {name: p.grad.clone() for name, p in made.network.named_parameters() if p.grad is not None}
    for name, gradient in steps[1].items():
        torch.testing.assert_close(steps[2][name], gradient, rtol=1e-3, atol=1e-5)


def test_a_loss_that_is_not_a_number_stops_and_names_the_last_good_checkpoint(tmp_path):
    mixture, held_out = Mixture((people(16, 3),), (1.0,)), people(4, 4)
    trainer(tmp_path, config()).run(mixture, held_out)
    good = (tmp_path / "last.pt").read_bytes()
    broken = trainer(tmp_path, config(stages=(Stage((64, 64), 2),)))
    with torch.no_grad():
        next(broken.network.parameters()).fill_(torch.nan)
    with pytest.raises(
        TrainingFailedError, match=r"is not a number at epoch 1, batch 0 .*last good checkpoint is .*last"
    ):
        broken.run(mixture, held_out)
    assert (tmp_path / "last.pt").read_bytes() == good


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="cannot make folder"):
            trainer(folder, config())


def test_held_out_people_without_a_torso_are_refused_before_the_training(tmp_path):
    held_out = people(4, 4)
    held_out.joints[:, LSP14.index("right_hip")] = np.nan
    with pytest.raises(InputError, match="nobody held out from dots4 has a whole torso"):
        trainer(tmp_path, config()).run(Mixture((people(8, 3),), (1.0,)), held_out)
    assert not (tmp_path / "last.pt").exists()


@pytest.mark.parametrize("held_out", [people(0, 4), people(4, 3)], ids=["nobody", "somebody in both"])
def test_a_split_that_is_empty_or_overlaps_is_refused(tmp_path, held_out):
    with pytest.raises(InputError, match=r"nobody is held out|is trained on too"):
        trainer(tmp_path, config()).run(Mixture((people(8, 3),), (1.0,)), held_out)


def test_nobody_to_train_on_is_one_line():
    with pytest.raises(InputError, match="nobody to train on in the sets: dots1"):
        Mixture((people(0, 1),), (1.0,))
    with pytest.raises(InputError, match="nobody to train on"):
        Mixture((people(8, 1),), (0.0,))
    for share in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match=rf"shares is \(1\.0, {share}\) \(must be a finite number of at least 0\)"):
            Mixture((people(8, 1), people(8, 2)), (1.0, share))
    with pytest.raises(InputError, match="3 people do not fill one batch of 8"):
        batches_of(Mixture((people(3, 1),), (1.0,)), EpochPlan((64, 64), 8, AugmentConfig(), 1, 0))


def test_a_teacher_of_its_own_kind_teaches_nothing_new(tmp_path):
    """A network that imitates itself has no teacher's loss, and the loss is logged."""
    mixture, held_out = Mixture((people(8, 3),), (1.0,)), people(4, 4)
    trainer(tmp_path / "teacher", config()).run(mixture, held_out)
    settings = config(losses=LossWeights(heatmap=0, spatial=0, rle=0), rate=1e-9)
    student = trainer(tmp_path / "student", settings, teacher=tmp_path / "teacher" / "last.pt")
    student.network.load_state_dict(student.teacher.state_dict())
    student.network.eval()
    batch = next(iter(epoch_batches(mixture, EpochPlan((64, 64), 8, AugmentConfig(), 1, 0), workers=0)))
    alike = student._step(batch, 1e-9)
    with torch.no_grad():
        for parameter in student.network.parameters():
            parameter.mul_(1.1)
    apart = student._step(batch, 1e-9)
    # What lies below 0 in an untrained map is nothing that a teacher means.
    assert 0 <= float(alike["teacher"]) < 0.2 * float(apart["teacher"])
    torch.testing.assert_close(apart["total"], apart["teacher"])


def test_first_weights_of_another_network_are_one_line(tmp_path):
    with pytest.raises(WeightsError, match=r"sadinet-s\.safetensors holds another network") as caught:
        trainer(tmp_path, config(), start=ROOT / "weights" / "sadinet-s.safetensors")
    assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        trainer(tmp_path, config(), start=tmp_path / "none.safetensors")


def test_a_shipped_model_teaches_a_smaller_network(tmp_path):
    mixture = Mixture((people(8, 3),), (1.0,))
    made = trainer(tmp_path, config(), teacher=ROOT / "weights" / "sadinet-s.json")
    batch = next(iter(epoch_batches(mixture, EpochPlan((64, 64), 8, AugmentConfig(), 1, 0), workers=0)))
    assert float(made._step(batch, 1e-3)["teacher"]) > 0


def test_a_teacher_with_other_joints_or_of_another_kind_is_refused(tmp_path):
    few = TrainConfig(
        NetworkConfig(joints=14, size_wh=(64, 64), widths=(16, 24)), (Stage((64, 64), 1),), skeleton="lsp14"
    )
    with pytest.raises(WeightsError, match=r"the teacher .* has 19 joints, the network 14"):
        trainer(tmp_path, few, teacher=ROOT / "weights" / "sadinet-s.json")
    with pytest.raises(WeightsError, match="is a detector"):
        trainer(tmp_path, config(), teacher=ROOT / "weights" / "person-yolo11n.json")


@pytest.mark.skipif(fabric_package() is None, reason="Lightning Fabric is not installed")
def test_the_scale_of_fp16_leaves_steps_as_they_are(monkeypatch):
    """As on a GPU, but with the scaler of the CPU: the gradient is divided by the scale once."""
    import importlib

    from sadinet.training import fabric

    package = fabric_package()
    amp = importlib.import_module(f"{package}.plugins.precision.amp")
    scaled = amp.MixedPrecision("16-mixed", "cpu", scaler=torch.amp.GradScaler("cpu", init_scale=1024.0))
    whole = importlib.import_module(package).Fabric
    module = importlib.import_module(package)
    monkeypatch.setattr(module, "Fabric", lambda **how: whole(**{**how, "precision": None, "plugins": [scaled]}))
    machine = fabric.FabricMachine(package, torch.device("cpu"), "fp16")
    layer = torch.nn.Linear(2, 1, bias=False)
    before = layer.weight.detach().clone()
    called = machine.set_up(layer, torch.optim.SGD(layer.parameters(), lr=1.0))
    machine.backward(called(torch.ones(1, 2)).sum())
    norm = machine.step(list(layer.parameters()), 10.0)
    assert float(norm) == pytest.approx(2**0.5, rel=1e-2)
    torch.testing.assert_close(before - layer.weight.detach(), torch.ones(1, 2), rtol=1e-2, atol=1e-2)


@pytest.mark.skipif(fabric_package() is None, reason="Lightning Fabric is not installed")
def test_fabric_and_plain_torch_train_alike(tmp_path):
    from sadinet.training.fabric import FabricMachine

    mixture, held_out = Mixture((people(16, 3),), (1.0,)), people(4, 4)
    ends = {}
    for name in ("torch", "fabric"):
        device = torch.device("cpu")
        machine = TorchMachine(device, "fp32") if name == "torch" else FabricMachine(fabric_package(), device, "fp32")
        made = Trainer(config(accumulate=2), tmp_path / name, lambda line: None, machine=machine, workers=0)
        made.run(mixture, held_out)
        ends[name] = load_checkpoint(tmp_path / name / "last.pt")["network"]
    for name, value in ends["torch"].items():
        torch.testing.assert_close(ends["fabric"][name], value, rtol=1e-3, atol=1e-4)
