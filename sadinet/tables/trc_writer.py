"""Write OpenSim marker files (.trc): one for each person.

Five lines of head and a blank one, then a frame a line, all separated by tabs. Unknown coordinates are "NaN",
which both of OpenSim's readers take; blank cells at the end of a line are lost to one of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sadinet.tables.person_files import PersonFiles, Track
from sadinet.tables.schema import SECOND_DECIMALS

_KEYS = (
    "DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames",
)  # fmt: skip


class TrcWriter(PersonFiles):
    """Markers in millimetres with their real times; see `PersonFiles` for what the coordinates are."""

    def _write_person(self, path: Path, track: Track) -> None:
        # A number for each cell, whether known or not: %f writes "nan", which the readers' case rules allow.
        line = "%d\t%." + str(SECOND_DECIMALS) + "f" + "\t%.3f\t%.3f\t%.3f" * len(self.info.skeleton) + "\n"
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.write(self._head(path.name, track))
            first = 0
            for block in track.blocks():
                span = slice(first, first + len(block))
                flat = block.astype(np.float64)
                flat[..., 2] = np.where(np.isnan(flat[..., 0]), np.nan, 0.0)
                flat = np.where(np.abs(flat) < 0.0005, 0.0, flat).reshape(len(block), -1)
                rows = zip(track.index[span].tolist(), track.time_s[span].tolist(), flat.tolist(), strict=True)
                text = "".join(line % (index, time_s, *values) for index, time_s, values in rows)
                stream.write(text.replace("nan", "NaN"))
                first += len(block)

    def _head(self, name: str, track: Track) -> str:
        joints = self.info.skeleton.joints
        rate = f"{track.rate_hz:.8g}"
        frames = len(track.index)
        # A tab or a line's end in a name would shift the head.
        name = "".join(" " if letter.isspace() else letter for letter in name)
        values = (rate, rate, frames, len(joints), "mm", rate, track.index[0], frames)
        axes = [f"{axis}{place}" for place in range(1, len(joints) + 1) for axis in "XYZ"]
        lines = (
            ("PathFileType", "4", "(X/Y/Z)", name),
            _KEYS,
            map(str, values),
            ("Frame#", "Time", *[cell for joint in joints for cell in (joint, "", "")]),
            ("", "", *axes),
        )
        return "".join("\t".join(line) + "\n" for line in lines) + "\n"
