"""Delimited text: delimiter, encoding, decimal mark, header and index column are found."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from autometa.components.tables import read_table
from autometa.foundation.errors import DataWarning, FileFormatError


@pytest.fixture
def read(tmp_path):
    def read(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path)

    return read


ROWS = [["x", "name", "y"], ["1.5", "red", "2"], ["2.5", "dark blue", "3"], ["3.5", "", "4"]]


def joined(delimiter, rows=ROWS):
    return "".join(delimiter.join(row) + "\n" for row in rows)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt"])
def test_delimiters_are_found(read, delimiter, name):
    frame = read(joined(delimiter), name)
    assert list(frame.columns) == ["x", "name", "y"]
    assert frame["x"].tolist() == [1.5, 2.5, 3.5]
    assert frame["name"].isna().tolist() == [False, False, True]


def test_text_with_other_delimiters_inside_is_kept(read):
    frame = read('x;text\n1;"a, b; c"\n2;d, e\n3;f, g\n')
    assert frame["text"].tolist() == ["a, b; c", "d, e", "f, g"]


def test_spaces_separate_where_nothing_else_does(read):
    assert read("a b  c\n1 2 3\n4  5 6\n", "t.data").to_dict("list") == {"a": [1, 4], "b": [2, 5], "c": [3, 6]}


def test_decimal_commas(read):
    assert read("x;y;c\n1,5;2;a\n2,5;3;b\n").to_dict("list") == {"x": [1.5, 2.5], "y": [2, 3], "c": ["a", "b"]}
    assert read("x;y\n1,5;2.5\n2,5;3.5\n")["y"].tolist() == [2.5, 3.5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_found(read, encoding):
    frame = read("größe;ort\n1;Zürich\n2;Genève\n".encode(encoding))
    assert list(frame.columns) == ["größe", "ort"]
    assert frame["ort"].tolist() == ["Zürich", "Genève"]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_text_is_read_with_a_warning(read, encoding):
    with pytest.warns(DataWarning, match=r"is not UTF-8 \(line 3\); it was read as Windows-1252"):
        frame = read("a,ort\n1,Bern\n2,Genève\n".encode(encoding))
    assert frame["ort"].tolist() == ["Bern", "Genève"]


def test_text_of_a_broken_stated_encoding_is_refused(read):
    with pytest.raises(FileFormatError, match="begins as utf-8-sig text but is not"):
        read(b"\xef\xbb\xbfa,b\n1,\xff\n")


def test_missing_values(read):
    frame = read("x,c\n1,a\n?,?\nNA,\n")
    assert frame["x"].isna().tolist() == [False, True, True]
    assert frame["c"].isna().tolist() == [False, True, True]


def test_a_delimiter_at_the_end_of_every_line(read):
    assert read("a,b\n1,2,\n3,4,\n").to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_names_of_rows_without_a_header_are_left_out(read):
    with pytest.warns(DataWarning, match="one name fewer than the lines have fields"):
        frame = read("a,b\nr1,1,2\nr2,3,4\n")
    assert frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_a_saved_index_is_left_out(read):
    with pytest.warns(DataWarning, match="only counts the rows; it was left out"):
        frame = read(pd.DataFrame({"a": [5, 6, 7]}, index=range(1, 4)).assign(b=1).to_csv())
    assert list(frame.columns) == ["a", "b"]
    assert list(read(",a\n7,5\n3,6\n").columns) == ["Unnamed: 0", "a"]


def test_repeated_names_are_numbered_with_a_warning(read):
    with pytest.warns(DataWarning, match=r"columns of the same name, \['a'\]"):
        assert list(read("a,a,b\n1,2,3\n").columns) == ["a", "a.1", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n1,2,3\n4,5\n", "separated by ',': Expected 2 fields in line 3, saw 3"),
        ('a,b\n"x,1\n2,3\n', "EOF inside string starting at row 1"),
        ("Report\n\na,b,c\n1,2,3\n4,5,6\n", "first line must name the columns"),
    ],
)
def test_damage_is_named_with_its_line(read, text, message):
    with pytest.raises(FileFormatError, match=message):
        read(text)


def test_line_ends_and_names_with_spaces(read):
    for end in ("\n", "\r\n", "\r"):
        assert read(end.join(["a , b", "1, 2", "3, 4"]) + end).to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_lines_may_be_quoted_and_long(read):
    frame = read('a,b\n"x\ny",1\n' + '"' + "z" * 200_000 + '",2\n')
    assert frame["a"].str.len().tolist() == [3, 200_000]


def test_a_large_file_takes_little_more_than_its_parser(read, tmp_path):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(10_000, 50)).round(4))
    text = table.to_csv(index=False).encode()
    started = time.process_time()
    frame = read(text)
    assert time.process_time() - started < 1.0  # measured: 0.04; pandas alone 0.03
    assert frame.shape == (10_000, 50)
