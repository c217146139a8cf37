"""The probability of being close to the best, corrected by how often it came true on known tasks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.special import expit, logit

from autometa.decision.policy.arrays import StoredFields
from autometa.decision.policy.buckets import Amount, Buckets, group_shares, nothing_known
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["Likelihood"]

# Probabilities are kept off 0 and 1 before their log-odds are taken.
_LEAST = 0.005
_LEAST_GROUPS = 10
# Inverse strength of the ridge: the weight of the rows sums to the number of dataset groups.
_C = 1.0


@dataclass(frozen=True, eq=False)
class Likelihood(StoredFields):
    """A line in log-odds, for the first of a list and for the others: Platt scaling.

    Attributes
    ----------
    first, others : ndarray of float64, shape (2,)
        Intercept and slope; (0, 1) changes nothing.
    edge, by_bucket
        The same by how much evidence there is; see `Buckets`.

    References
    ----------
    .. [1] Platt, "Probabilistic outputs for support vector machines", 1999.
    """

    first: FloatArray
    others: FloatArray
    edge: float = math.inf
    by_bucket: FloatArray = field(default_factory=nothing_known)

    @classmethod
    def none(cls) -> Self:
        """Return what changes nothing."""
        return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]))

    @classmethod
    def fit(
        cls,
        probability: FloatArray,
        came_true: FloatArray,
        first: IntArray,
        groups: IntArray,
        amounts: Sequence[Amount] = (),
    ) -> Self:
        """Learn from probabilities that were given without having seen the group.

        Parameters
        ----------
        probability : ndarray of float64, shape (n_rows, n_candidates)
        came_true : ndarray of float64, shape (n_rows, n_candidates)
            1, 0, or NaN where it is not known.
        first : ndarray of int64, shape (n_rows,)
        groups : ndarray of int64, shape (n_rows,)
            Rows of one group share its weight.
        amounts : sequence of Amount
            Evidence that each row rests on; by default none.

        Returns
        -------
        Likelihood
        """
        if len(np.unique(groups)) < _LEAST_GROUPS:
            return cls.none()
        is_first = np.zeros(probability.shape, dtype=bool)
        is_first[np.arange(len(first)), first] = True
        known = np.isfinite(came_true)

        def line(kind: BoolArray) -> FloatArray:
            return _line(probability[kind], came_true[kind] > 0, group_shares(kind, groups)[kind])

        buckets = Buckets.fit(amounts, first, known, groups, line) if amounts else Buckets.none()
        return cls(line(known & is_first), line(known & ~is_first), buckets.edge, buckets.values)

    def apply(self, probability: FloatArray, first: int, amount: Amount | None = None) -> FloatArray:
        """Return the corrected probabilities of one task.

        Parameters
        ----------
        probability : ndarray of float64, shape (n_candidates,)
        first : int
            Position of the first of the list.
        amount : Amount, optional
            Evidence that they rest on.

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
        """
        if amount is None:
            lines = np.repeat(self.others[:, None], len(probability), axis=1)
            lines[:, first] = self.first
        else:
            lines = Buckets(self.edge, self.by_bucket).of(amount, first, self.first, self.others)
        return np.asarray(expit(lines[0] + lines[1] * _log_odds(probability)))


def _log_odds(probability: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(probability, _LEAST, 1 - _LEAST)))


def _line(probability: FloatArray, outcome: BoolArray, weights: FloatArray) -> FloatArray:
    """Fit intercept and slope; where higher probabilities came true less often, all become the rate that did."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(outcome)) < 2:
        return np.array([0.0, 1.0])
    model = LogisticRegression(C=_C).fit(_log_odds(probability)[:, None], outcome, sample_weight=weights)
    if model.coef_[0, 0] < 0:
        return np.array([float(logit(np.average(outcome, weights=weights))), 0.0])
    return np.array([float(model.intercept_[0]), float(model.coef_[0, 0])])
