"""Which person comes when, cut by worker processes or on a GPU, resumable in the middle of an epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from sadinet.errors import InputError
from sadinet.network.bounds import FINITE, check_bounds
from sadinet.skeletons import BODY19, Skeleton
from sadinet.training.augment import AugmentConfig, CropDraw, draw_crop
from sadinet.training.render import DrawBatch, PictureStore, render, stack_draws
from sadinet.training.warp import HAS_OPENCV

if TYPE_CHECKING:
    from sadinet.training.datasets import PersonSet

Batch = tuple[Tensor, Tensor, Tensor]
"""Crops (B, h, w, 3) uint8 BGR, points (B, K, 2) in crop pixels, weight (B, K)."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Several sets and how much of each an epoch sees: 1.0 is everybody once.

    Raises:
        InputError: if there is nobody, somebody has no known joint, a share is no number of at least 0, or sets and
            shares do not go together.
    """

    sets: tuple[PersonSet, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.sets) != len(self.shares):
            raise InputError(f"{len(self.sets)} sets and {len(self.shares)} shares", "give each set a share")
        check_bounds(self, {"shares": (0, FINITE)})
        if not sum(self.counts):
            names = ", ".join(people.name for people in self.sets) or "none"
            raise InputError(
                f"nobody to train on in the sets: {names}", "check the folders, the numbers and the shares"
            )
        for people in self.sets:
            # Told now: the crop of such a person fails days later, in a worker that does not know the name.
            if len(blank := np.flatnonzero(~people.known.any(axis=1))):
                who = people.full_keys[int(blank[0])]
                raise InputError(f"{who} has no joint to learn from ({len(blank)} such people)", "leave them out")

    def signature(self) -> str:
        """Return a word that differs where an epoch would show other people, or others of them."""
        told = hashlib.sha256(repr(self.counts).encode())
        for people in self.sets:
            told.update("\n".join(people.full_keys).encode(errors="backslashreplace"))
        return told.hexdigest()

    @property
    def counts(self) -> tuple[int, ...]:
        """People that an epoch sees of each set."""
        return tuple(round(share * len(people)) for people, share in zip(self.sets, self.shares, strict=True))

    def epoch_order(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return (M, 2): set and person, shuffled; the same for the same seed and epoch."""
        rng = np.random.default_rng((seed, epoch, 0xE90C))
        parts = []
        for number, (people, count) in enumerate(zip(self.sets, self.counts, strict=True)):
            # A share above 1 shows people more than once.
            rounds = [rng.permutation(len(people)) for _ in range(-(-count // max(len(people), 1)))]
            picked = np.concatenate([*rounds, np.zeros(0, int)])[:count].astype(np.int64)
            parts.append(np.stack([np.full(len(picked), number), picked], axis=1))
        order = np.concatenate(parts)
        return order[rng.permutation(len(order))]


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """What an epoch's batches are made of.

    Attributes:
        size_wh: of the crops, pixels.
        batch: people a step, all processes together.
        config: augmentation.
        seed, epoch: decide order and draws.
        done: batches of the epoch that were served before.
        rank, ranks: which part of every batch this process gets.
        skeleton: of the sets' joints.
    """

    size_wh: tuple[int, int]
    batch: int
    config: AugmentConfig
    seed: int
    epoch: int
    done: int = 0
    rank: int = 0
    ranks: int = 1
    skeleton: Skeleton = BODY19


class _Draws(Dataset[CropDraw]):
    def __init__(self, mixture: Mixture, plan: EpochPlan) -> None:
        self.mixture, self.plan = mixture, plan
        self.order = mixture.epoch_order(plan.seed, plan.epoch)

    def __len__(self) -> int:
        return len(self.order)

    def _draw(self, place: int) -> tuple[int, CropDraw]:
        number, person = (int(v) for v in self.order[place])
        plan = self.plan
        seed = (plan.seed, plan.epoch, place)
        return number, draw_crop(self.mixture.sets[number], person, plan.size_wh, plan.config, seed, plan.skeleton)

    def __getitem__(self, place: int) -> CropDraw:
        """Return a draw whose people are numbered through all sets, as in a `PictureStore` of them."""
        number, draw = self._draw(place)
        before = sum(len(people) for people in self.mixture.sets[:number])
        return replace(draw, person=draw.person + before, other=draw.other + before if draw.other >= 0 else -1)


class _Crops(_Draws):
    def __getitem__(self, place: int) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        number, draw = self._draw(place)
        crop = render(self.mixture.sets[number], draw, self.plan.size_wh)
        return torch.from_numpy(crop), torch.from_numpy(draw.points), torch.from_numpy(draw.weight)


class _Share(Sampler[int]):
    """One process' share of each batch from the `done`-th on; the order itself is already shuffled."""

    def __init__(self, count: int, plan: EpochPlan) -> None:
        each = plan.batch // plan.ranks
        starts = range(plan.done * plan.batch + plan.rank * each, count // plan.batch * plan.batch, plan.batch)
        self.places = [place for start in starts for place in range(start, start + each)]

    def __iter__(self) -> Iterator[int]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def _quiet_worker(_: int) -> None:
    if HAS_OPENCV:
        import cv2

        cv2.setNumThreads(0)
    torch.set_num_threads(1)


def batches_of(mixture: Mixture, plan: EpochPlan) -> int:
    """Return how many batches a whole epoch has; raises `InputError` if it has none."""
    count = sum(mixture.counts) // plan.batch
    if not count:
        raise InputError(f"{sum(mixture.counts)} people do not fill one batch of {plan.batch}", "lower the batch")
    return count


def epoch_batches(
    mixture: Mixture, plan: EpochPlan, workers: int = 1, store: PictureStore | None = None
) -> Iterable[Batch]:
    """Serve an epoch from its `done`-th batch on.

    Args:
        mixture: whom to train on.
        plan: which epoch, what size, whose part.
        workers: processes that cut crops, or only draw parameters where there is a store; 0 for this one.
        store: pictures of the mixture's sets on a GPU, where crops are then cut; None cuts them in the workers.
    """
    rows = _Draws(mixture, plan) if store else _Crops(mixture, plan)
    loader: DataLoader[object] = DataLoader(
        rows,
        batch_size=plan.batch // plan.ranks,
        sampler=_Share(len(rows), plan),
        num_workers=workers,
        worker_init_fn=_quiet_worker,
        prefetch_factor=6 if workers else None,
        collate_fn=stack_draws if store else None,
    )
    if store is None:
        return (_triple(batch) for batch in loader)
    return (_render(store, batch, plan.size_wh) for batch in loader)


def _triple(batch: object) -> Batch:
    """Name the three parts that the loader collated."""
    assert isinstance(batch, Sequence)  # noqa: S101  default collation of triples
    crops, points, weight = batch
    return crops, points, weight


def _render(store: PictureStore, draws: object, size_wh: tuple[int, int]) -> Batch:
    assert isinstance(draws, DrawBatch)  # noqa: S101  collated by `stack_draws`
    return store.render(draws, size_wh), draws.points.to(store.device), draws.weight.to(store.device)
