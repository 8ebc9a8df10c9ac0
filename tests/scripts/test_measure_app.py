from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*options, timeout_s=400):
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "QT_QPA_PLATFORM")}
    command = [sys.executable, "scripts/measure_app.py", *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )


@pytest.mark.slow
def test_the_program_is_measured_in_its_window(tmp_path):
    path = tmp_path / "figures.json"
    platform = [] if shutil.which("Xvfb") else ["--platform", "offscreen"]
    done = run("--minutes", "0.1", "--people", "2", "--json", str(path), *platform)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert figures["result"] == "measured"
    assert figures["first_skeleton_s"] > figures["window_s"] > 0
    for name in ("shown_fps", "source_fps", "latency_median_ms", "heartbeat_p999_ms", "paint_ms", "memory_start_mb"):
        assert figures[name] > 0
    assert figures["latency_p95_ms"] >= figures["latency_median_ms"]
    assert figures["threads_start"] > 1
    assert figures["timers_start"] >= 1
    assert figures["memory_growth_mb_per_hour"] is None
    assert figures["threads_not_ended"] == []
    for name in figures:
        assert any(line.startswith(name) for line in done.stdout.splitlines())


@pytest.mark.slow
def test_a_program_that_finds_nobody_is_told(tmp_path):
    done = run("--minutes", "0.05", "--weights", "none-such", "--platform", "offscreen")
    assert done.returncode == 1
    assert "nobody was found" in done.stdout
    assert "none-such" in done.stdout


def test_the_slope_of_memory_is_that_of_the_settled_run():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import measure_app
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    # 100 MB in the first two minutes, then 36 MB an hour with noise.
    samples = [(t, 200 + min(t, 120) / 1.2 + max(0, t - 120) / 100 + (t % 3) / 10) for t in range(600)]
    found = measure_app.of_memory(samples)
    assert found["memory_growth_mb_per_hour"] == pytest.approx(36, abs=2)
    assert found["memory_start_mb"] == 200
    assert found["memory_2_minutes_mb"] == pytest.approx(300, abs=0.5)
    assert measure_app.of_memory(samples[:130])["memory_growth_mb_per_hour"] is None
