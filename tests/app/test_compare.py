from __future__ import annotations

import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QBoxLayout, QPushButton

from app.compare_worker import CompareWorker, find_source
from app.comparison import blank_frame, compare, summary
from app.dropping import sort_dropped
from app.pages.compare import ComparePage
from app.view_options import ViewOptions
from sadinet.errors import InputError
from sadinet.recording import record
from sadinet.results import FrameResult
from sadinet.skeletons import BODY19, COCO17
from sadinet.tables.csv_writer import CsvWriter
from sadinet.tables.sidecar import Sidecar, WeightsRecord, describe_file, sidecar_path, write_sidecar
from sadinet.tables.writer import TableInfo

FRAMES = 7


def moved(one, by):
    return replace(one, joints=one.joints + np.array(by, np.float32))


def recording(frame, poses_of, frames=range(FRAMES), skeleton=BODY19):
    return record([FrameResult(frame(index), tuple(poses_of(index))) for index in frames], skeleton)


def write(path, recorded, source=None):
    with CsvWriter(path, TableInfo(recorded.skeleton)) as writer:
        writer.write(recorded)
    if source is not None:
        made_by = WeightsRecord("made up", "0")
        record_of = describe_file(source)
        write_sidecar(
            sidecar_path(path),
            Sidecar(record_of, recorded.frames, 0, (), recorded.skeleton.name, made_by, "onnx", "cpu", "fp32", {}, "0"),
        )


def test_a_result_agrees_with_itself(frame, pose):
    one = recording(frame, lambda index: [pose(1), pose(2, (250, 120))])

    found = compare(one, one)

    assert found.distance_px.tolist() == [0] * FRAMES
    assert found.people.tolist() == [2] * FRAMES
    assert not found.only_a.any()
    assert not found.only_b.any()
    assert {each.within for each in found.joints} == {1.0}


def test_distances_are_those_by_which_joints_were_moved(frame, pose):
    a = recording(frame, lambda index: [pose()])
    b = recording(frame, lambda index: [moved(pose(), (3.0 * index, 4.0 * index))])

    found = compare(a, b)

    assert found.distance_px == pytest.approx(5.0 * np.arange(FRAMES), abs=1e-4)
    assert found.worst == FRAMES - 1
    assert {round(each.median_px, 3) for each in found.joints} == {15.0}
    # One sigma of both together is 2 * sqrt(2) px: x stays within for 0 frames but the first, y too.
    assert found.joints[0].within == pytest.approx(1 / FRAMES)


def test_people_are_paired_by_place_and_not_by_number(frame, pose):
    a = recording(frame, lambda index: [pose(1, (100, 120)), pose(2, (240, 120))])
    b = recording(frame, lambda index: [pose(1, (240, 120)), pose(7, (100, 120))])

    assert compare(a, b).distance_px == pytest.approx(0)


def test_people_whom_one_alone_has_are_counted(frame, pose):
    a = recording(frame, lambda index: [pose(1, (80, 120))] + [pose(2, (240, 120))] * (index == 2))
    b = recording(frame, lambda index: [pose(1, (80, 120))] * (index != 4))

    found = compare(a, b)

    assert found.only_a.tolist() == [0, 0, 1, 0, 1, 0, 0]
    assert found.only_b.tolist() == [0] * FRAMES
    assert np.isnan(found.distance_px[4])
    assert summary(found).endswith("6 in both, 2 only in A, 0 only in B.")


def test_somebody_elsewhere_is_another_person(frame, pose):
    a = recording(frame, lambda index: [pose(1, (60, 120))])
    b = recording(frame, lambda index: [pose(1, (260, 120))])

    found = compare(a, b)

    assert not found.people.any()
    assert found.worst is None
    assert found.only_a.sum() == found.only_b.sum() == FRAMES


def test_frames_that_one_lacks_are_kept_apart(frame, pose):
    a = recording(frame, lambda index: [pose()], range(4))
    b = recording(frame, lambda index: [pose()], range(2, 7))

    found = compare(a, b)

    assert found.index.tolist() == list(range(7))
    assert found.common_frames == 2
    assert found.only_a.tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert found.only_b.tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_other_skeletons_are_compared_by_the_joints_that_both_have(frame, pose):
    from sadinet.skeletons import convert

    def as_coco(one):
        conversion = convert(BODY19, COCO17)
        values = [conversion.apply(v, axis=0).astype(np.float32) for v in (one.joints, one.scores, one.sigmas)]
        return replace(one, joints=values[0], scores=values[1], sigmas=values[2], skeleton=COCO17)

    a = recording(frame, lambda index: [pose()])
    b = recording(frame, lambda index: [as_coco(moved(pose(), (1, 0)))], skeleton=COCO17)

    found = compare(a, b)

    assert {each.joint for each in found.joints} == set(COCO17.joints)
    assert found.distance_px == pytest.approx(1, abs=1e-4)


def test_results_of_different_sources_are_refused(frame, pose):
    a = recording(frame, lambda index: [pose()], range(3))
    b = recording(frame, lambda index: [pose()], range(10, 12))

    with pytest.raises(InputError, match="no frame in common"):
        compare(a, b)


