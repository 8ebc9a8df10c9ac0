"""What each action and each part of the window sets off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog

from app.choice import DEMO, SourceChoice, SourceKind
from app.keys import keep_keys

if TYPE_CHECKING:
    from app.main_window import MainWindow

_VIDEOS = "*.mp4 *.mov *.avi *.mkv *.webm *.m4v *.mts *.m2ts *.ts *.mpg *.mpeg *.wmv *.3gp"


def wire(window: MainWindow) -> None:
    """Connect everything."""
    _wire_actions(window)
    _wire_toggles(window)
    _wire_parts(window)


def _wire_actions(window: MainWindow) -> None:
    control = window.controller
    commands: dict[str, Callable[[], object]] = {
        "open_video": lambda: _ask_video(window),
        "open_pictures": lambda: _ask_pictures(window),
        "open_camera": window.viewer.sources.open_chosen_camera,
        "open_stream": lambda: _ask_stream(window),
        "open_demo": lambda: control.open(DEMO),
        "refresh_cameras": control.workers.find_cameras,
        "snapshot": window.desk.snapshot,
        "close": control.close,
        "quit": window.close,
        "play": control.toggle_play,
        "step_back": lambda: control.step(-1),
        "step_on": lambda: control.step(1),
        "skip_back": lambda: control.skip(-1),
        "skip_on": lambda: control.skip(1),
        "first": lambda: control.seek(0),
        "last": lambda: control.seek(control.state.place.frames - 1),
        "slower": lambda: control.change_speed(-1),
        "faster": lambda: control.change_speed(1),
        "normal_speed": lambda: control.set_speed(1.0),
        "analyse": control.analyse,
        "cancel": lambda: _cancel(window),
        "export": lambda: window.show_page("export"),
        "reset_view": window.viewer.canvas.reset_view,
        "page_viewer": lambda: window.show_page("viewer"),
        "page_batch": lambda: window.show_page("batch"),
        "page_compare": lambda: window.show_page("compare"),
        "performance": window.side.show_performance,
        "about": window.side.show_about,
    }
    for name, command in commands.items():
        _connect(window, name, command)


def _connect(window: MainWindow, name: str, command: Callable[[], object]) -> None:
    window.actions_by_name[name].triggered.connect(lambda: command())


def _wire_toggles(window: MainWindow) -> None:
    actions, control = window.actions_by_name, window.controller
    actions["loop"].toggled.connect(control.set_looped)
    actions["smooth"].toggled.connect(control.set_smooth)
    actions["full_screen"].toggled.connect(window.set_full_screen)
    actions["light"].toggled.connect(lambda is_light: window.set_theme("light" if is_light else "dark"))
    actions["record"].triggered.connect(window.desk.record)


def _wire_parts(window: MainWindow) -> None:
    control, viewer = window.controller, window.viewer
    viewer.sources.chosen.connect(control.open)
    viewer.sources.address_entered.connect(control.open_text)
    viewer.sources.refresh_wished.connect(control.workers.find_cameras)
    viewer.sources.video_wished.connect(lambda: _ask_video(window))
    viewer.sources.pictures_wished.connect(lambda: _ask_pictures(window))
    viewer.transport.frame_chosen.connect(control.seek)
    viewer.transport.speed_chosen.connect(control.set_speed)
    viewer.transport.cancel_wished.connect(control.cancel_analysis)
    viewer.timeline.frame_chosen.connect(control.seek)
    viewer.canvas.pose_clicked.connect(control.select)
    viewer.view.options_changed.connect(window.set_view)
    window.model_menu.chosen.connect(control.choose_model)
    window.status.clicked.connect(window.side.show_performance)
    window.notices.dismissed.connect(control.dismiss)
    window.header.page_chosen.connect(window.show_page)
    keep_keys(viewer.sources, viewer.tabs, window.header)


def _ask_video(window: MainWindow) -> None:
    dialog = QFileDialog(window, "Open a video", window.last_folder, f"Videos ({_VIDEOS});;All files (*)")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(lambda path: window.controller.open(SourceChoice(SourceKind.FILE, path)))
    _show(dialog)


def _ask_pictures(window: MainWindow) -> None:
    dialog = QFileDialog(window, "Open a folder of pictures", window.last_folder)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.fileSelected.connect(lambda path: window.controller.open(SourceChoice(SourceKind.PICTURES, path)))
    _show(dialog)


def _show(dialog: QFileDialog) -> None:
    # Not `exec`, which would run a second event loop in which the window may be closed.
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def _ask_stream(window: MainWindow) -> None:
    window.show_page("viewer")
    window.viewer.sources.focus_stream()


def _cancel(window: MainWindow) -> None:
    if window.actions_by_name["full_screen"].isChecked():
        window.actions_by_name["full_screen"].setChecked(False)
    else:
        window.controller.cancel_analysis()
