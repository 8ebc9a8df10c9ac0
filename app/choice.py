"""What the user wants to see: a camera, a stream, a file, pictures, or the demo clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class SourceKind(Enum):
    """What frames come from."""

    DEMO = "demo"
    CAMERA = "camera"
    STREAM = "stream"
    FILE = "file"
    PICTURES = "pictures"

    @property
    def is_live(self) -> bool:
        """Whether frames come by themselves and are gone if nobody takes them."""
        return self in (SourceKind.DEMO, SourceKind.CAMERA, SourceKind.STREAM)


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """What the user wants to see.

    Attributes:
        kind: see there.
        where: path, address, or a camera's identity, name or number; empty for the demo clip.
        label: what to call it on the screen; without passwords.
        size_wh: width and height to ask a camera for, None for its own.
        rate_hz: rate to ask a camera for, None for its own.
    """

    kind: SourceKind
    where: str = ""
    label: str = ""
    size_wh: tuple[int, int] | None = None
    rate_hz: float | None = None

    @property
    def name(self) -> str:
        """What to call it on the screen."""
        return self.label or (Path(self.where).name or self.where if self.where else "Demo clip")


DEMO = SourceChoice(SourceKind.DEMO, label="Demo clip")

_PICTURES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".webp", ".bmp"})


def choice_of(text: str, schemes: Sequence[str]) -> SourceChoice:
    """Return what a text stands for: "demo", "camera", "camera:NAME", a number, an address, a file or a folder.

    Args:
        text: as on the command line, or dropped on the window.
        schemes: beginnings of addresses that are streams.
    """
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() in schemes:
        place, slash, path = rest.partition("/")
        user, at, host = place.rpartition("@")
        shown = f"{scheme}://{user.partition(':')[0]}{at}{host}{slash}{path}"
        return SourceChoice(SourceKind.STREAM, text, shown)
    if text == "demo":
        return DEMO
    if text.isdecimal():
        return SourceChoice(SourceKind.CAMERA, text, f"Camera {text}")
    if text == "camera" or text.startswith("camera:"):
        where = text.partition(":")[2] or "0"
        return SourceChoice(SourceKind.CAMERA, where, f"Camera {where}" if where.isdecimal() else where)
    is_pictures = Path(text).is_dir() or Path(text).suffix.lower() in _PICTURES
    return SourceChoice(SourceKind.PICTURES if is_pictures else SourceKind.FILE, text)
