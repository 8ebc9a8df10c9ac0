"""Export: what `sadinet run` would write, byte for byte, and previews that tell the truth."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from app import theme
from app.analysis import analyse
from app.batch_state import BatchOptions
from app.export_worker import ExportState, ExportWorker
from app.exporting import PREVIEW_FRAMES, Exported, export, preview
from app.pages.export import ExportPage, files_text
from sadinet.errors import OutputError, SourceError
from sadinet.media.overlay import OverlayWriter
from sadinet.media.video import VideoReader
from sadinet.pipeline.stages import Settings

CLIP = Path(__file__).parents[2] / "sadinet" / "_demo" / "walk.mp4"
FRAMES = 45


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "walk.mp4"
    with VideoReader(CLIP) as reader, OverlayWriter(path) as writer:
        for frame in islice(reader, 20, 20 + FRAMES):
            writer.write(frame.image, frame.time_s)
    return analyse(str(path), tmp_path_factory.mktemp("cache"), Settings(), lambda done, frames: True)


def go_on(frames: int, stage: str) -> bool:
    return True


def options(folder: Path, *formats: str, **more) -> BatchOptions:
    return BatchOptions(str(folder), formats or ("csv",), **{"page": False, "angles": True, **more})


@pytest.mark.slow
def test_it_writes_what_the_command_line_writes(analysed, tmp_path):
    from sadinet.cli.main import main

    more = ("--angles", "--format", "csv,trc", "--metres-per-pixel", "0.0025", "--quiet")
    assert main(["run", analysed.where, "-o", str(tmp_path / "cli"), *more]) == 0
    wished = options(tmp_path / "app", "csv", "trc", page=True, metres_per_pixel=0.0025)
    exported = export(analysed, wished, go_on)
    assert exported.folder == tmp_path / "app"
    for name in exported.files:
        if (tmp_path / "cli" / name).is_file():
            assert (tmp_path / "app" / name).read_bytes() == (tmp_path / "cli" / name).read_bytes(), name
    assert {"walk.csv", "walk.json", "walk.html", "walk_person1.trc"} <= {*exported.files}


def test_angles_are_a_choice(analysed, tmp_path):
    export(analysed, options(tmp_path / "with"), go_on)
    export(analysed, options(tmp_path / "without", angles=False), go_on)
    with_angles, without = ((tmp_path / name / "walk.csv").read_text() for name in ("with", "without"))
    assert "angle_left_knee" in with_angles
    assert "angle_" not in without


def test_every_format_and_the_drawing_come_out(analysed, tmp_path):
    told = []

    def tell(frames: int, stage: str) -> bool:
        told.append((frames, stage))
        return True

    names = ("csv", "parquet", "openpose", "coco", "trc", "c3d")
    exported = export(analysed, options(tmp_path / "new", *names, overlay=True), tell)
    assert len(exported.files) == len(names) + 2
    assert all((tmp_path / "new" / name).exists() for name in exported.files)
    assert any(stage == "drawing" for _, stage in told)


def test_a_foreign_file_is_never_written_over(analysed, tmp_path):
    (tmp_path / "walk.csv").write_text("my own notes")
    with pytest.raises(OutputError, match="no earlier result"):
        export(analysed, options(tmp_path), go_on)
    assert (tmp_path / "walk.csv").read_text() == "my own notes"


def test_beside_the_video_the_drawing_gets_another_name(analysed):
    folder = Path(analysed.where).parent
    before = Path(analysed.where).read_bytes()
    exported = export(analysed, options(folder, overlay=True), go_on)
    assert "walk-overlay.mp4" in exported.files
    assert Path(analysed.where).read_bytes() == before


def test_it_can_be_stopped(analysed, tmp_path):
    assert export(analysed, options(tmp_path, overlay=True), lambda frames, stage: stage != "drawing") is None
    assert not list(tmp_path.glob("*.part"))


def test_a_source_that_is_gone_is_told(analysed, tmp_path):
    with pytest.raises(SourceError):
        export(replace(analysed, where=str(tmp_path / "gone.mp4")), options(tmp_path / "out"), go_on)


def test_a_preview_is_the_beginning_of_the_file(analysed, tmp_path):
    export(analysed, options(tmp_path), go_on)
    lines = (tmp_path / "walk.csv").read_text().splitlines()
    for name in ("csv", "parquet"):
        shown = preview(analysed, name, options(tmp_path))
        assert ",".join(shown.head) == lines[0]
        assert [",".join(row) for row in shown.rows] == lines[1 : PREVIEW_FRAMES + 1]
        assert f"the first {PREVIEW_FRAMES} of {FRAMES} rows" in shown.note
    assert json.loads(preview(analysed, "openpose", options(tmp_path)).text)["people"]
    assert preview(analysed, "coco", options(tmp_path)).text.startswith("[")
    assert "NumMarkers" in preview(analysed, "trc", options(tmp_path)).text
    assert "not text" in preview(analysed, "c3d", options(tmp_path)).note


def test_with_nobody_there_is_a_preview_too(analysed, tmp_path):
    nobody = replace(analysed, recording=_without_rows(analysed.recording))
    assert len(preview(nobody, "csv", options(tmp_path)).rows) == PREVIEW_FRAMES
    assert "no file" in preview(nobody, "trc", options(tmp_path)).note


def _without_rows(recording):
    return replace(
        recording,
        row_frame=recording.row_frame[:0],
        track_ids=recording.track_ids[:0],
        boxes=recording.boxes[:0],
        joints=recording.joints[:0],
        scores=recording.scores[:0],
        sigmas=recording.sigmas[:0],
        flags=(),
        extra={name: values[:0] for name, values in recording.extra.items()},
    )


# beside the window


@pytest.fixture
def worker():
    worker = ExportWorker()
    yield worker
    assert worker.close(20) == ()


def test_only_the_last_wish_for_a_preview_is_shown(worker, analysed, tmp_path, until):
    for name in ("csv", "coco", "openpose", "trc"):
        worker.look(analysed, name, options(tmp_path, "csv", "coco"))
    until(lambda: worker.poll().preview is not None)
    until(lambda: worker.poll().preview.format == "trc")
    assert worker.poll().planned == (("walk.csv", False), ("walk_coco.json", False), ("walk.json", False))


def test_an_export_beside_the_window(worker, analysed, tmp_path, until):
    worker.start(analysed, options(tmp_path))
    assert worker.poll().is_busy
    until(lambda: not worker.poll().is_busy)
    assert worker.poll().exported == Exported(tmp_path, ("walk.csv", "walk.json"))
    assert worker.poll().planned == (("walk.csv", True), ("walk.json", True))
    (tmp_path / "file").write_text("")
    worker.start(analysed, options(tmp_path / "file" / "in"))
    until(lambda: not worker.poll().is_busy)
    assert "folder" in worker.poll().fault.remedy
    assert worker.poll().exported is None


# the page


@pytest.fixture
def page(qtbot, qapp):
    theme.apply(qapp, theme.LIGHT)
    page = ExportPage()
    qtbot.addWidget(page)
    page.show()
    yield page
    assert page.close_work(20) == ()


def test_without_an_analysis_it_says_what_to_do(page):
    assert page._stack.currentWidget() is page._nothing
    assert not page.export_action.isEnabled()
    assert not page.options.isEnabled()


def test_it_shows_rows_writes_files_and_says_so(qtbot, page, analysed, tmp_path):
    page.set_analysed(analysed, str(tmp_path))
    qtbot.waitUntil(lambda: page._model.rowCount() == PREVIEW_FRAMES, timeout=30_000)
    assert page._title.text() == "walk.mp4"
    assert "Will write walk.csv, walk.json, walk.html" in page._files.text()
    page._tabs.setCurrentIndex(4)
    qtbot.waitUntil(lambda: "NumMarkers" in page._text.toPlainText(), timeout=30_000)
    assert page.export_action.isEnabled()
    page.export_action.trigger()
    qtbot.waitUntil(lambda: page.state.exported is not None, timeout=60_000)
    assert page._files.text() == f"Written to {tmp_path}: walk.csv, walk.json, walk.html"
    assert (tmp_path / "walk.csv").is_file()
    assert page.open_action.isEnabled()
    page.set_analysed(None)
    assert not page.export_action.isEnabled()


def test_a_failure_is_told_once(qtbot, page, analysed, tmp_path):
    (tmp_path / "walk.csv").write_text("my own notes")
    told = []
    page.failed.connect(lambda *words: told.append(words))
    page.set_analysed(analysed, str(tmp_path))
    page.start()
    qtbot.waitUntil(lambda: page.state.fault is not None, timeout=60_000)
    page.refresh()
    assert len(told) == 1
    assert "no earlier result" in told[0][0]
    assert "move it away" in page._files.text()


def test_lines_on_files():
    assert files_text(ExportState()) == ""
    assert files_text(ExportState(is_busy=True, stage="drawing", done=1200)) == "Drawing, frame 1,200"
    planned = ExportState(planned=(("a.csv", True), ("a.json", False)))
    assert files_text(planned) == "Will write a.csv (takes the place of an earlier one), a.json"
