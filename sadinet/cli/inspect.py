"""Tell what a video claims, what it holds, and what would be done with it; nothing is written."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sadinet.cli.progress import clock, print_facts
from sadinet.errors import SourceError

if TYPE_CHECKING:
    from sadinet.media.inspection import Inspection, Timing

HELP = "what a video claims, holds, and what would be done with it"
EPILOG = """\
Packets are counted and their times read without decoding; --decode takes longer and tells what is lost.
Exit code 0 if every video can be read, else 1."""

_TOLD_GAPS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments."""
    parser.add_argument("videos", nargs="+", metavar="VIDEO", help="video files")
    parser.add_argument("--decode", action="store_true", help="decode everything and count what is lost")
    parser.add_argument("--fps", type=_rate, metavar="N", help="frames a second that a run reaches, to tell its time")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each video")


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from sadinet.media.inspection import CHUNK_FRAMES, inspect_video, to_dict

    failed = False
    for place, name in enumerate(options.videos):
        try:
            inspection = inspect_video(name, is_decoded=options.decode)
        except SourceError as error:
            failed = True
            print("sadinet:", " ".join(str(error).split()), file=sys.stderr, flush=True)
            if options.json:
                print(json.dumps({"path": name, "error": str(error)}), flush=True)
            continue
        if options.json:
            facts = to_dict(inspection, CHUNK_FRAMES)
            facts["would"]["seconds"] = None if options.fps is None else inspection.frames / options.fps
            print(json.dumps(facts, allow_nan=False), flush=True)
        else:
            print(("\n" if place else "") + name)
            _print(inspection, CHUNK_FRAMES, options.fps)
    return int(failed)


def _print(inspection: Inspection, chunk_frames: int, fps: float | None) -> None:
    for title, facts in (
        ("claims", _claims(inspection)),
        ("holds", _holds(inspection)),
        ("would give", _plan(inspection, chunk_frames, fps)),
    ):
        print(f"  {title}")
        print_facts(facts, indent=4)
    if inspection.warnings:
        print("  note")
        for line in inspection.warnings:
            print(f"    {line}")


def _claims(inspection: Inspection) -> Iterator[tuple[str, str]]:
    info = inspection.info
    yield "container", f"{info.container}, {info.file_bytes / 1e6:.1f} MB"
    yield "codec", info.codec
    yield "duration", "not told" if info.duration_s is None else f"{info.duration_s:.3f} s"
    yield "rate", "not told" if info.rate_hz is None else f"{info.rate_hz:.3f} frames a second on average"
    yield "frames", "not told" if info.frames is None else str(info.frames)


def _holds(inspection: Inspection) -> Iterator[tuple[str, str]]:
    info, pixels, packets = inspection.info, inspection.pixels, inspection.packets
    width, height = info.size_wh
    turned = f", stored turned by {info.rotation_deg} degrees" if info.rotation_deg else ""
    yield "picture", f"{width}x{height}{turned}{', mirrored' if info.is_mirrored else ''}"
    scan = "interlaced" if pixels.is_interlaced else "progressive"
    yield "pixels", f"{pixels.format}, {pixels.bit_depth} bits, {scan}, aspect {info.pixel_aspect:.3g}"
    extra = [
        f"{count} {words}"
        for count, words in ((packets.discarded, "not to be shown"), (packets.hidden, "hidden"))
        if count
    ]
    yield "packets", f"{packets.packets}" + (f" ({', '.join(extra)})" if extra else "")
    yield "frames", f"{packets.frames} with a time, {packets.key_frames} of them key frames"
    yield from _times(inspection.timing)
    yield "sound", "; ".join(inspection.sound) or "none"
    if inspection.decoded is not None:
        defects = inspection.decoded.defects
        lost = f"{defects.skipped} lost, {defects.damaged} damaged, {defects.timeless} without a time that rises"
        yield "decoded", f"{inspection.decoded.frames} frames; {lost}"


def _times(timing: Timing) -> Iterator[tuple[str, str]]:
    if timing.usual_hz is None:
        yield "rate", "unknown: fewer than two times"
        return
    kind = "variable" if timing.is_variable else "constant"
    yield "rate", f"{timing.usual_hz:.3f} frames a second, {kind} ({timing.slowest_hz:.3f} to {timing.fastest_hz:.3f})"
    yield "first frame", f"at {timing.first_s:.3f} s of the container's time"
    gaps = [f"{length_s:.2f} s after {start_s:.2f} s" for start_s, length_s in timing.gaps[:_TOLD_GAPS]]
    more = len(timing.gaps) - len(gaps)
    yield "gaps", (", ".join(gaps) + (f" and {more} more" if more else "")) or "none"


def _plan(inspection: Inspection, chunk_frames: int, fps: float | None) -> Iterator[tuple[str, str]]:
    frames, chunks = inspection.frames, inspection.chunks(chunk_frames)
    yield "frames", f"{frames} in " + ("1 chunk" if chunks == 1 else f"{chunks} chunks of {chunk_frames}")
    if inspection.timing.usual_hz is not None:
        yield "times", f"0.000000 to {inspection.timing.last_s:.6f} s"
    how = "in its chunks, by any number of processes" if not inspection.packets.oddities else "from its start"
    yield "reading", how
    if fps is not None:
        yield "time", f"about {clock(frames / fps)} at {fps:g} frames a second"


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value
