"""The arrays of a .npz, without pickles."""

from __future__ import annotations

import zipfile
import zlib
from typing import IO, Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray


def read_arrays(stream: IO[bytes]) -> dict[str, NDArray[Any]]:
    """Return all arrays by name; raises `ValueError` or `OSError` if it is no archive of arrays, or a damaged one."""
    try:
        held = np.load(stream, allow_pickle=False)
        if not isinstance(held, NpzFile):
            raise ValueError("it is a single array (.npy), not an archive of arrays (.npz)")
        with held:
            return {name: held[name] for name in held.files}
    except (EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(str(error)) from error
