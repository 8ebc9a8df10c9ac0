"""Everything that decides the result of a training, and its schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sadinet.dark import Rounding
from sadinet.errors import InputError
from sadinet.network.bounds import ABOVE_0, FINITE, check_bounds
from sadinet.network.config import STEM_STRIDE, NetworkConfig
from sadinet.network.presets import SKELETON_NAMES, preset
from sadinet.skeletons import SKELETONS, Skeleton, skeleton_by_name
from sadinet.training.augment import AugmentConfig
from sadinet.training.losses import LossWeights
from sadinet.training.plain import build

Precision = Literal["auto", "fp32", "bf16", "fp16"]

SIGMA_SHARE = 1 / 32
"""Targets' standard deviation, share of the heatmap's width: the same in the picture at every resolution."""

_STAGE_BOUNDS = {"epochs": (1, math.inf), "sigma": (0, FINITE)}

_BOUNDS = {
    "rate": (ABOVE_0, FINITE),
    "drops": (0, math.inf),
    "warmup": (0, 1),
    "decay": (0, FINITE),
    "average": (0, 1),
    "clip": (ABOVE_0, math.inf),
    "seed": (0, 2**63 - 1),
    "save_minutes": (0, math.inf),
}
"""An infinite `clip` clips nothing; with infinite `save_minutes` checkpoints are written between epochs only."""


@dataclass(frozen=True, slots=True)
class Stage:
    """So many epochs at one input size.

    Attributes:
        size_wh: width and height of the crops, pixels.
        epochs: how many.
        sigma: of the targets, heatmap cells; 0 for `SIGMA_SHARE` of the heatmap's width.
    """

    size_wh: tuple[int, int]
    epochs: int
    sigma: float = 0.0

    def __post_init__(self) -> None:
        check_bounds(self, _STAGE_BOUNDS)

    @property
    def target_sigma(self) -> float:
        """Standard deviation of the targets, heatmap cells."""
        return self.sigma or self.size_wh[0] / STEM_STRIDE * SIGMA_SHARE


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides the result of a training.

    Attributes:
        network: what is trained.
        stages: resolutions in the order they are run.
        skeleton: whose joints the heatmaps are.
        losses: what is minimised.
        encoding: where targets are centred: on the exact joint, or moved to a cell as older code does.
        augment: how far crops stray.
        batch: people a step, in all processes and parts together.
        accumulate: parts that a step's batch is computed in, one after the other; saves memory.
        optimiser: AdamW, Adam or RMSprop.
        rate: highest learning rate.
        schedule: "cosine" falls to a hundredth over all stages; "step" falls to a tenth at each of `drops`.
        drops: epochs at which "step" falls.
        warmup: share of all steps in which the rate rises.
        decay: weight decay.
        average: decay of the moving average that is kept and shipped.
        clip: largest norm of the gradient.
        seed: decides first weights, order and augmentation.
        save_minutes: between checkpoints inside an epoch.
        precision: what autocast covers is computed in: "bf16", "fp16" (GPU only) or "fp32"; "auto" takes the first
            that the hardware computes in, as elsewhere it is emulated and seven times slower.
    """

    network: NetworkConfig
    stages: tuple[Stage, ...]
    skeleton: str = "body19"
    losses: LossWeights = field(default_factory=LossWeights)
    encoding: Rounding = "unbiased"
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    batch: int = 32
    accumulate: int = 1
    optimiser: Literal["adamw", "adam", "rmsprop"] = "adamw"
    rate: float = 2e-3
    schedule: Literal["cosine", "step"] = "cosine"
    drops: tuple[int, ...] = (90, 120)
    warmup: float = 0.03
    decay: float = 0.02
    average: float = 0.998
    clip: float = 5.0
    seed: int = 1
    save_minutes: float = 3.0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.skeleton not in SKELETONS:
            raise InputError(f"unknown skeleton {self.skeleton!r}", "one of: " + ", ".join(SKELETONS))
        joints = len(SKELETONS[self.skeleton])
        if joints != self.network.joints:
            raise InputError(
                f"the network has {self.network.joints} heatmaps, {self.skeleton} has {joints} joints",
                f"set network.joints={joints} or another skeleton",
            )
        check_bounds(self, _BOUNDS)
        self.check_losses(has_teacher=True)
        if not self.stages:
            raise InputError("a training needs at least one stage", "for example 256x12")
        if self.batch < 1 or self.accumulate < 1 or self.batch % self.accumulate:
            raise InputError(f"a batch of {self.batch} in {self.accumulate} parts", "the parts must be equal")
        step = STEM_STRIDE * 2**self.network.depth
        for stage in self.stages:
            if any(side < step or side % step for side in stage.size_wh):
                raise InputError(f"stage {stage.size_wh[0]}x{stage.size_wh[1]}", f"sides must be multiples of {step}")

    def check_losses(self, *, has_teacher: bool) -> None:
        """Raise `InputError` if no loss is left to minimise: the DLM's and a teacher's need a DLM and a teacher."""
        losses = self.losses
        counting = losses.heatmap + losses.spatial
        counting += losses.rle * (self.network.dlm != "off") + losses.teacher * has_teacher
        if not counting:
            raise InputError(
                "no loss is left to minimise",
                "set losses.heatmap or losses.spatial above 0, losses.rle with a DLM, or losses.teacher with a teacher",
            )

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

    @property
    def joint_set(self) -> Skeleton:
        """The skeleton itself."""
        return skeleton_by_name(self.skeleton)


