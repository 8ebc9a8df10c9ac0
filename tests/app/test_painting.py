from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter

from app.heat import heat_picture, paint_heat
from app.painting import LEFT, MIDLINE, PEOPLE, RIGHT, RIM, paint_people, side_colour
from app.pixels import picture_of
from app.placing import View, place
from app.trails import TRAIL_S, Trails
from app.view_options import ViewOptions
from sadinet.geometry import Box, crop_matrix, crop_to_heatmap, transform
from sadinet.media import draw
from sadinet.results import FrameResult, Pose
from sadinet.skeletons import BODY19

pytestmark = pytest.mark.usefixtures("qapp")  # writing needs its fonts

NOTHING = ViewOptions(skeleton=False, joints=False, ids=False)
SIZE_WH = (320, 240)
ONE_TO_ONE = View(SIZE_WH, 1.0, 0.0, 0.0)


def painted(poses, options, view=ONE_TO_ONE, ratio=1, **more):
    """Return what is painted on black, (h, w, 3) RGB."""
    image = QImage(SIZE_WH[0] * ratio, SIZE_WH[1] * ratio, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    paint_people(painter, poses, view, options, **more)
    painter.end()
    return pixels(image)


def pixels(image):
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width(), 2::-1].copy()


def rgb(colour):
    return np.array([colour.red(), colour.green(), colour.blue()])


@pytest.mark.parametrize(
    ("ours", "theirs"), [(LEFT, draw.LEFT), (RIGHT, draw.RIGHT), (MIDLINE, draw.MIDLINE), (RIM, draw.RIM)]
)
def test_a_screen_has_the_colours_of_a_recorded_overlay(ours, theirs):
    assert tuple(rgb(ours)) == theirs[::-1]


def test_sides_are_the_persons_own_and_the_midline_has_none():
    assert side_colour("left_hip", "left_knee") == LEFT
    assert side_colour("right_hip", "neck") == RIGHT
    assert side_colour("left_hip", "right_hip") == MIDLINE
    assert side_colour("nose") == MIDLINE


def test_no_person_has_the_colour_of_a_side():
    for person in PEOPLE:
        assert all(np.abs(rgb(person) - rgb(side)).max() > 60 for side in (LEFT, RIGHT))


@given(
    scale=st.floats(0.05, 40),
    left=st.floats(-500, 500),
    top=st.floats(-500, 500),
    mirror=st.booleans(),
    point=st.tuples(st.floats(-50, 400), st.floats(-50, 400)),
)
def test_from_the_frame_to_the_screen_and_back_is_the_same_place(scale, left, top, mirror, point):
    view = View(SIZE_WH, scale, left, top, mirror)

    there = view.points(np.array(point))

    assert view.frame_point(*there.tolist()) == pytest.approx(point, abs=1e-6)


def test_a_mirror_exchanges_the_ends_of_a_row_by_the_rule_of_flips():
    plain, mirrored = View(SIZE_WH, 2.0, 0.0, 0.0), View(SIZE_WH, 2.0, 0.0, 0.0, mirror=True)

    assert (
        mirrored.points(np.array([10.0, 7.0])).tolist() == plain.points(np.array([SIZE_WH[0] - 1 - 10.0, 7.0])).tolist()
    )


def test_a_joint_is_painted_at_the_middle_of_its_pixel(pose):
    one = pose()
    scores = np.zeros(len(BODY19), np.float32)
    scores[BODY19.index("nose")] = 1
    view = View(SIZE_WH, 4.0, -500.0, -100.0)
    image = painted([replace(one, scores=scores)], replace(NOTHING, joints=True), view)

    covered = np.argwhere(image.sum(axis=2) > 0)
    middle = covered.mean(axis=0)[::-1] + 0.5  # edges, not centres, of the screen's pixels
    assert middle == pytest.approx((one.joints[BODY19.index("nose")] + 0.5) * 4 - (500, 100), abs=0.6)


def test_limbs_have_the_colour_of_their_side_along_their_length(pose):
    one = pose()
    image = painted([one], replace(NOTHING, skeleton=True))

    for side, colour in (("left", LEFT), ("right", RIGHT)):
        ends = one.joints[[BODY19.index(f"{side}_hip"), BODY19.index(f"{side}_knee")]]
        x, y = ends.mean(axis=0).round().astype(int)
        assert np.abs(image[y, x].astype(int) - rgb(colour)).max() < 40