def test_joints_without_their_picture_lie_on_a_frame_that_holds_them(frame, pose):
    far = recording(frame, lambda index: [pose(1, (1900, 900))])
    wild = recording(frame, lambda index: [pose(1, (1e7, 10))])

    assert blank_frame((far,), 0).size_wh[0] >= 1900
    assert max(blank_frame((wild,), 0).size_wh) <= 8192
    assert blank_frame((), 3).index == 3


@pytest.fixture
def tables(tmp_path, short_clip, frame, pose):
    """Two tables of the short clip; the second one is 5 px off in frame 4."""
    for name, off in (("a", 0.0), ("b", 5.0)):
        made = recording(frame, lambda index, off=off: [moved(pose(), (off * (index == 4), 0))])
        write(tmp_path / f"{name}.csv", made, short_clip)
    return tmp_path / "a.csv", tmp_path / "b.csv"


@pytest.fixture
def page(qtbot):
    made = ComparePage()
    made.resize(1200, 700)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    assert made.stop() == ()


def shows(page, number):
    return page._picture is not None and page._picture.index == number


def test_two_tables_are_shown_over_their_video_at_the_frame_that_is_asked_for(page, tables, until):
    page.set_tables(*tables)
    until(lambda: shows(page, 0), "the first picture", QApplication.processEvents)
    page.head.worst.click()
    until(lambda: shows(page, 4), "the picture of frame 4", QApplication.processEvents)

    assert page._place.text() == "Frame 4, 0.133 s   ·   joints 5.0 px apart"
    views = [canvas._poses[0].joints for canvas in page.pictures.canvases.values()]
    assert (views[1] - views[0]).mean(axis=0) == pytest.approx((5, 0), abs=0.02)
    assert page.pictures.canvases["A"]._image.width() == page._picture.size_wh[0]
    assert page.table.model_of_joints.rowCount() == len(BODY19)
    assert "7 of 7 frames are in both" in page._summary.text()


def test_a_click_on_the_curve_and_its_keys_choose_frames(page, tables, until):
    page.set_tables(*tables)
    until(lambda: page._compared is not None, "the comparison", QApplication.processEvents)
    QTest.mouseClick(page.curve, Qt.MouseButton.LeftButton, pos=QPoint(page.curve.width() - 16, 30))
    assert page._frame == 6

    QTest.keyClick(page.curve, Qt.Key.Key_Left)
    assert page._frame == 5
    QTest.keyClick(page.curve, Qt.Key.Key_Home)
    assert page._frame == 0
    QTest.keyClick(page.curve, Qt.Key.Key_Left)
    assert page._frame == 0


def test_both_pictures_show_the_same_part(page, tables, until):
    page.set_tables(*tables)
    until(lambda: shows(page, 0), "the first picture", QApplication.processEvents)
    page.pictures.canvases["B"].zoom_in()

    assert page.pictures.canvases["A"].zoom == page.pictures.canvases["B"].zoom
    assert page.pictures.canvases["A"].zoom.factor > 1


def test_wide_pictures_lie_above_each_other_and_tall_ones_beside(page):
    page.pictures.turn((1920, 800))
    assert page.pictures.direction == QBoxLayout.Direction.TopToBottom
    page.pictures.turn((400, 900))
    assert page.pictures.direction == QBoxLayout.Direction.LeftToRight


def test_without_the_video_joints_are_shown_alone_and_it_says_so(page, tmp_path, tables, until):
    bare = [shutil.copy(table, tmp_path / f"bare-{table.name}") for table in tables]
    page.set_tables(*(tmp_path / each.name for each in map(type(tables[0]), bare)))
    until(lambda: page._compared is not None, "the comparison", QApplication.processEvents)

    assert page._place.text().endswith("the video was not found: choose it to see it")
    assert page.pictures.canvases["A"]._poses


def test_hidden_faces_are_not_shown_here_either(page, tables, until):
    page.set_tables(*tables)
    until(lambda: shows(page, 0), "the first picture", QApplication.processEvents)
    page.set_options(ViewOptions(blur=True))

    image = page.pictures.canvases["A"]._image
    corners = {image.pixelColor(x, y).rgb() for x, y in ((2, 2), (image.width() - 3, image.height() - 3))}
    assert len(corners) == 1
    assert page._place.text().endswith("joints are shown without their picture")


def test_a_table_that_cannot_be_read_is_told_and_another_can_be_chosen(page, tables, tmp_path, until):
    broken = tmp_path / "broken.csv"
    broken.write_text("no table")
    told = []
    page.problem.connect(told.append)
    page.set_tables(tables[0], broken)
    until(lambda: told, "the problem", QApplication.processEvents)
    assert str(broken) in told[0].message
    assert told[0].remedy

    page.set_tables(b=tables[1])
    until(lambda: page._compared is not None, "the comparison", QApplication.processEvents)


def test_a_video_that_cannot_be_read_still_leaves_the_joints(page, tables, tmp_path, until):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    told = []
    page.problem.connect(told.append)
    page.set_tables(*tables, source=broken)
    until(lambda: told and page.pictures.canvases["A"]._poses, "problem and joints", QApplication.processEvents)

    assert page._compared is not None


