"""Calibration: intervals stretched until they would have held as often as they say, on tasks of other groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from autometa.decision.policy._base import INTERVAL_LEVEL
from autometa.decision.policy.arrays import StoredFields
from autometa.decision.policy.buckets import Amount, Buckets, group_shares, nothing_known
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["Calibration", "Forecast"]

# Dataset groups below which nothing is learned of how far off forecasts are.
_LEAST_GROUPS = 10
# Half an interval is never narrower than this before it is stretched: a factor is of something.
_LEAST_HALF = 1e-4
# A factor beyond this comes from halves of no width, not from what was seen.
_GREATEST = 25.0
_TAIL = (1 - INTERVAL_LEVEL) / 2


@dataclass(frozen=True, eq=False)
class Forecast(StoredFields):
    """Losses that were forecast without having seen the group of datasets.

    Attributes
    ----------
    expected, low, high : ndarray of float64, shape (n_rows, n_candidates)
    first : ndarray of int64, shape (n_rows,)
        Which candidate would have come first.
    """

    expected: FloatArray
    low: FloatArray
    high: FloatArray
    first: IntArray


@dataclass(frozen=True, eq=False)
class Calibration(StoredFields):
    """Factors of the halves of an interval, for the first of a list and for the others.

    What comes first was chosen, so its loss is more often above the expected one than that of the others; it has
    factors of its own.

    Attributes
    ----------
    first, others : ndarray of float64, shape (2,)
        Of the half below the expected loss and of that above.
    n_groups : int
        Dataset groups that they were learned on; 0: nothing was learned, the factors are 1.
    edge, by_bucket
        Factors by how much evidence there is; see `Buckets`.

    References
    ----------
    .. [1] Romano, Patterson & Candes, "Conformalized quantile regression", NeurIPS 2019.
    .. [2] Dunn, Wasserman & Ramdas, "Distribution-free prediction sets for two-layer hierarchical models", JASA
       118, 2023: conformal prediction over groups.
    """

    first: FloatArray
    others: FloatArray
    n_groups: int
    edge: float = math.inf
    by_bucket: FloatArray = field(default_factory=nothing_known)

    @classmethod
    def none(cls) -> Self:
        """Return the calibration that changes nothing."""
        return cls(np.ones(2), np.ones(2), 0)

    @classmethod
    def fit(
        cls,
        forecast: Forecast,
        truth: FloatArray,
        groups: IntArray,
        *,
        corrected: bool = False,
        amounts: Sequence[Amount] = (),
    ) -> Self:
        """Learn the factors: split conformal, a dataset group counting once.

        Parameters
        ----------
        forecast : Forecast
            Each row without its group.
        truth : ndarray of float64, shape (n_rows, n_candidates)
            Losses; NaN = not measured.
        groups : ndarray of int64, shape (n_rows,)
            Rows of one group share its weight.
        corrected : bool
            Whether the next group counts among the known ones, as in conformal prediction from few groups. Not
            where the forecasts rest on clearly fewer groups than later ones will: these err less, and that is
            correction enough.
        amounts : sequence of Amount
            Evidence that each row rests on; by default none.

        Returns
        -------
        Calibration
        """
        if len(np.unique(groups)) < _LEAST_GROUPS:
            return cls.none()
        present, scores = np.isfinite(truth), _scores(forecast, truth)
        is_first = np.zeros(truth.shape, dtype=bool)
        is_first[np.arange(len(truth)), forecast.first] = True

        def factors(kind: BoolArray) -> FloatArray:
            share = group_shares(kind, groups)
            n_groups = len(np.unique(groups[kind.any(axis=1)])) if corrected else None
            return np.asarray([_quantile(score[kind], share[kind], n_groups) for score in scores])

        buckets = Buckets.fit(amounts, forecast.first, present, groups, factors) if amounts else Buckets.none()
        n_groups = len(np.unique(groups))
        usual = factors(present & is_first), factors(present & ~is_first)
        return cls(*usual, n_groups, buckets.edge, buckets.values)

    def apply(
        self,
        expected: FloatArray,
        low: FloatArray,
        high: FloatArray,
        first: int,
        *,
        stretch: float = 1.0,
        amount: Amount | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the intervals of one task.

        Parameters
        ----------
        expected, low, high : ndarray of float64, shape (n_candidates,)
        first : int
            Position of the first of the list.
        stretch : float
            How many times wider than usual.
        amount : Amount, optional
            Evidence that they rest on.

        Returns
        -------
        low, high : ndarray of float64, shape (n_candidates,)
        """
        if not self.n_groups and stretch == 1.0:
            return low, high
        if amount is None:
            factors = np.repeat(self.others[:, None], len(expected), axis=1)
            factors[:, first] = self.first
        else:
            factors = Buckets(self.edge, self.by_bucket).of(amount, first, self.first, self.others)
        below, above = _halves(expected, low, high)
        return expected - stretch * factors[0] * below, expected + stretch * factors[1] * above


def _halves(expected: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.maximum(expected - low, _LEAST_HALF), np.maximum(high - expected, _LEAST_HALF)


def _scores(forecast: Forecast, truth: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return by how many halves the truth lies below and above what was expected."""
    below, above = _halves(forecast.expected, forecast.low, forecast.high)
    return (forecast.expected - truth) / below, (truth - forecast.expected) / above


def _quantile(scores: FloatArray, weights: FloatArray, n_groups: int | None) -> float:
    """Return the score that the nominal share in a tail exceeds, and no less than none.

    Of n groups the k-th score is exceeded by the next group's with probability 1 - k / (n + 1); it lies at
    (k - 1/2) / n here.
    """
    if not len(scores):
        return 1.0
    order = np.argsort(scores)
    reached = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    level = 1 - _TAIL if n_groups is None else ((1 - _TAIL) * (n_groups + 1) - 0.5) / n_groups
    return float(np.clip(np.interp(level, reached, scores[order]), 0.0, _GREATEST))
