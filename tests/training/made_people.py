"""People made of coloured dots: a picture each, one colour for every third joint."""

from __future__ import annotations

import numpy as np

from sadinet.training.person_set import PersonSet


def people(count: int, seed: int, joints: int = 19, name: str | None = None, side: int = 96) -> PersonSet:
    """Return `count` people of `joints` dots each on dark pictures of `side` pixels."""
    rng = np.random.default_rng(seed)
    points = np.zeros((count, joints, 2), np.float32)
    pictures = []
    y, x = np.mgrid[:side, :side]
    for i in range(count):
        points[i] = rng.uniform(side / 6, side * 5 / 6, 2) + rng.uniform(-side / 7, side / 7, (joints, 2))
        picture = np.zeros((side, side, 3))
        for k, (jx, jy) in enumerate(points[i]):
            spot = np.exp(-((x - jx) ** 2 + (y - jy) ** 2) / 12)
            picture += spot[..., None] * (200 * np.array([k % 3 == 0, k % 3 == 1, k % 3 == 2]))
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    keys = [str(i) for i in range(count)]
    return PersonSet(name or f"dots{seed}", pictures, points, np.ones((count, joints), np.float32), keys)
