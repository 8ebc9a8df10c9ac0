"""The measurement of the live pipeline, run for real for a few seconds on the bundled clip."""

from __future__ import annotations

import csv
import importlib
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("measure_live")


def test_a_short_run_tells_latency_drops_and_memory(script, clip, tmp_path, capsys):
    rows_path, picture_path = tmp_path / "live.csv", tmp_path / "live.png"
    arguments = ["--minutes", "0.1", "--device", "cpu", "--csv", str(rows_path), "--png", str(picture_path)]
    assert script.main([str(clip), *arguments]) == 0
    with rows_path.open(encoding="utf-8", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert len(rows) >= 2
    assert all(0 <= row["wait_ms"] < row["result_ms"] < row["latency_ms"] for row in rows)
    assert all(later["time_s"] > row["time_s"] for row, later in pairwise(rows))
    # Written in milliseconds, so that a moment after six seconds may read as six.
    assert 6 <= rows[-1]["time_s"] < 30
    assert rows[-1]["rss_mb"] > 50
    assert max(row["people"] for row in rows) >= 1
    printed = capsys.readouterr().out
    assert f"{len(rows)} shown, {rows[-1]['dropped']:.0f} dropped" in printed
    assert "not told of less than 2 minutes" in printed
    picture = cv2.imread(str(picture_path))
    assert picture.shape[1] == 1800


def test_growth_finds_a_slow_rise_among_noise_and_ignores_the_beginning(script):
    rng = np.random.default_rng(5)
    times = np.arange(0, 600, 0.1)
    latency = 40 + 0.01 * times + rng.exponential(15, len(times))
    latency[times < 20] += 2000
    samples = [script.Sample(t, ms, ms, ms, 1, 0, 3, 300.0) for t, ms in zip(times, latency, strict=True)]
    assert script.growth(samples, "latency_ms") == pytest.approx(0.01, abs=0.002)
    assert script.growth(samples, "rss_mb") == 0


def test_a_video_that_is_not_there_is_told_in_one_line(script, tmp_path, capsys):
    assert script.main([str(tmp_path / "none.mp4"), "--minutes", "0.1", "--device", "cpu"]) == 1
    assert capsys.readouterr().err.startswith("measure_live: no such file")
