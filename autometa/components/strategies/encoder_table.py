"""Tables for encoders that read texts or images themselves: those as they are, everything else as numbers."""

from __future__ import annotations

from typing import Any, Self

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.components.strategies.preprocessing import TablePreprocessor
from autometa.domain.images import holds_images
from autometa.foundation.typing import FloatArray, LabelArray, RandomState

__all__ = ["EncodedAndNumbers"]


class EncodedAndNumbers(TransformerMixin, BaseEstimator):
    """Keep the columns of a canonical table that an encoder reads, and encode, impute and scale the others.

    Parameters
    ----------
    modality : {"text", "image"}
        What the encoder reads.
    classification : bool
    random_state : int or None

    Attributes
    ----------
    encoded_columns_ : list of str
        Those that the encoder reads.
    others_ : TablePreprocessor or None
        None where there are no other columns.
    """

    def __init__(
        self, modality: str = "text", classification: bool = True, random_state: RandomState = None
    ) -> None:
        self.modality = modality
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
        EncodedAndNumbers
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
        DataFrame of shape (n_samples, n_encoded + n_numbers)
            Those that the encoder reads first.
        """
        chosen = X.select_dtypes("object")
        self.encoded_columns_ = [str(name) for name in chosen if holds_images(chosen[name]) == self._reads_images]
        rest = X.drop(columns=self.encoded_columns_)
        self.others_ = None
        if rest.shape[1] == 0:
            return X[self.encoded_columns_]
        self.others_ = TablePreprocessor(classification=self.classification, random_state=self.random_state)
        return self._joined(X, self.others_.fit_transform(rest, y))

    @property
    def _reads_images(self) -> bool:
        return self.modality == "image"

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the table.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical.

        Returns
        -------
        DataFrame of shape (n_samples, n_encoded + n_numbers)
        """
        check_is_fitted(self)
        if self.others_ is None:
            return X[self.encoded_columns_]
        return self._joined(X, self.others_.transform(X.drop(columns=self.encoded_columns_)))

    def _joined(self, X: pd.DataFrame, numbers: FloatArray) -> pd.DataFrame:
        names = [f"number_{place}" for place in range(numbers.shape[1])]
        return pd.concat([X[self.encoded_columns_], pd.DataFrame(numbers, index=X.index, columns=names)], axis=1)
