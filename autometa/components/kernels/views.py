"""How a table looks to the kernels: standardised columns, ranked columns, and how relevant each column is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["ColumnViews", "Views", "column_relevance"]

_CLIP = 3.0  # standard deviations
_MAX_KNOTS = 2_000  # distinct values of a column kept to look ranks up
_RELEVANCE_FLOOR = 0.002  # share of variance; keeps columns that matter only together with others
_RELEVANCE_RANGE = (0.05, 6.0)  # of the weight, relative to the mean column


@dataclass(frozen=True, slots=True)
class Views:
    """A table of n rows and f columns as the kernels read it.

    Attributes
    ----------
    standard : ndarray of shape (n, f), float64
        Columns in standard deviations from the training mean, clipped at three.
    rank : ndarray of shape (n, f), float64
        Mid-rank among the training rows, scaled to [-1, 1].
    relevance : ndarray of shape (f,), float64
        Weight of each column, mean 1.
    """

    standard: FloatArray
    rank: FloatArray
    relevance: FloatArray

    def take(self, rows: IntArray | slice) -> Views:
        """The same views of some rows."""
        return Views(self.standard[rows], self.rank[rows], self.relevance)


class ColumnViews:
    """Training statistics of the columns, and the views they give of any table.

    A column with missing values gets an indicator column of its own and is itself filled with its centre (0 in both views).
    Columns that do not vary are left out.

    Parameters
    ----------
    X : ndarray of shape (n, n_features), float64
        Training table; NaN means missing.
    groups : ndarray of shape (n,), int64
        Class of each row (for regression: bin of the target); decides the relevance of the columns.
    weights : ndarray of shape (n,), float64
        Positive row weights.
    """

    def __init__(self, X: FloatArray, groups: IntArray, weights: FloatArray) -> None:
        self.has_missing: BoolArray = np.isnan(X).any(axis=0)
        table = self._with_indicators(X)
        self.varies: BoolArray = np.array([_varies(column) for column in table.T], dtype=bool)
        columns = [
            (column[seen], weights[seen])
            for column in table.T[self.varies]
            if (seen := ~np.isnan(column)) is not None
        ]
        self.centre = np.array([np.average(values, weights=mass) for values, mass in columns])
        spread = [
            np.average((values - c) ** 2, weights=m) for (values, m), c in zip(columns, self.centre, strict=True)
        ]
        self.scale = np.sqrt(np.array(spread))
        self.knots = [_rank_knots(values, mass) for values, mass in columns]
        self.relevance = np.ones(len(columns))
        self.relevance = column_relevance(self.transform(X), groups, weights)

    def transform(self, X: FloatArray) -> Views:
        """Look at a table, ndarray of shape (n, n_features), float64, with the training statistics."""
        table = self._with_indicators(X)[:, self.varies]
        standard = np.clip((table - self.centre) / self.scale, -_CLIP, _CLIP)
        rank = np.empty_like(standard)
        for j, (values, ranks) in enumerate(self.knots):
            rank[:, j] = np.interp(table[:, j], values, ranks)
        return Views(np.nan_to_num(standard), np.nan_to_num(rank), self.relevance)

    def _with_indicators(self, X: FloatArray) -> FloatArray:
        if not self.has_missing.any():
            return X
        return np.hstack([X, np.isnan(X[:, self.has_missing]).astype(np.float64)])


def column_relevance(views: Views, groups: IntArray, weights: FloatArray) -> FloatArray:
    """Weigh the columns by the share of their variance that lies between the groups.

    The share is the largest over three readings of a column, its rank, the distance of its rank from the middle (a class in
    the middle of a column's range) and its standardised value, less what chance alone would give.

    Returns
    -------
    ndarray of shape (f,), float64
        Weights of mean 1, each about .05 to 6.
    """
    n, n_groups = len(groups), int(groups.max()) + 1
    chance = (n_groups - 1) / max(n - 1, 1)
    readings = (views.rank, np.abs(views.rank), views.standard)
    share = np.max([_share_between(reading, groups, weights) for reading in readings], axis=0)
    share = np.maximum(share - chance, _RELEVANCE_FLOOR)
    if not share.size:
        return share
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
    return np.asarray(np.where(total > 0, between / np.where(total > 0, total, 1.0), 0.0))


def _varies(column: FloatArray) -> bool:
    seen = column[~np.isnan(column)]
    return bool(seen.size) and bool(np.ptp(seen) > 1e-12 * max(1e-300, float(np.abs(seen).max())))


def _rank_knots(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distinct values of a column and their mid-ranks in [-1, 1], thinned to at most `_MAX_KNOTS`."""
    distinct, position = np.unique(values, return_inverse=True)
    mass = np.bincount(position, weights=weights)
    middle = np.cumsum(mass) - mass / 2
    keep = np.unique(np.linspace(0, len(distinct) - 1, min(len(distinct), _MAX_KNOTS)).astype(np.int64))
    return distinct[keep], 2.0 * middle[keep] / mass.sum() - 1.0
