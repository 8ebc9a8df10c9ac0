"""What can be done with a batch: actions with their keys, and what they set off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, Qt, QUrl, pyqtSignal
from PyQt6.QtGui import QAction, QDesktopServices, QKeySequence
from PyQt6.QtWidgets import QFileDialog

from app.batch_state import BatchPhase
from app.batch_worker import BatchWorker

if TYPE_CHECKING:
    from app.pages.batch import BatchPage

_VIDEOS = (
    "*.mp4 *.mov *.avi *.mkv *.webm *.m4v *.mts *.m2ts *.ts *.mpg *.mpeg *.wmv *.3gp *.jpg *.jpeg *.png *.tif *.tiff"
)


class BatchCommands(QObject):
    """The actions of a batch page.

    Args:
        page: where their keys work.
        worker: the queue.

    Attributes:
        actions: by name.
    """

    done = pyqtSignal()
    """Something was done."""

    def __init__(self, page: BatchPage, worker: BatchWorker) -> None:
        super().__init__(page)
        self._page = page
        self._worker = worker
        self._last_folder = str(Path.home())
        self.actions: dict[str, QAction] = {}
        self._add("add_files", "Add &files …", "Ins", "Add videos and pictures", self._ask_files)
        self._add("add_folder", "Add f&older …", "Shift+Ins", "Add what a folder holds", self._ask_folder)
        self._add("remove", "&Remove", "Del", "Take the marked inputs off the list", self._remove)
        self._add("clear", "C&lear done", "Ctrl+Del", "Take what is done off the list", self._clear)
        self._add("check", "&Check", "F6", "Look at all inputs and say how long it will take", worker.check)
        self._add("start", "&Start", "F7", "Do everything that is not done yet", worker.start)
        self._add("pause", "&Pause", "F8", "Hold the work, or go on with it", self._pause)
        self._add("cancel", "S&top", "Shift+F7", "Stop; what is done stays, a start goes on from there", worker.cancel)
        self._add("folder", "Open &folder", "Ctrl+Shift+F", "Open the folder of the results", self._open_folder)
        self._add("report", "Open r&eport", "Ctrl+Shift+R", "Open the report of the last run", self._open_report)
        self._add("page", "Open pa&ge", "Ctrl+Shift+P", "Open the page of the marked inputs", self._open_page)

    def _add(self, name: str, text: str, keys: str, tip: str, command: Callable[[], object]) -> None:
        action = QAction(text, self._page)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setToolTip(f"{tip} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
        action.triggered.connect(lambda: self._do(command))
        self._page.addAction(action)
        self.actions[name] = action

    def _do(self, command: Callable[[], object]) -> None:
        command()
        self.done.emit()

    def _ask_files(self) -> None:
        dialog = QFileDialog(
            self._page, "Add files", self._last_folder, f"Videos and pictures ({_VIDEOS});;All files (*)"
        )
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._take)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self._page, "Add a folder", self._last_folder)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda path: self._take([path]))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _take(self, paths: list[str]) -> None:
        if paths:
            self._last_folder = str(Path(paths[-1]).parent)
            self._page.add(paths)

    def _remove(self) -> None:
        self._worker.remove([item.where for item in self._page.selected])

    def _clear(self) -> None:
        self._worker.remove([item.where for item in self._worker.state.shown if item.state.has_results])

    def _pause(self) -> None:
        if self._worker.state.phase is BatchPhase.PAUSED:
            self._worker.resume()
        else:
            self._worker.pause()

    def _open_folder(self) -> None:
        _open(Path(self._worker.state.options.folder))

    def _open_report(self) -> None:
        _open(Path(self._worker.state.report))

    def _open_page(self) -> None:
        folder = Path(self._worker.state.options.folder)
        for item in self._page.selected:
            if item.page:
                _open(folder / item.page)


def _open(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
