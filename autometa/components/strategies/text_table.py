"""Tables for encoders that read texts themselves: the texts as they are, everything else as numbers."""

from __future__ import annotations

from typing import Any, Self

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.components.strategies.preprocessing import TablePreprocessor
from autometa.foundation.typing import FloatArray, LabelArray, RandomState

__all__ = ["TextAndNumbers"]


class TextAndNumbers(TransformerMixin, BaseEstimator):
    """Keep the text columns of a canonical table and encode, impute and scale the others.

    Parameters
    ----------
    classification : bool
    random_state : int or None

    Attributes
    ----------
    text_columns_ : list of str
    others_ : TablePreprocessor or None
        None where there are no other columns.
    """

    def __init__(self, classification: bool = True, random_state: RandomState = None) -> None:
        self.classification = classification
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: LabelArray) -> Self:
        """Learn the encodings.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical.
        y : ndarray of shape (n_samples,)

        Returns
        -------
        TextAndNumbers
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: LabelArray, **params: Any) -> pd.DataFrame:
        """Learn the encodings and return the training table, its target encodings cross-fitted.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical.
        y : ndarray of shape (n_samples,)
        **params : ignored

        Returns
        -------
        DataFrame of shape (n_samples, n_texts + n_numbers)
            The texts first.
        """
        self.text_columns_ = [str(name) for name in X.select_dtypes("object")]
        rest = X.drop(columns=self.text_columns_)
        self.others_ = None
        if rest.shape[1] == 0:
            return X[self.text_columns_]
        self.others_ = TablePreprocessor(classification=self.classification, random_state=self.random_state)
        return self._joined(X, self.others_.fit_transform(rest, y))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the table.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical.

        Returns
        -------
        DataFrame of shape (n_samples, n_texts + n_numbers)
        """
        check_is_fitted(self)
        if self.others_ is None:
            return X[self.text_columns_]
        return self._joined(X, self.others_.transform(X.drop(columns=self.text_columns_)))

    def _joined(self, X: pd.DataFrame, numbers: FloatArray) -> pd.DataFrame:
        names = [f"number_{place}" for place in range(numbers.shape[1])]
        return pd.concat([X[self.text_columns_], pd.DataFrame(numbers, index=X.index, columns=names)], axis=1)
