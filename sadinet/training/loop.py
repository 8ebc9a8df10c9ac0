"""The training loop: one schedule over stages of growing resolution, killed and resumed at any moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sadinet.atomic import make_folder
from sadinet.errors import InputError
from sadinet.network.model import Deployed, SadiNet
from sadinet.training.batches import Batch, EpochPlan, Mixture, batches_of, epoch_batches
from sadinet.training.checkpoint import MovingAverage, save_checkpoint
from sadinet.training.config import Stage, TrainConfig, learning_rate
from sadinet.training.logs import TrainingLog
from sadinet.training.losses import Criterion
from sadinet.training.machine import Machine, open_machine
from sadinet.training.measuring import check_measurable, measure
from sadinet.training.models import Source, fill_network
from sadinet.training.optimiser import make_optimiser
from sadinet.training.pace import Course, Pace, Waited
from sadinet.training.render import PictureStore
from sadinet.training.resuming import state_of, take_over
from sadinet.training.split import Split
from sadinet.training.student import Student, load_teacher
from sadinet.training.watch import TrainingFailedError, Watch

if TYPE_CHECKING:
    from sadinet.training.datasets import PersonSet

__all__ = ["Stage", "TrainConfig", "Trainer", "TrainingFailedError", "learning_rate"]

_LOOK_EVERY = {"cpu": 1, "mps": 10, "cuda": 20}
"""Steps between looks at the losses: each look makes the processor wait for a GPU."""

_STORE_SHARE = 0.6
"""Of a GPU's free memory for all pictures; the rest is the network's."""

_SIGNS = ("map", "w", "sigma", "gradient")


class Trainer:
    """One training in one folder: `last.pt` to resume, `best.pt` by PCK@0.2, `log.csv`, `pictures/`.

    Args:
        config: what decides the result.
        folder: of this training; what lies there is resumed.
        say: takes lines for a person.
        start: checkpoint (.pt), model's name or manifest, or .safetensors file; the first weights are taken from it
            when there is nothing to resume.
        machine: device and processes; None for what the hardware and torchrun's variables offer.
        teacher: checkpoint or model whose heatmaps are imitated, by `config.losses.teacher`.
        workers: processes that cut crops, or only draw their parameters where crops are cut on a GPU.

    Raises:
        WeightsError: if `last.pt`, `start` or `teacher` is damaged or of another network, or `last.pt` lacks something.
        InputError: if the batch cannot be shared out, or what was begun cannot be continued with these settings.
        OutputError: if the folder cannot be made, or something else lies where the training would write.
    """

    def __init__(
        self,
        config: TrainConfig,
        folder: Path,
        say: Callable[[str], None],
        start: Source | None = None,
        *,
        machine: Machine | None = None,
        teacher: Source | None = None,
        workers: int = 1,
    ) -> None:
        self.config, self.folder, self.workers = config, folder, workers
        self.machine = machine or open_machine(precision=config.precision)
        torch.manual_seed(config.seed)
        if config.batch % (self.machine.ranks * config.accumulate):
            remedy = f"must be a multiple of {self.machine.ranks * config.accumulate}"
            raise InputError(f"a batch of {config.batch} on {self.machine.ranks} processes", remedy)
        self.network = SadiNet(config.network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is not None:
            fill_network(self.network, start)
        self.student = Student(self.network, Criterion(config.losses, config.encoding)).to(self.machine.device)
        self.pixels = Deployed(self.network).to(self.machine.device)
        self.optimiser = make_optimiser(config, self.student)
        self.average = MovingAverage(self.network, config.average)
        self.teacher = load_teacher(teacher, config.network, self.machine.device) if teacher else None
        self.watch = Watch(_IN_FP16 if self.machine.precision == "fp16" else 0)
        self.epoch, self.batch_done = 0, 0
        self.course = Course()
        self.people = ""  # signature of those that the epoch shows
        self.best = -1.0  # of nothing: the first epoch is the best so far, even if it finds no joint
        self.due: dict[str, dict[str, float]] | None = None  # what is told of an epoch that was not measured yet
        self.split: Split | None = None
        make_folder(folder)
        self.log = TrainingLog(folder, say, active=self.machine.rank == 0)
        resumed = folder / "last.pt"
        if resumed.exists():
            self._resume(resumed)
        self._step_of = self.machine.set_up(self.student, self.optimiser)

    def _resume(self, path: Path) -> None:
        changed = take_over(self, path)
        self.log.say(f"resumed at epoch {self.epoch}, batch {self.batch_done}")
        if changed:
            self.log.say("settings that are others from here on: " + "; ".join(changed))

    def run(self, mixture: Mixture, held_out: PersonSet) -> None:
        """Train to the end of the schedule.

        Raises:
            InputError: if nobody is held out or has a whole torso, somebody is in both sets, one batch is not filled,
                or an epoch was begun with other people.
            TrainingFailedError: if the training went wrong; the last good checkpoint is kept.
            OutputError: if a checkpoint cannot be written; the one before it is kept.
        """
        self.split = Split.of(mixture, held_out).following(self.split)
        check_measurable(held_out, self.config.joint_set)
        batches_of(mixture, self._plan())
        self._begin_with(mixture.signature())
        with self.log:
            store = self._store(mixture)
            self._measure(held_out)
            while self.epoch < self.config.epochs:
                self._train(mixture, store)
                self._measure(held_out)

    def _begin_with(self, people: str) -> None:
        """Take over the signature of the people to train on."""
        if self.people and people != self.people:
            if self.batch_done:
                path = self.folder / "last.pt"
                raise InputError(f"{path} lies within an epoch of other people", "end that epoch with the same data")
            self.log.say("other people are trained on from here on")
        self.people = people

    def _store(self, mixture: Mixture) -> PictureStore | None:
        """Return the pictures for a GPU; None where there is none, or where they do not fit."""
        device = self.machine.device
        if device.type != "cuda":
            return None
        store = PictureStore(mixture.sets, device)
        needed = max(store.bytes_for(stage.size_wh) for stage in self.config.stages)
        free = torch.cuda.mem_get_info(device)[0]
        if needed <= _STORE_SHARE * free:
            return store
        self.log.say(
            f"pictures of {needed / 1e9:.0f} GB leave no room on the GPU ({free / 1e9:.0f} GB): workers cut crops"
        )
        return None

    def _train(self, mixture: Mixture, store: PictureStore | None) -> None:
        """Go on to the end of the epoch, and save it with what is to be told once it is measured."""
        try:
            self._epoch(mixture, store)
        except TrainingFailedError as error:
            raise self._with_checkpoint(error) from error
        self.due = {"means": self.course.means(), "pace": asdict(self.course.pace(self.config.batch))}
        self.epoch, self.batch_done, self.course = self.epoch + 1, 0, Course()
        self._save("last.pt")

    def _measure(self, held_out: PersonSet) -> None:
        """Measure the epoch that was saved, unless that was done; a kill in between is made good when it goes on."""
        if self.due is not None:
            due, self.due = self.due, None
            if self.machine.rank == 0:
                self._validate(held_out, due["means"], Pace(**due["pace"]))
                self._save("last.pt")
        self.machine.barrier()

    def _with_checkpoint(self, error: TrainingFailedError) -> TrainingFailedError:
        path = self.folder / "last.pt"
        kept = f"the last good checkpoint is {path}" if path.exists() else "there is no checkpoint yet"
        return TrainingFailedError(error.message, f"{kept}; {error.remedy}")

    def _plan(self) -> EpochPlan:
        config = self.config
        return EpochPlan(
            config.stage_of(self.epoch).size_wh, config.batch, config.augment, config.seed, self.epoch,
            self.batch_done, self.machine.rank, self.machine.ranks, config.joint_set,
        )  # fmt: skip

    def _epoch(self, mixture: Mixture, store: PictureStore | None) -> None:
        """Train to the end of the epoch; what it adds up to, in this leg and those before, is `course`."""
        plan = self._plan()
        whole = batches_of(mixture, plan)
        look_every = _LOOK_EVERY[self.machine.device.type]
        waiting: list[dict[str, Tensor]] = []
        saved = time.monotonic()
        self.network.train()
        batches = Waited(epoch_batches(mixture, plan, self.workers, store))
        leg = self.course.leg(batches)
        for batch in batches:
            progress = (self.epoch + self.batch_done / whole) / self.config.epochs
            waiting.append(self._step(batch, learning_rate(self.config, progress)))
            self.batch_done += 1
            is_due = time.monotonic() - saved > 60 * self.config.save_minutes
            if len(waiting) >= look_every or is_due or self.batch_done == whole:
                # Before a checkpoint is written: what is not sound must not take the good one's place.
                self._look(waiting)
                waiting.clear()
                leg()
                step = self.epoch * whole + self.batch_done
                self.log.progress(self.epoch, self.batch_done, whole, self.course.means(), step=step)
            if is_due:
                self._save("last.pt")
                saved = time.monotonic()

    def _look(self, steps: list[dict[str, Tensor]]) -> None:
        names = list(steps[0])
        values = torch.stack([torch.stack([step[name].float() for name in names]) for step in steps]).tolist()
        for place, row in enumerate(values):
            parts = dict(zip(names, row, strict=True))
            batch = self.batch_done - len(steps) + place
            self.watch.look(f"epoch {self.epoch}, batch {batch}", parts)
            self.course.add({name: value for name, value in parts.items() if name not in _SIGNS})

    def _step(self, batch: Batch, rate: float) -> dict[str, Tensor]:
        """Move the parameters once; returns losses, signs and the gradient's norm, still on the device."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        device, count = self.machine.device, self.config.accumulate
        sigma = self.config.stage_of(self.epoch).target_sigma
        found: dict[str, Tensor] = {}
        parts = zip(*(values.chunk(count) for values in batch), strict=True)
        for number, (crops, points, weight) in enumerate(parts):
            planes = self.pixels.normalise(crops.to(device)).contiguous(memory_format=torch.channels_last)
            with self.machine.part_of_batch(is_last=number == count - 1):
                losses = self._step_of(planes, points.to(device), weight.to(device), sigma, self._taught(planes))
                self.machine.backward(losses["total"] / count)
            for name, value in losses.items():
                found[name] = found.get(name, 0) + value.detach() / count
        found["gradient"] = self.machine.step(list(self.network.parameters()), self.config.clip)
        self.average.update(self.network)
        return found

    @torch.no_grad()
    def _taught(self, planes: Tensor) -> Tensor | None:
        if self.teacher is None:
            return None
        with self.machine.autocast():
            maps: Tensor = self.teacher(planes)[-1].heatmaps
        return maps.float()

    def _save(self, name: str) -> None:
        if self.machine.rank == 0:
            save_checkpoint(self.folder / name, state_of(self))

    def _validate(self, held_out: PersonSet, means: dict[str, float], pace: Pace) -> None:
        stage = self.config.stage_of(self.epoch - 1)
        found = measure(self.config, stage, self.average.values, held_out, self.machine)
        row = {"epoch": self.epoch, "size": stage.size_wh[0], **{k: round(v, 4) for k, v in means.items()}}
        row |= found.row() | {"speed": round(pace.people_s, 1), "wait": round(pace.wait, 3)}
        self.log.epoch(row)
        self.log.picture(self.epoch, held_out, found.joints, self.config.joint_set)
        if found.pck02 > self.best:
            self.best = found.pck02
            self._save("best.pt")


_IN_FP16 = 30
"""Steps in a row whose gradient may be infinite in fp16, until its scale has found its level."""
