"""What threads call that takes its time, with late imports: the window is there before the models are."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.state import Problem, problem_of
from sadinet.errors import SadinetError, WeightsError

if TYPE_CHECKING:
    from app.finder import Blur
    from sadinet.pipeline.stages import People

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which models are loaded, as for `sadinet.pipeline.Settings`."""

    weights: str = "default"
    engine: str = "auto"
    device: str = "auto"


def load_people(choice: ModelChoice) -> People:
    """Load the models.

    Raises:
        DeviceError, WeightsError, InputError: for models that cannot be had.
    """
    from sadinet.pipeline.stages import People, Settings

    return People(Settings(weights=choice.weights, engine=choice.engine, device=choice.device))


def pose_model_names() -> tuple[str, ...]:
    """Return the names of the pose models that are here; a damaged manifest is left out."""
    from sadinet.weights import load_weights, manifest_paths

    names = []
    try:
        for path in manifest_paths():
            with suppress(WeightsError):
                weights = load_weights(path)
                if weights.kind == "pose":
                    names.append(weights.name)
    except WeightsError as error:
        _log.warning("%s", error)
    return tuple(names)


def make_blur() -> Blur:
    """Return what covers the faces in a frame."""
    from sadinet.media.blur import FaceBlur

    return FaceBlur()


def problem_from(error: Exception, what: str) -> Problem:
    """Return what to tell of an error; what nobody foresaw comes with its traceback."""
    if isinstance(error, SadinetError):
        return problem_of(error)
    _log.error("%s", what, exc_info=error)
    details = "".join(traceback.format_exception(error))
    return Problem(f"{what}: {type(error).__name__}: {error}", "copy the details and report them", details)