def test_a_joint_that_scores_too_low_is_left_out_with_its_limbs(pose):
    one = pose()
    wrist = BODY19.index("left_wrist")
    low = one.scores.copy()
    low[wrist] = 0.29
    x, y = one.joints[wrist].round().astype(int)
    patch = np.s_[y - 1 : y + 2, x - 1 : x + 2]

    assert painted([one], ViewOptions())[patch].any()
    assert not painted([replace(one, scores=low)], ViewOptions())[patch].any()
    assert painted([replace(one, scores=low)], ViewOptions(threshold=0.2))[patch].any()


def test_joints_that_are_not_known_or_out_of_all_bounds_harm_nothing(pose):
    one = pose()
    joints = one.joints.copy()
    joints[0] = np.nan
    joints[1] = (1e9, -1e9)
    strange = replace(one, joints=joints, box=Box(float("nan"), 0, 10, 10), sigmas=np.full((19, 2), np.inf, np.float32))

    image = painted([strange], ViewOptions(names=True, boxes=True, ellipses=True))

    assert image.any()


def test_nobody_means_nothing_is_painted():
    assert not painted([], ViewOptions(names=True, boxes=True, ellipses=True, trails=True)).any()


def test_an_ellipse_reaches_as_far_as_one_standard_deviation(pose):
    one = pose()
    sigmas = np.full((len(BODY19), 2), np.nan, np.float32)
    sigmas[BODY19.index("nose")] = (40.0, 12.0)
    image = painted([replace(one, sigmas=sigmas)], replace(NOTHING, ellipses=True))

    rows, columns = np.nonzero(image.sum(axis=2))
    assert np.ptp(columns) == pytest.approx(80, abs=3)
    assert np.ptp(rows) == pytest.approx(24, abs=3)


def test_a_box_is_painted_around_its_edges(pose):
    one = replace(pose(), box=Box(20.0, 30.0, 100.0, 80.0))
    rows, columns = np.nonzero(painted([one], replace(NOTHING, boxes=True)).sum(axis=2))

    assert (columns.min(), columns.max()) == pytest.approx((20, 120), abs=2)
    assert (rows.min(), rows.max()) == pytest.approx((30, 110), abs=2)


def test_on_a_fine_screen_lines_are_fine_and_not_enlarged_pixels(pose):
    def soft_share(image):
        strong = image.max(axis=2)
        return ((strong > 30) & (strong < 200)).sum() / (strong > 30).sum()

    options = replace(NOTHING, skeleton=True)

    assert soft_share(painted([pose()], options, ratio=3)) < 0.75 * soft_share(painted([pose()], options))


def test_labels_of_people_who_stand_close_do_not_cover_each_other(pose):
    both = [pose(1, (150, 130)), pose(2, (165, 130))]
    apart = [painted([each], replace(NOTHING, ids=True)).any(axis=2).sum() for each in both]

    together = painted(both, replace(NOTHING, ids=True)).any(axis=2).sum()

    assert together == pytest.approx(sum(apart), rel=0.02)


def test_who_is_out_of_the_part_that_is_seen_has_no_label(pose):
    room = QRectF(0, 0, 60, 60)

    assert not painted([pose()], replace(NOTHING, ids=True), room=room).any()


def test_names_are_written_beside_the_joints_that_are_shown(pose):
    one = pose()
    scores = np.zeros_like(one.scores)
    scores[BODY19.index("left_hip")] = 1

    rows, columns = np.nonzero(painted([replace(one, scores=scores)], replace(NOTHING, names=True)).sum(axis=2))

    x, y = one.joints[BODY19.index("left_hip")]
    assert columns.min() > x
    assert abs(rows.mean() - y) < 4


def walk(pose, frame, seconds, rate_hz=30.0):
    for index in range(round(seconds * rate_hz)):
        yield FrameResult(frame(index), (pose(1, (20.0 + index, 120.0)),))