def learning_rate(config: TrainConfig, progress: float) -> float:
    """Rate at `progress` (0..1): linear warm-up, then a cosine to a hundredth, or steps to a tenth each."""
    if progress < config.warmup or config.warmup == 1:
        return config.rate * (0.01 + 0.99 * progress / config.warmup)
    if config.schedule == "step":
        # A whole epoch lies at the progress of its first step; a hair is added against rounding.
        epoch = progress * config.epochs + 1e-9
        return config.rate * 0.1 ** sum(epoch >= drop for drop in config.drops)
    rest = (progress - config.warmup) / (1 - config.warmup)
    return config.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(rest, 1.0))))


def parse_stages(text: str) -> tuple[Stage, ...]:
    """Read "128x10,256x3" (side x epochs) or "192x256x10" (width x height x epochs).

    Raises:
        InputError: for anything else.
    """
    stages = []
    for part in text.split(","):
        try:
            *sides, epochs = (int(number) for number in part.split("x"))
            width, height = sides * 2 if len(sides) == 1 else sides
        except ValueError:
            raise InputError(f"stage {part!r}", "write side x epochs, as in 256x12, or 192x256x12") from None
        stages.append(Stage((width, height), epochs))
    return tuple(stages)


def train_config(values: Mapping[str, Any]) -> TrainConfig:
    """Build the configuration from a settings file's values.

    `preset` names a network that `network` changes, and its skeleton; `stages` may be a text as in `parse_stages`;
    `network.size_wh` and `network.heatmap_sigma`, if not given, are those of the last stage.

    Raises:
        InputError: for a value that is unknown, missing or wrong.
    """
    if not isinstance(values.get("network", {}), Mapping):
        raise InputError(f"setting network is {values['network']!r}", "must be a table with names")
    plain = dict(values)
    name = plain.pop("preset", None)
    if isinstance(plain.get("stages"), str):
        stages = parse_stages(plain["stages"])
        plain["stages"] = [{"size_wh": list(stage.size_wh), "epochs": stage.epochs} for stage in stages]
    network = dict(plain.get("network", {}))
    if name is not None:
        network = {**preset(str(name)).to_dict(), **network}
        plain.setdefault("skeleton", SKELETON_NAMES[str(name)])
    if isinstance(plain.get("skeleton"), str):
        network["joints"] = values.get("network", {}).get("joints", len(skeleton_by_name(plain["skeleton"])))
    plain["network"] = network
    if isinstance(plain.get("stages"), list) and plain["stages"]:
        build(Stage, plain["stages"][-1], f"stages[{len(plain['stages']) - 1}]")  # a mistake is named with its place
        last = build(TrainConfig, {"network": {"joints": 19}, "stages": plain["stages"][-1:]}).stages[0]
        given = values.get("network", {})
        network["size_wh"] = given.get("size_wh", list(last.size_wh))
        network["heatmap_sigma"] = given.get("heatmap_sigma", last.target_sigma)
    return build(TrainConfig, plain)
