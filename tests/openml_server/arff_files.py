"""ARFF files made from tables and folds."""

from __future__ import annotations

import os
import re
from pathlib import Path

import arff
import numpy as np
import pandas as pd

PLAIN = re.compile(r"[\w.+\-/:<>=()\[\]*]+", re.UNICODE)


def write_arff(path: Path, relation: str, frame: pd.DataFrame) -> None:
    """Write a table as ARFF: categories as nominal, numbers as REAL, other columns as STRING, missing as ``?``.

    liac-arff's own writer is not used: it leaves braces unquoted, and then cannot read its file.
    """
    head = [f"@RELATION {quoted(relation)}", ""]
    head += [f"@ATTRIBUTE {_quoted_name(name)} {_declared(kind)}" for name, kind in attributes(frame)]
    columns = [_cells(frame[name]) for name in frame.columns]
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in [*head, "", "@DATA"])
        file.writelines(",".join(row) + "\n" for row in zip(*columns, strict=True))
    os.replace(partial, path)


def attributes(frame: pd.DataFrame) -> list[tuple[str, str | list[str]]]:
    """Return the name and ARFF type of each column; a list holds the values of a nominal one."""
    return [(str(name), _arff_type(frame[name])) for name in frame.columns]


def splits_text(relation: str, fold: np.ndarray) -> str:
    """Return the ARFF text of splits with one repeat, from the fold that tests each row; -1 for none."""
    lines = [
        f"@relation {quoted(relation + '_splits')}",
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


def quoted(text: str) -> str:
    """Return a value as ARFF writes it: in quotes and escaped unless it is plain."""
    if PLAIN.fullmatch(text):
        return text
    encoded = str(arff.encode_string(text))
    return encoded if encoded.startswith("'") else f"'{encoded}'"


def _quoted_name(name: str) -> str:
    # Names are not unescaped by readers: the quote that does not occur in the name is the one to use.
    if PLAIN.fullmatch(name):
        return name
    return f"'{name}'" if '"' in name else f'"{name}"'


def _declared(kind: str | list[str]) -> str:
    return kind if isinstance(kind, str) else "{" + ", ".join(map(quoted, kind)) + "}"


def _arff_type(column: pd.Series) -> str | list[str]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [str(category) for category in column.cat.categories]
    return "REAL" if pd.api.types.is_numeric_dtype(column.dtype) else "STRING"


def _cells(column: pd.Series) -> list[str]:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return [_number(value) for value in column.astype("float64").tolist()]
    codes, values = pd.factorize(column)
    written = [quoted(str(value)) for value in values]
    return [written[code] if code >= 0 else "?" for code in codes.tolist()]


def _number(value: float) -> str:
    if value != value:
        return "?"
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
