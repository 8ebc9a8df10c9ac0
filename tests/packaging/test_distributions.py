"""Wheel and source distribution: installed from the file, with the models inside.

The environment is a fresh one that borrows this one's libraries, so that nothing but our own package is installed.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
BIN = "Scripts" if sys.platform == "win32" else "bin"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def distributions(tmp_path_factory) -> Path:
    """A folder with the source distribution of the checkout, and the wheel that is made from it."""
    pytest.importorskip("build", reason="makes the distributions; it comes with the extra test")
    folder = tmp_path_factory.mktemp("distributions")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(TOP)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_the_source_distribution_has_what_a_build_and_the_tests_need(distributions):
    with tarfile.open(_only(distributions, "*.tar.gz")) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    wanted = {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "weights/sadinet-s.onnx",
        "weights/sadinet-s.md",
        "weights/sadinet-t.onnx",
    }
    wanted |= {"sadinet/_demo/walk.mp4", "tests/conftest.py", "scripts/build_app.py", "scripts/bundle/sadinet.spec"}
    assert wanted <= names
    assert not [name for name in names if name.startswith(("runs/", "dist/", ".git/")) or "__pycache__" in name]


def test_the_wheel_has_models_cards_and_clip_and_nothing_else_of_the_checkout(distributions):
    with zipfile.ZipFile(_only(distributions, "*.whl")) as wheel:
        names = set(wheel.namelist())
    models = {
        path.name for path in (TOP / "weights").iterdir() if path.suffix in (".onnx", ".json", ".md", ".safetensors")
    }
    assert {f"sadinet/_weights/{name}" for name in models} <= names
    assert "sadinet/_demo/walk.mp4" in names
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"sadinet", "app"}


def test_it_runs_from_a_fresh_environment(distributions, tmp_path):
    folder = tmp_path / "env"
    venv.create(folder, with_pip=False)
    python = folder / BIN / ("python.exe" if sys.platform == "win32" else "python")
    inside = Path(
        subprocess.check_output(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
        ).strip()
    )
    # Libraries come from here, after its own packages; ours is installed from the file.
    (inside / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    wheel = _only(distributions, "*.whl")
    install = [sys.executable, "-m", "pip", f"--python={python}", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*install, "--force-reinstall", str(wheel)], check=True, timeout=300)
    where = subprocess.check_output(
        [python, "-c", "import sadinet.weights as w; print(w.shipped_folder())"], cwd=tmp_path, text=True
    )
    assert Path(where.strip()) == inside / "sadinet" / "_weights"
    done = subprocess.run(
        [folder / BIN / "sadinet", "demo", "-o", "out", "--device", "cpu"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "walk.csv").stat().st_size > 10_000
