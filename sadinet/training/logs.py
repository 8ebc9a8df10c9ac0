"""What a training tells: lines or a progress bar, log.csv, TensorBoard's files, and a picture of each epoch."""

from __future__ import annotations

import csv
import importlib.util
import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from sadinet.atomic import make_folder, output_error, write_bytes
from sadinet.errors import OutputError
from sadinet.geometry import Box
from sadinet.results import Pose
from sadinet.skeletons import Skeleton
from sadinet.training.board import open_board

if TYPE_CHECKING:
    from sadinet.training.datasets import PersonSet

Row = Mapping[str, float]


class TrainingLog:
    """Writes into a training's folder; on processes other than the first it says and writes nothing.

    Args:
        folder: gets `log.csv`, where OpenCV is installed `pictures/`, and where TensorBoard is, its event files in
            `tensorboard/`.
        say: takes lines.
        active: False on all processes but the first.
        bar: show a progress bar where there is a terminal and `rich` is installed.

    Raises:
        OutputError: if something else lies where it would write; from the other calls, if the disk refuses.
    """

    def __init__(self, folder: Path, say: Callable[[str], None], *, active: bool = True, bar: bool = True) -> None:
        self.folder, self._say, self._active = folder, say, active
        if active:  # before the first epoch, whose hours would be lost
            read_rows(folder / "log.csv")
            _check_free(folder / "pictures")
        self._board = open_board(folder / "tensorboard") if active else None
        shown = active and bar and sys.stderr.isatty() and importlib.util.find_spec("rich") is not None
        self._bar: Any = _open_bar() if shown else None
        self._task: Any = None
        self._told_no_pictures = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, line: str) -> None:
        """Print a line, above the bar if there is one."""
        if not self._active:
            return
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            self._say(line)

    def progress(self, epoch: int, done: int, whole: int, means: Row, *, step: int) -> None:
        """Tell how far an epoch is; as a line every 50 batches where there is no bar."""
        if not self._active:
            return
        shown = " ".join(f"{name} {value:.3f}" for name, value in means.items())
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task("", total=whole)
            self._bar.update(self._task, description=f"epoch {epoch} {shown}", completed=done, total=whole)
        elif done % 50 == 0:
            self._say(f"epoch {epoch} {done}/{whole} {shown}")
        if self._board is not None and done % 50 == 0:
            self._board.add("step", means, step)

    def epoch(self, row: Row) -> None:
        """Write an epoch's row."""
        if not self._active:
            return
        append_row(self.folder / "log.csv", row)
        if self._board is not None:
            self._board.add("epoch", {k: v for k, v in row.items() if k != "epoch"}, int(row["epoch"]))
        self.say(" ".join(f"{k} {v}" for k, v in row.items()))

    def picture(self, epoch: int, people: PersonSet, joints: NDArray[np.float32], skeleton: Skeleton) -> None:
        """Write `pictures/epoch-NNN.jpg`: some held-out people with the joints that were found, and their labels.

        Where OpenCV is not installed, nothing is drawn, which is said once.
        """
        if not self._active:
            return
        if importlib.util.find_spec("cv2") is None:
            if not self._told_no_pictures:
                self.say("no pictures of predictions are written: OpenCV draws them (pip install opencv-python)")
            self._told_no_pictures = True
            return
        folder = self.folder / "pictures"
        make_folder(folder)
        sheet = draw_sheet(people, joints, skeleton)
        import cv2

        found, data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])
        if found:
            write_bytes(folder / f"epoch-{epoch:03d}.jpg", data.tobytes())


def append_row(path: Path, row: Row) -> None:
    """Add a row to a CSV file; a column that the file lacks is added to all of it.

    Raises:
        OutputError: if the file cannot be written, or what lies there is no such file.
    """
    rows, names = read_rows(path)
    names += [name for name in row if name not in names]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    # An epoch that is run again, as it was not saved before a kill, takes the place of its first row.
    kept = [old for old in rows if old.get("epoch") != str(row.get("epoch"))]
    writer.writerows([*kept, dict(row)])
    write_bytes(path, text.getvalue().encode())


def read_rows(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows and columns of a CSV file of epochs, none if it is not there.

    Raises:
        OutputError: if it cannot be read, or something else lies there.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), list(reader.fieldnames or [])
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise output_error(path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise OutputError(f"cannot add to {path}: {_NO_TABLE}", _MOVE) from error
    if names and "epoch" not in names:
        raise OutputError(f"cannot add to {path}: {_NO_TABLE}", _MOVE)
    return rows, names


_NO_TABLE, _MOVE = "it is not the table of a training", "move it away, or choose another folder"


def _check_free(folder: Path) -> None:
    """Raise `OutputError` if a file has the name of a folder that is made later."""
    if folder.exists() and not folder.is_dir():
        make_folder(folder)


_LABEL = (80, 220, 80)


def draw_sheet(
    people: PersonSet, joints: NDArray[np.float32], skeleton: Skeleton, tile_px: int = 256, columns: int = 4
) -> NDArray[np.uint8]:
    """Return at most two rows of people (H, W, 3) uint8 BGR, with the joints found and green rings at the labels.

    Args:
        people: those who were measured, with joints of `skeleton`.
        joints: (N, K, 2) in their pictures' pixels.
        skeleton: names of the joints.
        tile_px: side of a person's tile.
        columns: people in a row.
    """
    import cv2

    from sadinet.media.draw import draw_poses

    rows = np.linspace(0, len(people) - 1, min(2 * columns, len(people))).astype(int)
    height = -(-len(rows) // columns) * tile_px
    sheet = np.full((height, columns * tile_px, 3), 40, dtype=np.uint8)
    for place, row in enumerate(rows):
        picture = people.pictures[row]
        scale = tile_px / max(picture.shape[:2])
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        points = ((joints[row] + 0.5) * scale - 0.5).astype(np.float32)
        ones, nothing = np.ones(len(points), np.float32), np.full_like(points, np.nan)
        drawn = draw_poses(small, [Pose(points, ones, nothing, Box(0, 0, *size), skeleton)], labels=False)
        labels = (people.joints[row][people.known[row]] + 0.5) * scale - 0.5
        for x, y in labels.round().astype(int).tolist():
            cv2.circle(drawn, (x, y), 4, _LABEL, 1, cv2.LINE_AA)
        top, left = place // columns * tile_px, place % columns * tile_px
        sheet[top : top + size[1], left : left + size[0]] = drawn
    return sheet


def _open_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    bar.start()
    return bar
