"""The package's face: which names it exports, and that importing it costs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata

import pytest

import sadinet

HEAVY = ("torch", "cv2", "scipy", "av", "onnxruntime", "PyQt6", "rich")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_exported_names():
    assert sorted(sadinet.__all__) == [
        "Box", "DeviceError", "Frame", "FrameResult", "InputError", "OutputError", "Pipeline", "Pose", "PoseEstimator",
        "SadinetError", "Skeleton", "SourceError", "WeightsError", "__version__",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [n for n in sadinet.__all__ if n != "__version__"])
def test_each_exported_name_is_a_class_of_that_name(name):
    value = getattr(sadinet, name)
    assert isinstance(value, type)
    assert value.__name__ == name
    assert name in dir(sadinet)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Poses'"):
        sadinet.Poses  # noqa: B018


def test_errors_form_one_tree():
    for name in ("DeviceError", "InputError", "OutputError", "SourceError", "WeightsError"):
        assert issubclass(getattr(sadinet, name), sadinet.SadinetError)
    assert issubclass(sadinet.InputError, ValueError)


def test_error_says_what_to_do():
    assert str(sadinet.WeightsError("no model 'x'", "one of: s, m")) == "no model 'x' (one of: s, m)"
    assert str(sadinet.WeightsError("no model 'x'")) == "no model 'x'"


@pytest.mark.parametrize(
    "statement",
    [
        "import sadinet",
        "from sadinet import Box, Frame, FrameResult, Pose, Skeleton, SadinetError",
        "import sadinet.dark",
    ],
)
def test_import_is_cheap(statement):
    loaded = run(f"import sys; {statement}; print(*(m for m in {HEAVY!r} if m in sys.modules))")
    assert loaded == ""


def test_version_agrees_with_the_installed_package():
    try:
        assert metadata.version("sadinet") == sadinet.__version__
    except metadata.PackageNotFoundError:
        pytest.skip("runs from the checkout, not installed")


def test_onnx_runtime_is_told_to_send_nothing_before_it_is_loaded(tmp_path):
    """With its telemetry on it leaves an identifier of this computer in the user's folder, and looks for its maker."""
    names = ("HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= dict.fromkeys(names, str(tmp_path))
    code = "import sadinet; sadinet.PoseEstimator(device='cpu')"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=300)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
