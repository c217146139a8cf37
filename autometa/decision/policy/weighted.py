"""A policy that is an `Experience` and a way to weigh and order it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import Arrays, Policy, Query, Ranking
from autometa.decision.policy.experience import Experience
from autometa.decision.policy.portfolio import greedy_portfolio
from autometa.foundation.errors import PolicyError
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["WeightedPolicy"]


class WeightedPolicy(Policy):
    """Weigh known tasks, then order candidates under the weights; by default evenly and greedily."""

    version: ClassVar[int] = 5
    _experience: Experience | None = None

    @property
    def experience(self) -> Experience:
        """What was learned.

        Raises
        ------
        PolicyError
            If the policy is not fitted.
        """
        if self._experience is None:
            raise PolicyError(f"The policy {self.name!r} is not fitted; call fit(meta_dataset) first.")
        return self._experience

    def fit(self, meta_dataset: MetaDataset) -> Self:
        """Learn from what is known; see `Policy.fit`."""
        return self.learn(Experience.fit(meta_dataset, random_state=getattr(self, "random_state", 0)))

    def learn(self, experience: Experience) -> Self:
        """Learn from a past that is already prepared; several policies may share it.

        Parameters
        ----------
        experience : Experience

        Returns
        -------
        WeightedPolicy
        """
        self._experience = experience
        return self

    def rank(self, query: Query) -> Ranking:
        """Rank all candidates for a task; see `Policy.rank`."""
        self.experience.check(query)
        weights = self._weigh(query)
        return self.experience.answer(query, weights, self._order(query, weights))

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what was learned as plain arrays; see `Policy.to_arrays`."""
        return self.experience.to_arrays()

    def restore(self, arrays: Arrays) -> Self:
        """Take up what `to_arrays` returned; see `Policy.restore`."""
        self._experience = Experience.from_arrays(arrays)
        return self

    def cross_weights(self, inside: IntArray, outside: IntArray) -> FloatArray:
        """Return what past rows would weigh for others, learned without the others; by default all alike.

        Parameters
        ----------
        inside, outside : ndarray of int64
            Positions of past rows.

        Returns
        -------
        ndarray of float64, shape (n_outside, n_inside)
            Every row sums to 1.
        """
        even = self.experience.even_weights()[inside]
        return np.repeat(even[None] / even.sum(), len(outside), axis=0)

    def _weigh(self, query: Query) -> FloatArray:
        return self.experience.even_weights()

    def _order(self, query: Query, weights: FloatArray) -> IntArray:
        return greedy_portfolio(weights, self.experience.performance.regret)
