from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from autometa.components.experiments import Journal, read_journal
from autometa.foundation.errors import StoreError

PROTOCOL = {"seed": 0, "max_train": 2000}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "journal.jsonl"


def write(path, n, protocol=PROTOCOL):
    with Journal(path, protocol) as journal:
        for number in range(n):
            journal.append("thing", {"number": number, "value": float("nan")})


def numbers(path):
    return [record["number"] for record in read_journal(path) if record["kind"] == "thing"]


def test_what_was_written_is_read_and_appended_to(path):
    write(path, 2)
    write(path, 3)
    assert numbers(path) == [0, 1, 0, 1, 2]
    header, first, *_ = read_journal(path)
    assert header["kind"] == "header"
    assert header["protocol"] == PROTOCOL
    assert first["value"] is None


def test_a_record_is_in_the_file_before_the_next_is_waited_for(path):
    with Journal(path, PROTOCOL) as journal:
        journal.append("thing", {"number": 7})
        assert numbers(path) == [7]
        assert [record["kind"] for record in journal.records()] == ["header", "thing"]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_last_line_that_was_cut_off_is_dropped_and_written_over(path, cut):
    write(path, 3)
    os.truncate(path, path.stat().st_size - cut)
    assert numbers(path) == [0, 1]
    write(path, 1)
    assert numbers(path) == [0, 1, 0]


def test_a_last_line_of_zeros_after_a_power_cut_is_dropped(path):
    write(path, 2)
    with path.open("ab") as file:
        file.write(b"\0" * 100 + b"\n")
    write(path, 1)
    assert numbers(path) == [0, 1, 0]


@pytest.mark.parametrize("kept", [1, 10, 40])
def test_a_first_line_that_was_cut_off_is_written_anew(path, kept):
    write(path, 0)
    os.truncate(path, kept)
    assert list(read_journal(path)) == []
    write(path, 1)
    assert numbers(path) == [0]


def test_a_damaged_line_in_the_middle_is_named_and_left_alone(path):
    write(path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"{broken\n", *lines[3:]]))
    content = path.read_bytes()
    with pytest.raises(StoreError, match=r"Line 3 of .*damaged"):
        Journal(path, PROTOCOL)
    with pytest.raises(StoreError, match="Line 3"):
        numbers(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content", [b"did,name\n1,iris\n", b'{"a": 1}\n', b"no line end", b"\x89PNG\r\n\x1a\n\0\0"]
)
def test_a_foreign_file_is_refused_and_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"not an autometa journal|damaged or foreign"):
        Journal(path, PROTOCOL)
    assert path.read_bytes() == content


def test_another_version_is_refused(path):
    write(path, 1)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(lines[0]), "version": 99}), *lines[1:]]) + "\n")
    with pytest.raises(StoreError, match="version 99"):
        numbers(path)


def test_another_protocol_is_refused_with_the_difference(path):
    write(path, 1)
    with pytest.raises(StoreError, match="max_train: 2000 there, 500 asked") as caught:
        Journal(path, {**PROTOCOL, "max_train": 500})
    assert caught.value.context["different"] == ["max_train"]
    write(path, 1)  # the refusal gave the lock back


def test_two_writers_are_one_too_many(path):
    with Journal(path, PROTOCOL), pytest.raises(StoreError, match="another process"):
        Journal(path, PROTOCOL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_explained(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(StoreError, match=r"No space left on device.*make room"):
        Journal(path, PROTOCOL)


def test_a_disk_that_fills_up_keeps_what_was_written(path, monkeypatch):
    with Journal(path, PROTOCOL) as journal:
        journal.append("thing", {"number": 0})
        real = os.write

        def full(file, line):
            real(file, line[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(StoreError, match="No space left"):
                journal.append("thing", {"number": 1})
    write(path, 1)
    assert numbers(path) == [0, 0]


def test_a_journal_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="Cannot read"):
        list(read_journal(tmp_path / "nothing.jsonl"))
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Cannot open"):
        Journal(tmp_path / "file" / "journal.jsonl", PROTOCOL)
