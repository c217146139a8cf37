"""The verdict: from what is believed of standings to a list with expected losses and intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autometa.decision.policy._base import INTERVAL_LEVEL, NEAR_BEST, Ranking
from autometa.decision.policy.belief import Belief
from autometa.decision.policy.buckets import Amount
from autometa.decision.policy.performance import REGRET_CLIP
from autometa.decision.policy.portfolio import greedy_portfolio
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from autometa.decision.policy.posterior import Posterior

__all__ = ["Verdict", "amount_of"]

_N_SAMPLES = 400
_TAILS = ((1 - INTERVAL_LEVEL) / 2, (1 + INTERVAL_LEVEL) / 2)
# Standard deviations between the ends of an 80 % interval.
_INTERVAL_WIDTH = 2.563
# Variance of a mean loss, times the rows scored: losses of rows differ more than those of two learners do.
_ROW_VARIANCE = 0.5


@dataclass(frozen=True, eq=False)
class Verdict:
    """The list after evidence.

    Attributes
    ----------
    order : ndarray of int64, shape (n_candidates,)
        Positions, best first; the following ones complement those before them, the excluded ones come last.
    expected_loss, low, high : ndarray of float64, shape (n_candidates,)
        At full size; the interval was stretched until it would have held on known tasks as often as it says.
    near_best : ndarray of float64, shape (n_candidates,)
        Probability that the loss is within `NEAR_BEST` of the best candidate's that is not excluded.
    """

    order: IntArray
    expected_loss: FloatArray
    low: FloatArray
    high: FloatArray
    near_best: FloatArray

    @classmethod
    def of(
        cls,
        belief: Belief,
        ranking: Ranking,
        posterior: Posterior,
        *,
        excluded: BoolArray,
        n_test: int,
        complementary: bool = True,
        random_state: int = 0,
    ) -> Verdict:
        """Order candidates by what is believed of them.

        Parameters
        ----------
        belief : Belief
            With evidence.
        ranking : Ranking
            The prior's; further candidates of the belief have no history.
        posterior : Posterior
        excluded : ndarray of bool, shape (n_candidates,)
        n_test : int
            Rows that a run was scored on.
        complementary : bool
            Whether what follows the first place complements it, or is the next best.
        random_state : int
            Seed of the samples that complementarity and intervals are counted on.

        Returns
        -------
        Verdict
        """
        by_risk = np.argsort(np.where(excluded, np.inf, belief.risk), kind="stable")
        samples = belief.samples(_N_SAMPLES, random_state=random_state)
        least = samples[:, ~excluded].min(axis=1, keepdims=True)
        regret = belief.assumptions.unit * np.expm1(np.clip(samples - least, 0.0, _ceiling(belief)))
        even = np.full(_N_SAMPLES, 1.0 / _N_SAMPLES)
        listed = by_risk
        if complementary:
            barred = np.where(excluded, 10 * REGRET_CLIP, regret)
            listed = greedy_portfolio(even, barred, first=int(by_risk[0]))
        reference, level, spread = _level(belief, ranking, posterior, n_test)
        draws = np.random.default_rng([random_state, 1]).standard_normal((_N_SAMPLES, 1))
        losses = level + spread * draws + regret - regret[:, [reference]]
        expected, (low, high) = losses.mean(axis=0), np.quantile(losses, _TAILS, axis=0)
        lessons, amount, leader = posterior.lessons, amount_of(belief), int(listed[0])
        low, high = lessons.calibration.apply(expected, low, high, leader, amount=amount, stretch=ranking.stretch)
        near_best = lessons.likelihood.apply((regret <= NEAR_BEST).mean(axis=0), leader, amount)
        return cls(listed, expected, low, high, near_best)


def amount_of(belief: Belief) -> Amount:
    """Return how much evidence a belief rests on.

    Parameters
    ----------
    belief : Belief
        With evidence.

    Returns
    -------
    Amount
    """
    evidence = belief.evidence
    seen = np.zeros(len(belief.mean), dtype=bool)
    seen[evidence.candidate] = True
    return Amount(float(belief.assumptions.halvings(evidence.n_train.max())), seen)


def _ceiling(belief: Belief) -> float:
    return float(np.log1p(REGRET_CLIP / belief.assumptions.unit))


def _level(belief: Belief, ranking: Ranking, posterior: Posterior, n_test: int) -> tuple[int, float, float]:
    """Return the best candidate on the most rows that were tried, its loss at full size, and the doubt of that."""
    evidence, lessons = belief.evidence, posterior.lessons
    at_top = np.flatnonzero(evidence.n_train == evidence.n_train.max())
    point = int(at_top[np.argmin(belief.risk[evidence.candidate[at_top]])])
    candidate = int(evidence.candidate[point])
    halvings = float(belief.assumptions.halvings(evidence.n_train[point]))
    seen = float(evidence.loss[point]) + lessons.level_trend * halvings
    variance = (lessons.level_spread * halvings) ** 2 + _ROW_VARIANCE / (
        n_test * min(int(evidence.n_runs[point]), 3)
    )
    if candidate >= len(ranking.candidates) or not np.isfinite(ranking.expected_loss[candidate]):
        return candidate, seen, float(np.sqrt(variance))
    width = (ranking.high[candidate] - ranking.low[candidate]) / _INTERVAL_WIDTH
    of_prior = max(float(width) ** 2, 1e-8)
    total = 1.0 / (1.0 / variance + 1.0 / of_prior)
    mean = total * (seen / variance + float(ranking.expected_loss[candidate]) / of_prior)
    return candidate, mean, float(np.sqrt(total))
