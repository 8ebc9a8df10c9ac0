"""How fast it went in the last two minutes."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app import theme
from app.panels.status import screen_latency_ms
from app.panels.throttle import Throttle
from app.stages import STAGES, colour_of, split

if TYPE_CHECKING:
    from sadinet.pipeline.live_status import LiveStatus

SECONDS: Final = 120.0
_LEAST_GAP_S: Final = 0.2  # statuses that come faster show nothing new
_EVERY_MS: Final = 500

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sample:
    at_s: float
    shown_fps: float
    source_fps: float
    late_ms: float
    dropped: int
    stages: dict[str, float]


class PerformancePlot(QWidget):
    """Rates, latency and the split of the time, each over the last two minutes.

    Args:
        clock: seconds that only rise; for tests.
    """

    def __init__(self, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self.setAccessibleName("Performance")
        self.setWindowTitle("Performance")
        self.setMinimumSize(460, 380)
        self._clock = clock
        self._samples: deque[_Sample] = deque()
        self._plots: _Plots | None = None
        self._figures = QLabel("Nothing was measured yet")
        self._figures.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._figures.setWordWrap(True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 10, 12, 10)
        self._layout.setSpacing(4)
        self._layout.addWidget(self._figures)
        self._throttle = Throttle(self._show, _EVERY_MS, self)

    def add(self, status: LiveStatus, *, draw_ms: float = math.nan, screen_ms: float = math.nan) -> None:
        """Take a status; arguments are those of `StatusBar.set_live`."""
        now_s = self._clock()
        if self._samples and now_s - self._samples[-1].at_s < _LEAST_GAP_S:
            return
        late_ms = screen_latency_ms(status, draw_ms, screen_ms)
        stages = split(status.timings_ms, draw_ms)
        self._samples.append(_Sample(now_s, status.shown_fps, status.source_fps, late_ms, status.dropped, stages))
        while self._samples[0].at_s < now_s - SECONDS:
            self._samples.popleft()
        self._throttle.request()

    def clear(self) -> None:
        """Forget everything, as another source begins."""
        self._samples.clear()
        self._throttle.request()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange and self._plots is not None:
            self._plots.dress()

    def _show(self) -> None:
        if self._plots is None:
            self._plots = _Plots(self._layout)  # when they are first looked at, as they take their time to load
        samples = list(self._samples)
        self._figures.setText(_summary(samples))
        if samples:
            at = np.array([each.at_s for each in samples]) - self._clock()
            self._plots.show(at, samples)
        else:
            self._plots.show(np.zeros(0), samples)


class _Plots:
    """The plots themselves."""

    def __init__(self, layout: QVBoxLayout) -> None:
        from app.panels import plots

        self._library = plots
        self.rates = plots.make_plot("fps", "Frames a second", seconds=SECONDS)
        self.late = plots.make_plot("ms late", "Time from capture to screen", seconds=SECONDS)
        self.stages = plots.make_plot("ms a frame", "What the time for a frame is spent on", seconds=SECONDS)
        self.stages.setLabel("bottom", "seconds ago")
        self._shown, self._source = (plots.line(self.rates, theme.colour(name)) for name in ("accent", "muted"))
        self._late = plots.line(self.late, theme.colour("warn"))
        self._areas: dict[str, Any] = {}
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setWordWrap(True)
        self._legend.setAccessibleName("What the colours are")
        for plot, stretch in ((self.rates, 3), (self.late, 3), (self.stages, 4)):
            layout.addWidget(plot, stretch)
        layout.addWidget(self._legend)

    def dress(self) -> None:
        for plot in (self.rates, self.late, self.stages):
            self._library.dress(plot)
        self._shown.setPen(self._library.pen(theme.colour("accent")))
        self._source.setPen(self._library.pen(theme.colour("muted")))
        self._late.setPen(self._library.pen(theme.colour("warn")))

    def show(self, at: Floats, samples: list[_Sample]) -> None:
        shown = np.array([each.shown_fps for each in samples])
        source = np.array([each.source_fps for each in samples])
        late = np.array([each.late_ms for each in samples])
        self._shown.setData(at, shown)
        self._source.setData(at, source)
        self._late.setData(at, late)
        _from_zero(self.rates, np.concatenate([shown, source]))
        _from_zero(self.late, late)
        present = {stage for each in samples for stage in each.stages}
        floor = np.zeros(len(samples))
        for stage in [*(name for name in STAGES if name in present), *sorted(present - STAGES.keys())]:
            top = floor + np.array([each.stages.get(stage, 0.0) for each in samples])
            if stage not in self._areas:
                self._areas[stage] = self._library.band(self.stages, QColor(colour_of(stage)))
            low, high, _ = self._areas[stage]
            low.setData(at, floor)
            high.setData(at, top)
            floor = top
        for stage in self._areas.keys() - present:
            for curve in self._areas[stage][:2]:
                curve.setData([], [])
        _from_zero(self.stages, floor)
        keys = {"shown": theme.current().accent, "source": theme.current().muted, "late": theme.current().warn}
        keys |= {stage: colour_of(stage) for stage in STAGES if stage in present}
        self._legend.setText("&nbsp;&nbsp; ".join(_key(*each) for each in keys.items()))


def _key(name: str, colour: str) -> str:
    return f'<span style="color:{colour}">■</span>&nbsp;{name}'


def _from_zero(plot: Any, values: Floats) -> None:
    known = values[np.isfinite(values)]
    plot.setYRange(0, max(float(np.quantile(known, 0.99)) * 1.15, 1.0) if len(known) else 1.0, padding=0)


def _summary(samples: list[_Sample]) -> str:
    if not samples:
        return "Nothing was measured yet"
    rates = np.array([each.shown_fps for each in samples])
    late = np.array([each.late_ms for each in samples])
    parts = []
    if np.isfinite(rates).any():
        parts.append(f"shown {np.nanmedian(rates):.1f} frames a second")
    if np.isfinite(late).any():
        parts.append(f"late by {np.nanmedian(late):.0f} ms, 95% below {np.nanquantile(late, 0.95):.0f} ms")
    # A count that falls is that of another source.
    counts = np.array([each.dropped for each in samples])
    parts.append(f"{int(np.clip(np.diff(counts), 0, None).sum())} frames dropped")
    return f"Median of the last {samples[-1].at_s - samples[0].at_s:.0f} s: " + "; ".join(parts)
