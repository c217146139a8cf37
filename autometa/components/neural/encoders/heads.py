"""The scikit-learn skin of fine-tuned encoders, whatever they read: how a classifier and a regressor fit."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, _check_y, check_consistent_length

from autometa.components.neural.calibration import best_temperature, mean_probabilities
from autometa.components.neural.encoders._base import BaseFineTuned
from autometa.foundation.errors import TargetError
from autometa.foundation.typing import FloatArray, LabelArray

if TYPE_CHECKING:
    from autometa.components.neural.training import Rows, TrainingReport

__all__ = ["FineTunedClassification", "FineTunedRegression"]


class _Tables(BaseFineTuned):
    @abstractmethod
    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Check a table, and learn its columns if `reset`."""


class FineTunedClassification(ClassifierMixin, _Tables):
    """Fit and predict classes; subclasses say what is read."""

    class_weight: dict[Any, float] | str | None
    calibrate: bool

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
        check_classification_targets(y)
        weights = _check_sample_weight(sample_weight, table, dtype=np.float64, ensure_non_negative=True)
        if self.class_weight is not None:
            weights = weights * compute_sample_weight(self.class_weight, y)
        kept = weights > 0
        self.classes_, codes = np.unique(y[kept], return_inverse=True)
        if len(self.classes_) < 2:
            raise TargetError(
                f"A classifier needs at least two classes; the target has {list(self.classes_)} only."
            )
        self._fit_encoder(
            table[kept],
            codes.astype(np.int64),
            weights[kept],
            n_outputs=len(self.classes_),
            classification=True,
        )
        return self

    def _after_training(self, report: TrainingReport, judged: Rows) -> None:
        self.temperature_ = 1.0
        if self.calibrate and report.held_out is not None:
            logits, codes, weights = (t.cpu().numpy() for t in (report.held_out, judged.y, judged.held_out))
            self.temperature_ = best_temperature(logits, codes, weights)

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
        return mean_probabilities(self._outputs(self._table(X, reset=False)), self.temperature_)

    def predict(self, X: Any) -> LabelArray:
        """Return the most probable classes.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


class FineTunedRegression(RegressorMixin, _Tables):
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
        self.target_mean_ = float(np.average(y, weights=weights))
        self.target_scale_ = float(np.sqrt(np.average((y - self.target_mean_) ** 2, weights=weights))) or 1.0
        margin = 0.25 * float(np.ptp(y))
        self.target_range_ = (float(y.min()) - margin, float(y.max()) + margin)
        standardised = ((y - self.target_mean_) / self.target_scale_).astype(np.float32)
        self._fit_encoder(table, standardised, weights, n_outputs=1, classification=False)
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
        found = self._outputs(self._table(X, reset=False)).astype(np.float64)[:, 0, 0]
        return np.asarray(np.clip(found * self.target_scale_ + self.target_mean_, *self.target_range_))
