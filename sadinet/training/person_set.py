"""People in pictures of their own, as all training sees them; NumPy alone is needed, and a reader of pictures."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pathlib import Path

    from sadinet.training.sets.people import Fault

Picture = NDArray[np.uint8]


class EncodedPictures:
    """Pictures that stay encoded in memory and are decoded each time they are asked for.

    Args:
        encoded: the bytes of JPEG or PNG files.
    """

    def __init__(self, encoded: Iterable[bytes]) -> None:
        self._encoded = list(encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    def __getitem__(self, place: SupportsIndex) -> Picture:
        """Decode one, (h, w, 3) uint8 BGR."""
        return decode_picture(self._encoded[place])

    def __iter__(self) -> Iterator[Picture]:
        return (decode_picture(encoded) for encoded in self._encoded)

    def only(self, places: Iterable[int]) -> EncodedPictures:
        """Return the pictures at these places, still encoded."""
        return EncodedPictures(self._encoded[place] for place in places)


def decode_picture(encoded: bytes) -> Picture:
    """Decode a JPEG or PNG file's bytes with OpenCV or, where that is missing, Pillow; (h, w, 3) uint8 BGR."""
    try:
        import cv2
    except ImportError:
        pillow = importlib.import_module("PIL.Image")
        with pillow.open(io.BytesIO(encoded)) as picture:
            return np.ascontiguousarray(np.asarray(picture.convert("RGB"), dtype=np.uint8)[:, :, ::-1])
    return np.asarray(cv2.imdecode(np.frombuffer(encoded, dtype=np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class PersonSet:
    """N people, each with a picture of its own.

    Attributes:
        name: of the data set.
        pictures: N arrays (H, W, 3) uint8 BGR; a list, or a sequence that decodes what is asked for.
        joints: (N, 19, 2) float32, pixels of its picture, NaN where unknown.
        weight: (N, 19) float32.
        keys: N names that find the original again.
        set_names: N names of the data sets that they are of; None where all are of `name`.
        faults: who could not be used and was left out.
        absent: labelled pictures that are not there.
    """

    name: str
    pictures: list[Picture] | EncodedPictures
    joints: NDArray[np.float32]
    weight: NDArray[np.float32]
    keys: list[str]
    set_names: list[str] | None = None
    faults: tuple[Fault, ...] = ()
    absent: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def full_keys(self) -> list[str]:
        """N names as "set/key", the same however the sets were put together."""
        names = [self.name] * len(self) if self.set_names is None else self.set_names
        return [f"{name}/{key}" for name, key in zip(names, self.keys, strict=True)]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N, 19), where there is a joint to learn from."""
        return np.asarray((self.weight > 0) & np.isfinite(self.joints).all(axis=2), dtype=bool)

    def only(self, rows: Sequence[int]) -> PersonSet:
        """Return the set with the people of these rows alone."""
        pictures = self.pictures
        return replace(
            self,
            pictures=pictures.only(rows) if isinstance(pictures, EncodedPictures) else [pictures[i] for i in rows],
            joints=self.joints[rows],
            weight=self.weight[rows],
            keys=[self.keys[i] for i in rows],
            set_names=None if self.set_names is None else [self.set_names[i] for i in rows],
        )
