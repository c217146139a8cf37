"""Covariances of candidates across tasks, shrunk towards what strategies have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autometa.decision.policy.arrays import StoredFields
from autometa.foundation.typing import FloatArray

__all__ = ["Kinship"]

_LEAST_EIGENVALUE = 1e-4


@dataclass(frozen=True, eq=False)
class Kinship(StoredFields):
    """How candidates' surprises go together: measured where it was, pooled over strategies where not.

    Attributes
    ----------
    matrix : ndarray of float64, shape (n_candidates, n_candidates)
        Covariance of the known candidates, positive definite.
    variance, within : float
        Mean variance, and mean covariance of two candidates of one strategy: what is assumed of a candidate that
        was never seen.
    """

    matrix: FloatArray
    variance: float
    within: float

    @classmethod
    def fit(cls, surprises: FloatArray, weights: FloatArray, strategies: Sequence[str]) -> Kinship:
        """Estimate from surprises on past tasks.

        An entry that rests on as many tasks as there are candidates is half its own measurement and half the mean
        over pairs of its kind (same strategy, different strategies).

        Parameters
        ----------
        surprises : ndarray of float64, shape (n_rows, n_candidates)
            NaN = not measured.
        weights : ndarray of float64, shape (n_rows,)
            What a row counts, in tasks.
        strategies : sequence of str
            Of the candidates.

        Returns
        -------
        Kinship
        """
        present = np.isfinite(surprises)
        values = np.where(present, surprises, 0.0)
        counts = (weights[:, None] * present).T @ present
        moments = (weights[:, None] * values).T @ values / np.maximum(counts, 1e-12)
        names = np.asarray(strategies)
        same = names[:, None] == names[None]
        own = np.eye(len(names), dtype=bool)
        variance, within, between = (
            float(np.sum(counts * moments * kind) / max(np.sum(counts * kind), 1e-12))
            for kind in (own, same & ~own, ~same)
        )
        pooled = np.where(own, variance, np.where(same, within, between))
        share = counts / (counts + len(names))
        return cls(_positive(share * moments + (1 - share) * pooled), variance, within)

    @classmethod
    def assumed(cls, variance: float, within: float, strategies: Sequence[str]) -> Kinship:
        """Return the kinship of candidates of which nothing was measured."""
        return cls(np.empty((0, 0)), variance, within).extended((), tuple(strategies))

    def loosened(self, share: float) -> Kinship:
        """Return it with this share of every covariance of two candidates left.

        Parameters
        ----------
        share : float
            In [0, 1]; 0: candidates have nothing to do with each other.

        Returns
        -------
        Kinship
        """
        own = np.diag(np.diag(self.matrix))
        return Kinship(share * self.matrix + (1 - share) * own, self.variance, share * self.within)

    def extended(self, known: Sequence[str], new: Sequence[str], *, variance: float | None = None) -> Kinship:
        """Add candidates that were never seen.

        Parameters
        ----------
        known, new : sequences of str
            Strategies of the candidates that are in `matrix`, and of those to add behind them.
        variance : float, optional
            Of the new ones; default: as the known ones.

        Returns
        -------
        Kinship
        """
        if not new:
            return self
        names = np.asarray([*known, *new])
        kin = np.where(names[:, None] == names[None], self.within, 0.0)
        matrix = kin.copy()
        matrix[: len(known), : len(known)] = self.matrix
        fresh = np.arange(len(known), len(names))
        ratio = 1.0 if variance is None or not self.variance else variance / self.variance
        matrix[np.ix_(fresh, fresh)] = kin[np.ix_(fresh, fresh)] * ratio
        matrix[fresh, fresh] = self.variance * ratio
        return Kinship(_positive(matrix), self.variance, self.within)


def _positive(matrix: FloatArray) -> FloatArray:
    """Return the nearest covariance with eigenvalues that are not too small."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    least = _LEAST_EIGENVALUE * max(float(np.trace(matrix)) / max(len(matrix), 1), 1e-12)
    return np.asarray((vectors * np.maximum(values, least)) @ vectors.T)
