"""Column roles: what a column is, whatever dtype it came in; found, shown, and overridden."""

from __future__ import annotations

import datetime
import decimal
import enum
import numbers
import pathlib
import re
import uuid
import warnings
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from autometa.domain.cells import MISSING_WORDS, as_booleans, as_datetimes, as_numbers
from autometa.domain.images import is_image, is_image_file_name, missing_files
from autometa.foundation.errors import DataWarning, ParameterError, TableError
from autometa.foundation.typing import LabelArray

__all__ = ["ColumnRole", "check_role_overrides", "infer_role", "infer_roles"]

# A role is decided on at most this many evenly spaced rows: enough to see what a column is, constant in time.
ROLE_SAMPLE_ROWS = 10_000
# A string column is text when its entries are long and mostly different, categorical otherwise.
TEXT_MIN_MEAN_WORDS = 3.0
TEXT_MIN_DISTINCT_SHARE = 0.5
TEXT_MIN_MEAN_CHARACTERS = 60.0
# Strings are parsed as dates on at most this many different ones, and only when they look like dates: the parser
# alone also takes "m1" and "5-9" for days in the year 1.
DATE_SAMPLE = 200
DATE = re.compile(
    r"""\s*(
        \d{4}[-/.]\d{1,2}([-/.]\d{1,2})?                    # 2024-02-29, 2024/2
      | \d{1,2}[-/.]\d{1,2}[-/.]\d{4} | \d{1,2}/\d{1,2}/\d{2}  # 29.02.2024, 2/29/24
      | \d{1,2}[-\ ]?[A-Za-z]{3,9}\.?[-,\ ]+\d{2,4}          # 29 Feb 2024
      | [A-Za-z]{3,9}\.?\ +\d{1,2},?\ +\d{4}                 # Feb 29, 2024
    )([T,\ ]+\d{1,2}(:\d{2}.*|\ ?[AaPp][Mm]))?\s*""",
    re.VERBOSE,
)


