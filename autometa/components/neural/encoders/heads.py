"""The scikit-learn skin of fine-tuned encoders, whatever they read: how a classifier and a regressor fit."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import _check_sample_weight, _check_y, check_consistent_length

from autometa.components.neural.encoders._base import BaseFineTuned
from autometa.components.neural.targets import ClassTarget, NumberTarget
from autometa.foundation.typing import FloatArray

__all__ = ["FineTunedClassification", "FineTunedRegression"]


class _Tables(BaseFineTuned):
    @abstractmethod
    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Check a table, and learn its columns if `reset`."""


class FineTunedClassification(ClassTarget, _Tables):
    """Fit and predict classes; subclasses say what is read."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fine-tune on labelled rows.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features), or a sequence of what the encoder reads
            Beside it finite numbers on a common scale.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Not negative; rows of weight 0 are left out.

        Returns
        -------
        self

        Raises
        ------
        TableError, TargetError
            If there is nothing to read, a number is not finite, or there is only one class.
        ParameterError
            If a parameter is not allowed, or the backbone cannot be loaded.
        """
        table = self._table(X, reset=True)
        y = _check_y(y)
        check_consistent_length(table, y)
        weights = _check_sample_weight(sample_weight, table, dtype=np.float64, ensure_non_negative=True)
        weights = self._class_weighted(weights, y)
        kept = weights > 0
        codes = self._codes(y[kept])
        self._fit_encoder(table[kept], codes, weights[kept], n_outputs=len(self.classes_), classification=True)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return probabilities.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.
        """
        return self._probabilities(self._outputs(self._table(X, reset=False)))


class FineTunedRegression(NumberTarget, _Tables):
    """Fit and predict numbers; subclasses say what is read."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fine-tune on labelled rows; the target is standardised.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features), or a sequence of what the encoder reads
            Beside it finite numbers on a common scale.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Not negative; rows of weight 0 are left out.

        Returns
        -------
        self
        """
        table = self._table(X, reset=True)
        y = _check_y(y, y_numeric=True).astype(np.float64)
        check_consistent_length(table, y)
        weights = _check_sample_weight(sample_weight, table, dtype=np.float64, ensure_non_negative=True)
        kept = weights > 0
        table, y, weights = table[kept], y[kept], weights[kept]
        self._fit_encoder(table, self._standardised(y, weights), weights, n_outputs=1, classification=False)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Return the predicted numbers, clipped to the training range widened by a quarter.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of float64, shape (n_samples,)
        """
        return self._on_target_scale(self._outputs(self._table(X, reset=False)))
