"""`sadinet`: subcommands, and what every one of them does about errors.

Nothing heavy is imported before a subcommand needs it, so that `sadinet --help` answers at once.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from sadinet._version import __version__
from sadinet.cli import demo, doctor, info, inspect, plot, run
from sadinet.errors import SadinetError

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

_log = logging.getLogger(__name__)
_COMMANDS = {"run": run, "inspect": inspect, "plot": plot, "demo": demo, "info": info, "doctor": doctor}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="sadinet",
        description="Human pose estimation with a calibrated uncertainty for every joint.",
        epilog="sadinet COMMAND --help tells more.",
    )
    parser.add_argument("--version", action="version", version=f"sadinet {__version__}")
    parser.add_argument("--debug", action="store_true", help="log what happens, with tracebacks")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in _COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=command.HELP,
            description=command.__doc__,
            epilog=command.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(command=command.main)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code.

    Raises:
        SystemExit: with 2 for wrong use, 0 after --help and --version, as argparse does.
    """
    _never_fail_on_names()
    try:
        options = make_parser().parse_args(argv)
        if options.debug:
            logging.basicConfig(level=logging.DEBUG)
        code: int = options.command(options)
        sys.stdout.flush()
        return code
    except SadinetError as error:
        _log.debug("gave up", exc_info=True)
        return _failed(str(error))
    except KeyboardInterrupt:
        _failed("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not complain about that at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except ImportError as error:
        if (error.name or "").startswith("sadinet"):
            raise
        _log.debug("a library does not load", exc_info=True)
        return _failed(f"a library does not load: {error} (sadinet doctor says what to install)")


def _failed(message: str) -> int:
    print("sadinet:", " ".join(message.split()), file=sys.stderr)
    return FAILED


def _never_fail_on_names() -> None:
    # File names need not be valid Unicode, and not every terminal knows every letter.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
