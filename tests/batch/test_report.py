"""The report of a run: terminal, JSON and page."""

from __future__ import annotations

import io
import json
import math
import re

import pytest
from rich.console import Console

from sadinet.batch.report import BatchReport, InputReport, State, report_json, write_report
from sadinet.batch.report_html import write_index
from sadinet.batch.report_text import report_lines, report_table, summary

ODD = 'a<b>&"c" [red]\n\x1b\udcff.mp4'


def report(*inputs, **more):
    facts = {
        "started": "2026-01-02T08:00:00+01:00",
        "ended": "2026-01-02T08:01:00+01:00",
        "seconds": 60.0,
        "weights": "sadinet-s",
        "engine": "onnx",
        "device": "CPU",
        "precision": "fp32",
        "version": "1.0",
    }
    return BatchReport(inputs, **{**facts, **more})


@pytest.fixture
def four():
    return report(
        InputReport("a.mp4", State.DONE, frames=600, people=1, seconds=20, fps=30.0, outputs=("a.csv",), page="a.html"),
        InputReport(
            ODD, State.IN_PART, frames=300, people=2, seconds=10, fps=30.0, outputs=(ODD,), problems=("lost 3",)
        ),
        InputReport("c.mp4", State.FAILED, "c.mp4 is no video", "export it again"),
        InputReport("d.mp4", State.KEPT, frames=9000, people=1, outputs=("d.csv",)),
    )


def test_totals(four):
    assert four.frames == 9900
    assert four.fps == 15.0  # those kept cost nothing
    assert four.counts == {State.DONE: 1, State.IN_PART: 1, State.FAILED: 1, State.KEPT: 1}
    assert summary(four) == "4 inputs: 1 done, 1 in part, 1 failed, 1 kept; 9900 frames in 1:00, 15.0 fps, onnx on CPU"
    stopped = summary(report(is_interrupted=True, seconds=0.0))
    assert stopped == "interrupted; 0 inputs: nothing to do; 0 frames in 0:00, onnx on CPU"


def test_plain_lines_are_one_each(four):
    lines = report_lines(four)
    odd = 'a<b>&"c" [red] \\x1b\\udcff.mp4'
    assert lines == [
        "a.mp4: done: frames 600, people 1, 30.0 fps, 0:20 -> a.csv",
        f"{odd}: in part: frames 300, people 2, 30.0 fps, 0:10 -> {odd}",
        f"{odd}: lost 3",
        "c.mp4: failed: c.mp4 is no video (export it again)",
        "d.mp4: kept: frames 9000, people 1 -> d.csv",
        summary(four),
    ]


def test_the_table_shows_names_as_they_are_and_every_failure(four):
    stream = io.StringIO()
    Console(file=stream, width=140, force_terminal=True, color_system=None).print(report_table(four))
    shown = stream.getvalue()
    assert "[red] \\x1b\\udcff" in shown
    assert re.search(r"c\.mp4 +failed +c\.mp4 is no video \(export it again\)", shown)
    assert re.search(r"a\.mp4 +done +600 +1 +30\.0 +0:20 +a\.csv", shown)
    assert "lost 3" in shown
    assert shown.rstrip().endswith(summary(four))


def test_json_is_read_back(tmp_path, four):
    path = tmp_path / "report.json"
    write_report(path, four)
    values = json.loads(path.read_bytes())
    assert values["inputs"][1]["name"] == ODD
    assert values["inputs"][2]["remedy"] == "export it again"
    assert [each["state"] for each in values["inputs"]] == ["done", "in part", "failed", "kept"]
    assert values["totals"] == {
        "inputs": 4, "frames": 9900, "fps": 15.0, "done": 1, "in part": 1, "failed": 1, "kept": 1,
    }  # fmt: skip
    assert (values["schema"], values["device"], values["started"]) == (1, "CPU", "2026-01-02T08:00:00+01:00")
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_json_has_no_nan():
    text = report_json(report(InputReport("a", State.DONE, fps=math.nan)))
    assert json.loads(text, parse_constant=pytest.fail)["inputs"][0]["fps"] is None


def test_the_index_leads_to_the_pages(tmp_path, four):
    write_index(tmp_path / "index.html", four)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert '<a href="./a.html">a.mp4</a>' in text
    assert '<a href="./a%3Cb%3E%26%22c%22%20%5Bred%5D%0A%1B%FF.mp4">' in text
    assert "c.mp4 is no video<br>export it again" in text
    assert "failed: nothing was written" in text
    assert "2026-01-02T08:01:00+01:00" in text
    assert "<b>&" not in text
    assert "<script" not in text
