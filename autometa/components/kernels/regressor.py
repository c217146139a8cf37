"""The leave-one-out kernel ensemble for regression."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import _check_sample_weight, validate_data

from autometa.components.kernels._base import BaseKernelEnsemble
from autometa.components.kernels.stacking import stack_regressors
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["KernelEnsembleRegressor"]

_MAX_BINS = 10  # of the target, to weigh columns by
_ROWS_PER_BIN = 15


class KernelEnsembleRegressor(RegressorMixin, BaseKernelEnsemble):
    """Leave-one-out kernel ensemble for regression."""

    _tree_features = 1 / 3

    def __init__(
        self,
        kernels: str | tuple[str, ...] = "default",
        *,
        include_trees: bool = False,
        stacking_ridge: float = 3.0,
        device: str = "auto",
        max_exact_rows: int | None = None,
        time_limit: float | None = None,
        random_state: Any = 0,
    ) -> None:
        self.kernels = kernels
        self.include_trees = include_trees
        self.stacking_ridge = stacking_ridge
        self.device = device
        self.max_exact_rows = max_exact_rows
        self.time_limit = time_limit
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        X, y = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2, y_numeric=True
        )
        y = y.astype(np.float64)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        kept = weights > 0
        X, y, weights = X[kept], y[kept], weights[kept] / weights[kept].mean()
        self.mean_ = float(np.average(y, weights=weights))
        self.scale_ = float(np.sqrt(np.average((y - self.mean_) ** 2, weights=weights))) or 1.0
        targets = ((y - self.mean_) / self.scale_)[:, None]

        def loss(left_out: FloatArray, rows: IntArray) -> float:
            return float(np.average((left_out - targets[rows])[:, 0] ** 2, weights=weights[rows]))

        left_out = self._fit_experts(X, _bins(y), targets, weights, loss)[:, :, 0]
        self.stacking_weights_ = stack_regressors(left_out, targets[:, 0], weights, self.stacking_ridge)
        residuals = targets[:, 0] - self.stacking_weights_ @ left_out
        self.loo_score_ = float(np.sqrt(np.average(residuals**2, weights=weights)))
        self.residuals_ = np.sort(residuals * self.scale_)
        return self

    def predict(self, X: Any) -> FloatArray:
        parts = [self.stacking_weights_ @ p[:, :, 0] for p in self._expert_predictions(X)]
        return self.mean_ + self.scale_ * np.concatenate(parts)


def _bins(y: FloatArray) -> IntArray:
    n_bins = int(np.clip(len(y) // _ROWS_PER_BIN, 2, _MAX_BINS))
    edges = np.unique(np.quantile(y, np.arange(1, n_bins) / n_bins))
    _, bins = np.unique(np.searchsorted(edges, y, side="left"), return_inverse=True)
    return bins
