"""Pages, plots and boxes that are made when they are first looked at, as they take their time to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from PyQt6.QtWidgets import QWidget

from app.panels.performance import PerformancePlot
from app.state import Problem, problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.analysis import Analysed
    from app.batch_worker import BatchWorker
    from app.main_window import MainWindow
    from app.pages.batch import BatchPage
    from app.pages.compare import ComparePage
    from app.pages.export import ExportPage
    from app.panels.about import AboutDialog
    from app.panels.angles import AnglesPanel
    from app.view_options import ViewOptions
    from sadinet.pipeline.live_status import LiveStatus
    from sadinet.results import FrameResult


class Remembered(TypedDict):
    """Values of `AppSettings` that these parts know."""

    angle_limits: Mapping[str, tuple[float, float]]
    has_alarm_sound: bool


class SidePages:
    """Holds what is beside the viewer.

    Attributes:
        current: name of the page that is shown.
        performance: the last two minutes; collects from the beginning on.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.current = "viewer"
        self.performance = PerformancePlot()
        self._batch: BatchPage | None = None
        self._compare: ComparePage | None = None
        self._export: ExportPage | None = None
        self._angles: AnglesPanel | None = None
        self._about: AboutDialog | None = None
        self._queue: BatchWorker | None = None

    @property
    def batch(self) -> BatchPage | None:
        """The page of the batch; None before it is first shown."""
        return self._batch

    @property
    def compare(self) -> ComparePage | None:
        """The page that compares; None before it is first shown."""
        return self._compare

    @property
    def export(self) -> ExportPage | None:
        """The page of exports; None before it is first shown."""
        return self._export

    def show(self, name: str) -> None:
        """Turn to a page."""
        page = self._page(name)
        if self._window.pages.indexOf(page) < 0:
            self._window.pages.addWidget(page)
        self._window.pages.setCurrentWidget(page)
        self.current = name

    def make_angles(self) -> QWidget:
        """Return the panel of angles; made once."""
        from app.panels.angles import AnglesPanel

        settings = self._window.settings
        self._angles = AnglesPanel()
        self._angles.set_limits(settings.angle_limits)
        self._angles.set_sound(settings.has_alarm_sound)
        self._angles.set_person(self._window.controller.state.selected)
        return self._angles

    def add_status(self, status: LiveStatus, draw_ms: float, screen_ms: float) -> None:
        """Note how the open source is doing."""
        self.performance.add(status, draw_ms=draw_ms, screen_ms=screen_ms)

    def add_result(self, result: FrameResult) -> None:
        """Take what is shown."""
        if self._angles is not None:
            self._angles.add(result)

    def set_person(self, track_id: int | None) -> None:
        """Look at this person; None for the first one."""
        if self._angles is not None:
            self._angles.set_person(track_id)

    def set_analysed(self, analysed: Analysed | None) -> None:
        """Offer this analysis for export; None for none."""
        if self._export is not None:
            self._export.set_analysed(analysed, str(self._window.folder / "exports"))

    def set_view(self, options: ViewOptions) -> None:
        """Draw otherwise from now on."""
        if self._compare is not None:
            self._compare.set_options(options)

    def show_performance(self) -> None:
        """Show the last two minutes, in a window of their own."""
        self.performance.show()
        self.performance.raise_()
        self.performance.activateWindow()

    def show_about(self) -> None:
        """Show version, licences and model cards."""
        from app.panels.about import AboutDialog
        from sadinet.errors import WeightsError
        from sadinet.weights import list_weights

        if self._about is None:
            try:
                models = list_weights()
            except WeightsError as error:
                self._window.controller.tell(problem_of(error))
                models = ()
            self._about = AboutDialog(models, self._window)
        self._about.show()
        self._about.raise_()

    def remembered(self) -> Remembered:
        """Return what is to be remembered of these parts."""
        if self._angles is None:
            settings = self._window.settings
            return {"angle_limits": settings.angle_limits, "has_alarm_sound": settings.has_alarm_sound}
        return {"angle_limits": self._angles.limits, "has_alarm_sound": self._angles.has_sound}

    def close(self) -> None:
        """Close what has a window of its own, and let the pages rest: threads end elsewhere, where no timer may be."""
        for page in (self._batch, self._compare, self._export):
            if page is not None:
                page.timer.stop()
        self.performance.close()
        if self._about is not None:
            self._about.close()

    def stop(self, deadline_s: float) -> tuple[str, ...]:
        """End what runs for these pages, from any thread; returns the names of those that did not end in time."""
        late: tuple[str, ...] = ()
        if self._compare is not None:
            late += self._compare.stop()
        if self._export is not None:
            late += self._export.close_work(deadline_s)
        if self._queue is not None:
            late += self._queue.close(deadline_s)
        return late

    def _page(self, name: str) -> QWidget:
        makers = {"batch": self._batch_page, "compare": self._compare_page, "export": self._export_page}
        return makers[name]() if name in makers else self._window.viewer

    def _batch_page(self) -> QWidget:
        if self._batch is None:
            from app.batch_worker import BatchWorker
            from app.pages.batch import BatchPage

            self._queue = BatchWorker(self._window.data_folder / "batch.json")
            self._batch = BatchPage(self._queue)
            self._batch.failed.connect(lambda *told: self._window.controller.tell(Problem(*told)))
            if self._queue.note:
                self._window.controller.tell(Problem(self._queue.note, is_error=False))
        return self._batch

    def _compare_page(self) -> QWidget:
        if self._compare is None:
            from app.pages.compare import ComparePage

            self._compare = ComparePage(folder=str(self._window.folder))
            self._compare.problem.connect(self._window.controller.tell)
            self._compare.set_options(self._window.settings.view)
        return self._compare

    def _export_page(self) -> QWidget:
        if self._export is None:
            from app.pages.export import ExportPage

            self._export = ExportPage()
            self._export.failed.connect(lambda *told: self._window.controller.tell(Problem(*told)))
            self.set_analysed(self._window.controller.analysed)
        return self._export
