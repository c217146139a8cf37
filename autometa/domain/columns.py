"""One canonical form for the columns of a table.

Every strategy's pipeline begins with a `ColumnCanonicalizer`, so that a fitted model takes whatever frame the
recommendation took: nullable and Arrow dtypes, booleans, dates, mixed objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.domain.cells import as_booleans, as_categories, as_datetimes, as_numbers, as_texts, is_day_first
from autometa.domain.frames import as_frame
from autometa.domain.images import as_images
from autometa.domain.roles import ColumnRole, infer_role, infer_roles
from autometa.foundation.errors import TableError
from autometa.foundation.typing import LabelArray

__all__ = ["ColumnCanonicalizer", "ColumnRole", "as_frame", "infer_role", "infer_roles"]


class ColumnCanonicalizer(TransformerMixin, BaseEstimator):
    """Bring every column into the one form that its role has.

    ======================  ==========================================================
    role                    canonical form
    ======================  ==========================================================
    numeric, boolean        float64; infinities and what is no number become NaN
    categorical             pandas category of strings seen in training; others missing
    datetime                datetime64[ns], UTC without zone
    text                    object of str; missing as the empty string
    image                   object of `Path` or ndarray; missing as None; the pixels as they came
    ======================  ==========================================================

    Parameters
    ----------
    roles : mapping of column name to role, optional
        What is missing here is inferred from the training table.

    Attributes
    ----------
    roles_ : dict of str to ColumnRole
        The role of every training column, in column order.
    categories_ : dict of str to ndarray of str
        The sorted categories of each categorical column.
    day_first_ : dict of str to bool
        Whether the dates of each datetime column are written with the day first.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features,)
    """

    def __init__(self, roles: Mapping[str, str] | None = None) -> None:
        self.roles = roles

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn roles and categories.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        ColumnCanonicalizer
        """
        frame = as_frame(X)
        given = {name: role for name, role in (self.roles or {}).items() if name in frame.columns}
        self.roles_ = infer_roles(frame, given)
        self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        self.n_features_in_ = frame.shape[1]
        self.categories_ = {name: _categories(frame[name]) for name in self._with(ColumnRole.CATEGORICAL)}
        self.day_first_ = {name: is_day_first(frame[name]) for name in self._with(ColumnRole.DATETIME)}
        return self

    def _with(self, role: ColumnRole) -> list[str]:
        return [name for name, found in self.roles_.items() if found == role]

    def transform(self, X: Any) -> pd.DataFrame:
        """Return `X` with canonical columns.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        DataFrame of shape (n_samples, n_features)
            Training column order.

        Raises
        ------
        TableError
            If a training column is not in `X`.
        """
        check_is_fitted(self)
        frame = as_frame(X)
        missing = [name for name in self.roles_ if name not in frame.columns]
        if missing:
            raise TableError(
                f"The table lacks the columns {missing[:10]} that the model was fitted with; "
                f"it has {list(frame.columns)[:10]}.",
                columns=missing,
            )
        columns = {name: self._canonical(frame[name], role) for name, role in self.roles_.items()}
        return pd.DataFrame(columns, index=frame.index, copy=False)

    def _canonical(self, column: pd.Series, role: ColumnRole) -> Any:
        name = str(column.name)
        if role == ColumnRole.CATEGORICAL:
            return _categorical(column, pd.Index(self.categories_[name], dtype=object))
        if role == ColumnRole.DATETIME:
            return as_datetimes(column, day_first=self.day_first_[name])
        if role == ColumnRole.TEXT:
            return pd.Series(as_texts(column), index=column.index, dtype=object)
        if role == ColumnRole.IMAGE:
            return pd.Series(as_images(column), index=column.index, dtype=object)
        return as_booleans(column) if role == ColumnRole.BOOLEAN else as_numbers(column)

    def get_feature_names_out(self, input_features: Any = None) -> LabelArray:
        """Return the training column names.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str, shape (n_features,)
        """
        check_is_fitted(self)
        return self.feature_names_in_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _categories(column: pd.Series) -> LabelArray:
    codes, names = as_categories(column)
    present = np.bincount(codes[codes >= 0], minlength=len(names)) > 0
    return np.asarray(sorted(set(names[present])), dtype=object)


def _categorical(column: pd.Series, categories: pd.Index) -> pd.Categorical:
    codes, names = as_categories(column)
    known = np.append(categories.get_indexer(pd.Index(names, dtype=object)), -1)
    return pd.Categorical.from_codes(known[codes], categories=categories)
