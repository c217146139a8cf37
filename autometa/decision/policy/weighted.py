"""A policy that is an `Experience` and a way to weigh and order it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import Arrays, Policy, Query, Ranking
from autometa.decision.policy.calibration import Calibration, Forecast
from autometa.decision.policy.experience import Experience
from autometa.decision.policy.portfolio import greedy_portfolio
from autometa.decision.policy.trust import cross_folds
from autometa.foundation.errors import PolicyError
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["LEAST_GROUPS", "WeightedPolicy"]

# Dataset groups below which nothing is learned from how others would have been judged.
LEAST_GROUPS = 10


class WeightedPolicy(Policy):
    """Weigh known tasks, then order candidates under the weights; by default evenly and greedily."""

    version: ClassVar[int] = 7
    _experience: Experience | None = None
    _calibration: Calibration = Calibration.none()
    _hindsight: Forecast | None = None

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
        self._look_back()
        return self

    @property
    def hindsight(self) -> Forecast | None:
        """What it would have said of every known row without its group, calibrated; None of too few groups."""
        return self._hindsight

    def _look_back(self) -> None:
        """Learn how far off the policy would have been on the known tasks, each judged by other groups."""
        past = self.experience
        self._calibration, self._hindsight = Calibration.none(), None
        if len(np.unique(past.groups)) < LEAST_GROUPS:
            return
        weights, first = self._crossed()
        forecast = past.forecast(weights, first)
        truth = past.performance.best[:, None] + past.performance.regret
        truth[:, ~past.performance.is_known] = np.nan
        self._calibration = Calibration.fit(forecast, truth, past.groups)
        rows = zip(forecast.expected, forecast.low, forecast.high, first.tolist(), strict=True)
        ends = [self._calibration.apply(*row) for row in rows]
        low, high = (np.stack(side) for side in zip(*ends, strict=True))
        self._hindsight = Forecast(forecast.expected, low, high, first)

    def _crossed(self) -> tuple[FloatArray, IntArray]:
        """Return the weights of all rows for each without its group, and what would have come first."""
        past = self.experience
        weights = np.zeros((past.n_rows, past.n_rows))
        for inside, outside in cross_folds(past.groups, past.even_weights() > 0, self._seed()):
            weights[np.ix_(outside, inside)] = self.cross_weights(inside, outside)
        return weights, np.argmin(weights @ past.performance.regret, axis=1)

    def _seed(self) -> int:
        return int(getattr(self, "random_state", 0))

    def rank(self, query: Query) -> Ranking:
        """Rank all candidates for a task; see `Policy.rank`."""
        self.experience.check(query)
        weights = self._weigh(query)
        return self.experience.answer(query, weights, self._order(query, weights), calibration=self._calibration)

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what was learned as plain arrays; see `Policy.to_arrays`."""
        arrays = {**self.experience.to_arrays(), **self._calibration.to_arrays("calibration.")}
        return arrays if self._hindsight is None else {**arrays, **self._hindsight.to_arrays("hindsight.")}

    def restore(self, arrays: Arrays) -> Self:
        """Take up what `to_arrays` returned; see `Policy.restore`."""
        self._experience = Experience.from_arrays(arrays)
        self._calibration = Calibration.from_arrays(arrays, "calibration.")
        has_hindsight = "hindsight.first" in arrays
        self._hindsight = Forecast.from_arrays(arrays, "hindsight.") if has_hindsight else None
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
