"""The policies that the real one must beat."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from autometa.decision.policy._base import Query
from autometa.decision.policy.weighted import WeightedPolicy
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["NearestTasksPolicy", "RandomPolicy", "SingleBestPolicy", "StaticPortfolioPolicy"]


@dataclass
class StaticPortfolioPolicy(WeightedPolicy):
    """The same list for every task: greedy on the mean over all known tasks of the best regret so far."""

    name: ClassVar[str] = "static_portfolio"


@dataclass
class SingleBestPolicy(WeightedPolicy):
    """Candidates in order of their mean regret over all known tasks."""

    name: ClassVar[str] = "single_best"

    def _order(self, query: Query, weights: FloatArray) -> IntArray:
        return np.argsort(weights @ self.experience.performance.regret, kind="stable")


@dataclass
class RandomPolicy(WeightedPolicy):
    """Any order, the same for the same task and seed.

    Parameters
    ----------
    random_state : int
    """

    random_state: int = 0
    name: ClassVar[str] = "random"

    def _order(self, query: Query, weights: FloatArray) -> IntArray:
        content = np.nan_to_num(query.metafeatures).tobytes() + repr((query.n_train, query.n_features)).encode()
        digest = hashlib.sha256(content).digest()[:8]
        seed = [self.random_state, int.from_bytes(digest, "little")]
        return np.random.default_rng(seed).permutation(len(self.experience.candidates))


@dataclass
class NearestTasksPolicy(WeightedPolicy):
    """Greedy on the mean over the nearest known tasks in the space of rank-scaled meta-features.

    Parameters
    ----------
    n_neighbours : int
    """

    n_neighbours: int = 15
    name: ClassVar[str] = "nearest_tasks"

    def _weigh(self, query: Query) -> FloatArray:
        past = self.experience
        even = past.even_weights()
        rows = np.flatnonzero(even)
        known = past.scaled(past.metafeatures[rows])
        distances = np.square(known - past.scaled(query.metafeatures[None])).sum(axis=1)
        nearest = rows[np.argsort(distances, kind="stable")[: self.n_neighbours]]
        weights = np.zeros(past.n_rows)
        weights[nearest] = 1.0 / max(len(nearest), 1)
        return weights
