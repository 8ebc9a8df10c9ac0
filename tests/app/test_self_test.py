from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_program_tries_itself_and_prints_one_line_of_figures(tmp_path):
    path = tmp_path / "figures.json"
    command = [sys.executable, "-m", "app", "--self-test", "--seconds", "2", "--json", str(path)]
    run = _run(command, tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    (line,) = run.stdout.splitlines()
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert line.startswith("self-test: ")
    assert figures["result"] == "passed"
    assert figures["analysed_frames"] == 106
    assert figures["recorded_frames"] >= 10
    assert figures["exported_bytes"] > 50_000
    for name in ("window_s", "first_skeleton_s", "shown_fps", "latency_median_ms", "heartbeat_p999_ms", "paint_ms"):
        assert figures[name] > 0
        assert f"{name} {figures[name]}" in line
    assert not list((tmp_path / "tmp").glob("sadinet*")), "the self-test left files behind"
    assert not list((tmp_path / "user").rglob("sadinet*")), "the self-test touched what is the user's"
    assert not list(tmp_path.rglob("*onnxruntime*")), "the runtime prepared to send what it sees to its maker"


@pytest.mark.slow
def test_a_self_test_that_cannot_find_its_model_fails_at_once_and_says_at_which_step_and_why(tmp_path):
    run = _run([sys.executable, "-m", "app", "--self-test", "--weights", "none-such"], tmp_path)
    assert run.returncode == 1
    assert re.search(r"first skeleton: .*none-such", run.stdout)


def _run(command, folder):
    """Run a command in which nothing of the user's is touched."""
    places = {f"XDG_{name}_HOME": str(folder / "user" / name) for name in ("CONFIG", "CACHE", "DATA", "STATE")}
    (folder / "tmp").mkdir()
    own = {**places, "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8", "TMPDIR": str(folder / "tmp")}
    environment = {**os.environ, **own}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500, check=False)
