"""Delimited text: delimiter, decimal mark and header are found, then pandas' C parser reads it."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autometa.components.tables.bytes import encoding_of
from autometa.foundation.errors import DataWarning, FileFormatError

__all__ = ["read_delimited"]

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 200
SAMPLE_BYTES = 256 * 1024
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*")
_DECIMAL_POINT = re.compile(r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*")


@dataclass(frozen=True, slots=True)
class _Dialect:
    """One way to split the first lines."""

    delimiter: str
    rows: list[list[str]]

    @property
    def header(self) -> list[str]:
        return self.rows[0]

    @property
    def width(self) -> int:
        """The most common number of fields of a line below the header."""
        return Counter(len(row) for row in self.rows[1:] or self.rows).most_common(1)[0][0]

    @property
    def quality(self) -> tuple[bool, float, int]:
        """What a table has: a header as wide as the lines, lines that are equally wide, many fields."""
        share = sum(len(row) == self.width for row in self.rows) / len(self.rows)
        return 0 <= self.width - len(self.header) <= 1, round(share, 1), self.width

    @property
    def ends_in_delimiter(self) -> bool:
        """Whether every line below the header has one field more, which is empty."""
        lines = self.rows[1:]
        return bool(lines) and all(len(row) == len(self.header) + 1 and row[-1] == "" for row in lines)

    @property
    def has_decimal_comma(self) -> bool:
        if self.delimiter == ",":
            return False
        cells = [cell for row in self.rows[1:] for cell in row]
        return any(map(_DECIMAL_COMMA.fullmatch, cells)) and not any(map(_DECIMAL_POINT.fullmatch, cells))


def read_delimited(content: bytes, file: Path, *, prefers_tab: bool = False) -> pd.DataFrame:
    """Read delimited text with a header line.

    Parameters
    ----------
    content : bytes
    file : Path
        Named in errors.
    prefers_tab : bool
        Whether the name says that tabs separate.

    Returns
    -------
    DataFrame

    Raises
    ------
    FileFormatError
        If it is no text, or a line has more fields than the header.
    """
    encoding = encoding_of(content, file)
    sample = content[:SAMPLE_BYTES].decode(encoding, errors="ignore")
    dialect = _sniff(sample, is_cut=len(content) > SAMPLE_BYTES, prefers_tab=prefers_tab)
    _check_header(dialect, file)
    frame = _parsed(content, encoding, file, dialect)
    return _without_saved_index(_named(frame, dialect, file), file)


def _sniff(sample: str, *, is_cut: bool, prefers_tab: bool) -> _Dialect:
    lines = list(io.StringIO(sample, newline=None))
    lines = (lines[:-1] if is_cut and len(lines) > 1 else lines)[:SAMPLE_LINES]
    order = ("\t", *(d for d in DELIMITERS if d != "\t")) if prefers_tab else DELIMITERS
    dialects = [_split(lines, delimiter) for delimiter in order]
    split = [dialect for dialect in dialects if dialect.width > 1]
    if split:
        return max(split, key=lambda dialect: dialect.quality)
    spaced = _split(lines, " ")
    return spaced if spaced.width > 1 and spaced.quality[:2] == (True, 1.0) else dialects[0]


def _split(lines: list[str], delimiter: str) -> _Dialect:
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # an open quote; the parser says which line
        rows.extend(row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row)
    return _Dialect(delimiter, rows or [[""]])


def _check_header(dialect: _Dialect, file: Path) -> None:
    more = dialect.width - len(dialect.header)
    if more > 1:
        raise FileFormatError(
            f"The first line of {file} has {len(dialect.header)} field(s) separated by {dialect.delimiter!r}, "
            f"most lines below {dialect.width}. The first line must name the columns: remove what is above it.",
            path=str(file),
        )
    if more == 1 and not dialect.ends_in_delimiter:
        warnings.warn(
            f"The header of {file} has one name fewer than the lines have fields; the first field was taken for "
            "the row's name and left out.",
            DataWarning,
            stacklevel=6,
        )


def _parsed(content: bytes, encoding: str, file: Path, dialect: _Dialect) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            # A delimiter at the end of every line: the empty last field is cut off, and pandas says so.
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            return pd.read_csv(
                io.BytesIO(content),
                encoding=encoding,
                sep=r"\s+" if dialect.delimiter == " " else dialect.delimiter,
                decimal="," if dialect.has_decimal_comma else ".",
                index_col=False if dialect.ends_in_delimiter else None,
                na_values=["?"],
                skipinitialspace=True,
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise FileFormatError(
            f"{file} cannot be read as a table separated by {dialect.delimiter!r}: {reason}. Every line must have "
            "as many fields as the header; quote fields that hold the delimiter.",
            path=str(file),
            delimiter=dialect.delimiter,
        ) from error


def _named(frame: pd.DataFrame, dialect: _Dialect, file: Path) -> pd.DataFrame:
    names = [str(name).strip() for name in frame.columns]
    repeated = _repeated(dialect.header)
    if repeated:
        warnings.warn(
            f"{file} has columns of the same name, {repeated[:5]}; the later ones got a number, as in "
            f"{repeated[0] + '.1'!r}.",
            DataWarning,
            stacklevel=6,
        )
    frame.columns = pd.Index(names)
    return frame


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted(name for name, count in Counter(name.strip() for name in names).items() if count > 1 and name)


def _without_saved_index(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Drop a nameless first column that only counts the rows: what a spreadsheet or `to_csv` leaves behind."""
    first = frame.columns[0] if frame.shape[1] else ""
    if not str(first).startswith("Unnamed: 0") or not pd.api.types.is_integer_dtype(frame[first].dtype):
        return frame
    counted = frame[first].to_numpy()
    if len(counted) < 2 or (counted != counted[0] + range(len(counted))).any():
        return frame
    warnings.warn(
        f"The first column of {file} has no name and only counts the rows; it was left out.",
        DataWarning,
        stacklevel=6,
    )
    return frame.drop(columns=first)