def test_the_video_of_a_table_is_found_by_its_sidecar_or_in_its_recording(tmp_path, tables, short_clip):
    assert find_source(tables[0]) == short_clip
    folder = tmp_path / "recording"
    folder.mkdir()
    shutil.copy(tables[0], folder / "keypoints.csv")
    assert find_source(folder / "keypoints.csv") is None
    shutil.copy(short_clip, folder / "video.mkv")
    assert find_source(folder / "keypoints.csv") == folder / "video.mkv"


def test_the_worker_can_be_stopped_while_it_reads(tables):
    worker = CompareWorker()
    worker.load(*tables)

    assert worker.stop() == ()
    assert worker.poll().compared is None


def test_a_frame_that_is_asked_for_before_the_video_is_open_is_fetched_once_it_is(tables, until, monkeypatch):
    go = threading.Event()

    def look_through(clip):
        assert go.wait(30)

    monkeypatch.setattr("app.clips.VideoClip.look_through", look_through)
    worker = CompareWorker()
    worker.load(*tables)
    until(lambda: worker.poll().compared is not None, "the comparison")
    worker.seek(4)
    go.set()
    frames = []
    until(lambda: frames, "a picture", lambda: frames.extend(filter(None, [worker.poll().frame])))

    assert frames[0].index == 4
    assert worker.stop() == ()


def test_only_the_last_choice_counts(tables, until):
    worker = CompareWorker()
    worker.load(tables[0], tables[0])
    worker.load(*tables)
    found = []
    until(lambda: found, "a comparison", lambda: found.extend(filter(None, [worker.poll().compared])))

    assert found[0].comparison.worst == 4
    assert worker.stop() == ()


def test_every_button_of_the_page_has_a_name_and_says_what_it_does(page):
    buttons = page.findChildren(QPushButton)

    assert len(buttons) == 4
    assert all(button.toolTip() and (button.accessibleName() or button.text()) for button in buttons)


def drop(page, at, *paths):
    """Drop files on a page as a user does; returns whether it takes them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    actions, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(at, actions, data, left, none)
    entering.ignore()
    QApplication.sendEvent(page, entering)
    if entering.isAccepted():
        QApplication.sendEvent(page, QDropEvent(QPointF(at), actions, data, left, none))
    return entering.isAccepted()


def test_tables_that_are_dropped_are_compared(qtbot, tmp_path, frame, pose):
    for name, by in (("one.csv", (0, 0)), ("two.csv", (3, 4))):
        write(tmp_path / name, recording(frame, lambda index, by=by: [moved(pose(), by)]))
    page = ComparePage()
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()

    assert drop(page, QPoint(5, 5), tmp_path / "one.csv", tmp_path / "two.csv")
    qtbot.waitUntil(lambda: page._compared is not None, timeout=20_000)

    assert page.head.name("A").endswith("one.csv")
    assert page.pictures.title("A") == f"A  {tmp_path.name}/one.csv"
    assert page._compared.comparison.distance_px[0] == pytest.approx(5)
    assert page.stop() == ()


def test_a_table_belongs_to_the_side_on_which_it_falls_and_else_fills_the_empty_one(qtbot, tmp_path, frame, pose):
    for name in ("one.csv", "two.csv"):
        write(tmp_path / name, recording(frame, lambda index: [pose()]))
    page = ComparePage()
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    qtbot.waitExposed(page)
    on_b = page.pictures.canvases["B"].mapTo(page, QPoint(20, 20))

    drop(page, on_b, tmp_path / "one.csv")
    assert page._tables == {"A": None, "B": tmp_path / "one.csv"}
    drop(page, QPoint(5, 5), tmp_path / "two.csv")
    assert page._tables == {"A": tmp_path / "two.csv", "B": tmp_path / "one.csv"}
    qtbot.waitUntil(lambda: page._compared is not None, timeout=20_000)
    assert page.stop() == ()


def test_what_else_is_dropped_is_a_recording_or_the_video_or_told(tmp_path):
    recorded = tmp_path / "2026-11-22 One"
    recorded.mkdir()
    (recorded / "keypoints.csv").touch()
    pictures = tmp_path / "shots"
    pictures.mkdir()
    table = tmp_path / "walk.CSV"
    table.touch()

    assert sort_dropped([recorded, pictures], None).a == recorded / "keypoints.csv"
    assert sort_dropped([recorded, pictures], None).source == pictures
    assert sort_dropped([table], None, has=("A",)).b == table
    assert sort_dropped([table], None, has=("A", "B")).b == table
    assert sort_dropped([table], "A", has=("A", "B")).a == table
    assert sort_dropped([tmp_path / "walk.mp4"], "A").source == tmp_path / "walk.mp4"
    told = sort_dropped([table, table, recorded, pictures], None)
    assert (told.a, told.b, told.source) == (table, table, pictures)
    assert told.problem.message == "Not used: keypoints.csv"
    assert not told.problem.is_error
