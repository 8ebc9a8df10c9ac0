"""The packaged program's libraries, some of which are stand-ins, compute and read what the ordinary ones do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ALGEBRA = """
import numpy as np

made = np.random.default_rng(0)
worst = 0.0
for kind in (np.float32, np.float64, np.complex64, np.complex128):
    step = np.finfo(kind).eps
    def noise(*shape):
        values = made.normal(size=shape)
        return (values + 1j * made.normal(size=shape) if np.dtype(kind).kind == "c" else values).astype(kind)
    def off(found, wanted):
        global worst
        worst = max(worst, float(np.abs(found - wanted).max() / step))
    many, tall, one = noise(3, 12, 12), noise(20, 6), np.eye(12, dtype=kind)
    off(many @ np.linalg.inv(many), one)
    off(many @ np.linalg.solve(many, many[::-1]), many[::-1])
    values, vectors = np.linalg.eig(many)
    off(many @ vectors, vectors * values[:, None])
    bent = many @ many.conj().swapaxes(1, 2) + one
    values, vectors = np.linalg.eigh(bent)
    off(bent @ vectors, vectors * values[:, None])
    lower = np.linalg.cholesky(bent)
    off(lower @ lower.conj().swapaxes(1, 2), bent)
    off(np.linalg.det(many[0]) / np.prod(np.linalg.eigvals(many[0])), 1)
    left, sizes, right = np.linalg.svd(tall, full_matrices=False)
    off(left * sizes @ right, tall)
    square, rest = np.linalg.qr(tall)
    off(square @ rest, tall)
    answer, _, rank, _ = np.linalg.lstsq(tall, tall @ np.ones(6, kind), rcond=None)
    off(answer, 1)
    assert rank == 6, rank
    twice = np.hstack([tall, tall])
    assert np.linalg.matrix_rank(twice) == 6
    assert np.linalg.lstsq(twice, twice[:, 0], rcond=None)[2] == 6
    off(np.vdot(tall, tall), (tall.conj() * tall).sum())
    off(tall @ tall[0], (tall * tall[0]).sum(axis=1))
    off(tall.T @ tall, (tall[:, :, None] * tall[:, None]).sum(axis=0))
try:
    np.linalg.inv(np.zeros((3, 3)))
    print("inverted nothing")
except np.linalg.LinAlgError:
    print("worst", worst < 5000)
import cv2
swapped = cv2.solve(np.array([[0.0, 2.0], [4.0, 0.0]]), np.array([[2.0], [4.0]]), flags=cv2.DECOMP_SVD)
print(swapped[1].ravel().round(9).tolist())
"""

READ = """
import sys
import zlib
from pathlib import Path
from sadinet.media.source import open_source
for name in sys.argv[1:]:
    with open_source(Path(name)) as source:
        print([(round(frame.time_s, 4), zlib.crc32(frame.image.tobytes())) for frame in source])
"""

WRITE = """
import sys
import av
import numpy as np
folder = sys.argv[1]
for codec, kind in (("libx265", "mp4"), ("libsvtav1", "mkv"), ("libvpx-vp9", "webm"), ("mpeg4", "avi")):
    with av.open(f"{folder}/{codec}.{kind}", "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
        for i in range(8):
            image = np.full((128, 192, 3), 20 * i, np.uint8)
            image[20 + 5 * i : 60 + 5 * i, 40:90] = (200, 90, 30)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        file.mux(stream.encode())
"""

CAMERAS = """
import cv2
from sadinet.media.camera_list import list_cameras
print([cv2.videoio_registry.getBackendName(each) for each in cv2.videoio_registry.getCameraBackends()])
print(cv2.VideoCapture(97, cv2.CAP_V4L2).isOpened(), type(list_cameras()).__name__)
"""


def _in_bundle(bundle: Path, code: str, *arguments: object) -> str:
    return _told([bundle / "sadinet", "-c", code, *arguments])


def _told(command: list[object]) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_linear_algebra_is_right(bundle):
    assert _in_bundle(bundle, ALGEBRA).splitlines() == ["worst True", "[1.0, 1.0]"]


def test_videos_that_it_cannot_write_are_read_as_from_source(bundle, tmp_path):
    _told([sys.executable, "-c", WRITE, tmp_path])
    files = sorted(tmp_path.iterdir())
    assert len(files) == 4
    read = _in_bundle(bundle, READ, *files)
    assert read == _told([sys.executable, "-c", READ, *files])
    assert read.count("(") == 4 * 8


@pytest.mark.skipif(sys.platform != "linux", reason="Video4Linux")
def test_cameras_are_opened_without_opencvs_ffmpeg(bundle):
    backends, opened = _in_bundle(bundle, CAMERAS).splitlines()
    assert "'V4L2'" in backends
    assert opened.startswith("False ")
