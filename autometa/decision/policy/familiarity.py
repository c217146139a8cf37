"""How far a task lies from everything known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autometa.decision.policy.arrays import StoredFields
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["Familiarity"]

# A query this many times farther out than the farthest known task is compared with nothing.
_FAR = 1.5


@dataclass(frozen=True, eq=False)
class Familiarity(StoredFields):
    """Distances to the nearest known task of another group, as the yardstick for a new one.

    The distance is the mean over meta-features of the difference in robust standard deviations,
    logarithmically compressed, so that one wild meta-feature does not make a task a stranger, but many do.

    Attributes
    ----------
    centre, spread : ndarray of float64, shape (n_metafeatures,)
        Median and half the distance of the 10 % and 90 % quantiles.
    known : ndarray of float64, shape (n_rows, n_metafeatures)
        Known tasks, compressed.
    distances : ndarray of float64, shape (n_rows,)
        Sorted: from every known task to the nearest of another group.
    """

    centre: FloatArray
    spread: FloatArray
    known: FloatArray
    distances: FloatArray

    @classmethod
    def fit(cls, metafeatures: FloatArray, groups: IntArray) -> Familiarity:
        """Measure the known tasks.

        Parameters
        ----------
        metafeatures : ndarray of float64, shape (n_rows, n_metafeatures)
            NaN where not defined.
        groups : ndarray of int64, shape (n_rows,)

        Returns
        -------
        Familiarity
        """
        filled = np.where(np.isfinite(metafeatures).any(axis=0), metafeatures, 0.0)
        if not len(filled):
            nothing = np.zeros(metafeatures.shape[1])
            return cls(nothing, nothing + 1.0, filled, np.empty(0))
        low, centre, high = np.nanquantile(filled, [0.1, 0.5, 0.9], axis=0)
        spread = np.where(high > low, (high - low) / 2, np.maximum(np.nanstd(filled, axis=0), 1e-12))
        known = _compress(filled, centre, spread)
        nearest = [_nearest(row, known[groups != group]) for row, group in zip(known, groups, strict=True)]
        return cls(centre, spread, known, np.sort(np.asarray(nearest)))

    def measure(self, metafeatures: FloatArray) -> tuple[float, bool]:
        """Return how familiar a task is.

        Parameters
        ----------
        metafeatures : ndarray of float64, shape (n_metafeatures,)

        Returns
        -------
        familiarity : float
            Share of the known tasks whose nearest neighbour is at least as far; in [0, 1].
        is_far : bool
            Whether it lies far outside of everything known.
        """
        finite = self.distances[np.isfinite(self.distances)]
        if not len(finite):
            return 0.0, True
        distance = _nearest(_compress(metafeatures, self.centre, self.spread), self.known)
        at_least = len(finite) - np.searchsorted(finite, distance, side="left")
        return float(at_least / len(finite)), bool(distance > _FAR * finite[-1])

    def stretch(self, metafeatures: FloatArray) -> float:
        """Return how many times wider than usual an interval is: as many times as the task is farther out.

        Parameters
        ----------
        metafeatures : ndarray of float64, shape (n_metafeatures,)

        Returns
        -------
        float
            1 for a task that is no farther from the nearest known one than the farthest known task is.
        """
        finite = self.distances[np.isfinite(self.distances)]
        if not len(finite) or finite[-1] <= 0:
            return 1.0
        distance = _nearest(_compress(metafeatures, self.centre, self.spread), self.known)
        return max(1.0, distance / float(finite[-1]))


def _compress(values: FloatArray, centre: FloatArray, spread: FloatArray) -> FloatArray:
    scores = np.where(np.isfinite(values), (values - centre) / spread, 0.0)
    return np.asarray(np.sign(scores) * np.log1p(np.abs(scores)))


def _nearest(row: FloatArray, others: FloatArray) -> float:
    return float(np.abs(others - row).mean(axis=1).min()) if len(others) else float("inf")
