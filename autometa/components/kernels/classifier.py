"""The leave-one-out kernel ensemble for classification."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from autometa.components.kernels._base import BaseKernelEnsemble
from autometa.components.kernels.stacking import stack_classifiers
from autometa.foundation.typing import FloatArray, IntArray, LabelArray

__all__ = ["KernelEnsembleClassifier"]

_FLOOR = 0.01  # smallest probability a member may state before its vote is weighed


class KernelEnsembleClassifier(ClassifierMixin, BaseKernelEnsemble):
    """Leave-one-out kernel ensemble: many kernel ridge fits, stacked on leave-one-out predictions."""

    _tree_features = "sqrt"

    def __init__(
        self,
        kernels: str | tuple[str, ...] = "default",
        *,
        include_trees: bool = False,
        stacking_ridge: float = 3.0,
        class_weight: dict[Any, float] | str | None = None,
        device: str = "auto",
        max_exact_rows: int | None = None,
        time_limit: float | None = None,
        random_state: Any = 0,
    ) -> None:
        self.kernels = kernels
        self.include_trees = include_trees
        self.stacking_ridge = stacking_ridge
        self.class_weight = class_weight
        self.device = device
        self.max_exact_rows = max_exact_rows
        self.time_limit = time_limit
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        check_classification_targets(y)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        weights = weights * compute_sample_weight(self.class_weight, y)
        kept = weights > 0
        X, y, weights = X[kept], y[kept], weights[kept] / weights[kept].mean()
        self.classes_, labels = np.unique(y, return_inverse=True)
        k = len(self.classes_)
        counts = np.bincount(labels, weights=weights, minlength=k)
        self.class_prior_ = (counts + 1.0) / (counts.sum() + k)
        targets = np.eye(k)[labels] - self.class_prior_

        def loss(left_out: FloatArray, rows: IntArray) -> float:
            logs = self._log_probabilities(left_out)
            return -float(np.average(logs[np.arange(len(rows)), labels[rows]], weights=weights[rows]))

        left_out = self._fit_experts(X, labels, targets, weights, loss)
        logs = self._log_probabilities(left_out)
        self.stacking_weights_ = stack_classifiers(logs, labels, weights, self.stacking_ridge)
        p = softmax(np.tensordot(self.stacking_weights_, logs, axes=1), axis=1)
        self.loo_score_ = -float(np.average(np.log(p[np.arange(len(p)), labels]), weights=weights))
        return self

    def _log_probabilities(self, predictions: FloatArray) -> FloatArray:
        p = np.clip(predictions + self.class_prior_, _FLOOR, 1.0)
        return np.log(p / p.sum(axis=-1, keepdims=True))

    def predict_proba(self, X: Any) -> FloatArray:
        parts = [
            softmax(np.tensordot(self.stacking_weights_, self._log_probabilities(p), axes=1), axis=1)
            for p in self._expert_predictions(X)
        ]
        return np.vstack(parts)

    def predict(self, X: Any) -> LabelArray:
        """Most likely class of each row, ndarray of shape (n,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])
