"""The training loop: one schedule over stages of growing resolution, killed and resumed at any moment."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch import distributed as dist

from sadinet.errors import SadinetError
from sadinet.network.config import STEM_STRIDE, NetworkConfig
from sadinet.network.model import Deployed, SadiNet
from sadinet.training.augment import AugmentConfig
from sadinet.training.batches import Mixture, epoch_batches
from sadinet.training.checkpoint import MovingAverage, load_checkpoint, load_network, save_checkpoint
from sadinet.training.datasets import PersonSet
from sadinet.training.losses import Criterion, LossWeights
from sadinet.training.validate import limb_pck, predict

SIGMA_SHARE = 1 / 32
"""Targets' standard deviation, share of the heatmap's width: the same in the picture at every resolution."""


@dataclass(frozen=True, slots=True)
class Stage:
    """So many epochs at one input size."""

    size_wh: tuple[int, int]
    epochs: int


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides the result of a training.

    Attributes:
        network: what is trained.
        stages: resolutions in the order they are run.
        batch: people a step.
        rate: highest learning rate of AdamW; a short warm-up, then a cosine to nothing over all stages.
        warmup: share of all steps.
        decay: weight decay.
        average: decay of the moving average that is kept and shipped.
        clip: largest norm of the gradient.
        seed: decides first weights, order and augmentation.
        save_minutes: between checkpoints inside an epoch.
        precision: "bf16" or "fp32" for what autocast covers; "auto" is bf16 where the processor computes in it, as
            elsewhere it is emulated and seven times slower.
    """

    network: NetworkConfig
    stages: tuple[Stage, ...]
    losses: LossWeights = field(default_factory=LossWeights)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    batch: int = 32
    rate: float = 2e-3
    warmup: float = 0.03
    decay: float = 0.02
    average: float = 0.998
    clip: float = 5.0
    seed: int = 1
    save_minutes: float = 3.0
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    def stage_of(self, epoch: int) -> Stage:
        """Return the stage that an epoch belongs to."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        return self.stages[-1]

    @property
    def epochs(self) -> int:
        """Of all stages together."""
        return sum(stage.epochs for stage in self.stages)


class TrainingFailedError(SadinetError):
    """Training cannot go on: the loss is not a number, or exploded."""


def learning_rate(config: TrainConfig, progress: float) -> float:
    """Rate at `progress` (0..1): linear warm-up, then a cosine to a hundredth."""
    if progress < config.warmup:
        return config.rate * (0.01 + 0.99 * progress / config.warmup)
    rest = (progress - config.warmup) / (1 - config.warmup)
    return config.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(rest, 1.0))))


def has_bfloat16() -> bool:
    """Say whether this processor has instructions for bfloat16."""
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # torch has no public way to ask
    return bool(known and known())


class Trainer:
    """One training in one folder: `last.pt` to resume, `best.pt` by PCK@0.2, `log.csv`.

    `start` is a model's safetensors file; the first weights are taken from it when there is nothing to resume.
    """

    def __init__(
        self, config: TrainConfig, folder: Path, say: Callable[[str], None], start: Path | None = None
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.folder, self.say = config, folder, say
        together = dist.is_available() and dist.is_initialized()
        self.rank, self.ranks = (dist.get_rank(), dist.get_world_size()) if together else (0, 1)
        self.network = SadiNet(config.network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.criterion = Criterion(config.losses)
        if start is not None:
            load_network(self.network, start)
        self.pixels = Deployed(self.network)
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        plain = [p for p in self.network.parameters() if p.ndim <= 1] + list(self.criterion.parameters())
        groups = [{"params": decayed, "weight_decay": config.decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.99))
        self.average = MovingAverage(self.network, config.average)
        self.is_half = has_bfloat16() if config.precision == "auto" else config.precision == "bf16"
        self.epoch, self.batch_done, self.best = 0, 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "last.pt").exists():
            self._resume(load_checkpoint(folder / "last.pt"))

    def _resume(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.criterion.load_state_dict(state["criterion"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.load_state_dict(state["average"])
        torch.set_rng_state(state["random"])
        self.epoch, self.batch_done, self.best = state["epoch"], state["batch_done"], state["best"]
        self.say(f"resumed at epoch {self.epoch}, batch {self.batch_done}")

    def state(self) -> dict[str, Any]:
        """Return everything that a resumed training needs."""
        return {
            "config": {**asdict(self.config), "network": self.config.network.to_dict()},
            "network": self.network.state_dict(),
            "criterion": self.criterion.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict(),
            "random": torch.get_rng_state(),
            "epoch": self.epoch,
            "batch_done": self.batch_done,
            "best": self.best,
        }

    def run(self, mixture: Mixture, held_out: PersonSet) -> None:
        """Train to the end of the schedule; raises `TrainingFailedError` if the loss stops being a number."""
        while self.epoch < self.config.epochs:
            started = time.monotonic()
            means, seen = self._epoch(mixture)
            seconds = time.monotonic() - started
            self.epoch, self.batch_done = self.epoch + 1, 0
            self._save("last.pt")
            if self.rank == 0:
                self._validate(held_out, means, seen / max(seconds, 1e-9))

    def _epoch(self, mixture: Mixture) -> tuple[dict[str, float], int]:
        stage = self.config.stage_of(self.epoch)
        sigma = stage.size_wh[0] / STEM_STRIDE * SIGMA_SHARE
        whole = len(mixture.epoch_order(self.config.seed, self.epoch)) // self.config.batch
        loader = epoch_batches(
            mixture, stage.size_wh, self.config.batch, self.config.augment,
            seed=self.config.seed, epoch=self.epoch, done=self.batch_done,
            rank=self.rank, ranks=self.ranks,
        )  # fmt: skip
        sums: dict[str, float] = {}
        first, saved = self.batch_done, time.monotonic()
        self.network.train()
        for crops, points, weight in loader:
            progress = (self.epoch + self.batch_done / whole) / self.config.epochs
            parts = self._step(
                crops, (points + 0.5) / STEM_STRIDE - 0.5, weight, sigma, learning_rate(self.config, progress)
            )
            self.batch_done += 1
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value
            if self.batch_done % 50 == 0:
                count = self.batch_done - first
                shown = " ".join(f"{k} {v / count:.3f}" for k, v in sums.items())
                self.say(f"epoch {self.epoch} {self.batch_done}/{whole} {stage.size_wh[0]}px {shown}")
            if time.monotonic() - saved > 60 * self.config.save_minutes:
                self._save("last.pt")
                saved = time.monotonic()
        count = max(self.batch_done - first, 1)
        return {k: v / count for k, v in sums.items()}, count * self.config.batch

    def _step(self, crops: Tensor, cells: Tensor, weight: Tensor, sigma: float, rate: float) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        planes = self.pixels.normalise(crops).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.is_half):
            answers = self.network(planes)
        parts = self.criterion(answers, cells, weight, sigma)
        self.optimiser.zero_grad(set_to_none=True)
        parts["total"].backward()
        self._share_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        if not torch.isfinite(norm):
            raise TrainingFailedError(
                f"the gradient is not a number at epoch {self.epoch}, batch {self.batch_done}",
                f"the last good checkpoint is {self.folder / 'last.pt'}; lower the rate",
            )
        self.optimiser.step()
        self.average.update(self.network)
        return {k: float(v.detach()) for k, v in parts.items()}

    def _share_gradients(self) -> None:
        """Average the gradients of all processes, in one message."""
        if self.ranks == 1:
            return
        grads = [p.grad for group in self.optimiser.param_groups for p in group["params"] if p.grad is not None]
        message = torch.cat([grad.reshape(-1) for grad in grads])
        dist.all_reduce(message)
        message /= self.ranks
        for grad, part in zip(grads, message.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(part.view_as(grad))

    def _save(self, name: str) -> None:
        if self.rank == 0:
            save_checkpoint(self.folder / name, self.state())

    def _validate(self, held_out: PersonSet, means: dict[str, float], speed: float) -> None:
        stage = self.config.stage_of(self.epoch - 1)
        averaged = SadiNet(self.config.network)
        averaged.load_state_dict(self.average.values)
        joints, spread = predict(averaged, held_out, stage.size_wh, stage.size_wh[0] / STEM_STRIDE * SIGMA_SHARE)
        wide, narrow = limb_pck(joints, held_out)
        error = torch.from_numpy(joints - held_out.joints).abs()[:, :14]
        inside = float((error <= torch.from_numpy(spread)[:, :14]).float().mean())
        logit = self.average.values.get(f"stacks.{self.config.network.stacks - 1}.head.weight")
        share = 0.0 if logit is None else float(torch.sigmoid(logit).mean())
        row = {"epoch": self.epoch, "size": stage.size_wh[0], **{k: round(v, 4) for k, v in means.items()}}
        row |= {"pck02": round(wide, 2), "pck01": round(narrow, 2), "sigma_cover": round(inside, 3)}
        row |= {"dlm_w": round(share, 3), "speed": round(speed, 1)}
        self._log(row)
        if wide > self.best:
            self.best = wide
            self._save("best.pt")
        self.say(" ".join(f"{k} {v}" for k, v in row.items()))

    def _log(self, row: dict[str, float]) -> None:
        path = self.folder / "log.csv"
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
