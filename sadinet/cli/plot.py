"""Draw a table of joints: one person's paths, joints and angles over time, confidence and flags."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from sadinet.errors import InputError, OutputError

HELP = "a table of joints as a picture"
EPILOG = """\
The paths are those of the smoothed joints where the table has them. Bands are plus and minus one standard deviation.
Joints are named with their side (left_knee) or without (knee, for both)."""

SUFFIXES = (".png", ".svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="table of joints: CSV or Parquet")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="picture, .png or .svg (default: NAME.plot.png)")
    parser.add_argument("--person", type=int, metavar="ID", help="whose (default: the one with the most frames)")
    parser.add_argument("--joints", type=_names, metavar="A,B", help="joints (default: wrist,knee,ankle)")
    parser.add_argument("--angles", action="store_true", help="also draw the table's angles")
    parser.add_argument("--from", dest="start_s", type=_seconds, metavar="S", help="first time, seconds")
    parser.add_argument("--to", dest="end_s", type=_seconds, metavar="S", help="last time, seconds")


def main(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    out = _target(options)
    from sadinet.batch.charts import PlotOptions, plot_figure
    from sadinet.media.chart_png import write_png
    from sadinet.media.chart_svg import write_svg
    from sadinet.tables.read import read_recording

    recording = read_recording(options.table)
    figure = plot_figure(
        recording,
        PlotOptions(
            person=options.person,
            joints=options.joints or (),
            has_angles=options.angles,
            start_s=options.start_s,
            end_s=options.end_s,
            title=options.table.name,
        ),
    )
    write = write_svg if out.suffix.lower() == ".svg" else write_png
    write(out, figure)
    print(out)
    return 0


def _target(options: argparse.Namespace) -> Path:
    """Return the file to write; raises `OutputError` for another kind than we draw, or the table itself."""
    # A table of a picture lies beside NAME.png, which must not be replaced.
    out: Path = options.out or options.table.with_suffix(".plot.png")
    if out.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{out} is neither .png nor .svg", "give the picture one of these endings")
    if options.start_s is not None and options.end_s is not None and options.end_s < options.start_s:
        raise InputError(f"--to {options.end_s:g} is before --from {options.start_s:g}", "exchange them")
    return out


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("no joint is named")
    return names


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value
