"""Endless order out of people: which person comes when, cut by worker processes, resumable in the middle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from sadinet.training.augment import AugmentConfig, augment
from sadinet.training.datasets import PersonSet


@dataclass(frozen=True, slots=True)
class Mixture:
    """Several sets and how much of each an epoch sees: 1.0 is everybody once."""

    sets: tuple[PersonSet, ...]
    shares: tuple[float, ...]

    def epoch_order(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return (M, 2): set and person, shuffled; the same for the same seed and epoch."""
        rng = np.random.default_rng((seed, epoch, 0xE90C))
        parts = []
        for number, (people, share) in enumerate(zip(self.sets, self.shares, strict=True)):
            picked = rng.permutation(len(people))[: round(share * len(people))]
            parts.append(np.stack([np.full(len(picked), number), picked], axis=1))
        order = np.concatenate(parts)
        return order[rng.permutation(len(order))]


class _Crops(Dataset[tuple[Tensor, Tensor, Tensor]]):
    def __init__(
        self,
        mixture: Mixture,
        order: NDArray[np.int64],
        size_wh: tuple[int, int],
        config: AugmentConfig,
        seed: tuple[int, int],
    ) -> None:
        self.mixture, self.order, self.size_wh, self.config, self.seed = mixture, order, size_wh, config, seed

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor, Tensor]:
        number, person = (int(v) for v in self.order[place])
        people = self.mixture.sets[number]
        crop, points, weight = augment(
            people.pictures[person], people.joints[person], people.weight[person],
            self.size_wh, self.config, (*self.seed, place),
        )  # fmt: skip
        return torch.from_numpy(crop), torch.from_numpy(points), torch.from_numpy(weight)


class _Share(Sampler[int]):
    """One process' share of each batch from the `done`-th on; the order itself is already shuffled."""

    def __init__(self, count: int, batch: int, done: int, rank: int, ranks: int) -> None:
        each = batch // ranks
        starts = range(done * batch + rank * each, count // batch * batch, batch)
        self.places = [place for start in starts for place in range(start, start + each)]

    def __iter__(self) -> Iterator[int]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def epoch_batches(
    mixture: Mixture,
    size_wh: tuple[int, int],
    batch: int,
    config: AugmentConfig,
    *,
    seed: int,
    epoch: int,
    done: int = 0,
    workers: int = 1,
    rank: int = 0,
    ranks: int = 1,
) -> DataLoader[Sequence[Tensor]]:
    """Serve an epoch from its `done`-th batch on: crops (B, H, W, 3) uint8 BGR, points (B, 19, 2), weight (B, 19).

    With several processes each of the `ranks` gets its own part of every batch.
    """
    order = mixture.epoch_order(seed, epoch)
    crops = _Crops(mixture, order, size_wh, config, (seed, epoch))
    return DataLoader(
        crops,
        batch_size=batch // ranks,
        sampler=_Share(len(order), batch, done, rank, ranks),
        num_workers=workers,
        worker_init_fn=_quiet_worker,
        prefetch_factor=6 if workers else None,
    )
