"""The models that find people: loaded beside the window, and on the CPU where the GPU runs out of memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.events import Event, ModelsFailed, ModelsLoaded, ModelsLost
from app.loading import ModelChoice, problem_from
from app.state import Problem
from sadinet.errors import DeviceMemoryError

if TYPE_CHECKING:
    from sadinet.pipeline.stages import People

_REMEDY = "the CPU goes on, more slowly; for the GPU, close other programs that use it and start again"


class ModelLoader:
    """Loads models; any thread may ask for them, and tell that their device is full.

    Args:
        choice: which to load.
        load: loads them.
        start: begins a thread: its name, and what it does.
        equip: hears, in that thread, that there are models, before it is told.
        tell: hears how it went.
    """

    def __init__(
        self,
        choice: ModelChoice,
        load: Callable[[ModelChoice], People],
        start: Callable[[str, Callable[[], None]], None],
        equip: Callable[[People], None],
        tell: Callable[[Event], None],
    ) -> None:
        self._choice = choice
        self._load = load
        self._start = start
        self._equip = equip
        self._tell = tell
        self._lock = threading.Lock()
        self._people: People | None = None
        self._loaded = choice
        self._is_loading = False
        self._why = ""  # of the device, where it is not the one that was asked for

    @property
    def people(self) -> People | None:
        """The models; None until they are loaded, and while others are loaded in their place."""
        return self._people

    @property
    def weights(self) -> str:
        """The pose model that is chosen, by name or path."""
        return self._choice.weights

    @property
    def is_loading(self) -> bool:
        """Whether a pose model was chosen that is not there yet."""
        return self._is_loading

    def choose(self, weights: str) -> None:
        """Load another pose model; the one before finds people until then, and goes on if that one does not load."""
        with self._lock:
            self._choice = replace(self._choice, weights=weights)
            self._is_loading = True
        self.begin()

    def begin(self) -> None:
        """Load them; `ModelsLoaded` or `ModelsFailed` tells when."""
        self._start("models", self._run)

    def fall_back(self, error: DeviceMemoryError, tried: ModelChoice | None = None) -> bool:
        """Tell that a GPU ran out of memory, and then load the models for the CPU.

        Args:
            error: what happened.
            tried: what did not load; None for models that ran.

        Returns:
            Whether there will be other models; not if it was the CPU itself.
        """
        with self._lock:
            people, self._people = self._people, None
            is_on_gpu = self._choice.device != "cpu" if people is None else _is_on_gpu(people)
            if not is_on_gpu:
                # Another thread was here before, or there is nothing below the CPU.
                self._people = people
                return tried is None and people is None
            self._choice = replace(self._choice, device="cpu")
            self._why = error.message
        # Before anything else is loaded: nobody is to wonder why it became slow.
        self._tell(ModelsLost(Problem(error.message, _REMEDY, f"{type(error).__name__}: {error}")))
        self.begin()
        return True

    def _run(self) -> None:
        began_s = time.monotonic()
        with self._lock:
            choice, why = self._choice, self._why
        try:
            people = self._load(choice)
        except DeviceMemoryError as error:
            if not self.fall_back(error, choice):
                self._go_back(choice)
                self._tell(ModelsFailed(problem_from(error, "")))
            return
        except Exception as error:  # noqa: BLE001  whatever a runtime raises is told, not lost with the thread
            self._go_back(choice)
            self._tell(ModelsFailed(problem_from(error, "the models do not load")))
            return
        with self._lock:
            if choice != self._choice:
                return  # another was chosen meanwhile, and another thread loads it
            self._people, self._loaded, self._is_loading = people, choice, False
        self._equip(people)
        estimator = people.estimator
        pose, detector = (
            replace(runtime, why=why or runtime.why) for runtime in (estimator.runtime, people.detector.runtime)
        )
        seconds = time.monotonic() - began_s
        self._tell(ModelsLoaded(estimator.weights.name, estimator.skeleton.joints, pose, detector, seconds))

    def _go_back(self, failed: ModelChoice) -> None:
        """Choose what runs, in place of what does not load."""
        with self._lock:
            if failed != self._choice:
                return  # another was chosen meanwhile
            self._is_loading = False
            if self._people is not None:
                self._choice = replace(failed, weights=self._loaded.weights)


def _is_on_gpu(people: People) -> bool:
    return any(runtime.device != "cpu" for runtime in (people.estimator.runtime, people.detector.runtime))
