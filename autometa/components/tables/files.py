"""Which reader a file goes to: by its first bytes where they tell, else by its name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from autometa.components.tables.bytes import COMPRESSIONS, decompressed, start_of
from autometa.foundation.errors import FileFormatError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALLOWED_SUFFIXES", "read_table"]

DELIMITED = frozenset({".csv", ".tsv", ".tab", ".txt", ".data", ".dat"})
PARQUET = frozenset({".parquet", ".pq"})
ARFF = frozenset({".arff"})
ALLOWED_SUFFIXES = tuple(sorted(DELIMITED | PARQUET | ARFF))

# First bytes of files that are no table, whatever they are called.
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "an Arrow (Feather) file",
}


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table from a file.

    Delimited text (``.csv``, ``.tsv``, ``.txt``, ``.data``; delimiter, encoding and decimal mark are found),
    Parquet (``.parquet``, ``.pq``) and ARFF (``.arff``), text also as ``.gz``, ``.bz2`` or ``.xz``.

    Parameters
    ----------
    path : path

    Returns
    -------
    DataFrame

    Raises
    ------
    FileFormatError
        If the file does not exist, is empty, cannot be read, or is not what its name says; with the line where the
        reader knows it.

    Warns
    -----
    DataWarning
        If something was read by a guess that deserves a look: an encoding other than UTF-8, repeated column names,
        an index column that was dropped.
    """
    file = Path(path).expanduser()
    _check_file(file)
    try:
        return _reader(file)(file)
    except OSError as error:
        raise FileFormatError(
            f"The file {file} cannot be read: {error.strerror or error}.", path=str(file)
        ) from error


def _check_file(file: Path) -> None:
    if file.is_dir():
        raise FileFormatError(f"{file} is a folder; give the path of one file in it.", path=str(file))
    if not file.exists():
        raise FileFormatError(f"There is no file {file}.{_nearby(file)}", path=str(file))
    if not file.is_file():
        raise FileFormatError(f"{file} is no ordinary file; save the table to one first.", path=str(file))
    if file.stat().st_size == 0:
        raise FileFormatError(f"The file {file} is empty (0 bytes).", path=str(file))


def _nearby(file: Path) -> str:
    try:
        names = [entry.name for entry in file.parent.iterdir() if entry.is_file()]
    except OSError:
        return f" There is no folder {file.parent} either." if not file.parent.exists() else ""
    close = difflib.get_close_matches(file.name, names, n=3)
    return f" Did you mean {' or '.join(close)}?" if close else " Check the name and the working directory."


def _reader(file: Path) -> Callable[[Path], pd.DataFrame]:
    start = start_of(file)
    if start.startswith(b"PAR1"):
        return _read_parquet
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise FileFormatError(
                f"{file} is {what}, not a table that can be read. Save it as CSV or Parquet.", path=str(file)
            )
    suffix = _suffix(file)
    if suffix in PARQUET:
        raise FileFormatError(
            f"{file} is not a Parquet file: it does not begin with PAR1. Was it cut off, or is it named wrongly?",
            path=str(file),
        )
    if suffix in ARFF:
        return _read_arff
    if suffix in DELIMITED or suffix == "":
        return _read_delimited
    raise FileFormatError(
        f"{file} ends in {suffix!r}; tables are read from {', '.join(ALLOWED_SUFFIXES)} "
        f"(text also with {', '.join(COMPRESSIONS)}). Save it as CSV or Parquet.",
        path=str(file),
    )


def _suffix(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _read_delimited(file: Path) -> pd.DataFrame:
    from autometa.components.tables.delimited import read_delimited

    return read_delimited(decompressed(file), file, prefers_tab=_suffix(file) in {".tsv", ".tab"})


def _read_arff(file: Path) -> pd.DataFrame:
    from autometa.components.tables.arff import read_arff

    return read_arff(decompressed(file), file)


def _read_parquet(file: Path) -> pd.DataFrame:
    import pandas as pd
    from pyarrow import ArrowException

    try:
        return pd.read_parquet(file, engine="pyarrow")
    except (ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise FileFormatError(
            f"The Parquet file {file} ({file.stat().st_size} bytes) is damaged or was cut off: {error}. "
            "Copy or write it again.",
            path=str(file),
        ) from error
