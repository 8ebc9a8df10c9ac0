"""What is in the packaged program, and what must not be."""

from __future__ import annotations

import re
import sys

import pytest

# Bytes of all files; linked ones count once. What is promised.
LARGEST_BYTES = 330e6
UNWANTED = re.compile(
    r"(^|/)cv2/qt/|libQt5|Qt5Core|opencv_videoio_ffmpeg|(^|/)torch/|Qt6WebEngine|libQt6(Quick|Qml|Network|Multimedia|Pdf)"
    r"|/tests/|\.(pyi|pxd|h|hpp|pyx|safetensors)$|libonnxruntime\.so|_internal/lib(glib-2\.0|X11|stdc\+\+|mvec)\.so"
)


@pytest.fixture(scope="module")
def files(bundle):
    """All files, by path in the bundle."""
    return {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*")}


def test_programs_models_clip_and_texts_are_there(files):
    suffix = ".exe" if sys.platform == "win32" else ""
    inside = "_internal/sadinet"
    wanted = {f"sadinet{suffix}", f"sadinet-app{suffix}", "LICENSE", "README.md", "CHANGELOG.md", "THIRD-PARTY.md"}
    models = ("sadinet-s.onnx", "sadinet-s.md", "sadinet-t.onnx", "sadinet-t.md", "person-yolo11n.onnx")
    wanted |= {f"{inside}/_weights/{name}" for name in models}
    wanted |= {f"{inside}/_demo/walk.mp4", f"{inside}/_demo/NOTICE.md"}
    if sys.platform == "linux":
        wanted |= {"install.sh", "share/sadinet.desktop", "share/icons/hicolor/256x256/apps/sadinet.png"}
    assert wanted <= set(files)


def test_what_nobody_uses_is_left_out(files):
    assert [name for name in files if UNWANTED.search(name)] == []


def test_no_link_leads_nowhere_or_outside(files, bundle):
    for name, path in files.items():
        if path.is_symlink():
            assert path.exists(), name
            assert path.resolve().is_relative_to(bundle.resolve()), name


def test_ffmpeg_is_there_once(files):
    copies = [name for name, path in files.items() if "/libavcodec" in name and not path.is_symlink()]
    assert len(copies) <= 1, copies


def test_every_part_has_its_licence(files, bundle):
    rows = (bundle / "THIRD-PARTY.md").read_text("utf-8").splitlines()
    folders = {row.rpartition("licences/")[2].strip(" |") for row in rows if "| licences/" in row}
    assert folders == {name.split("/")[1] for name in files if name.startswith("licences/")}
    for folder in folders:
        texts = [path for path in (bundle / "licences" / folder).iterdir() if path.stat().st_size > 100]
        assert texts, folder
    for name in ("FFmpeg", "x264", "Python", "PyQt6", "PyQt6-Qt6", "numpy", "scipy", "onnxruntime", "pyqtgraph"):
        assert name in folders
    names = {path.name for path in (bundle / "licences" / "onnxruntime").iterdir()}
    assert "ThirdPartyNotices.txt" in names


@pytest.mark.skipif(sys.platform != "linux", reason="what is there twice is taken out on Linux only")
def test_it_is_not_larger_than_it_may_be(files):
    if any("onnxruntime_providers_cuda" in name for name in files):
        pytest.skip("with CUDA it is as large as CUDA is")
    sizes = {}
    for path in files.values():
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            sizes[status.st_dev, status.st_ino] = status.st_size
    assert sum(sizes.values()) < LARGEST_BYTES
