"""How a table looks to the kernels: standardised columns, ranked columns, and how relevant each column is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["ColumnViews", "Views", "column_relevance"]

_CLIP: Final = 3.0  # standard deviations
_MAX_KNOTS: Final = 2_000  # distinct values of a column that are kept to look ranks up
_RELEVANCE_FLOOR: Final = 0.002  # share of variance; keeps columns that matter only together with others
_RELEVANCE_RANGE: Final = (0.05, 6.0)  # of a column's weight, relative to the mean column
_CONSTANT: Final = 1e-12  # a range below this share of the largest value is rounding


@dataclass(frozen=True, slots=True)
class Views:
    """A table of n rows and f columns as the kernels read it.

    Attributes
    ----------
    standard : ndarray of shape (n, f), float64
        Columns in standard deviations from the training mean, clipped at three.
    rank : ndarray of shape (n, f), float64
        Mid-ranks among the training rows, scaled to [-1, 1].
    relevance : ndarray of shape (f,), float64
        Weights of the columns, mean 1.
    """

    standard: FloatArray
    rank: FloatArray
    relevance: FloatArray

    def __len__(self) -> int:
        return len(self.rank)

    def take(self, rows: IntArray | slice) -> Views:
        """Views of some of the rows."""
        return Views(self.standard[rows], self.rank[rows], self.relevance)


class ColumnViews:
    """Training statistics of the columns, and the views they give of any table.

    A column with missing values gets an indicator column of its own and is itself filled with its centre, 0
    in both views. Columns that do not vary are left out.

    Parameters
    ----------
    X : ndarray of shape (n, n_features), float64
        Training table; NaN means missing.
    groups : ndarray of shape (n,), int64
        Class of each row, or bin of its target in regression; decides the relevance of the columns.
    weights : ndarray of shape (n,), float64
        Positive row weights.
    """

    def __init__(self, X: FloatArray, groups: IntArray, weights: FloatArray) -> None:
        self._has_missing = np.isnan(X).any(axis=0)
        table = self._with_indicators(X)
        self._varies = np.array([_varies(column) for column in table.T], dtype=np.bool_)
        # Squares of columns near the ends of the range of floats would overflow or vanish.
        self._unit = np.nanmax(np.abs(table[:, self._varies]), axis=0, initial=0.0)
        table = table[:, self._varies] / self._unit
        mass = np.where(np.isnan(table), 0.0, weights[:, None])
        mass = mass / mass.sum(axis=0)
        filled = np.nan_to_num(table)
        self._centre = (mass * filled).sum(axis=0)
        self._scale = np.sqrt((mass * (filled - self._centre) ** 2).sum(axis=0))
        self._knots = [_rank_knots(column[m > 0], m[m > 0]) for column, m in zip(table.T, mass.T, strict=True)]
        self._relevance = np.ones(table.shape[1])
        self._relevance = column_relevance(self.transform(X), groups, weights)

    def transform(self, X: FloatArray) -> Views:
        """Look at a table, ndarray of shape (n, n_features), float64, with the training statistics."""
        table = self._with_indicators(X)[:, self._varies] / self._unit
        standard = np.clip((table - self._centre) / self._scale, -_CLIP, _CLIP)
        rank = np.empty_like(standard)
        for j, (values, ranks) in enumerate(self._knots):
            rank[:, j] = np.interp(table[:, j], values, ranks)
        return Views(np.nan_to_num(standard), np.nan_to_num(rank), self._relevance)

    def _with_indicators(self, X: FloatArray) -> FloatArray:
        if not self._has_missing.any():
            return X
        return np.hstack([X, np.isnan(X[:, self._has_missing]).astype(np.float64)])


def column_relevance(views: Views, groups: IntArray, weights: FloatArray) -> FloatArray:
    """Weigh the columns by the share of their variance that lies between the groups.

    The share is the largest over three readings of a column, its rank, the distance of its rank from the
    middle (for a group in the middle of the range) and its standardised value, less what chance alone would
    give.

    Returns
    -------
    ndarray of shape (f,), float64
        Weights of mean 1, each about .05 to 6.
    """
    chance = int(groups.max()) / max(len(groups) - 1, 1)
    readings = (views.rank, np.abs(views.rank), views.standard)
    share = np.max([_share_between(reading, groups, weights) for reading in readings], axis=0) - chance
    share = np.maximum(share, _RELEVANCE_FLOOR)
    if not share.size:
        return np.ones(0)
    weight = np.clip(share / share.mean(), *_RELEVANCE_RANGE)
    return np.asarray(weight / weight.mean())


def _share_between(values: FloatArray, groups: IntArray, weights: FloatArray) -> FloatArray:
    """Share of each column's variance that lies between groups (eta squared), (f,), in [0, 1]."""
    membership = np.zeros((len(groups), int(groups.max()) + 1))
    membership[np.arange(len(groups)), groups] = weights
    mass = membership.sum(axis=0)
    means = (membership.T @ values) / np.where(mass > 0, mass, 1.0)[:, None]
    centre = weights @ values / weights.sum()
    between = mass @ (means - centre) ** 2
    total = weights @ (values - centre) ** 2
    return np.asarray(between / np.where(total > 0, total, 1.0))


def _varies(column: FloatArray) -> bool:
    seen = column[~np.isnan(column)]
    if not seen.size:
        return False
    largest = np.abs(seen).max()
    return bool(largest > 0.0) and bool(np.ptp(seen / largest) > _CONSTANT)


def _rank_knots(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distinct values of a column and their mid-ranks in [-1, 1], thinned to at most `_MAX_KNOTS`."""
    distinct, position = np.unique(values, return_inverse=True)
    mass = np.bincount(position, weights=weights)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    keep = np.unique(np.linspace(0, len(distinct) - 1, min(len(distinct), _MAX_KNOTS)).astype(np.int64))
    return distinct[keep], 2.0 * middle[keep] - 1.0
