"""The page of a video: what it tells, that it needs nothing else, and that it stays small."""

from __future__ import annotations

import base64
import re
import runpy
import tracemalloc
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from sadinet.batch.contents import MEANINGS
from sadinet.batch.page import Shot, shot_positions
from sadinet.batch.page_builder import PERSONS_KEPT, PERSONS_SHOWN, SPANS_SHOWN, PageBuilder
from sadinet.batch.page_charts import overview
from sadinet.batch.page_html import link_to, write_page
from sadinet.errors import OutputError
from sadinet.media.video import AFTER_SKIPPED, DAMAGED, NO_TIME
from sadinet.motion.quality import FLAGS
from sadinet.people.scene import CUT
from sadinet.people.tracker import REFOUND, UNCERTAIN
from sadinet.recording import record
from sadinet.skeletons import BODY19

walk = runpy.run_path(str(Path(__file__).with_name("walk.py")))["walk"]

NAME = 'walk <b>&"x"\udcff.mp4'
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Html(HTMLParser):
    """Reads a page; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def values(self, tag, attribute):
        return [attributes[attribute] for name, attributes in self.tags if name == tag and attribute in attributes]


def built(*windows, title="walk", facts=None, **more):
    builder = PageBuilder()
    for window in windows:
        builder.add(window)
    return builder.finish(title, facts or {}, **more)


def html(tmp_path, page):
    write_page(tmp_path / "page.html", page)
    return (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page():
    image = np.zeros((720, 1280, 3), np.uint8)
    image[:, :640] = (40, 160, 220)
    shots = [Shot(image, index, index / 25, 2) for index in shot_positions(200, 4)]
    return built(
        walk(),
        title=NAME,
        facts={"source": NAME, "device": "CPU <1>"},
        shots=shots,
        meanings={"jump": "a joint moves <far>"},
        skipped_frames=3,
        problems=[f"{NAME}: 3 frames could not be read"],
        video="out/walk <b> 100%.mp4",
    )


def test_it_tells_what_it_was_given(tmp_path, page):
    text = html(tmp_path, page)
    found = Html(text)
    words = " ".join(found.words)
    shown = 'walk <b>&"x"\\udcff.mp4'
    assert found.words.count(shown) == 3  # title, head line, source
    for told in ("CPU <1>", "a joint moves <far>", f"{shown}: 3 frames could not be read", "whole frame", "190"):
        assert told in words, told
    assert "<b>&" not in text
    assert dict(found.tags)["html"] == {"lang": "en"}


def test_it_needs_nothing_else(tmp_path, page):
    found = Html(html(tmp_path, page))
    tags = {tag for tag, _ in found.tags}
    assert not tags & {"script", "link", "iframe", "object", "base", "video", "audio", "source"}
    assert all(value.startswith("data:image/jpeg;base64,") for value in found.values("img", "src"))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"@import|url\(", text)


def test_every_mark_leads_to_its_line_and_every_line_into_the_video(tmp_path, page):
    found = Html(html(tmp_path, page))
    ids = {value for _, attributes in found.tags if (value := attributes.get("id"))}
    links = found.values("a", "href")
    inner = [link[1:] for link in links if link.startswith("#")]
    assert len(ids) == len(inner) == 4
    assert set(inner) == ids
    assert [link for link in links if not link.startswith("#")] == [
        f"./out/walk%20%3Cb%3E%20100%25.mp4#t={at}" for at in ("1.00", "0.20", "3.00", "3.00")
    ]
    assert "jump: 0:01.20 to 0:01.36, frames 30 to 34, person 1" in found.values("a", "aria-label")


def test_pictures_are_small_and_have_words(tmp_path, page):
    found = Html(html(tmp_path, page))
    images = found.values("img", "src")
    assert len(images) == 4
    data = np.frombuffer(base64.b64decode(images[0].partition(",")[2]), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert max(decoded.shape) <= 440
    assert np.abs(decoded[100, 50].astype(int) - (40, 160, 220)).max() < 8
    assert found.values("img", "alt")[0] == "Picture at frame 25, 0:01.00, 2 people, skeletons drawn"
    assert all(found.values("svg", "aria-label"))


def test_equal_input_gives_equal_bytes_however_it_is_cut(tmp_path):
    whole = walk(3000, (1, 2, 7))
    parts = [whole.part(first, first + 271) for first in range(0, whole.frames, 271)]
    assert html(tmp_path, built(whole)) == html(tmp_path, built(*parts))


def test_numbers_are_those_of_the_recording():
    recording = walk(400, (1, 2))
    page = built(recording)
    assert (page.frames, page.people, page.flagged_frames) == (400, 2, 7)
    assert [(flag.word, flag.frames) for flag in page.flags] == [("damaged", 1), ("jump", 6), ("left_right", 1)]
    assert [(span.first, span.last) for span in page.flags[1].spans] == [(30, 34), (100, 100)]
    first, second = page.persons
    assert (first.person, first.frames, first.first, first.last_s) == (1, 390, 0, 399 / 25)
    assert (second.person, second.frames, second.first_s) == (2, 380, 20 / 25)
    rows = recording.rows_of_track(1)
    assert first.score == pytest.approx(recording.row_scores[rows].mean(), abs=1e-5)
    knee = next(angle for angle in first.angles if angle.name == "left_knee")
    assert np.allclose(knee.mean[recording.row_frame[rows]], recording.extra["angle_left_knee"][rows], atol=1e-5)
    assert np.isnan(knee.mean[60:70]).all()
    sigma = (knee.sigma_high - knee.sigma_low)[recording.row_frame[rows]] / 2
    assert np.allclose(sigma, recording.extra["angle_left_knee_sigma"][rows])
    people = np.bincount(recording.row_frame, minlength=400)
    assert np.array_equal(page.course.people_high, people)
    assert np.allclose(page.course.x, recording.time_s)


def test_long_videos_keep_their_extremes():
    recording = walk(9000, (1,))
    scores = recording.scores.copy()
    scores[5000] = 0.02
    page = built(replace(recording, scores=scores))
    place = np.nanargmin(page.course.score_low)
    at_s = recording.row_times_s[5000]
    assert page.course.score_low[place] == pytest.approx(0.02)
    assert page.course.x[place] <= at_s < page.course.x[place + 1]
    angle = page.persons[0].angles[0]
    assert len(angle.x) <= 512
    assert np.nanmax(angle.high) == recording.extra["angle_" + angle.name].max()


def test_many_flags_stay_readable(tmp_path):
    recording = walk(40_000, (1,))
    flags = tuple(("jump",) if row % 7 == 0 else () for row in range(recording.rows))
    page = built(replace(recording, flags=flags))
    spans = sum(len(flag.spans) for flag in page.flags)
    assert 50 < spans <= SPANS_SHOWN
    jump = page.flags[1]
    assert jump.frames == sum(map(bool, flags)) == sum(span.frames for span in jump.spans)
    assert len(html(tmp_path, page)) < 400_000


def test_many_people_leave_those_with_the_most_frames():
    builder = PageBuilder()
    for chunk in range(40):
        people = (1, 100 + chunk) if chunk >= 5 else (1,)
        builder.add(walk(60, people, first=60 * chunk))
    page = builder.finish("crowd", {})
    assert page.people == 36
    assert page.persons[0].person == 1
    assert page.persons[0].frames == 40 * 60
    assert len(page.persons) == PERSONS_SHOWN < PERSONS_KEPT


@pytest.mark.slow
def test_memory_does_not_grow_with_the_video(tmp_path):
    builder = PageBuilder()
    window = walk(600, (1, 2))
    window_rows = window.index.copy()
    sizes = []
    tracemalloc.start()
    try:
        for chunk in range(600):
            shifted = replace(window, index=window_rows + 600 * chunk, time_s=window.time_s + 24.0 * chunk)
            builder.add(shifted)
            if chunk in (30, 599):
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[1] - sizes[0] < 300_000
    assert sizes[1] < 8_000_000
    page = builder.finish("four hours", {})
    assert page.frames == 360_000
    assert len(html(tmp_path, page)) < 1_500_000


def test_pictures_without_times_and_videos_without_people(tmp_path):
    pictures = built(walk(40, has_times=False))
    assert (pictures.course.kind, pictures.course.end) == ("number", 39.0)
    assert "frame 39<" in html(tmp_path, pictures)
    nobody = built(walk(40, ()))
    assert nobody.persons == ()
    assert "No frame has a flag" in html(tmp_path, nobody)
    empty = built(record([], BODY19))
    assert empty.frames == 0
    assert "No frame, so nothing" in overview(empty).description
    Html(html(tmp_path, empty))
    Html(html(tmp_path, PageBuilder().finish("never begun", {})))


def test_without_angles_there_are_no_angle_charts(tmp_path):
    text = html(tmp_path, built(replace(walk(), extra={})))
    assert "Angles of person" not in text
    assert "mean confidence" in text


def test_shots_are_spread_over_the_video():
    assert shot_positions(1200, 12) == list(range(50, 1200, 100))
    assert shot_positions(3, 12) == [0, 1, 2]
    assert shot_positions(0) == []


def test_addresses_of_odd_names():
    assert link_to("a b/c#?.mp4") == "./a%20b/c%23%3F.mp4"
    assert link_to("é\udcff.mp4") == "./%C3%A9%FF.mp4"
    assert link_to("javascript:x") == "./javascript%3Ax"


def test_a_folder_that_is_missing_is_told(tmp_path, page):
    with pytest.raises(OutputError):
        write_page(tmp_path / "none" / "page.html", page)


def test_every_flag_of_a_table_has_its_meaning_on_the_page_and_in_the_docs():
    words = {*FLAGS, AFTER_SKIPPED, DAMAGED, NO_TIME, CUT, UNCERTAIN, REFOUND}
    assert set(MEANINGS) == words
    text = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")
    assert [word for word in sorted(words) if f"| `{word}` |" not in text] == []
