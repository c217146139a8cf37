"""Buckets: what is corrected apart, because verdicts on much and on little evidence err in other ways."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["Amount", "Buckets", "group_shares", "nothing_known"]

# Dataset groups below which a bucket takes what was learned of all buckets together.
LEAST_GROUPS: Final = 20
# Share of the candidates with runs of their own below which few were tried.
FEW: Final = 0.5
_FIRST, _SEEN, _UNSEEN = range(3)
_N_BUCKETS, _N_ROLES = 4, 3


def nothing_known() -> FloatArray:
    """Return the values of buckets that say nothing of their own, shape (4, 3, 2)."""
    return np.full((_N_BUCKETS, _N_ROLES, 2), np.nan)


@dataclass(frozen=True, eq=False)
class Amount:
    """How much evidence a verdict rests on.

    Attributes
    ----------
    halvings : float
        How often the full size must be halved to come down to the most rows that were tried.
    seen : ndarray of bool, shape (n_candidates,)
        Which candidates have runs of their own.
    """

    halvings: float
    seen: BoolArray

    @property
    def is_of_few(self) -> bool:
        """Whether few of the candidates were tried."""
        return bool(self.seen.mean() < FEW)


@dataclass(frozen=True, eq=False)
class Buckets:
    """Two numbers for each kind of candidate in each bucket of evidence.

    Buckets: many or few candidates were tried, up to near the full size or far from it. Kinds: the first of the
    list, those with runs of their own, those without.

    Attributes
    ----------
    edge : float
        Halvings beyond which the full size is far.
    values : ndarray of float64, shape (4, 3, 2)
        NaN where a bucket has too few dataset groups to say anything of its own.
    """

    edge: float
    values: FloatArray

    @classmethod
    def none(cls) -> Self:
        """Return buckets that say nothing of their own."""
        return cls(math.inf, nothing_known())

    @classmethod
    def fit(
        cls,
        amounts: Sequence[Amount],
        first: IntArray,
        known: BoolArray,
        groups: IntArray,
        learn: Callable[[BoolArray], FloatArray],
    ) -> Self:
        """Learn in each bucket that enough dataset groups are in.

        Parameters
        ----------
        amounts : sequence of Amount
            Of every row.
        first : ndarray of int64, shape (n_rows,)
        known : ndarray of bool, shape (n_rows, n_candidates)
            Where there is something to learn from.
        groups : ndarray of int64, shape (n_rows,)
        learn : callable
            Given what of `known` to learn from, returns the two numbers.

        Returns
        -------
        Buckets
        """
        halvings = np.asarray([amount.halvings for amount in amounts])
        found = cls(float(np.median(halvings)), nothing_known())
        bucket = np.asarray([found._bucket(amount) for amount in amounts])
        role = np.where(np.stack([amount.seen for amount in amounts]), _SEEN, _UNSEEN)
        role[np.arange(len(role)), first] = _FIRST
        for place in np.ndindex(_N_BUCKETS, _N_ROLES):
            kind = known & (bucket == place[0])[:, None] & (role == place[1])
            if len(np.unique(groups[kind.any(axis=1)])) >= LEAST_GROUPS:
                found.values[place] = learn(kind)
        return found

    def of(self, amount: Amount, first: int, usual_first: FloatArray, usual: FloatArray) -> FloatArray:
        """Return the two numbers of every candidate of one verdict.

        Parameters
        ----------
        amount : Amount
        first : int
            Position of the first of the list.
        usual_first, usual : ndarray of float64, shape (2,)
            What holds where the bucket says nothing of its own.

        Returns
        -------
        ndarray of float64, shape (2, n_candidates)
        """
        own = self.values[self._bucket(amount)]
        of_role = np.where(np.isnan(own), np.stack([usual_first, usual, usual]), own)
        role = np.where(amount.seen, _SEEN, _UNSEEN)
        role[first] = _FIRST
        return np.asarray(of_role[role].T)

    def _bucket(self, amount: Amount) -> int:
        return 2 * amount.is_of_few + (amount.halvings > self.edge)


def group_shares(kind: BoolArray, groups: IntArray) -> FloatArray:
    """Return what every (row, candidate) counts, so that every dataset group counts once.

    Parameters
    ----------
    kind : ndarray of bool, shape (n_rows, n_candidates)
        What counts at all.
    groups : ndarray of int64, shape (n_rows,)

    Returns
    -------
    ndarray of float64, shape (n_rows, n_candidates)
        The candidates of a row share its weight, and the rows of a group its own.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    counts = np.bincount(codes, weights=kind.any(axis=1))[codes]
    return np.asarray(kind / np.maximum(kind.sum(axis=1, keepdims=True), 1) / np.maximum(counts, 1)[:, None])
