"""ARFF files made from tables and folds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import arff
import numpy as np
import pandas as pd


def write_arff(path: Path, relation: str, frame: pd.DataFrame) -> None:
    """Write a table as ARFF: categories as nominal, numbers as REAL, other columns as STRING, missing as ``?``."""
    header = {"relation": relation, "attributes": attributes(frame), "data": _rows(frame)}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        arff.dump(header, file)


def attributes(frame: pd.DataFrame) -> list[tuple[str, str | list[str]]]:
    """Return the name and ARFF type of each column; a list holds the values of a nominal one."""
    return [(str(name), _arff_type(frame[name])) for name in frame.columns]


def splits_text(relation: str, fold: np.ndarray) -> str:
    """Return the ARFF text of a cross-validation with one repeat."""
    lines = [
        f"@relation {arff.encode_string(relation + '_splits')}",
        "",
        "@attribute type {TRAIN,TEST}",
        "@attribute rowid numeric",
        "@attribute repeat numeric",
        "@attribute fold numeric",
        "",
        "@data",
    ]
    for number in range(int(fold.max()) + 1):
        lines += [f"TRAIN,{row},0,{number}" for row in np.flatnonzero(fold != number)]
        lines += [f"TEST,{row},0,{number}" for row in np.flatnonzero(fold == number)]
    return "\n".join(lines) + "\n"


def _arff_type(column: pd.Series) -> str | list[str]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [str(category) for category in column.cat.categories]
    return "REAL" if pd.api.types.is_numeric_dtype(column.dtype) else "STRING"


def _rows(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    columns = [_values(frame[name]) for name in frame.columns]
    return zip(*columns, strict=True)


def _values(column: pd.Series) -> list[Any]:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("float64").tolist()
    return [None if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]
