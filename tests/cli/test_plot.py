"""`sadinet plot`: a table as a picture."""

from __future__ import annotations

import argparse
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest

from sadinet.cli import plot
from sadinet.errors import InputError, OutputError, SourceError
from sadinet.tables.csv_writer import CsvWriter
from sadinet.tables.writer import TableInfo

walk = runpy.run_path(str(Path(__file__).parents[1] / "batch" / "walk.py"))["walk"]


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    plot.add_arguments(parser)
    return plot.main(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "walk 走る.csv"
    recording = walk(120)
    with CsvWriter(path, TableInfo(recording.skeleton, extra=tuple(recording.extra))) as writer:
        writer.write(recording)
    return path


def test_a_table_becomes_a_picture_beside_it(table, capsys):
    assert run(table) == 0
    out = table.with_name("walk 走る.plot.png")
    assert capsys.readouterr().out == f"{out}\n"
    image = cv2.imdecode(np.fromfile(out, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[1] == 2000
    assert len(set(map(tuple, image[::7, ::7].reshape(-1, 3).tolist()))) > 20


def test_options_choose_what_is_drawn(table, tmp_path):
    out = tmp_path / "a.svg"
    assert run(table, "-o", out, "--person", 2, "--joints", "left_knee, nose", "--angles", "--from", 1, "--to", 3) == 0
    words = [element.text for element in ET.parse(out).getroot().iter("{http://www.w3.org/2000/svg}text")]
    assert words[0] == "walk 走る.csv"
    assert words[1].startswith("Person 2 of 2 people in the table; 51 frames, 1.00 s to 3.00 s")
    assert {"knee x, pixels", "nose y, pixels", "knee angle, degrees", "trunk lean angle, degrees"} <= set(words)
    assert "ankle x, pixels" not in words


def test_a_picture_of_the_same_name_is_left_alone(table):
    picture = table.with_suffix(".png")
    picture.write_bytes(b"a picture")
    run(table)
    assert picture.read_bytes() == b"a picture"


def test_what_cannot_be_drawn_is_told(table, tmp_path):
    for arguments, error, words in (
        ((table, "-o", tmp_path / "a.pdf"), OutputError, ".png nor .svg"),
        ((table, "--person", 9), InputError, "no person 9"),
        ((table, "--joints", "tail"), InputError, "'tail'"),
        ((table, "--from", 50), InputError, "no frame from 50 s"),
        ((table, "--from", 3, "--to", 1), InputError, "before"),
        ((tmp_path / "none.csv",), SourceError, "no such file"),
        ((Path(__file__),), SourceError, "not a table"),
    ):
        with pytest.raises(error, match=words):
            run(*arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [("--from", "soon"), ("--to", "nan"), ("--joints", ","), ("--person", "x")])
def test_wrong_values_are_wrong_use(table, wrong, capsys):
    with pytest.raises(SystemExit):
        run(table, *wrong)
    assert wrong[0] in capsys.readouterr().err


def test_help_needs_nothing_heavy():
    code = (
        "import sys, sadinet.cli.plot\n"
        "heavy = {'numpy', 'cv2', 'rich', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
