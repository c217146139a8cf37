"""Tables as text encoders take them: columns of texts, and columns of numbers beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autometa.foundation.errors import TableError

__all__ = ["as_table", "numbers", "text_columns", "texts"]


def as_table(X: Any) -> pd.DataFrame:
    """Return a DataFrame as it is, and anything else as one of a single column of texts.

    Parameters
    ----------
    X : DataFrame, or Series or sequence of str

    Returns
    -------
    DataFrame

    Raises
    ------
    TableError
        If there are no rows.
    """
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame({"text": pd.Series(np.ravel(X), dtype=object)})
    if not len(table):
        raise TableError(f"Found array with 0 sample(s) (shape={table.shape}) while a minimum of 1 is required.")
    return table


def text_columns(X: pd.DataFrame) -> list[str]:
    """Return the columns that are not numbers.

    Parameters
    ----------
    X : DataFrame

    Returns
    -------
    list of str

    Raises
    ------
    TableError
        If there are none.
    """
    found = [str(name) for name, dtype in X.dtypes.items() if not pd.api.types.is_numeric_dtype(dtype)]
    if not found:
        raise TableError(f"A text encoder needs a column of texts; the columns have dtypes {list(X.dtypes)[:10]}.")
    return found


def texts(X: pd.DataFrame, columns: list[str]) -> list[list[str]]:
    """Return columns as strings, empty where missing.

    Parameters
    ----------
    X : DataFrame
    columns : list of str

    Returns
    -------
    list of list of str
        One a column.
    """
    return [
        ["" if missing else str(cell) for cell, missing in zip(X[name], X[name].isna(), strict=True)]
        for name in columns
    ]


def numbers(X: pd.DataFrame, columns: list[str]) -> npt.NDArray[np.float32]:
    """Return the other columns.

    Parameters
    ----------
    X : DataFrame
    columns : list of str
        Those of texts.

    Returns
    -------
    ndarray of float32, shape (n_samples, n_columns of X - n_columns)

    Raises
    ------
    TableError
        If one is not finite.
    """
    plain = np.array(X.drop(columns=columns), dtype=np.float32)
    if not np.isfinite(plain).all():
        raise TableError("The columns beside the texts must be finite numbers: impute and scale them first.")
    return plain
