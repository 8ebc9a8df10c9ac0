"""Charts: round numbers, layout, and that SVG and PNG show the same."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sadinet.errors import InputError, OutputError
from sadinet.media.chart import DARK, LIGHT, Band, Chart, Figure, Marks, Series
from sadinet.media.chart_layout import lay_out
from sadinet.media.chart_png import picture, write_png
from sadinet.media.chart_scene import Area, Dot, Mark, Stroke, Words
from sadinet.media.chart_svg import escaped, svg, write_svg
from sadinet.media.chart_ticks import clock, padded, ticks

SVG = "{http://www.w3.org/2000/svg}"
NAN = math.nan


def array(*values):
    return np.array(values, dtype=np.float64)


def line(*y, **more):
    return Series("", np.arange(len(y), dtype=np.float64), array(*y), **more)


def items(figure, kind):
    return [item for item in lay_out(figure).items if isinstance(item, kind)]


def figure(*charts, **more):
    return Figure(tuple((chart,) for chart in charts), **more)


def bgr(tone, tones=LIGHT):
    red, green, blue = bytes.fromhex(tones[tone][1:])
    return blue, green, red


@given(
    low=st.floats(-1e5, 1e5),
    span=st.floats(1e-3, 1e5),
    at_most=st.integers(2, 12),
    kind=st.sampled_from(["time", "number"]),
)
def test_ticks_are_round_inside_and_not_too_many(low, span, at_most, kind):
    found = ticks(low, low + span, at_most, kind)
    values = [value for value, _ in found]
    assert len(found) <= at_most
    assert all(low - 1e-6 * span <= value <= low + span + 1e-6 * span for value in values)
    steps = [b - a for a, b in pairwise(values)]
    assert np.allclose(steps, steps[0], rtol=1e-6) if steps else True
    assert len({label for _, label in found}) == len(found)


def test_ticks_of_times_are_clock_times():
    assert ticks(0, 1, 3) == ((0.0, "0.0"), (0.5, "0.5"), (1.0, "1.0"))
    assert [label for _, label in ticks(0, 130, 5, "time")] == ["0:00", "0:30", "1:00", "1:30", "2:00"]
    assert [label for _, label in ticks(0, 4 * 3600, 5, "time")] == ["0:00", "1:00:00", "2:00:00", "3:00:00", "4:00:00"]
    assert [label for _, label in ticks(-5, 5, 3)] == ["−5", "0", "5"]
    assert [label for _, label in ticks(100.0, 100.4, 4, "time")] == ["1:40.0", "1:40.2", "1:40.4"]
    assert ticks(3, 3, 5) == ((3, "3"),)
    assert ticks(NAN, 3, 5) == ticks(5, 3, 5) == ()


def test_clock_and_padding():
    assert [clock(value) for value in (0, 59.6, 61, 3725)] == ["0:00", "1:00", "1:01", "1:02:05"]
    assert clock(59.999, 2) == "1:00.00"
    assert clock(-1.5, 1) == "−0:01.5"
    assert padded(2, 2)[0] < 2 < padded(2, 2)[1]
    assert padded(0, 10, 0.1) == (-1, 11)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(InputError):
        Series("a", array(1, 2), array(1))
    with pytest.raises(InputError):
        Band(array(1, 2), array(1, 2), array(1), "left")
    with pytest.raises(InputError):
        Marks("a", array(1), array(2), notes=("one", "two"))


def test_a_line_breaks_at_nan_and_a_lone_point_is_a_dot():
    chart = Chart("", (line(1, 2, NAN, 3, NAN, 4, 5, 6, tone="left"),))
    strokes = [item for item in items(figure(chart), Stroke) if item.tone == "left"]
    assert [len(stroke.points) for stroke in strokes] == [2, 3]
    (dot,) = items(figure(chart), Dot)
    assert strokes[0].points[-1, 0] < dot.x < strokes[1].points[0, 0]


def test_steps_stay_level_until_the_next_point():
    chart = Chart("", (line(1, 3, 2, tone="left", shape="steps"),))
    (stroke,) = (item for item in items(figure(chart), Stroke) if item.tone == "left")
    x, y = stroke.points.T
    assert len(x) == 5
    assert y[0] == y[1]
    assert x[1] == x[2]
    assert y[2] == y[3]


def test_y_grows_upwards_and_downwards_on_request():
    def heights(**more):
        chart = Chart("", (line(1, 2, tone="left"),), **more)
        (stroke,) = (item for item in items(figure(chart), Stroke) if item.tone == "left")
        return stroke.points[:, 1]

    up, down = heights(), heights(is_y_down=True)
    assert up[0] > up[1]
    assert down[0] < down[1]


def test_equal_axes_have_one_scale():
    square = Series("", array(0, 10, 10, 0), array(0, 0, 10, 10), "left")
    (stroke,) = (
        item for item in items(figure(Chart("", (square,), is_equal=True, height=300.0)), Stroke) if item.tone == "left"
    )
    extent = np.ptp(stroke.points, axis=0)
    assert extent[0] == pytest.approx(extent[1])


def test_wild_bands_do_not_flatten_the_line_and_stay_in_the_plot():
    x = np.arange(3.0)
    band = Band(x, array(0, -1e6, 0), array(3, 1e6, 3), "left")
    scene = figure(Chart("", (line(1, 2, 1, tone="left"),), (band,), height=100.0))
    (stroke,) = (item for item in items(scene, Stroke) if item.tone == "left")
    assert np.ptp(stroke.points[:, 1]) > 60
    (area,) = items(scene, Area)
    assert area.points[:, 1].min() >= 0
    assert np.ptp(area.points[:, 1]) <= 100.0


def test_plots_below_each_other_share_their_axis():
    charts = Chart("", (line(0, 1, tone="left"),)), Chart("", (line(0, 123456, tone="right"),))
    firsts = {item.points[0, 0] for item in items(figure(*charts), Stroke) if item.tone in ("left", "right")}
    assert len(firsts) == 1


def test_short_marks_are_wide_enough_to_be_hit_and_stay_inside():
    lane = Marks("jump", array(0, 50, 100), array(0, 60, 100), notes=("a", "b", "c"), links=("#1", "#2", "#3"))
    scene = figure(Chart("Flags", lanes=(lane,), x_range=(0, 100)))
    marks = items(scene, Mark)
    assert [(mark.note, mark.link) for mark in marks] == [("a", "#1"), ("b", "#2"), ("c", "#3")]
    assert all(mark.width >= 3 for mark in marks)
    assert marks[1].width > 80
    assert all(mark.left + mark.width <= scene.width for mark in marks)


def test_empty_charts_are_drawn():
    for chart in (Chart("nothing"), Chart("", (line(NAN, NAN),)), Chart("", (line(),))):
        assert "<svg" in svg(figure(chart))
        assert picture(figure(chart)).size
    assert picture(Figure(())).size


def test_svg_is_xml_with_everything_escaped():
    name = 'a<b>&"c"\x00\x1b\udcff 走る'
    lane = Marks(name, array(1), array(2), notes=(name,), links=("#x&y",))
    text = svg(figure(Chart(name, (line(1, 2),), lanes=(lane,), x_label=name), title=name, description=name))
    text.encode("utf-8")
    root = ET.fromstring(text)
    words = [element.text for element in root.iter(f"{SVG}text")]
    shown = 'a<b>&"c"\\x00\\x1b\\udcff 走る'
    assert words.count(shown) == 4
    assert root.find(f".//{SVG}a").get("href") == "#x&y"
    assert root.find(f".//{SVG}title").text == shown
    assert (root.get("aria-label"), root.get("role")) == (shown, "group")
    assert "role" in ET.fromstring(svg(figure(Chart("", (line(1, 2),))))).attrib


@given(st.text("ab<>&\"'; \n\t\r\x00\x1b\x7f\x85\xa0\udc80\ud83d\ufffe\uffff走é"))
def test_any_text_can_be_escaped(text):
    element = ET.fromstring(f'<a b="{escaped(text)}">{escaped(text)}</a>')
    if text.isprintable():
        assert element.text in (text, None)
        assert element.get("b") == text


def test_tones_exist_in_light_and_dark_and_can_be_told_from_paper():
    assert LIGHT.keys() == DARK.keys()
    for tones in (LIGHT, DARK):
        for tone in ("ink", "muted"):
            assert contrast(tones[tone], tones["paper"]) >= 4.5, tone
        for tone in ("left", "right", "middle", "score", "people", "flag"):
            assert contrast(tones[tone], tones["paper"]) >= 3, tone


def contrast(a, b):
    """Contrast ratio of WCAG 2."""

    def luminance(colour):
        channels = np.frombuffer(bytes.fromhex(colour[1:]), np.uint8) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_picture_has_the_line_where_the_scene_has_it():
    scene = figure(Chart("", (line(0, 5, 10, tone="left", width=3.0),), height=200.0))
    image = picture(scene, 2.0)
    (stroke,) = (item for item in items(scene, Stroke) if item.tone == "left")
    for start, end in pairwise(stroke.points):
        x, y = np.rint((start + end) - 0.5).astype(int)  # the middle, at two pixels for one
        assert image[y, x].tolist() == pytest.approx(bgr("left"), abs=6)
    assert image[2, 2].tolist() == [255, 255, 255]


def test_bands_are_blended_and_marks_filled():
    x = array(0, 1)
    lane = Marks("f", array(0.2), array(0.8))
    scene = figure(
        Chart("", (line(0, 10),), (Band(x, array(4, 4), array(9, 9), "right"),), lanes=(lane,), height=100.0)
    )
    image = picture(scene, 1.0)
    (area,), (mark,) = items(scene, Area), items(scene, Mark)
    x, y = area.points.mean(axis=0)
    blended = np.array(bgr("right")) * 0.2 + 255 * 0.8
    found = image[int(y) - 8 : int(y) + 8, int(x) + 90 : int(x) + 110].reshape(-1, 3)
    assert np.abs(found - blended).max(axis=1).min() <= 2
    assert image[int(mark.top + 5), int(mark.left + 5)].tolist() == list(bgr("flag"))


def test_words_end_where_they_are_to_end():
    scene = figure(Chart("", (line(0, 1000),), height=100.0))
    label = next(item for item in items(scene, Words) if item.anchor == "end" and item.text == "1000")
    image = picture(scene, 2.0)
    rows = slice(int(2 * (label.y - label.size)), int(2 * label.y))
    ink = np.flatnonzero((image[rows, : int(2 * label.x) + 6] < 160).any(axis=(0, 2)))
    assert 2 * label.x - 5 <= ink.max() <= 2 * label.x + 2


def test_files_are_written_whole_and_equal_figures_are_equal_bytes(tmp_path):
    chart = figure(Chart("Knee", (line(1, 3, 2, tone="left"),)), title="走る", width=400.0)
    for name, write in (("a.png", write_png), ("a.svg", write_svg)):
        write(tmp_path / name, chart)
        first = (tmp_path / name).read_bytes()
        write(tmp_path / name, chart)
        assert (tmp_path / name).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg"]
    assert cv2.imread(str(tmp_path / "a.png")).shape[1] == 800
    root = ET.parse(tmp_path / "a.svg").getroot()
    assert root.get("width") == "400"
    assert root.find(f"{SVG}rect").get("fill") == LIGHT["paper"]
    with pytest.raises(OutputError):
        write_png(tmp_path / "none" / "a.png", chart)
