"""The window: its parts, laid out and wired. It polls, and never waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray, QEvent, QStandardPaths, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from app import theme
from app.actions import make_actions
from app.choice import SourceKind
from app.controller import Controller
from app.header import Header
from app.heartbeat import Heartbeat
from app.model_menu import ModelMenu
from app.pages.viewer import ViewerPage
from app.panels.banner import Banner
from app.panels.status import StatusBar
from app.recording_desk import RecordingDesk
from app.rendering import Rendering
from app.settings import AppSettings
from app.side_pages import SidePages
from app.view_options import ViewOptions
from app.wiring import wire

if TYPE_CHECKING:
    from sadinet.results import FrameResult

_PERIOD_MS = 16
_FIRST_WH = (1280, 800)


class MainWindow(QMainWindow):
    """Everything that is seen.

    Args:
        controller: what it shows and steers.
        settings: what was remembered.
        data_folder: where the program keeps what is its own.

    Attributes:
        heartbeat: how late its timer comes.
        on_close: called when the window is closed and hidden; ends the threads.
    """

    def __init__(self, controller: Controller, settings: AppSettings, data_folder: Path) -> None:
        super().__init__()
        self.data_folder = data_folder
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 600)
        self.controller = controller
        self.settings = settings
        self.heartbeat = Heartbeat(_PERIOD_MS / 1000)
        self.on_close: Callable[[], object] = controller.workers.stop
        self.actions_by_name = make_actions(self)
        self.model_menu = ModelMenu(self)
        self.header = Header(self.actions_by_name)
        self.notices = Banner()
        self.pages = QStackedWidget()
        self.side = SidePages(self)
        self.viewer = ViewerPage(self.actions_by_name, self.side.make_angles)
        self.pages.addWidget(self.viewer)
        self.status = StatusBar()
        self.desk = RecordingDesk(self)
        self._arrange()
        wire(self)
        self.rendering = Rendering(self)
        self._restore(settings)
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self.tick)
        self.timer.start(_PERIOD_MS)

    def tick(self) -> None:
        """Take what is new and show it."""
        self.heartbeat.beat()
        snapshot = self.controller.tick()
        self.desk.tick()
        self.rendering.show(snapshot)

    @property
    def shown(self) -> FrameResult | None:
        """What is seen now."""
        return self.rendering.last

    @property
    def folder(self) -> Path:
        """Where recordings, snapshots and exports go."""
        if self.settings.folder:
            return Path(self.settings.folder)
        movies = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return Path(movies or Path.home()) / "SADI-NET"

    @property
    def last_folder(self) -> str:
        """Where the last file came from, for dialogs."""
        recent = next((each for each in self.controller.state.recent if "://" not in each), "")
        return str(Path(recent).parent) if recent else str(Path.home())

    def show_page(self, name: str) -> None:
        """Turn to a page."""
        self.side.show(name)
        self.header.set_page(name)

    def set_view(self, options: ViewOptions) -> None:
        """Draw otherwise from now on."""
        is_other_blur = options.blur != self.settings.view.blur
        self.settings = replace(self.settings, view=options)
        self.viewer.canvas.set_options(options)
        self.side.set_view(options)
        self.controller.set_view(options)
        if is_other_blur:
            self.desk.restart()

    def set_theme(self, name: str) -> None:
        """Show light or dark colours."""
        self.settings = replace(self.settings, theme=name)
        app = QApplication.instance()
        assert isinstance(app, QApplication)  # noqa: S101  there is a window
        theme.apply(app, theme.THEMES[name])
        for part in (self.header, self.viewer.sources, self.viewer.transport):
            part.refresh_theme()

    def set_full_screen(self, is_full: bool) -> None:
        """Show the picture alone on the whole screen, or everything in a window."""
        self.show_page("viewer")
        self.viewer.set_bare(is_full)
        menu = self.menuBar()
        assert menu is not None  # noqa: S101  a main window makes one
        # Not hidden, as the actions of a menu that is hidden lose their keys.
        menu.setMaximumHeight(0 if is_full else 16_777_215)
        for part in (self.header, self.status):
            part.setVisible(not is_full)
        if is_full != self.isFullScreen():
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def remembered(self) -> AppSettings:
        """Return what is to be remembered."""
        state, actions = self.controller.state, self.actions_by_name
        source = state.source
        sources = self.viewer.sources
        return replace(
            self.settings,
            geometry=bytes(self.saveGeometry().data()).hex(),
            layout=bytes(self.viewer.splitter.saveState().data()).hex(),
            page=self.side.current,
            is_smooth=actions["smooth"].isChecked(),
            source=source if source is not None and source.kind is not SourceKind.DEMO else None,
            recent=state.recent,
            speed=state.speed,
            is_looped=state.is_looped,
            camera_size_wh=sources.camera_size_wh,
            camera_rate_hz=sources.camera_rate_hz,
            weights=self.controller.workers.weights,
            **self.side.remembered(),
        )

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Look for cameras when somebody comes back, perhaps with one that was just plugged in."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.controller.look_for_cameras()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802
        """Take files and addresses."""
        data = None if event is None else event.mimeData()
        if event is not None and data is not None and data.hasUrls() and self.side.current == "viewer":
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802
        """Open the first of what is dropped."""
        data = None if event is None else event.mimeData()
        if event is None or data is None or not data.urls():
            return
        url = data.urls()[0]
        event.acceptProposedAction()
        self.controller.open_text(url.toLocalFile() if url.isLocalFile() else url.toString())

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        """Vanish at once, then end the threads."""
        if self.timer.isActive():
            self.settings = self.remembered()
            self.timer.stop()
            self.hide()
            self.desk.close()
            self.side.close()
            self.on_close()
        super().closeEvent(event)

    def _arrange(self) -> None:
        analysis = self.findChild(QMenu, "menu_analysis")
        assert analysis is not None  # noqa: S101  the table of actions has it
        analysis.addSeparator()
        analysis.addMenu(self.model_menu)
        body = QWidget()
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.header)
        rows.addWidget(self.notices)
        rows.addWidget(self.pages, 1)
        rows.addWidget(self.status)
        self.setCentralWidget(body)

    def _restore(self, settings: AppSettings) -> None:
        self.resize(*_FIRST_WH)
        if settings.geometry:
            self.restoreGeometry(QByteArray.fromHex(settings.geometry.encode()))
        if settings.layout:
            self.viewer.splitter.restoreState(QByteArray.fromHex(settings.layout.encode()))
        actions = self.actions_by_name
        actions["smooth"].setChecked(settings.is_smooth)
        self.controller.set_smooth(settings.is_smooth)
        actions["light"].setChecked(settings.theme == "light")
        self.viewer.sources.set_camera_wish(settings.camera_size_wh, settings.camera_rate_hz)
        self.viewer.view.set_options(settings.view)
        self.set_view(settings.view)
        self.set_theme(settings.theme if settings.theme in theme.THEMES else "dark")
        if settings.page in ("batch", "compare"):
            self.show_page(settings.page)
