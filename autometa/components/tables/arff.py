"""ARFF: the header by liac-arff, dense plain data by pandas' C parser, everything else by liac-arff."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autometa.components.tables.bytes import encoding_of
from autometa.domain.frames import SPARSE_DENSE_LIMIT
from autometa.foundation.errors import FileFormatError
from autometa.foundation.typing import BoolArray

__all__ = ["read_arff"]

_DATA = re.compile(r"^[ \t]*@data[ \t]*(%.*)?$", re.IGNORECASE | re.MULTILINE)
# liac-arff knows no dates; they are read as strings, and the column's role is found like that of any other.
_DATE = re.compile(
    r"""^([ \t]*@attribute[ \t]+("[^"]*"|'[^']*'|\S+)[ \t]+)date\b.*$""", re.IGNORECASE | re.MULTILINE
)
_RELATIONAL = re.compile(r"^[ \t]*@attribute\b.*\brelational[ \t]*$", re.IGNORECASE | re.MULTILINE)
# What the C parser would read otherwise than ARFF means it: quotes, escapes, comments, braces, tabs as delimiters.
_NOT_PLAIN = re.compile(r"""['"\\%{}\t]""")
_NUMBERS = {"NUMERIC", "REAL", "INTEGER"}


def read_arff(content: bytes, file: Path) -> pd.DataFrame:
    """Read a dense or sparse ARFF file.

    Parameters
    ----------
    content : bytes
    file : Path
        Named in errors.

    Returns
    -------
    DataFrame
        Numbers as float64, nominal attributes as categories of strings (all declared ones, in their declared
        order), the others as strings; ``?`` is missing.

    Raises
    ------
    FileFormatError
        If it is no ARFF; with the line where liac-arff knows it.
    """
    text = content.decode(encoding_of(content, file))
    match = _DATA.search(text)
    if match is None:
        raise FileFormatError(f"{file} is no ARFF file: it has no @data line.", path=str(file))
    if _RELATIONAL.search(text, 0, match.start()):
        raise FileFormatError(f"{file} has relational attributes, which are no cells of a table.", path=str(file))
    header, data = _DATE.sub(r"\1string", text[: match.start()]), text[match.end() :]
    attributes = _loaded(header + "@data\n", file, is_sparse=False)["attributes"]
    columns = _plain_columns(data, attributes, file)
    if columns is None:
        columns = _general_columns(header, match.group() + data, attributes, file)
    return pd.DataFrame(
        {name: _column(name, cells, kind, file) for (name, kind), cells in zip(attributes, columns, strict=True)}
    )


def _loaded(text: str, file: Path, *, is_sparse: bool) -> dict[str, Any]:
    import arff  # type: ignore[import-untyped,unused-ignore]

    try:
        loaded: dict[str, Any] = arff.loads(text, return_type=arff.LOD if is_sparse else arff.DENSE)
    except arff.ArffException as error:
        raise FileFormatError(f"{file} is not valid ARFF: {error}", path=str(file)) from error
    return loaded


def _plain_columns(data: str, attributes: list[Any], file: Path) -> list[Any] | None:
    """Read data that holds nothing but numbers and bare words; None where it holds more."""
    width = len(attributes)
    if _NOT_PLAIN.search(data) or any(
        line.count(",") != width - 1 for line in data.splitlines() if not (line == "" or line.isspace())
    ):
        return None
    try:
        frame = pd.read_csv(
            io.StringIO(data),
            header=None,
            names=range(width),
            dtype={j: np.float64 if _is_number(kind) else "category" for j, (_, kind) in enumerate(attributes)},
            na_values=["?"],
            keep_default_na=False,
            skipinitialspace=True,
        )
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
    return [frame[position] for position in range(width)]


def _general_columns(header: str, data: str, attributes: list[Any], file: Path) -> list[Any]:
    body = data.split("\n", 1)[1] if "\n" in data else ""
    rows = (line.strip() for line in body.splitlines())
    first = next((row for row in rows if row and not row.startswith("%")), "")
    is_sparse = first.startswith("{")
    loaded = _loaded(header + data, file, is_sparse=is_sparse)["data"]
    if is_sparse:
        return _dense_columns(loaded, attributes, file)
    return [np.array(cells, dtype=object) for cells in zip(*loaded, strict=True)] or [[] for _ in attributes]


def _dense_columns(rows: list[dict[int, Any]], attributes: list[Any], file: Path) -> list[Any]:
    n_bytes = 8 * len(rows) * len(attributes)
    if n_bytes > SPARSE_DENSE_LIMIT:
        raise FileFormatError(
            f"The sparse table in {file} would take {n_bytes / 1e9:.1f} GB when dense; at most "
            f"{SPARSE_DENSE_LIMIT / 1e9:.1f} GB are allowed.",
            path=str(file),
            n_bytes=n_bytes,
        )
    # What a sparse row does not name is zero, and that of a nominal attribute is its first value.
    defaults = [kind[0] if isinstance(kind, list) else 0.0 for _, kind in attributes]
    columns = [np.full(len(rows), default, dtype=object) for default in defaults]
    for i, row in enumerate(rows):
        for j, cell in row.items():
            columns[j][i] = cell
    return columns


def _is_number(kind: Any) -> bool:
    return isinstance(kind, str) and kind.upper() in _NUMBERS


def _column(name: str, cells: Any, kind: Any, file: Path) -> pd.Series:
    if _is_number(kind):
        numbers = pd.to_numeric(pd.Series(cells), errors="coerce").astype(np.float64)
        _check_read(cells, numbers.isna().to_numpy(), name, "a number", file)
        return numbers
    codes, values = pd.factorize(np.asarray(cells, dtype=object))
    words = np.array([*(str(value).strip() for value in values), None], dtype=object)
    if not isinstance(kind, list):
        return pd.Series(words[codes], dtype=object)
    categories = pd.Index(kind, dtype=object)
    declared = categories.get_indexer(pd.Index(words, dtype=object))[codes]
    _check_read(cells, declared < 0, name, f"one of {kind[:10]}", file)
    return pd.Series(pd.Categorical.from_codes(declared, categories=categories))


def _check_read(cells: Any, unread: BoolArray, name: str, allowed: str, file: Path) -> None:
    wrong = unread & ~pd.isna(np.asarray(cells, dtype=object)) if unread.any() else unread
    if wrong.any():
        row = int(wrong.argmax())
        raise FileFormatError(
            f"{file}: attribute {name!r} must be {allowed}; row {row + 1} of the data has {list(cells)[row]!r}.",
            path=str(file),
            attribute=name,
        )
