"""Whether an input is still the same, without reading all of it."""

from __future__ import annotations

import os

import pytest

from sadinet.batch.fingerprint import SAMPLE_BYTES, check_unchanged, fingerprint
from sadinet.errors import SourceError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "long.mp4"
    path.write_bytes(bytes(range(256)) * (SAMPLE_BYTES // 64))  # four samples long
    os.utime(path, ns=(10**18, 10**18))
    return path


def test_the_same_file_is_the_same(file):
    before = fingerprint((file,))
    assert fingerprint((file,)) == before
    check_unchanged("long.mp4", (file,), before)


@pytest.mark.parametrize("place", [0, SAMPLE_BYTES - 1, -SAMPLE_BYTES, -1])
def test_another_byte_at_head_or_tail_is_another_file(file, place):
    before = fingerprint((file,))
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(10**18, 10**18))
    assert fingerprint((file,)) != before


def test_size_and_time_count(file):
    before = fingerprint((file,))
    os.utime(file, ns=(10**18, 10**18 + 1))
    assert fingerprint((file,)) != before
    with pytest.raises(SourceError, match=r"long\.mp4 changed while it was read"):
        check_unchanged("long.mp4", (file,), before)
    file.write_bytes(file.read_bytes() + b"x")
    os.utime(file, ns=(10**18, 10**18))
    assert fingerprint((file,)) != before


def test_the_order_and_the_number_of_files_count(file, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_bytes(b"")
    both = {fingerprint((file, other)), fingerprint((other, file)), fingerprint((file,)), fingerprint((other,))}
    assert len(both) == 4


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        fingerprint((tmp_path / "none",))
    with pytest.raises(SourceError, match="cannot be read: is a directory"):
        fingerprint((tmp_path,))
