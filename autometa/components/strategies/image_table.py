"""Tables for encoders that read images themselves: the images as they are, everything else as numbers."""

from __future__ import annotations

from typing import Any, Self

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.components.strategies.preprocessing import TablePreprocessor
from autometa.domain.images import holds_images
from autometa.foundation.typing import FloatArray, LabelArray, RandomState

__all__ = ["ImagesAndNumbers"]


class ImagesAndNumbers(TransformerMixin, BaseEstimator):
    """Keep the columns of images of a canonical table and encode, impute and scale the others.

    Parameters
    ----------
    classification : bool
    random_state : int or None

    Attributes
    ----------
    image_columns_ : list of str
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
        ImagesAndNumbers
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
        DataFrame of shape (n_samples, n_images + n_numbers)
            The images first.
        """
        self.image_columns_ = [str(name) for name in X if holds_images(X[name])]
        rest = X.drop(columns=self.image_columns_)
        self.others_ = None
        if rest.shape[1] == 0:
            return X[self.image_columns_]
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
        DataFrame of shape (n_samples, n_images + n_numbers)
        """
        check_is_fitted(self)
        if self.others_ is None:
            return X[self.image_columns_]
        return self._joined(X, self.others_.transform(X.drop(columns=self.image_columns_)))

    def _joined(self, X: pd.DataFrame, numbers: FloatArray) -> pd.DataFrame:
        names = [f"number_{place}" for place in range(numbers.shape[1])]
        return pd.concat([X[self.image_columns_], pd.DataFrame(numbers, index=X.index, columns=names)], axis=1)
