from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from sadinet.atomic import AtomicBytes, AtomicText, commit, make_folder, output_error, partial_path, write_bytes
from sadinet.errors import OutputError


def test_bytes_replace_the_old_file_whole(tmp_path):
    target = tmp_path / "läuft 🏃.bin"
    write_bytes(target, b"first")
    write_bytes(target, b"2nd")
    assert target.read_bytes() == b"2nd"
    assert list(tmp_path.iterdir()) == [target]


def test_text_appears_at_the_end_of_its_block(tmp_path):
    target = tmp_path / "a.txt"
    with AtomicText(target) as text:
        text.write("ü\n")
        assert not target.exists()
    assert target.read_bytes() == b"\xc3\xbc\n"


def test_an_error_leaves_nothing(tmp_path):
    def fail():
        with AtomicText(tmp_path / "a.txt") as text:
            text.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def test_bytes_that_come_in_pieces_appear_at_the_end_of_their_block(tmp_path):
    target = tmp_path / "a.bin"
    with AtomicBytes(target) as file:
        assert file.write(b"one, ") == 5
        file.write(memoryview(b"two"))
        file.flush()
        assert not target.exists()
    assert target.read_bytes() == b"one, two"
    assert list(tmp_path.iterdir()) == [target]


class FullDisk(AtomicBytes):
    def _open(self, partial):
        class Stream:
            def write(self, data):
                raise OSError(errno.ENOSPC, "No space left on device")

            def close(self):
                pass

        return Stream()


@pytest.mark.parametrize("made_of_it", [RuntimeError("unexpected pos 640 vs 534"), None], ids=["an error", "nothing"])
def test_a_refused_write_is_told_whatever_a_library_makes_of_it(tmp_path, made_of_it):
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def library(file):
        try:
            file.write(b"new")
        except OutputError:
            if made_of_it is not None:
                raise made_of_it from None

    with pytest.raises(OutputError, match=r"cannot write .*a\.bin: no space left on device"), FullDisk(target) as file:
        library(file)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_target_that_became_a_folder_is_told(tmp_path):
    target = tmp_path / "a.txt"
    partial_path(target).write_bytes(b"whole")
    target.mkdir()
    (target / "inside").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot write"):
        commit(target)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOENT, errno.EIO])
def test_each_reason_has_a_remedy(number):
    told = output_error(Path("out/a.csv"), OSError(number, "whatever"))
    assert told.remedy
    assert str(told).startswith("cannot write out/a.csv: ")
    assert "\n" not in str(told)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_syncs_no_folders_takes_files_all_the_same(tmp_path, monkeypatch, number):
    whole = os.fsync

    def refuse(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        whole(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot make folder .*below: not a directory"):
        make_folder(tmp_path / "file" / "below")
