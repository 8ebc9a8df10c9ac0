"""The page of all commands and their options, written from the parsers themselves."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from pathlib import Path

from app.__main__ import _parser as app_parser
from sadinet.cli.main import make_parser

HEAD = """\
# Commands and options

Written by `python scripts/make_docs.py` from the parsers themselves. `sadinet COMMAND --help` says the same.
"""
SCRIPTS_HEAD = """\
## Scripts

They lie in `scripts/` of the source, not in the package; `python scripts/NAME.py --help` tells the options of each.

| script | what it does |
|---|---|"""


def commands_page(scripts: Path) -> str:
    """Return the page in Markdown; `scripts` is the folder whose scripts are listed."""
    parts = [HEAD]
    for name, parser in _subparsers(make_parser()).items():
        parts += [f"## sadinet {name}\n", *_described(parser)]
    parts += ["## sadinet-app\n", *_described(app_parser()), SCRIPTS_HEAD]
    parts += [f"| `{path.name}` | {summary} |" for path, summary in _scripts(scripts)]
    return "\n".join(parts) + "\n"


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise ValueError("the parser has no subcommands")


def _described(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"{(parser.description or '').strip()}\n"
    yield f"```text\n{_usage(parser)}\n```\n"
    for group in parser._action_groups:
        actions = [each for each in group._group_actions if not isinstance(each, argparse._HelpAction)]
        if not actions:
            continue
        title = {"positional arguments": "arguments"}.get(group.title or "", group.title)
        yield f"| {title} | |\n|---|---|"
        for action in actions:
            yield f"| {_names(action)} | {_cell(_help(action))} |"
        yield ""
    if parser.epilog:
        yield f"```text\n{parser.epilog.strip()}\n```\n"


def _usage(parser: argparse.ArgumentParser) -> str:
    # argparse's own line differs from one Python to the next.
    words = [parser.prog, "[OPTIONS]"] if any(each.option_strings for each in parser._actions) else [parser.prog]
    for action in parser._actions:
        value = _value(action)
        if action.option_strings and action.required:
            words.append(f"{action.option_strings[0]} {value}")
        elif not action.option_strings:
            words.append({"?": f"[{value}]", "+": f"{value} ..."}.get(str(action.nargs), value))
    return " ".join(words)


def _names(action: argparse.Action) -> str:
    value = _value(action)
    if not action.option_strings:
        return f"`{value}`"
    names = ", ".join(action.option_strings)
    return f"`{names} {value}`".replace("|", "\\|") if value else f"`{names}`"


def _value(action: argparse.Action) -> str:
    """Return how a value is called, empty for a switch."""
    if action.nargs == 0:
        return ""
    if action.metavar is not None:
        return str(action.metavar)
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper() if action.option_strings else action.dest


def _help(action: argparse.Action) -> str:
    return (action.help or "") % {**vars(action), "prog": ""} if "%(" in (action.help or "") else (action.help or "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _scripts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield scripts that can be started, with the first line of what they say of themselves."""
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if '\nif __name__ == "__main__":' in text:
            said = ast.get_docstring(ast.parse(text)) or ""
            yield path, _cell(said.split("\n\n")[0].replace("\n", " "))
