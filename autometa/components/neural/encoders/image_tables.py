"""Tables as image encoders take them: columns of images, and columns of numbers beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autometa.domain.images import as_images
from autometa.foundation.errors import TableError
from autometa.foundation.typing import BoolArray, LabelArray

__all__ = ["as_image_table", "image_cells", "image_columns", "missing_cells", "plain_numbers"]


def as_image_table(X: Any) -> pd.DataFrame:
    """Return a DataFrame as it is, and anything else as one of a single column of images.

    Parameters
    ----------
    X : DataFrame, or sequence of paths and arrays, or ndarray of shape (n_samples, height, width[, channels])

    Returns
    -------
    DataFrame

    Raises
    ------
    TableError
        If there are no rows.
    """
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame({"image": pd.Series(list(X), dtype=object)})
    if not len(table):
        raise TableError(f"Found array with 0 sample(s) (shape={table.shape}) while a minimum of 1 is required.")
    return table


def image_columns(X: pd.DataFrame) -> list[str]:
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
        raise TableError(
            f"An image encoder needs a column of paths or arrays; the columns have dtypes {list(X.dtypes)[:10]}."
        )
    return found


def image_cells(X: pd.DataFrame, columns: Iterable[str]) -> LabelArray:
    """Return columns in canonical form, side by side.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
    columns : iterable of str

    Returns
    -------
    ndarray of object, shape (n_samples, n_columns)
        `Path`, ndarray or None.
    """
    names = list(columns)
    cells = np.full((len(X), len(names)), None, dtype=object)
    for place, name in enumerate(names):
        cells[:, place] = as_images(X[name])
    return cells


def missing_cells(cells: LabelArray) -> BoolArray:
    """Say where there is no image.

    Parameters
    ----------
    cells : ndarray of object
        Canonical.

    Returns
    -------
    ndarray of bool, of the same shape
    """
    return np.array([cell is None for cell in cells.flat], dtype=np.bool_).reshape(cells.shape)


def plain_numbers(X: pd.DataFrame, columns: Iterable[str]) -> npt.NDArray[np.float32]:
    """Return the other columns.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
    columns : iterable of str
        Those of images.

    Returns
    -------
    ndarray of float32, shape (n_samples, n_features - n_columns)

    Raises
    ------
    TableError
        If one is not finite.
    """
    plain = X.drop(columns=list(columns)).to_numpy(dtype=np.float32)
    if not np.isfinite(plain).all():
        raise TableError("The columns beside the images must be finite numbers: impute and scale them first.")
    return plain
