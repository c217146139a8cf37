"""What a network is fed: scaled columns, and who learns from which rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from autometa.foundation.typing import BoolArray, FloatArray, IntArray, LabelArray

__all__ = ["ColumnScaler", "held_out_rows", "stratified_folds"]

# Standard deviations: an outlier must not dominate a layer, nor a value outside of the training range run off.
_CLIP = 8.0


class ColumnScaler(TransformerMixin, BaseEstimator):
    """Bring numeric columns to mean 0 and variance 1 and two-valued ones to {0, 1}, the numeric ones first.

    Attributes
    ----------
    order_ : ndarray of int64
        Input columns in output order; constant columns are left out.
    n_numeric_, n_plain_ : int
        Columns of more than two values, and of two.
    """

    def fit(self, X: FloatArray, y: Any = None) -> Self:
        """Learn which columns are numeric, and their scales.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        ColumnScaler
        """
        low, high = X.min(axis=0), X.max(axis=0)
        is_plain = ((low == X) | (high == X)).all(axis=0)
        numeric = np.flatnonzero(~is_plain)
        plain = np.flatnonzero(is_plain & (low < high))
        self.order_: IntArray = np.concatenate([numeric, plain]).astype(np.int64)
        self.n_numeric_, self.n_plain_ = len(numeric), len(plain)
        kept = X[:, self.order_]
        self.shift_: FloatArray = np.where(self._is_numeric(), kept.mean(axis=0), low[self.order_])
        spread = np.where(self._is_numeric(), kept.std(axis=0), (high - low)[self.order_])
        self.scale_: FloatArray = np.where(spread > 0, spread, 1.0)
        return self

    def _is_numeric(self) -> BoolArray:
        return np.arange(len(self.order_)) < self.n_numeric_

    def transform(self, X: FloatArray) -> npt.NDArray[np.float32]:
        """Return the columns; one of zeros if all were constant.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float32, shape (n_samples, max(1, n_numeric_ + n_plain_))
        """
        scaled = np.clip((X[:, self.order_] - self.shift_) / self.scale_, -_CLIP, _CLIP)
        return scaled.astype(np.float32) if scaled.shape[1] else np.zeros((len(X), 1), dtype=np.float32)


def stratified_folds(y: LabelArray, n_folds: int, generator: np.random.RandomState) -> IntArray:
    """Deal rows to folds so that each has its share of every class, or of every part of a numeric target's range.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes or numbers.
    n_folds : int
    generator : RandomState

    Returns
    -------
    ndarray of int64, shape (n_samples,)
        Fold of each row, in 0 .. n_folds - 1.
    """
    order = np.lexsort([generator.permutation(len(y)), y])
    n_blocks = -(-len(y) // n_folds)
    dealt = np.argsort(generator.random_sample((n_blocks, n_folds)), axis=1).ravel()[: len(y)]
    folds = np.empty(len(y), dtype=np.int64)
    folds[order] = dealt
    return folds


def held_out_rows(
    y: LabelArray, k: int, share: float, generator: np.random.RandomState, *, classification: bool, crossed: bool
) -> BoolArray:
    """Choose the rows that each ensemble member is judged on and does not learn from.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
    k : int
        Members.
    share : float
        Of the rows, in (0, 0.5].
    generator : RandomState
    classification : bool
        A class's only row is then always learned from.
    crossed : bool
        Members hold out different folds, so that every row is both learned from and judged on; else all hold out
        the same rows.

    Returns
    -------
    ndarray of bool, shape (n_samples, k)
    """
    n_folds = max(2, round(1 / share))
    folds = stratified_folds(y, n_folds, generator)
    members = np.arange(k) % n_folds if crossed else np.zeros(k, dtype=np.int64)
    held_out: BoolArray = folds[:, None] == members[None, :]
    if classification:
        _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        held_out &= (counts[codes] > 1)[:, None]
    return held_out
