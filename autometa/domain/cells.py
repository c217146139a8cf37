"""Cells of one column brought into one dtype: numbers, booleans, dates, strings, categories.

None of these functions raises on a cell that it cannot read: the cell is missing then, since a fitted model must
take rows whose dtypes drifted since it was fitted.
"""

from __future__ import annotations

import datetime
import decimal
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autometa.foundation.typing import FloatArray, IntArray, LabelArray

__all__ = [
    "MISSING_WORDS",
    "as_booleans",
    "as_categories",
    "as_datetimes",
    "as_numbers",
    "as_texts",
    "clean_text",
    "is_day_first",
    "masked_as_none",
]

# Strings that stand for a missing value in a column that is otherwise numbers or dates.
MISSING_WORDS = frozenset({"", "?", "-", ".", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None"})
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0", "0.0"})
_DAY_MONTH = re.compile(r"\s*(\d{1,2})([-/.])(\d{1,2})\2\d{2,4}")

# What datetime64[ns] holds with room for rounding; 9999-12-31, a common "for ever", is moved to the end.
_MIN_DATE = np.datetime64("1678-01-01", "us")
_MAX_DATE = np.datetime64("2262-01-01", "us")
_TO_NUMERIC_TYPES = (str, int, float, np.number, np.bool_, type(None), type(pd.NA))


def clean_text(value: Any) -> str:
    """Return ``str(value)`` as text that every library can store: lone surrogates become ``?``.

    Parameters
    ----------
    value : Any

    Returns
    -------
    str
    """
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def masked_as_none(array: np.ma.MaskedArray[Any, Any]) -> LabelArray:
    """Return a masked array's cells as objects, the masked ones as None.

    Parameters
    ----------
    array : masked array of any shape

    Returns
    -------
    ndarray of object, of the same shape
    """
    cells = np.ma.getdata(array).astype(object)
    cells[np.ma.getmaskarray(array)] = None
    return cells


def as_numbers(column: pd.Series, *, keep_infinite: bool = False) -> FloatArray:
    """Return the cells as float64; durations in seconds, dates in seconds since 1970, what is no number as NaN.

    Parameters
    ----------
    column : Series of shape (n_samples,)
    keep_infinite : bool
        Infinities become NaN otherwise.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        A view of the column's own cells where they are float64 already.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _by_category(column, lambda values: as_numbers(values, keep_infinite=keep_infinite))
    with np.errstate(all="ignore"):
        cells = _numbers(column)
    if not keep_infinite and np.isinf(cells).any():
        cells = np.where(np.isinf(cells), np.nan, cells)
    return cells


def _by_category(column: pd.Series, read: Callable[[pd.Series], npt.NDArray[Any]]) -> FloatArray:
    """Read the few categories instead of the many cells."""
    codes = column.cat.codes.to_numpy()
    values = read(pd.Series(column.cat.categories.to_numpy(dtype=object), dtype=object))
    return np.append(values, np.nan)[codes]


def _numbers(column: pd.Series) -> FloatArray:
    types = pd.api.types
    if types.is_timedelta64_dtype(column.dtype):
        return np.asarray(column.dt.total_seconds(), dtype=np.float64)
    if types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype):
        return _seconds_since_1970(column)
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    return _numbers_of_objects(column.to_numpy(dtype=object))


def _seconds_since_1970(column: pd.Series) -> FloatArray:
    dates = as_datetimes(column)
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64) / 1e9)


def _numbers_of_objects(cells: LabelArray) -> FloatArray:
    if all(issubclass(kind, _TO_NUMERIC_TYPES) for kind in set(map(type, cells))):
        try:
            read = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce")
            return np.asarray(read.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
        except (OverflowError, TypeError, ValueError):
            pass  # an integer beyond float64 somewhere: read cell by cell, where it alone is missing
    return np.fromiter(map(_number, cells), dtype=np.float64, count=len(cells))


def _number(cell: Any) -> float:
    if isinstance(cell, datetime.time):
        return cell.hour * 3600.0 + cell.minute * 60.0 + cell.second + cell.microsecond / 1e6
    try:
        if isinstance(cell, (datetime.timedelta, np.timedelta64)):
            return float(pd.Timedelta(cell).total_seconds())
        if isinstance(cell, (datetime.date, np.datetime64, pd.Period)):
            return float(_seconds_since_1970(pd.Series([cell], dtype=object))[0])
        return float(cell)
    except (ArithmeticError, TypeError, ValueError):
        return float("nan")


def as_booleans(column: pd.Series) -> FloatArray:
    """Return the cells as 1.0 and 0.0; words such as true, yes, off, n are understood; numbers stay as they are.

    Parameters
    ----------
    column : Series of shape (n_samples,)

    Returns
    -------
    ndarray of float64, shape (n_samples,)
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _by_category(column, as_booleans)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return as_numbers(column)
    words = column.astype(object).map(_truth, na_action="ignore")
    return as_numbers(words.astype(object))


def _truth(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    word = cell.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else cell


def as_datetimes(column: pd.Series, *, day_first: bool = False) -> npt.NDArray[np.datetime64]:
    """Return the cells as points in time, UTC without zone; dates outside 1678..2261 are moved to the nearest end.

    Parameters
    ----------
    column : Series of shape (n_samples,)
    day_first : bool
        Whether ``05/12/2020`` is in December.

    Returns
    -------
    ndarray of datetime64[ns], shape (n_samples,)
    """
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    elif not isinstance(column.dtype, (pd.DatetimeTZDtype, np.dtypes.DateTime64DType)):
        column = column.astype(object).map(_timestamp, na_action="ignore").astype(object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "could not infer format": mixed formats are allowed
        parsed = pd.to_datetime(column, errors="coerce", utc=True, format="mixed", dayfirst=day_first)
    return _nanoseconds(parsed.dt.tz_localize(None).to_numpy())


def _timestamp(cell: Any) -> Any:
    """Return what `pandas.to_datetime` can read."""
    if isinstance(cell, pd.Period):
        return cell.to_timestamp()
    return clean_text(cell) if isinstance(cell, str) else cell


def _nanoseconds(dates: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    if dates.dtype == np.dtype("datetime64[ns]"):
        return dates
    exact = dates.astype("datetime64[us]")
    exact = np.where(exact < _MIN_DATE, _MIN_DATE, np.where(exact > _MAX_DATE, _MAX_DATE, exact))  # NaT stays
    return exact.astype("datetime64[ns]")


def is_day_first(column: pd.Series) -> bool:
    """Say whether dates written as digits have the day before the month.

    Parameters
    ----------
    column : Series of shape (n_samples,)

    Returns
    -------
    bool
        True if some first number is above 12 and no second one is, or if none is and the separator is a point.
    """
    if not (pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype)):
        return False
    texts = (cell for cell in pd.unique(column.to_numpy(dtype=object)) if isinstance(cell, str))
    parts = [match.groups() for match in map(_DAY_MONTH.match, texts) if match]
    first_above = any(int(first) > 12 for first, _, _ in parts)
    second_above = any(int(second) > 12 for _, _, second in parts)
    if first_above == second_above:
        return bool(parts) and not first_above and all(separator == "." for _, separator, _ in parts)
    return first_above


def as_texts(column: pd.Series) -> LabelArray:
    """Return the cells as str, missing ones as the empty string.

    Parameters
    ----------
    column : Series of shape (n_samples,)

    Returns
    -------
    ndarray of object, shape (n_samples,)
    """
    texts = np.full(len(column), "", dtype=object)
    present = column.notna().to_numpy()
    texts[present] = [clean_text(cell) for cell in column.to_numpy(dtype=object)[present]]
    return texts


def as_categories(column: pd.Series) -> tuple[IntArray, LabelArray]:
    """Return codes and the names they stand for; 1, 1.0 and "1" have one name.

    Parameters
    ----------
    column : Series of shape (n_samples,)

    Returns
    -------
    codes : ndarray of int64, shape (n_samples,)
        -1 for missing.
    names : ndarray of object (str)
        Not sorted; a name may appear twice.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, values = _factorized(column)
    names = np.empty(len(values), dtype=object)
    names[:] = [_category_name(value) for value in values]
    return codes.astype(np.int64), names


def _factorized(column: pd.Series) -> tuple[IntArray, Any]:
    if pd.api.types.is_object_dtype(column.dtype):
        kinds = set(map(type, column.to_numpy()))
        if len(kinds) > 1 and kinds & {bool, np.bool_}:
            column = _named(column)  # True equals 1 and would be merged with it
    try:
        codes, values = pd.factorize(column)
    except TypeError:  # cells that cannot be hashed
        codes, values = pd.factorize(_named(column))
    return codes.astype(np.int64), values


def _named(column: pd.Series) -> pd.Series:
    return column.astype(object).map(_category_name, na_action="ignore").astype(object)


def _category_name(value: Any) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, decimal.Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    return clean_text(value)
