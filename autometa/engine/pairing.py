"""Pairing a table with its target: the column of that name, or the values that came along."""

from __future__ import annotations

import difflib
import warnings
from typing import Any

import numpy as np
import pandas as pd

from autometa.domain.columns import as_frame
from autometa.foundation.errors import DataWarning, TargetError

__all__ = ["column_or_target", "is_name", "name_of", "paired", "without_column"]


def is_name(target: Any) -> bool:
    """Return whether `target` says which column is the target, rather than being the target.

    Parameters
    ----------
    target : Any

    Returns
    -------
    bool
    """
    return isinstance(target, (str, int, float, np.number, pd.Timestamp))


def name_of(y: Any) -> str:
    """Return the name that a target carries, else ``"target"``.

    Parameters
    ----------
    y : array-like

    Returns
    -------
    str
    """
    found = getattr(y, "name", None)
    return str(found) if isinstance(found, (str, int)) and str(found) else "target"


def column_or_target(X: Any, target: Any) -> tuple[pd.DataFrame, Any]:
    """Return the table, and the name of its column that `target` names, or `target` itself if it is no name.

    Parameters
    ----------
    X : table
    target : str, int, or array-like of shape (n_samples,)
        An int is a position where the table came without column names.

    Returns
    -------
    frame : DataFrame
    found : str or array-like

    Raises
    ------
    TargetError
        If no column has that name, or several are named.
    """
    frame = as_frame(X)
    names = list(frame.columns)
    given: list[Any] = list(X.columns) if isinstance(X, pd.DataFrame) else list(names)
    if isinstance(target, list) and len(target) != len(frame):
        target = _only_name(target, given)
    if isinstance(target, tuple) and target in given:
        return frame, names[given.index(target)]
    if not is_name(target):
        return frame, target
    if target in given:
        return frame, names[given.index(target)]
    if str(target) in names:
        return frame, str(target)
    is_position = isinstance(target, (int, np.integer)) and isinstance(X, (np.ndarray, list, tuple))
    if is_position and -len(names) <= target < len(names):
        return frame, names[target]
    raise _no_such_column(str(target), names)


def _only_name(target: list[Any], given: list[Any]) -> Any:
    if len(target) == 1:
        return target[0]
    if target and all(is_name(name) and name in given for name in target):
        raise TargetError(
            f"{len(target)} targets were given, {target[:5]}. Targets with several outputs are not supported: "
            "recommend for one column at a time."
        )
    return target


def _no_such_column(target: str, names: list[str]) -> TargetError:
    close = difflib.get_close_matches(target, names, n=3)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    if len(names) == 1:
        hint += " It has only one: was the file read with the right delimiter (comma, semicolon, tab, bar)?"
    elif names and all(name.replace(".", "").lstrip("-").isdigit() for name in names):
        hint += " All its names are numbers: does the file lack a header line?"
    more = " ..." if len(names) > 30 else ""
    return TargetError(
        f"The table has no column {target!r}.{hint} Its columns are {names[:30]}{more}.",
        target=target,
        columns=names,
    )


def without_column(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the table without a column; the other cells are not copied, as ``frame.drop`` would.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_features + 1)
    name : str

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
    """
    rest = frame.copy(deep=False)
    del rest[name]
    return rest


def paired(X: Any, y: Any) -> tuple[pd.DataFrame, Any]:
    """Return table and target of a pair; the target may be a table of one column or another library's column.

    Parameters
    ----------
    X : table
    y : array-like of shape (n_samples,) or (n_samples, 1)

    Returns
    -------
    frame : DataFrame
    y : array-like of shape (n_samples,)

    Warns
    -----
    DataWarning
        If both have the same row labels in another order, or the table holds the target as a column.
    """
    frame = as_frame(X)
    y = _one_column(y)
    if isinstance(X, pd.DataFrame) and isinstance(y, pd.Series):
        _check_order(frame, y)
        return _without_target(frame, y), y
    return frame, y


def _one_column(y: Any) -> Any:
    """Return a target that came as a table of one column, or as a foreign column, as a Series."""
    if isinstance(y, pd.Series) or y is None:
        return y
    if len(getattr(y, "shape", ())) == 2 and y.shape[1] == 1:
        return as_frame(y).iloc[:, 0]
    if hasattr(y, "to_pandas") and len(getattr(y, "shape", (0,))) == 1:
        try:
            return pd.Series(y.to_pandas())
        except Exception as error:  # whatever a foreign type's conversion raises
            raise TargetError(f"The target, a {type(y).__name__}, cannot be read: {error}.") from error
    return y


def _check_order(frame: pd.DataFrame, y: pd.Series) -> None:
    """Warn if table and target have the same row labels in another order, which pairs the wrong rows."""
    if len(frame) != len(y) or frame.index.equals(y.index):
        return
    try:
        is_shuffled = frame.index.is_unique and y.index.is_unique and not len(frame.index.difference(y.index))
    except TypeError:  # labels that cannot be compared
        return
    if is_shuffled:
        warnings.warn(
            "Table and target have the same row labels in another order; they were paired by position. If the "
            "labels are right, pass y.loc[X.index].",
            DataWarning,
            stacklevel=5,
        )


def _without_target(frame: pd.DataFrame, y: pd.Series) -> pd.DataFrame:
    label = str(y.name)
    if label not in frame.columns or frame.shape[1] < 2 or len(y) != len(frame):
        return frame
    if not frame[label].reset_index(drop=True).equals(y.reset_index(drop=True)):
        return frame
    warnings.warn(
        f"The table holds the target, {label!r}, as a column; it was left out of the features.",
        DataWarning,
        stacklevel=5,
    )
    return without_column(frame, label)
