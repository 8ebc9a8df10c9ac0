"""Numbers in the form that TensorBoard reads."""

from __future__ import annotations

import importlib
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sadinet.atomic import make_folder, output_error


class Board:
    """Writes a file of events without TensorBoard's own writer, whose thread prints a traceback when the disk is full.

    Args:
        folder: gets the file; TensorBoard shows all files of a folder as one course.

    Raises:
        OutputError: if the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        protocol = "tensorboard.compat.proto"
        self._event: Any = importlib.import_module(f"{protocol}.event_pb2").Event
        self._summary: Any = importlib.import_module(f"{protocol}.summary_pb2").Summary
        self._writer: Any = importlib.import_module("tensorboard.summary.writer.record_writer").RecordWriter
        make_folder(folder)
        # TensorBoard knows its files by this name, and reads them in the order of their times.
        self._path = folder / f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"

    def add(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Write values under the names GROUP/NAME; raises `OutputError` if the disk refuses."""
        named = [self._summary.Value(tag=f"{group}/{name}", simple_value=value) for name, value in values.items()]
        event = self._event(wall_time=time.time(), step=step, summary=self._summary(value=named))
        try:
            # Opened for each of the few times that it is written: nothing is left to be lost, or to be closed.
            with self._path.open("ab") as file:
                writer = self._writer(file)
                if not file.tell():
                    first = self._event(wall_time=time.time(), file_version="brain.Event:2")
                    writer.write(first.SerializeToString())
                writer.write(event.SerializeToString())
        except OSError as error:
            raise output_error(self._path, error) from error


def open_board(folder: Path) -> Board | None:
    """Return a board; None where TensorBoard is not installed, or not whole.

    Raises:
        OutputError: if its folder cannot be made.
    """
    try:
        return Board(folder)
    except ImportError:
        return None
