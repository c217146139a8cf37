"""From a canonical table to one that learners with native categories and missing values take as it is."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.components.strategies.columns import CategoryCodes, DateFeatures, TextFeatures
from autometa.domain.images import holds_images
from autometa.foundation.errors import TableError
from autometa.foundation.typing import LabelArray, RandomState

__all__ = ["NativeTable"]

# Boosting libraries compute in float32: larger numbers would become infinite there.
_LARGEST = 1e37


class NativeTable(TransformerMixin, BaseEstimator):
    """Keep categories and missing values, for learners that see to both themselves.

    ==============  ==================================================================================
    dtype           becomes
    ==============  ==================================================================================
    float64         float64, NaN kept, clipped to what fits into float32
    category        category of integers, the rarest levels beyond `max_levels` in one; missing stays missing
    datetime64      year, day of year, weekday, seconds, ...: float64
    object (text)   components of hashed TF-IDF: float64
    ==============  ==================================================================================

    Columns without any value are dropped.

    Parameters
    ----------
    max_levels : int
        Of a category column; scikit-learn's histogram boosting takes at most 255.
    random_state : int or None

    Attributes
    ----------
    levels_ : dict of str to ndarray of int
        For each category column, the level of each code of the canonical table.
    """

    def __init__(self, max_levels: int = 200, random_state: RandomState = None) -> None:
        self.max_levels = max_levels
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the levels of categories, the parts of dates and the components of texts.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical (see `ColumnCanonicalizer`).
        y : ignored

        Returns
        -------
        NativeTable

        Raises
        ------
        TableError
            If a column holds images.
        """
        images = [name for name in X if holds_images(X[name])]
        if images:
            raise TableError(f"Images are not read here, and {images[0]!r} holds some; leave such columns out.")
        self.n_features_in_ = X.shape[1]
        categories = [name for name in X if isinstance(X[name].dtype, pd.CategoricalDtype)]
        self.levels_ = {name: _levels(X[name], self.max_levels) for name in categories}
        dates = [name for name in X if pd.api.types.is_datetime64_any_dtype(X[name].dtype)]
        self.dates_ = [name for name in dates if X[name].notna().any()]
        texts = [name for name in X if pd.api.types.is_object_dtype(X[name].dtype)]
        self.texts_ = [name for name in texts if X[name].nunique() > 1]
        numbers = [name for name in X if pd.api.types.is_numeric_dtype(X[name].dtype)]
        self.numbers_ = [name for name in numbers if X[name].notna().any()]
        self.date_features_ = DateFeatures().fit(X[self.dates_]) if self.dates_ else None
        self.text_features_ = (
            TextFeatures(random_state=self.random_state).fit(X[self.texts_]) if self.texts_ else None
        )
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the table.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical.

        Returns
        -------
        DataFrame of shape (n_samples, n_features_out)
            Columns ``f0``, ``f1``, ...: not every library takes any name. At least one.
        """
        check_is_fitted(self, "levels_")
        columns: list[Any] = list(X[self.numbers_].to_numpy(dtype=np.float64).clip(-_LARGEST, _LARGEST).T)
        if self.date_features_ is not None:
            columns += list(self.date_features_.transform(X[self.dates_]).T)
        if self.text_features_ is not None:
            columns += list(self.text_features_.transform(X[self.texts_]).T)
        if self.levels_:
            codes = CategoryCodes().fit(X[list(self.levels_)]).transform(X[list(self.levels_)])
            columns += [
                _as_levels(code, levels) for code, levels in zip(codes.T, self.levels_.values(), strict=True)
            ]
        columns = columns or [np.zeros(len(X))]
        return pd.DataFrame({f"f{j}": column for j, column in enumerate(columns)}, index=X.index)


def _levels(column: pd.Series, max_levels: int) -> LabelArray:
    """Return the level of each code: the most frequent have their own, all others share the last one."""
    codes = column.cat.codes.to_numpy(dtype=np.int64)
    counts = np.bincount(codes + 1, minlength=len(column.cat.categories) + 1)[1:]
    place = np.empty(len(counts), dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(place, max_levels - 1)


def _as_levels(codes: LabelArray, levels: LabelArray) -> Any:
    known = np.append(levels, -1)[codes]
    return pd.Categorical.from_codes(known, categories=pd.RangeIndex(int(levels.max(initial=-1)) + 1))
