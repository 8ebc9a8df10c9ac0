"""Leeds Sports Pose and its extension: `joints.mat` beside `images/`.

LSP: (3, 14, 2000), third row 1 = occluded; all joints are labelled. LSPet: (14, 3, 10000), third row 1 = labelled.
Coordinates are taken as they stand, 0-based pixel centres; LSPet's were checked to be that.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sadinet.errors import SourceError
from sadinet.skeletons import LSP14
from sadinet.training.sets.mat_file import read_mat
from sadinet.training.sets.people import Absent, Gathering, LabelledPerson, LabelledSet

_NAME = re.compile(r"im(\d+)\.(?:jpg|jpeg|png)", re.IGNORECASE)
_BOTH = "LSP's are (3, 14, N), LSPet's (14, 3, N)"
_NEEDED = "the folder must hold images/ and joints.mat"


def read_joints_mat(path: Path) -> tuple[str, NDArray[np.float64]]:
    """Read either set's `joints.mat`; returns "lsp" or "lspet", and (N, 14, 3): x, y and the third row as it is.

    Raises:
        SourceError: if the file is missing, no MATLAB file, or has another shape.
    """
    try:
        raw = np.asarray(read_mat(path)["joints"], dtype=float)
    except KeyError as error:
        raise SourceError(f"{path} has no variable {error}", _BOTH) from error
    except (ValueError, TypeError) as error:
        raise SourceError(f"{path}: joints are no numbers: {error}", _BOTH) from error
    if raw.ndim == 3 and raw.shape[:2] == (3, 14):
        return "lsp", raw.transpose(2, 1, 0)
    if raw.ndim == 3 and raw.shape[:2] == (14, 3):
        return "lspet", raw.transpose(2, 0, 1)
    raise SourceError(f"{path}: joints have shape {raw.shape}", _BOTH)


def read_lsp(root: Path) -> LabelledSet:
    """Read LSP or LSPet, whichever `root` holds; column i of the labels belongs to the picture numbered i + 1.

    Raises:
        SourceError: if labels or pictures are missing, or the labels cannot be read.
    """
    path, folder = root / "joints.mat", root / "images"
    layout, rows = read_joints_mat(path)
    if not folder.is_dir():
        raise SourceError(f"there is no folder {folder}", _NEEDED)
    named = ((_NAME.fullmatch(entry.name), entry) for entry in folder.iterdir())
    pictures = {int(match[1]): entry for match, entry in named if match}
    gathered = Gathering(layout, path, LSP14)
    digits = 4 if layout == "lsp" else 5
    for place, row in enumerate(rows):
        number = place + 1
        labelled = np.isfinite(row).all(axis=1) if layout == "lsp" else row[:, 2] == 1
        if number not in pictures:
            if labelled.any():
                file = folder / f"im{number:0{digits}d}.jpg"
                gathered.missing.append(Absent(file, number, picture_number=number))
            continue
        joints = np.where(labelled[:, None], row[:, :2], np.nan)
        hidden = labelled & (row[:, 2] == 1) if layout == "lsp" else np.zeros(14, dtype=bool)
        file = pictures[number]
        gathered.add(LabelledPerson(file.stem, number, number, file, joints, labelled.astype(float), hidden))
    return gathered.done()
