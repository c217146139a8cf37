"""Tables as encoders take them: columns of texts or of images, and columns of numbers beside them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from autometa.domain.images import as_images
from autometa.foundation.errors import TableError
from autometa.foundation.typing import BoolArray, LabelArray

__all__ = ["Modality", "as_table", "encoded_columns", "image_cells", "missing_cells", "plain_numbers", "texts"]

Modality = Literal["text", "image"]

_NEEDED: Final = {
    "text": "A text encoder needs a column of texts",
    "image": "An image encoder needs a column of paths or arrays",
}


def as_table(X: Any, modality: Modality) -> pd.DataFrame:
    """Return a DataFrame as it is, and anything else as one of a single column.

    Parameters
    ----------
    X : DataFrame; or Series or sequence of str; or sequence of paths and arrays, or ndarray of shape \
(n_samples, height, width[, channels])
    modality : {"text", "image"}
        What a sequence holds, and the name of its column.

    Returns
    -------
    DataFrame

    Raises
    ------
    TableError
        If there are no rows.
    """
    if isinstance(X, pd.DataFrame):
        table = X
    else:
        cells = np.ravel(X) if modality == "text" else list(X)
        table = pd.DataFrame({modality: pd.Series(cells, dtype=object)})
    if not len(table):
        raise TableError(f"Found array with 0 sample(s) (shape={table.shape}) while a minimum of 1 is required.")
    return table


def encoded_columns(X: pd.DataFrame, modality: Modality) -> list[str]:
    """Return the columns that are not numbers.

    Parameters
    ----------
    X : DataFrame
    modality : {"text", "image"}

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
        raise TableError(f"{_NEEDED[modality]}; the columns have dtypes {list(X.dtypes)[:10]}.")
    return found


def plain_numbers(X: pd.DataFrame, columns: Iterable[str], modality: Modality) -> npt.NDArray[np.float32]:
    """Return the other columns.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
    columns : iterable of str
        Those of texts or images.
    modality : {"text", "image"}

    Returns
    -------
    ndarray of float32, shape (n_samples, n_features - n_columns)

    Raises
    ------
    TableError
        If one is not finite.
    """
    plain = np.array(X.drop(columns=list(columns)), dtype=np.float32)
    if not np.isfinite(plain).all():
        raise TableError(
            f"The columns beside the {modality}s must be finite numbers: impute and scale them first."
        )
    return plain


def texts(X: pd.DataFrame, columns: Iterable[str]) -> list[list[str]]:
    """Return columns as strings, empty where missing.

    Parameters
    ----------
    X : DataFrame
    columns : iterable of str

    Returns
    -------
    list of list of str
        One a column.
    """
    return [
        ["" if missing else str(cell) for cell, missing in zip(X[name], X[name].isna(), strict=True)]
        for name in columns
    ]


def image_cells(X: pd.DataFrame, columns: Iterable[str]) -> LabelArray:
    """Return columns of images in canonical form, side by side.

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
