"""Any ultralytics detector as a person detector, through the extra `torch`.

This file is written against ultralytics 8.3 and its documentation and was not run with it: the tests cover
the conversion of boxes and what is said where ultralytics is missing. A name that is not on disk is
downloaded by ultralytics itself; give a path where there is no network.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sadinet.engines.session import Runtime
from sadinet.errors import DeviceError, WeightsError
from sadinet.geometry import Box

PERSON = "person"
_REMEDY = "install sadinet[torch], or use the shipped detector"


class UltralyticsDetector:
    """An ultralytics model; only its class "person" is used.

    Attributes:
        runtime: device and precision really in use.
        score: least confidence of a box.
    """

    def __init__(
        self,
        name_or_path: str | os.PathLike[str],
        device: str = "auto",
        threads: int | None = None,
        *,
        score: float = 0.4,
        iou: float = 0.6,
    ) -> None:
        """Load the model.

        Args:
            name_or_path: as ultralytics takes it, for example "yolo11x.pt".
            device: "auto" (CUDA where torch has it), or any of torch's: "cpu", "cuda", "cuda:1", "mps".
            threads: torch's threads on a CPU, which hold for the whole process; None leaves them alone.
            score: least confidence of a box.
            iou: overlap above which the weaker of two boxes is dropped.

        Raises:
            DeviceError: if ultralytics or the device is not there.
            WeightsError: if the model cannot be loaded or knows no people.
        """
        self.score, self._iou = score, iou
        ultralytics, torch = _import("ultralytics"), _import("torch")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if threads is not None:
            torch.set_num_threads(threads)
        path = Path(name_or_path)
        if len(path.parts) > 1 and not path.is_file():  # else ultralytics would look for it elsewhere
            raise WeightsError(f"there is no model file {path}")
        try:
            self._model = ultralytics.YOLO(os.fspath(name_or_path))
        except Exception as error:
            raise WeightsError(f"ultralytics cannot load {path}: {_first_line(error)}") from error
        people = [index for index, name in self._model.names.items() if name == PERSON]
        if not people:
            raise WeightsError(f"ultralytics model {path} has no class {PERSON!r}", "use a detector trained on COCO")
        self._people, self._device = people, device
        try:
            self._predict(np.full((64, 64, 3), 114, dtype=np.uint8))
        except Exception as error:
            raise DeviceError(f"ultralytics cannot run on {device!r}: {_first_line(error)}", "use cpu") from error
        parameter = next(self._model.model.parameters())
        if parameter.device.type != device.split(":")[0]:
            raise DeviceError(f"ultralytics runs on {parameter.device.type}, {device} was asked for", "use cpu")
        precision = str(parameter.dtype).removeprefix("torch.").replace("float", "fp")
        self.runtime = Runtime("ultralytics", ultralytics.__version__, parameter.device.type, precision, "read back")

    def __call__(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Find people in (H, W, 3) uint8 BGR; returns boxes in frame pixels, sorted by falling score."""
        found = self._predict(image).boxes
        return boxes_from_corners(found.xyxy.cpu().numpy(), found.conf.cpu().numpy(), (image.shape[1], image.shape[0]))

    def _predict(self, image: NDArray[np.uint8]) -> Any:
        results = self._model.predict(
            image, conf=self.score, iou=self._iou, classes=self._people, device=self._device, verbose=False
        )
        return results[0]


def boxes_from_corners(
    corners: NDArray[np.floating], scores: NDArray[np.floating], frame_wh: tuple[int, int]
) -> tuple[Box, ...]:
    """Convert boxes that are measured from the picture's edge.

    Args:
        corners: (N, 4) left, top, right, bottom; the picture covers [0, W].
        scores: (N,) confidences.
        frame_wh: the picture's size, pixels.

    Returns:
        Boxes in our coordinates (the picture covers [-0.5, W - 0.5]), clipped to the frame, by falling score;
        those without area are left out.
    """
    edges = np.clip(np.asarray(corners, dtype=np.float64).reshape(-1, 2, 2), 0, frame_wh) - 0.5
    sizes = edges[:, 1] - edges[:, 0]
    order = [i for i in np.argsort(-np.asarray(scores), kind="stable") if (sizes[i] > 0).all()]
    return tuple(Box(*map(float, (*edges[i, 0], *sizes[i], scores[i]))) for i in order)


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise DeviceError(f"this detector needs {name}, which is not installed", _REMEDY) from None
    except (OSError, RuntimeError) as error:  # torch and torchvision that do not fit each other
        raise DeviceError(f"{name} is installed but broken: {_first_line(error)}", _REMEDY) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
