"""People packed into files of a limited size that train anywhere without the original pictures.

A folder holds `shards.json` (what is in it, with each file's SHA-256) and `shard-00000.npz` ..: NumPy archives
without pickles, with `pictures` (B,) uint8, the encoded crops one after the other; `ends` (N,) int64, where each
ends; `joints` (N, 19, 2) float32 in the crop's pixels, NaN where unknown; `weight` (N, 19) float32; `keys` and
`sets` (N,) text. `shards.json` is written last: a folder without it was not finished.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import write_bytes
from sadinet.errors import InputError, OutputError, SourceError
from sadinet.skeletons import BODY19
from sadinet.training.person_set import EncodedPictures, PersonSet, Picture
from sadinet.training.sets.npz import read_arrays

if TYPE_CHECKING:
    from sadinet.training.sets.crops import Crop

FORMAT = "sadinet-shards"
VERSION = 1
INDEX = "shards.json"

_REMEDY = "pack the set again with scripts/prepare_data.py pack"
_ARRAYS = {"pictures", "ends", "joints", "weight", "keys", "sets"}
_FRAME_BYTES = 4096
"""Head of the archive and of its members, generously."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How crops are stored.

    Attributes:
        limit_bytes: no file becomes larger.
        encoding: "jpeg", or "png" without any loss and about four times the size.
        quality: JPEG's, 1 to 100.
    """

    limit_bytes: int = 60_000_000
    encoding: Literal["jpeg", "png"] = "jpeg"
    quality: int = 92

    def encode(self, picture: Picture) -> bytes:
        """Return the crop as the bytes of a picture file."""
        import cv2  # a machine that only trains from shards may lack it

        if self.encoding == "png":
            _, data = cv2.imencode(".png", picture)
        else:
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        return bytes(data.tobytes())


@dataclass(slots=True)
class _Open:
    """The shard that is being filled."""

    rows: list[tuple[bytes, Crop, str]] = field(default_factory=list)
    size: int = _FRAME_BYTES
    longest_text: int = 1

    def size_with(self, encoded: bytes, text: str) -> int:
        """Return at most how large the file gets with one more."""
        longest = max(self.longest_text, len(text))
        each = len(BODY19) * 3 * 4 + 8 + 2 * 4 * longest
        return self.size + len(encoded) + each * (len(self.rows) + 1)


class ShardWriter:
    """Write crops into shards of a folder; usable once the `with` block has ended without an error.

    Args:
        folder: is made if it is missing.
        packing: how.

    Raises:
        OutputError: if the folder holds a finished set already, or the disk refuses.
    """

    def __init__(self, folder: Path, packing: Packing | None = None) -> None:
        self.folder, self.packing = folder, Packing() if packing is None else packing
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make folder {folder}: {error.strerror}", "choose another folder") from error
        if (folder / INDEX).exists():
            raise OutputError(f"{folder} holds shards already", "choose another folder, or remove this one")
        self._open = _Open()
        self._files: list[dict[str, Any]] = []
        self._counts: dict[str, int] = {}

    def add(self, crop: Crop, of_set: str) -> None:
        """Store one person.

        Raises:
            InputError: if the person alone is larger than a shard may be.
            OutputError: if the disk refuses.
        """
        encoded = self.packing.encode(crop.picture)
        text = max(crop.key, of_set, key=len)
        if self._open.size_with(encoded, text) > self.packing.limit_bytes:
            self._close()
        if self._open.size_with(encoded, text) > self.packing.limit_bytes:
            raise InputError(
                f"{crop.key} alone needs {self._open.size_with(encoded, text)} bytes, a shard may have "
                f"{self.packing.limit_bytes}",
                "raise --shard-mb or lower --longest-side",
            )
        self._open.rows.append((encoded, crop, of_set))
        self._open.size += len(encoded)
        self._open.longest_text = max(self._open.longest_text, len(text))
        self._counts[of_set] = self._counts.get(of_set, 0) + 1

    def finish(self) -> dict[str, Any]:
        """Write the last shard and the index; returns what the index holds."""
        if self._open.rows:
            self._close()
        index = {
            "format": FORMAT,
            "version": VERSION,
            "skeleton": BODY19.name,
            "joints": list(BODY19.joints),
            "encoding": self.packing.encoding,
            "sets": self._counts,
            "people": sum(self._counts.values()),
            "files": self._files,
        }
        write_bytes(self.folder / INDEX, (json.dumps(index, indent=2) + "\n").encode())
        return index

    def _close(self) -> None:
        rows, self._open = self._open.rows, _Open()
        if not rows:
            return
        stream = io.BytesIO()
        np.savez(
            stream,
            pictures=np.frombuffer(b"".join(encoded for encoded, _, _ in rows), dtype=np.uint8),
            ends=np.cumsum([len(encoded) for encoded, _, _ in rows]).astype(np.int64),
            joints=np.stack([crop.joints for _, crop, _ in rows]),
            weight=np.stack([crop.weight for _, crop, _ in rows]),
            keys=np.array([crop.key for _, crop, _ in rows]),
            sets=np.array([of_set for _, _, of_set in rows]),
        )
        data = stream.getvalue()
        name = f"shard-{len(self._files):05d}.npz"
        write_bytes(self.folder / name, data)
        digest = hashlib.sha256(data).hexdigest()
        self._files.append({"name": name, "people": len(rows), "bytes": len(data), "sha256": digest})


def read_index(folder: Path) -> dict[str, Any]:
    """Return what `shards.json` says; raises `SourceError` if it is missing or something else."""
    path = folder / INDEX
    if not path.is_file():
        raise SourceError(f"{folder} holds no {INDEX}: it is no folder of shards, or was not finished", _REMEDY)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        known = held["format"] == FORMAT and held["version"] == VERSION and tuple(held["joints"]) == BODY19.joints
        is_whole = isinstance(held["sets"], dict) and all(_is_entry(entry) for entry in held["files"])
    except KeyError as error:
        raise SourceError(f"cannot read {path}: it does not say {error}", _REMEDY) from error
    except (OSError, ValueError, TypeError) as error:
        raise SourceError(f"cannot read {path}: {error}", _REMEDY) from error
    if not known:
        raise SourceError(f"{path} is of another version", _REMEDY)
    if not is_whole:
        raise SourceError(f"{path} does not say which files and sets there are", _REMEDY)
    return dict(held)


def _is_entry(entry: Any) -> bool:
    """Say whether this is what the index tells of a file."""
    return isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in ("name", "sha256"))


def load_shards(folder: Path, sets: Sequence[str] | None = None, *, keep_encoded: bool = False) -> PersonSet:
    """Load packed people.

    Args:
        folder: as `ShardWriter` made it.
        sets: names of the sets to take, of those that the index names; None for all.
        keep_encoded: hold the crops as JPEG or PNG and decode one each time it is asked for: about a tenth of the
            memory, and the time of decoding at each use.

    Raises:
        SourceError: if the index or a shard is missing or damaged, or nobody is in the chosen sets.
    """
    index = read_index(folder)
    encoded: list[bytes] = []
    rows: list[tuple[NDArray[np.float32], NDArray[np.float32], list[str]]] = []
    set_names: list[str] = []
    for entry in index["files"]:
        held = _read_shard(folder / entry["name"], entry["sha256"])
        kept = np.isin(held["sets"], list(index["sets"] if sets is None else sets))
        begins = np.concatenate([[0], held["ends"][:-1]])
        whole = held["pictures"].tobytes()
        encoded += [whole[begins[i] : held["ends"][i]] for i in np.flatnonzero(kept)]
        rows.append((held["joints"][kept], held["weight"][kept], [str(key) for key in held["keys"][kept]]))
        set_names += [str(name) for name in held["sets"][kept]]
    if not encoded:
        raise SourceError(f"{folder} has nobody of {', '.join(sets or ['any set'])}", "it has " + str(index["sets"]))
    pictures = EncodedPictures(encoded)
    return PersonSet(
        "+".join(sets or index["sets"]),
        pictures if keep_encoded else list(pictures),
        np.concatenate([joints for joints, _, _ in rows]),
        np.concatenate([weight for _, weight, _ in rows]),
        [key for _, _, keys in rows for key in keys],
        set_names,
    )


def _read_shard(path: Path, sha256: str) -> dict[str, NDArray[Any]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read shard {path}: {error.strerror}", "copy the whole folder again") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SourceError(f"shard {path} is damaged: its SHA-256 is not the index's", "copy it again")
    try:
        held = read_arrays(io.BytesIO(data))
    except ValueError as error:
        raise SourceError(f"cannot read shard {path}: {error}", _REMEDY) from error
    if missing := _ARRAYS - set(held):
        raise SourceError(f"shard {path} has no {', '.join(sorted(missing))}", _REMEDY)
    return held