def test_a_trail_holds_two_seconds_and_no_more(pose, frame):
    trails = Trails()
    for result in walk(pose, frame, 5):
        trails.add(result)

    (trail,) = trails.current()
    assert trail.track_id == 1
    assert np.ptp(trail.times_s) == pytest.approx(TRAIL_S, abs=0.05)
    assert np.all(np.diff(trail.points[:, 0]) > 0)


def test_a_trail_fades_towards_its_beginning(pose, frame):
    trails = Trails()
    for result in walk(pose, frame, 2.0):
        trails.add(result)
    image = painted([], replace(NOTHING, trails=True), trails=trails.current()).max(axis=2)

    lit = np.nonzero(image.any(axis=0))[0]
    brightness = image[:, lit].max(axis=0)
    assert brightness[:5].mean() < 0.5 * brightness[-5:].mean()


@pytest.mark.parametrize("what", ["seek", "cut", "other source", "long gap"])
def test_a_trail_ends_where_time_or_place_leaps(pose, frame, what):
    trails = Trails()
    for result in walk(pose, frame, 1):
        trails.add(result)
    after = {
        "seek": frame(3),
        "cut": replace(frame(30), flags=("cut",)),
        "other source": replace(frame(30), source="another"),
        "long gap": frame(300),
    }[what]

    trails.add(FrameResult(after, (pose(),)))

    assert trails.current() == ()


def test_pictures_without_a_time_leave_no_trail(pose, frame):
    trails = Trails()
    for index in range(5):
        trails.add(FrameResult(replace(frame(index), time_s=float("nan")), (pose(),)))

    assert trails.current() == ()


@pytest.mark.parametrize("mirror", [False, True])
def test_a_heatmap_lies_over_the_joint_that_it_is_of(pose, mirror):
    target = np.array([190.0, 90.0])
    matrix = crop_matrix(Box(100, 20, 150, 200), (256, 256))
    to_cells = np.column_stack([matrix[:, :2] / 4, crop_to_heatmap(matrix[:, 2], 4)])
    x, y = transform(target, to_cells)
    columns, rows = np.meshgrid(np.arange(64), np.arange(64))
    heat = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    view = View(SIZE_WH, 1.0, 0.0, 0.0, mirror)
    image = QImage(*SIZE_WH, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    paint_heat(painter, heat_picture(heat), to_cells, view)
    painter.end()

    weights = pixels(image).astype(float).sum(axis=2) ** 2
    down, across = np.mgrid[: SIZE_WH[1], : SIZE_WH[0]]
    found = np.array([(weights * across).sum(), (weights * down).sum()]) / weights.sum() + 0.5
    assert found == pytest.approx(view.points(target), abs=0.6)


def test_a_heatmap_that_sees_nothing_covers_nothing():
    assert heat_picture(np.zeros((64, 48))).pixelColor(10, 10).alpha() == 0
    assert heat_picture(np.full((64, 48), 0.05)).pixelColor(10, 10).alpha() == 0
    assert heat_picture(np.full((64, 48), np.nan)).pixelColor(10, 10).alpha() == 0


def test_pictures_keep_their_colours_and_own_their_memory():
    array = np.zeros((5, 7, 3), np.uint8)
    array[2, 3] = (10, 20, 30)  # blue, green, red
    image = picture_of(array[:, ::1])
    array[:] = 255

    colour = image.pixelColor(3, 2)
    assert (colour.red(), colour.green(), colour.blue()) == (30, 20, 10)
    assert image.pixelColor(0, 0) == QColor("black")


def test_a_part_of_a_larger_array_is_shown_as_it_is():
    array = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    part = picture_of(array[1:5:2, 2:7:3])

    assert (part.width(), part.height()) == (2, 2)
    assert part.pixelColor(1, 1).blue() == array[3, 5, 0]


def test_a_person_far_away_has_finer_strokes_than_one_in_front(pose):
    far, near = (place(pose(height=height), ONE_TO_ONE, 0.3) for height in (80, 230))

    assert far.stroke < near.stroke


def test_poses_of_one_joint_can_be_placed():
    one = np.zeros((1, 2), np.float32)
    skeleton = replace(BODY19, name="one", joints=("nose",), limbs=(), oks_sigmas=(0.1,))
    only = Pose(one, np.ones(1, np.float32), one, Box(0, 0, 10, 10), skeleton)

    assert place(only, ONE_TO_ONE, 0.3).height == 0
