"""The level of a task: the loss that its best candidate will reach, and how far off such a forecast is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autometa.decision.policy._base import Arrays
from autometa.decision.policy.forest import Forest
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["Level"]

# So many that a forest without a fold knows nearly as much as one of all: with five, intervals of the shipped
# log_loss and nrmse were wider by one to two points of coverage than they had to be.
_N_FOLDS = 20
_N_TREES = 100
# Not many fewer than in all: a small forest spreads a forecast over fewer known tasks, so that the intervals are
# narrower and are stretched too far.
_N_TREES_PER_FOLD = 60
_LEAF = 2
# Levels farther than this many interquartile ranges from the median (an nrmse of 8 among ones below 1) are
# pulled in.
_REACH = 5.0
_LEAST_GROUPS = 10


@dataclass(frozen=True, eq=False)
class Level:
    """A forest over the meta-features (landmarkers among them) for the least loss of a row.

    Attributes
    ----------
    best : ndarray of float64, shape (n_rows,)
        Least loss of every known row, outliers pulled in.
    shares : ndarray of float64, shape (n_rows,)
        What every row counts.
    residual : ndarray of float64, shape (n_rows,)
        `best` less its forecast by forests that had not seen the row's group.
    forest : Forest or None
        None where there are too few groups to learn from: the forecast is the mean.
    crossed : ndarray of float64, shape (n_rows, n_rows), or None
        Shares of the rows in the forecast of each by forests that had not seen its group; None where there are too
        few groups, and after a restart.
    """

    best: FloatArray
    shares: FloatArray
    residual: FloatArray
    forest: Forest | None
    crossed: FloatArray | None = None

    @classmethod
    def fit(
        cls, X: FloatArray, best: FloatArray, groups: IntArray, shares: FloatArray, *, random_state: int = 0
    ) -> Level:
        """Learn the level and cross-fit its errors by dataset group.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_features)
            Finite.
        best : ndarray of float64, shape (n_rows,)
        groups : ndarray of int64, shape (n_rows,)
        shares : ndarray of float64, shape (n_rows,)
            What every row counts; positive.
        random_state : int

        Returns
        -------
        Level
        """
        best = _pulled_in(best)
        distinct = np.unique(groups)
        if len(distinct) < _LEAST_GROUPS:
            middle = float(np.average(best, weights=shares)) if len(best) else 0.0
            return cls(best, shares, best - middle, None)
        n_folds = min(_N_FOLDS, len(distinct))
        fold_of = np.random.default_rng(random_state).permutation(len(distinct)) % n_folds
        folds = fold_of[np.searchsorted(distinct, groups)]
        crossed = np.zeros((len(best), len(best)))
        for fold in range(n_folds):
            inside, outside = folds != fold, folds == fold
            forest = _grow(X[inside], best[inside], shares[inside], _N_TREES_PER_FOLD, random_state)
            crossed[np.ix_(outside, inside)] = forest.weights(X[outside])
        return cls(best, shares, best - crossed @ best, _grow(X, best, shares, _N_TREES, random_state), crossed)

    def weights(self, x: FloatArray) -> FloatArray:
        """Return the share of every known row in the forecast.

        Parameters
        ----------
        x : ndarray of float64, shape (n_features,)

        Returns
        -------
        ndarray of float64, shape (n_rows,)
        """
        if self.forest is None:
            return self.shares / self.shares.sum() if len(self.shares) else self.shares
        return np.asarray(self.forest.weights(x[None])[0])

    def to_arrays(self, prefix: str) -> dict[str, np.ndarray[Any, Any]]:
        """Return everything as arrays."""
        own = {prefix + name: getattr(self, name) for name in ("best", "shares", "residual")}
        return own if self.forest is None else {**own, **self.forest.to_arrays(prefix + "forest.")}

    @classmethod
    def from_arrays(cls, arrays: Arrays, prefix: str) -> Level:
        """Read what `to_arrays` returned."""
        has_forest = prefix + "forest.roots" in arrays
        forest = Forest.from_arrays(arrays, prefix + "forest.") if has_forest else None
        return cls(arrays[prefix + "best"], arrays[prefix + "shares"], arrays[prefix + "residual"], forest)


def _pulled_in(best: FloatArray) -> FloatArray:
    if not len(best):
        return best
    low, middle, high = np.quantile(best, [0.25, 0.5, 0.75])
    reach = _REACH * (high - low)
    return np.asarray(np.clip(best, middle - reach, middle + reach)) if reach > 0 else best


def _grow(X: FloatArray, best: FloatArray, shares: FloatArray, n_trees: int, random_state: int) -> Forest:
    return Forest.fit(
        X, best, n_trees=n_trees, min_samples_leaf=_LEAF, sample_weight=shares, random_state=random_state
    )
