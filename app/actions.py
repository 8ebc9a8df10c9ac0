"""Everything that can be done, with its keys: one table, so that menus, buttons and tooltips agree."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMainWindow


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be done.

    Attributes:
        name: by which the program knows it.
        text: in menus.
        keys: the first one is shown.
        tip: in tooltips, without the keys.
        is_checkable: whether it is on or off.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    is_checkable: bool = False


MENUS: dict[str, tuple[Entry | None, ...]] = {
    "&File": (
        Entry("open_video", "Open &video …", ("Ctrl+O",), "Open a video file"),
        Entry("open_pictures", "Open &pictures …", ("Ctrl+Shift+O",), "Open a folder of pictures"),
        Entry("open_camera", "Open &camera", ("Ctrl+K",), "Show the camera that is chosen"),
        Entry("open_stream", "Open &stream …", ("Ctrl+U",), "Type the address of a stream"),
        Entry("open_demo", "&Demo clip", ("Ctrl+D",), "Play the clip that comes with the program"),
        Entry("refresh_cameras", "&Look for cameras", ("F5",), "Look again which cameras are plugged in"),
        None,
        Entry("record", "&Record", ("Ctrl+R",), "Record what is seen, with its joints", True),
        Entry("snapshot", "S&napshot", ("Ctrl+S",), "Save this picture, with and without its drawing, and its joints"),
        None,
        Entry("close", "&Close source", ("Ctrl+W",), "Close what is open"),
        Entry("quit", "&Quit", ("Ctrl+Q",), "Close the program"),
    ),
    "&Playback": (
        Entry("play", "&Play / pause", ("Space", "K"), "Play or pause"),
        Entry("step_back", "Frame &back", ("Left", ","), "One frame back"),
        Entry("step_on", "Frame &on", ("Right", "."), "One frame on"),
        Entry("skip_back", "Second back", ("Shift+Left", "J"), "One second back"),
        Entry("skip_on", "Second on", ("Shift+Right", "L"), "One second on"),
        Entry("first", "&First frame", ("Home",), "To the first frame"),
        Entry("last", "&Last frame", ("End",), "To the last frame"),
        None,
        Entry("slower", "&Slower", ("[",), "Play more slowly"),
        Entry("faster", "F&aster", ("]",), "Play faster"),
        Entry("normal_speed", "&True speed", ("\\",), "Play at the true speed"),
        Entry("loop", "&Loop", ("Ctrl+L",), "Begin again at the end", True),
    ),
    "&Analysis": (
        Entry("analyse", "&Analyse file", ("Ctrl+Return",), "Find everybody in every frame of the open file"),
        Entry("cancel", "&Stop", ("Escape",), "Stop the analysis, or leave the full screen"),
        Entry("export", "&Export …", ("Ctrl+E",), "Write the analysis as tables, video and page"),
    ),
    "&View": (
        Entry("smooth", "&Smooth live joints", ("Ctrl+M",), "Smooth joints that are found live (One-Euro)", True),
        Entry("reset_view", "&Reset view", ("0",), "Show the whole picture"),
        Entry("full_screen", "&Full screen", ("F11",), "Only the picture", True),
        Entry("light", "&Light colours", ("Ctrl+T",), "Light or dark colours", True),
        None,
        Entry("page_viewer", "&Viewer page", ("Alt+1",), "Live pictures and files"),
        Entry("page_batch", "&Batch page", ("Alt+2",), "Many files, one after the other"),
        Entry("page_compare", "&Compare page", ("Alt+3",), "Two results of the same file side by side"),
        Entry("performance", "&Performance", ("Ctrl+P",), "How fast it goes: the last two minutes"),
    ),
    "&Help": (Entry("about", "&About SADI-NET", ("F1",), "Version, licences and models"),),
}
"""Menu -> entries; None is a line between them."""

ENTRIES = {entry.name: entry for entries in MENUS.values() for entry in entries if entry is not None}
"""Entries by name."""


def make_actions(window: QMainWindow) -> dict[str, QAction]:
    """Return an action for each entry, and fill the window's menu bar with them."""
    actions: dict[str, QAction] = {}
    bar = window.menuBar()
    assert bar is not None  # noqa: S101  a main window makes one
    for title, entries in MENUS.items():
        menu = bar.addMenu(title)
        assert menu is not None  # noqa: S101
        menu.setObjectName(f"menu_{title.removeprefix('&').lower()}")
        menu.setToolTipsVisible(True)
        for entry in entries:
            if entry is None:
                menu.addSeparator()
                continue
            actions[entry.name] = _action(window, entry)
            menu.addAction(actions[entry.name])
    return actions


def _action(window: QMainWindow, entry: Entry) -> QAction:
    action = QAction(entry.text, window)
    action.setShortcuts([QKeySequence(keys) for keys in entry.keys])
    shown = " or ".join(QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) for keys in entry.keys)
    action.setToolTip(f"{entry.tip} ({shown})" if shown else entry.tip)
    action.setCheckable(entry.is_checkable)
    action.setObjectName(entry.name)
    return action
