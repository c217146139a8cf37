"""Forests as further experts: what they say out of bag stands in for leave-one-out predictions."""

from __future__ import annotations

from typing import Final

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from autometa.foundation.typing import FloatArray

__all__ = ["TreeExperts"]

_N_TREES: Final = 200  # a row is out of the bag of some 74 of them


class TreeExperts:
    """A random forest and an ensemble of extremely randomised trees, grown on the same targets as the kernels.

    Regression trees on class indicators split as classification trees with the Gini index do, so
    classification and regression are one case.

    Parameters
    ----------
    max_features : float or str
        Share of the columns looked at in each split, as in scikit-learn.
    random_state : int
        Seed.
    """

    def __init__(self, max_features: float | str, random_state: int) -> None:
        self._forests = [
            family(_N_TREES, max_features=max_features, bootstrap=True, oob_score=True, random_state=random_state)
            for family in (RandomForestRegressor, ExtraTreesRegressor)
        ]

    def fit(self, X: FloatArray, targets: FloatArray, weights: FloatArray) -> FloatArray:
        """Grow on X (n, f), NaN allowed, and targets (n, k); return out-of-bag predictions, (2, n, k)."""
        grown = (forest.fit(X, np.squeeze(targets), sample_weight=weights) for forest in self._forests)
        return np.stack([forest.oob_prediction_.reshape(targets.shape) for forest in grown])

    def predict(self, X: FloatArray, n_targets: int) -> FloatArray:
        """Predictions for the rows of X, (2, n, k)."""
        return np.stack([forest.predict(X).reshape(len(X), n_targets) for forest in self._forests])
