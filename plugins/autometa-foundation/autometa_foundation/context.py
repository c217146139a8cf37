"""What an in-context model is given: a matrix of numbers, and a sample of the rows where there are too many."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["as_matrix", "categorical_places", "sample_rows"]


def as_matrix(X: Any, missing_category: float = np.nan) -> npt.NDArray[np.float64]:
    """Turn a table of float and category columns into a matrix; categories become their codes.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_features)
    missing_category : float
        Stands for a missing, or never seen, category.

    Returns
    -------
    ndarray of float64, shape (n_samples, n_features)
    """
    if not isinstance(X, pd.DataFrame):
        return np.asarray(X, dtype=np.float64)
    columns = [_codes(column, missing_category) if _is_category(column) else column for _, column in X.items()]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _codes(column: pd.Series, missing: float) -> npt.NDArray[np.float64]:
    codes = column.cat.codes.to_numpy(dtype=np.float64)
    return np.where(codes < 0, missing, codes)


def categorical_places(X: Any) -> list[int]:
    """Return which columns are categories.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n_samples, n_features)

    Returns
    -------
    list of int
        Positions; none in an array.
    """
    if not isinstance(X, pd.DataFrame):
        return []
    return [place for place, (_, column) in enumerate(X.items()) if _is_category(column)]


def _is_category(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)


def sample_rows(
    codes: npt.NDArray[np.int64] | None, n_samples: int, max_rows: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Choose the rows of the context: all, or a random sample that has every class in its share, at least once.

    Parameters
    ----------
    codes : ndarray of int64, shape (n_samples,), or None
        Class of each row; None for regression.
    n_samples, max_rows : int
    generator : Generator

    Returns
    -------
    ndarray of int64, shape (min(n_samples, max_rows) or, with more classes than that, n_classes,)
        Sorted positions.
    """
    if n_samples <= max_rows:
        return np.arange(n_samples)
    order = generator.permutation(n_samples)
    if codes is None:
        return np.sort(order[:max_rows])
    # The first row of each class in the random order is kept whatever happens; the rest are taken evenly from the
    # rows sorted by class, so that every class has its share.
    _, first = np.unique(codes[order], return_index=True)
    rest = np.delete(order, first)
    rest = rest[np.argsort(codes[rest], kind="stable")]
    n_more = max(max_rows - len(first), 0)
    evenly = np.linspace(0, len(rest) - 1, n_more).round().astype(np.int64) if n_more else np.empty(0, np.int64)
    return np.sort(np.concatenate([order[first], rest[evenly]]))
