"""What is kept of a chunk until all of its video is done: one file that repeats byte for byte.

A part is a NumPy archive without pickles. `np.savez` gives its members no time of writing, so that equal
chunks give equal files.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import write_bytes
from sadinet.errors import SourceError
from sadinet.media.defects import Defects
from sadinet.recording import Recording
from sadinet.skeletons import Skeleton

PART_SCHEMA = 2
"""Goes up when a part's content changes its meaning; older parts are computed again."""

_ARRAYS = ("index", "time_s", "sizes_wh", "row_frame", "track_ids", "boxes", "joints", "scores", "sigmas")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One chunk's result.

    Attributes:
        recording: its frames and, unless it is the last, the next chunk's first frame, by which ids are joined.
        is_last: whether the source ends with it.
        defects: what was wrong with its frames, the next chunk's first left out, so that chunks add up.
        previews: a few of its frames, small and without a drawing: position and JPEG bytes.
    """

    recording: Recording
    is_last: bool
    defects: Defects = field(default_factory=Defects)
    previews: tuple[tuple[int, bytes], ...] = ()


def save_part(path: Path, part: Part) -> bytes:
    """Write a part, whole or not at all; returns the bytes that were written.

    Raises:
        OutputError: if the disk refuses.
    """
    taken = part.recording
    told = {
        "schema": PART_SCHEMA,
        "skeleton": asdict(taken.skeleton),  # whole, as a network of somebody's own has one of its own
        "is_last": part.is_last,
        "defects": part.defects.to_dict(),
        "frame_flags": _sparse(taken.frame_flags),
        "flags": _sparse(taken.flags),
        "sources": _runs(taken.sources),
        "previews": [position for position, _ in part.previews],
    }
    arrays: dict[str, NDArray[Any]] = {name: getattr(taken, name) for name in _ARRAYS}
    arrays["told"] = np.frombuffer(json.dumps(told, sort_keys=True).encode(), dtype=np.uint8)
    for number, (_, data) in enumerate(part.previews):
        arrays[f"preview{number}"] = np.frombuffer(data, dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # its stub takes the names for its own option
    data = buffer.getvalue()
    write_bytes(path, data)
    return data


def load_part(path: Path) -> Part:
    """Read what `save_part` wrote.

    Raises:
        SourceError: if the file is missing, damaged, or of another version of the program.
    """
    try:
        # Opened here, as NumPy leaves a file open that it cannot read.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            told = json.loads(archive["told"].tobytes())
            if told["schema"] != PART_SCHEMA:
                raise SourceError(f"{path} was written by another version of the program", "run again")
            arrays = {name: archive[name] for name in _ARRAYS}
            skeleton = _skeleton(told["skeleton"])
            previews = tuple(
                (int(position), archive[f"preview{number}"].tobytes())
                for number, position in enumerate(told["previews"])
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise SourceError(f"{path} is not a part of a table, or it is damaged", "remove it and run again") from error
    recording = Recording(
        skeleton=skeleton,
        frame_flags=_dense(told["frame_flags"], len(arrays["index"])),
        sources=tuple(name for name, count in told["sources"] for _ in range(count)),
        flags=_dense(told["flags"], len(arrays["row_frame"])),
        **arrays,
    )
    return Part(recording, told["is_last"], Defects.from_dict(told["defects"]), previews)


def _skeleton(table: dict[str, Any]) -> Skeleton:
    limbs = tuple((str(a), str(b)) for a, b in table["limbs"])
    return Skeleton(table["name"], tuple(table["joints"]), limbs, tuple(table["oks_sigmas"]))


def _sparse(words: tuple[tuple[str, ...], ...]) -> dict[str, list[str]]:
    return {str(place): list(each) for place, each in enumerate(words) if each}


def _dense(sparse: dict[str, list[str]], count: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(sparse.get(str(place), ())) for place in range(count))


def _runs(names: tuple[str, ...]) -> list[tuple[str, int]]:
    runs: list[tuple[str, int]] = []
    for name in names:
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    return runs
