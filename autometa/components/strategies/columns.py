"""Encoders of canonical columns that are not numbers: categories, dates, texts."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.foundation.typing import FloatArray, IntArray, RandomState

__all__ = ["CategoryCodes", "DateFeatures", "TextFeatures"]


class CategoryCodes(TransformerMixin, BaseEstimator):
    """Category columns as integer codes, -1 where missing or unknown.

    Every canonical table has the training categories, so its codes are the same in all of them; encoders work on
    them many times faster than on the strings.
    """

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Remember the number of columns.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Category columns.
        y : ignored

        Returns
        -------
        CategoryCodes
        """
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> IntArray:
        """Return the codes.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of int64, shape (n_samples, n_features)
        """
        return np.column_stack([X[name].cat.codes.to_numpy(dtype=np.int64) for name in X])


class DateFeatures(TransformerMixin, BaseEstimator):
    """skrub's parts of dates (year to hour, weekday, day of the year, total seconds) as numbers."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Find out which parts each column has.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            datetime64 columns, each with at least one date.
        y : ignored

        Returns
        -------
        DateFeatures
        """
        from skrub import DatetimeEncoder

        encoder = DatetimeEncoder(add_weekday=True, add_day_of_year=True)
        self.encoders_ = {name: _clone(encoder).fit(X[name]) for name in X}
        return self

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the parts; NaN where the date is missing.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_parts)
        """
        check_is_fitted(self)
        parts = [encoder.transform(X[name]) for name, encoder in self.encoders_.items()]
        return np.asarray(pd.concat(parts, axis=1).to_numpy(dtype=np.float64, na_value=np.nan))


class TextFeatures(TransformerMixin, BaseEstimator):
    """Hashed TF-IDF of words and of character n-grams, reduced by truncated SVD, per text column.

    Parameters
    ----------
    n_components : int
        Output columns of each text column; fewer where the rows are fewer.
    random_state : int or None
    """

    def __init__(self, n_components: int = 40, random_state: RandomState = None) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the inverse document frequencies and the projection.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Columns of str.
        y : ignored

        Returns
        -------
        TextFeatures
        """
        self.pipelines_ = {name: self._pipeline(len(X)).fit(X[name]) for name in X}
        return self

    def _pipeline(self, n_samples: int) -> Any:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
        from sklearn.pipeline import FeatureUnion, Pipeline
        from sklearn.preprocessing import StandardScaler

        counts = FeatureUnion(
            [
                ("words", HashingVectorizer(n_features=2**13, alternate_sign=False, ngram_range=(1, 2))),
                ("characters", HashingVectorizer(n_features=2**13, alternate_sign=False, analyzer="char_wb",
                                                 ngram_range=(3, 4))),
            ]
        )  # fmt: skip
        reduce = TruncatedSVD(max(1, min(self.n_components, n_samples - 1)), random_state=self.random_state)
        return Pipeline(
            [("counts", counts), ("weights", TfidfTransformer()), ("reduce", reduce), ("scale", StandardScaler())]
        )

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the components.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_components_in_total)
        """
        check_is_fitted(self)
        return np.hstack([pipeline.transform(X[name]) for name, pipeline in self.pipelines_.items()])


def _clone(encoder: Any) -> Any:
    from sklearn.base import clone

    return clone(encoder)
