"""Acquisition: which run to make next, by the gain that is expected of it for every second that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autometa.decision.policy.belief import Belief, Outlook
from autometa.decision.policy.evidence import Run
from autometa.decision.policy.performance import REGRET_CLIP
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["Action", "Costs", "best_action"]

# Nodes and weights of an integral over a standard normal variable.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
# A single run of a noisy comparison seldom changes the choice although three would: the best of these is counted.
_REPETITIONS = (1, 3)
# Starting a run and reading its result.
_OVERHEAD_SECONDS = 0.02
# The first run of a strategy has a process import its libraries: from .1 s for scikit-learn to 3 s for torch.
_FIRST_USE_SECONDS = 1.0
_UNKNOWN_SECONDS = 0.2
# Runs that the predicted seconds count as much as.
_PREDICTION_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class Action:
    """A run to make.

    Attributes
    ----------
    candidate, size : int
        Positions.
    gain : float
        Expected decrease of the regret of the choice, on the metric's scale, by this run and those of its kind
        that are counted with it.
    seconds : float
        Predicted for one run.
    noise : float
        Variance of what it will show, as a compressed regret.
    """

    candidate: int
    size: int
    gain: float
    seconds: float
    noise: float


def best_action(
    belief: Belief, outlook: Outlook, seconds: FloatArray, allowed: BoolArray, *, excluded: BoolArray
) -> Action | None:
    """Choose the run with the greatest expected gain per second: a knowledge gradient.

    Parameters
    ----------
    belief : Belief
    outlook : Outlook
        Of the belief, with the runs under way accounted for.
    seconds : ndarray of float64, shape (n_candidates, n_sizes)
        Predicted for one run.
    allowed : ndarray of bool, shape (n_candidates, n_sizes)
        Which runs may be made.
    excluded : ndarray of bool, shape (n_candidates,)
        Candidates that cannot be chosen in the end.

    Returns
    -------
    Action or None
        None if no run is allowed.

    References
    ----------
    .. [1] Frazier, Powell & Dayanik, "The knowledge-gradient policy for correlated normal beliefs", INFORMS
       Journal on Computing 21(4), 2009.
    """
    candidates, sizes = np.nonzero(allowed & ~excluded[:, None])
    if not len(candidates):
        return None
    eligible = np.flatnonzero(~excluded)
    noise = noise_of_a_run(belief, eligible)[candidates]
    rows = len(outlook.risk) * (1 + sizes) + candidates
    # The first run at a size tells nothing without a second one to compare it with: that of the best.
    incumbent = eligible[int(np.argmin(outlook.risk[eligible]))]
    price = seconds + np.where(outlook.opened, 0.0, seconds[incumbent])[None]
    gains = np.stack([_gains(outlook, eligible, rows, noise / n) for n in _REPETITIONS])
    rates = gains / (np.asarray(_REPETITIONS)[:, None] * price[candidates, sizes])
    which, best = np.unravel_index(int(np.argmax(rates)), rates.shape)
    return Action(
        candidate=int(candidates[best]),
        size=int(sizes[best]),
        gain=float(gains[which, best]) * belief.assumptions.unit,
        seconds=float(seconds[candidates[best], sizes[best]]),
        noise=float(noise[best]),
    )


def noise_of_a_run(belief: Belief, eligible: IntArray) -> FloatArray:
    """Return the variance of the compressed regret of one more run of every candidate, shape (n_candidates,).

    Regret is that against the best of those that can be chosen, whose positions are `eligible`.
    """
    unit, evidence = belief.assumptions.unit, belief.evidence
    above = np.maximum(belief.mean - belief.mean[eligible].min(), 0.0)
    regret = np.minimum(unit * np.expm1(above), REGRET_CLIP)
    noise = evidence.variance / np.square(unit + regret)
    noise[evidence.candidate] = evidence.noise
    return np.asarray(noise)


def _gains(outlook: Outlook, eligible: IntArray, rows: IntArray, noise: FloatArray) -> FloatArray:
    """Return how much lower the least expected regret will be after each run, in units, shape (n_runs,).

    A run moves the mean by a normal step and takes the square of that step's size from the variance, so that the
    expected regret, which is log-normal, stays what it is on average.
    """
    variance = np.maximum(outlook.covariance[rows, rows], 0.0) + noise
    step = outlook.covariance[np.ix_(eligible, rows)] / np.sqrt(np.maximum(variance, 1e-12))
    risk = outlook.risk[eligible] - outlook.risk[eligible].min()
    after = risk[:, None] - np.square(step) / 2
    least = np.stack([np.exp(np.min(after + step * node, axis=0)) for node in _NODES])
    return np.asarray(np.maximum(1.0 - _WEIGHTS @ least, 0.0))


class Costs:
    """Predicted seconds of runs, corrected by those that were made.

    Parameters
    ----------
    predicted : ndarray of float64, shape (n_candidates, n_sizes)
        NaN if nothing is known.
    sizes : ndarray of int64, shape (n_sizes,)
        Rows to fit on, ascending.
    strategies : sequence of str
        Of the candidates.
    """

    def __init__(self, predicted: FloatArray, sizes: IntArray, strategies: Sequence[str]) -> None:
        unknown = _UNKNOWN_SECONDS * np.maximum(sizes / 256.0, 1.0)
        self._predicted = np.where(np.isfinite(predicted), predicted, unknown)
        self._place = {int(size): place for place, size in enumerate(sizes)}
        self._strategies = np.asarray(strategies)

    def seconds(self, runs: Sequence[Run]) -> FloatArray:
        """Return the seconds that each run will take; the first one of a strategy takes longer.

        Parameters
        ----------
        runs : sequence of Run
            Those that were made.

        Returns
        -------
        ndarray of float64, shape (n_candidates, n_sizes)
        """
        used = np.isin(self._strategies, self._strategies[[run.candidate for run in runs]] if runs else [])
        once = np.where(used, _OVERHEAD_SECONDS, _FIRST_USE_SECONDS)
        return np.asarray(self._predicted * self.factors(runs)[:, None] + once[:, None])

    def factors(self, runs: Sequence[Run]) -> FloatArray:
        """Return how many times longer every candidate takes than predicted, shape (n_candidates,)."""
        candidate = np.asarray([run.candidate for run in runs], dtype=np.int64)
        predicted = np.asarray([self._predicted[run.candidate, self._place[run.n_train]] for run in runs])
        off = np.log(np.maximum([run.seconds for run in runs], 1e-4) / predicted) if runs else np.empty(0)
        shift = np.zeros(len(self._strategies))
        for strategy in np.unique(self._strategies):
            members = self._strategies == strategy
            own = members[candidate] if len(candidate) else np.empty(0, dtype=bool)
            shift[members] = off[own].sum() / (own.sum() + _PREDICTION_WEIGHT)
        left = np.bincount(candidate, off - shift[candidate], len(shift)) if runs else np.zeros(len(shift))
        count = np.bincount(candidate, minlength=len(shift))
        return np.asarray(np.exp(shift + left / (count + _PREDICTION_WEIGHT)))