class ColumnRole(StrEnum):
    """What a column is, whatever dtype it came in."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    IMAGE = "image"


def infer_roles(
    frame: pd.DataFrame, overrides: Mapping[str, ColumnRole | str] | None = None
) -> dict[str, ColumnRole]:
    """Find the role of every column, on at most 10,000 evenly spaced rows.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_features)
    overrides : mapping of column name to role, optional
        Roles that the user knows better.

    Returns
    -------
    dict of str to ColumnRole
        In column order.

    Raises
    ------
    ParameterError
        If an override names an unknown column or role.
    TableError
        If a column holds nested objects or complex numbers.

    Warns
    -----
    DataWarning
        If a column names files of images that do not exist.
    """
    chosen = _validated_overrides(frame, overrides or {})
    sample = _sample(frame)
    return {
        name: chosen.get(name) or infer_role(sample.iloc[:, j], name=name) for j, name in enumerate(frame.columns)
    }


def check_role_overrides(frame: pd.DataFrame, overrides: Mapping[str, ColumnRole | str] | None) -> None:
    """Check that the cells can be read in the roles that the user chose.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_features)
    overrides : mapping of column name to role, optional

    Raises
    ------
    ParameterError
        If no cell of a column is what the role says.
    """
    sample = _sample(frame)
    for name, role in _validated_overrides(frame, overrides or {}).items():
        column = sample[name].dropna()
        if len(column) and not _is_readable(column, role):
            raise ParameterError(
                f"Column {name!r} cannot be used as {role.value}: no value in it can be read so, for example "
                f"{column.iloc[0]!r} (dtype {column.dtype}). Choose another role, or convert the column first.",
                column=name,
                role=role.value,
            )


def _is_readable(column: pd.Series, role: ColumnRole) -> bool:
    if role is ColumnRole.DATETIME:
        return not pd.api.types.is_numeric_dtype(column.dtype) and not bool(np.isnat(as_datetimes(column)).all())
    if role is ColumnRole.NUMERIC:
        return not bool(np.isnan(as_numbers(column, keep_infinite=True)).all())
    if role is ColumnRole.IMAGE:
        return all(is_image(cell) or isinstance(cell, (str, pathlib.PurePath)) for cell in column)
    return role is not ColumnRole.BOOLEAN or not bool(np.isnan(as_booleans(column)).all())


def _sample(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:: max(1, len(frame) // ROLE_SAMPLE_ROWS)]


def _validated_overrides(frame: pd.DataFrame, overrides: Mapping[str, Any]) -> dict[str, ColumnRole]:
    unknown = [name for name in overrides if name not in frame.columns]
    if unknown:
        raise ParameterError(
            f"Roles were given for columns {unknown} that the table does not have. "
            f"Its columns: {list(frame.columns)[:20]}.",
            columns=unknown,
        )
    allowed = [role.value for role in ColumnRole]
    for name, role in overrides.items():
        if role not in allowed:
            raise ParameterError(
                f"The role of column {name!r} must be one of {allowed}; got {role!r}.", column=name
            )
    return {name: ColumnRole(role) for name, role in overrides.items()}


def infer_role(column: pd.Series, *, name: str = "") -> ColumnRole:
    """Find the role of one column.

    Parameters
    ----------
    column : Series of shape (n_samples,)
    name : str
        Used in errors.

    Returns
    -------
    ColumnRole

    Raises
    ------
    TableError
        If the cells are nested objects or complex numbers.
    """
    dtype = column.dtype
    types = pd.api.types
    if isinstance(dtype, (pd.CategoricalDtype, pd.IntervalDtype)):
        return ColumnRole.CATEGORICAL
    if types.is_bool_dtype(dtype):
        return ColumnRole.BOOLEAN
    if types.is_complex_dtype(dtype):
        raise _unusable(name, "complex numbers")
    if types.is_numeric_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return ColumnRole.NUMERIC
    if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return ColumnRole.DATETIME
    return _role_of_objects(column.dropna().to_numpy(dtype=object), name)


def _role_of_objects(values: LabelArray, name: str) -> ColumnRole:
    if not len(values):
        return ColumnRole.NUMERIC
    if all(map(is_image, values)) or _are_image_files(values, name):
        return ColumnRole.IMAGE
    kinds = {_kind_of(kind, name) for kind in set(map(type, values))}
    if kinds == {"boolean"}:
        return ColumnRole.BOOLEAN
    if kinds <= {"number", "boolean"} or kinds == {"duration"}:
        return ColumnRole.NUMERIC
    if kinds == {"date"}:
        return ColumnRole.DATETIME
    return _role_of_strings(values) if kinds == {"string"} else ColumnRole.CATEGORICAL


def _are_image_files(values: LabelArray, name: str) -> bool:
    if not all(map(is_image_file_name, values)):
        return False
    missing = missing_files(values)
    if missing:
        warnings.warn(
            f"Column {name!r} holds names of image files, but there is no {missing[0]!r} here, so they are not "
            "read as images. Give paths that are absolute, or relative to the current folder.",
            DataWarning,
            stacklevel=6,
        )
    return not missing


# In order: a bool is a number too.
_KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("boolean", (bool, np.bool_)),
    ("duration", (datetime.timedelta, np.timedelta64, datetime.time)),
    ("number", (numbers.Real, decimal.Decimal)),
    ("date", (datetime.date, np.datetime64, pd.Period)),
    ("string", (str,)),
    ("label", (bytes, uuid.UUID, enum.Enum, pathlib.PurePath, pd.Interval)),
)


def _kind_of(kind: type, name: str) -> str:
    for label, classes in _KINDS:
        if issubclass(kind, classes):
            return label
    if issubclass(kind, numbers.Complex):
        raise _unusable(name, "complex numbers")
    raise _unusable(name, f"nested objects ({kind.__module__}.{kind.__qualname__})")


def _unusable(name: str, what: str) -> TableError:
    return TableError(
        f"Column {name!r} holds {what}; a cell must be a number, a string, a boolean, a date or an image (an "
        "array of numbers with two or three dimensions). Expand it into columns of its own, or drop it.",
        column=name,
    )


def _role_of_strings(values: LabelArray) -> ColumnRole:
    distinct = [text for text in pd.unique(values) if text.strip() not in MISSING_WORDS]
    if not distinct or not np.isnan(as_numbers(pd.Series(distinct, dtype=object), keep_infinite=True)).any():
        return ColumnRole.NUMERIC
    if _are_dates(distinct[:DATE_SAMPLE]):
        return ColumnRole.DATETIME
    if len(distinct) / len(values) < TEXT_MIN_DISTINCT_SHARE:
        return ColumnRole.CATEGORICAL
    mean_words = sum(len(text.split()) for text in distinct) / len(distinct)
    mean_characters = sum(map(len, distinct)) / len(distinct)
    is_long = mean_words >= TEXT_MIN_MEAN_WORDS or mean_characters >= TEXT_MIN_MEAN_CHARACTERS
    return ColumnRole.TEXT if is_long else ColumnRole.CATEGORICAL


def _are_dates(texts: list[str]) -> bool:
    if not all(DATE.fullmatch(text) for text in texts):
        return False
    return not bool(np.isnat(as_datetimes(pd.Series(texts, dtype=object))).any())
