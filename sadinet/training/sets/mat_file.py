"""MATLAB's files, read with one line for whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import scipy.io

from sadinet.errors import SourceError


def read_mat(path: Path, *, as_objects: bool = False) -> dict[str, Any]:
    """Read a MATLAB file's variables.

    Args:
        path: the file.
        as_objects: structures become objects with attributes, and arrays of one lose that dimension.

    Raises:
        SourceError: if it is missing, damaged, or no MATLAB file.
    """
    try:
        held = scipy.io.loadmat(str(path), squeeze_me=as_objects, struct_as_record=not as_objects)
    except Exception as error:  # SciPy raises many kinds for a damaged file, some of them mistakes of its own
        reason = str(error).splitlines()[0] if str(error) else "it is damaged"
        raise SourceError(f"cannot read {path}: {reason}", "copy it again from its source") from error
    return dict(held)
