"""How far closeness is trusted: learned on the known tasks, each judged by the tasks of other groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autometa.decision.policy.arrays import StoredFields
from autometa.decision.policy.portfolio import greedy_portfolio
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["Trust", "cautious_first", "cross_folds", "learn_trust", "trusting_order"]

# An infinite caution always names the single best first; an evenness of 1 is the static portfolio.
CAUTIONS = (0.0, 0.5, 1.0, 2.0, float("inf"))
# What is right unless the known tasks clearly say otherwise. On the shipped knowledge base, log_loss and nrmse,
# without and with the plugins' candidates, half a standard error closed .24, -.06, .18 and .02 of the gap at the
# first place (three rounds of 15 folds); none closed .23, -.20, .17 and -.05, a whole one .09, -.02, .11 and .01.
# These are the tasks that the policy is judged on, too: what it closes there is a little flattered.
USUAL_CAUTION = 0.5
EVENNESSES = (0.0, 0.25, 0.5, 0.75, 1.0)
_N_FOLDS = 5
_LIST_LENGTHS = (3, 5)

Weigher = Callable[[IntArray, IntArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Trust(StoredFields):
    """How far the weights of a forest are trusted.

    Attributes
    ----------
    caution : float
        Standard errors by which a candidate must be better than the single best to come first; from 0 (the
        best expected comes first) to infinity (the single best comes first).
    evenness : float
        Share of the weight that is spread evenly over all known tasks, in [0, 1].
    """

    caution: float = 0.0
    evenness: float = 0.0


def cautious_first(weights: FloatArray, regret: FloatArray, reference: int, caution: float) -> int:
    """Choose the first of the list: the best expected, its doubt counted against it.

    Mean regrets are ruled by a few disasters, so a candidate must beat the single best by more than chance.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_rows,)
        Shares of the past rows; they sum to 1.
    regret : ndarray of float64, shape (n_rows, n_candidates)
    reference : int
        Position of the single best candidate.
    caution : float

    Returns
    -------
    int
        Position of the candidate.
    """
    if np.isinf(caution):
        return reference
    difference = regret - regret[:, [reference]]
    mean = weights @ difference
    error = np.sqrt(np.square(weights) @ np.square(difference - mean))
    return int(np.argmin(mean + caution * error))


def trusting_order(
    weights: FloatArray, even: FloatArray, regret: FloatArray, trust: Trust, *, length: int | None = None
) -> IntArray:
    """Order candidates under weights that are trusted so far.

    Parameters
    ----------
    weights, even : ndarray of float64, shape (n_rows,)
        Shares of the past rows by closeness, and all alike.
    regret : ndarray of float64, shape (n_rows, n_candidates)
    trust : Trust
    length : int, optional
        Places chosen to complement; default as in `greedy_portfolio`.

    Returns
    -------
    ndarray of int64, shape (n_candidates,)
    """
    reference = int(np.argmin(even @ regret))
    first = cautious_first(weights, regret, reference, trust.caution)
    blend = (1 - trust.evenness) * weights + trust.evenness * even
    more = {} if length is None else {"length": length}
    return greedy_portfolio(blend, regret, first=first, **more)


def learn_trust(
    weigh: Weigher, regret: FloatArray, even: FloatArray, groups: IntArray, *, random_state: int = 0
) -> Trust:
    """Choose caution and evenness by what they would have cost on the known tasks.

    Caution is chosen first, by the regret of the first place: the usual one, unless another has cost less by more
    than a standard error. (The least cost of five differs by chance: from one deal of the folds to the next, the
    gap that the usual caution closed on the shipped log_loss went from .32 to .05.) Then evenness, by the regrets
    of the best of three and of five, each relative to that of an even list.

    Parameters
    ----------
    weigh : callable
        ``weigh(inside, outside)`` -> shares of the rows `inside` for each of the rows `outside`, learned on
        `inside`.
    regret : ndarray of float64, shape (n_rows, n_candidates)
    even : ndarray of float64, shape (n_rows,)
        Shares of an even list; only rows with a share are judged, and each counts that much.
    groups : ndarray of int64, shape (n_rows,)
    random_state : int

    Returns
    -------
    Trust
    """
    folds = [
        _Fold.of(weigh, regret, even, inside, outside, groups[outside])
        for inside, outside in cross_folds(groups, even > 0, random_state)
    ]
    caution = _chosen_caution(folds)
    lists = np.array(
        [_mean(folds, [fold.list_costs(Trust(caution, evenness)) for fold in folds]) for evenness in EVENNESSES]
    )
    relative = (lists / np.maximum(lists[-1], 1e-12)).mean(axis=1)
    return Trust(caution, EVENNESSES[len(relative) - 1 - int(np.argmin(relative[::-1]))])


def _chosen_caution(folds: Sequence[_Fold]) -> float:
    """Return the usual caution, or the one of least cost if that is less by more than a standard error."""
    costs = {caution: np.concatenate([fold.first_costs(caution) for fold in folds])[:, 0] for caution in CAUTIONS}
    counts = np.concatenate([fold.counts for fold in folds])
    # The last of equals: where closeness changes nothing it is not trusted.
    best = min(reversed(CAUTIONS), key=lambda caution: float(np.average(costs[caution], weights=counts)))
    saved = costs[USUAL_CAUTION] - costs[best]
    mean = np.average(saved, weights=counts)
    groups = np.unique(np.concatenate([fold.groups for fold in folds]), return_inverse=True)[1]
    error = np.sqrt(np.square(np.bincount(groups, weights=counts * (saved - mean))).sum()) / counts.sum()
    return best if mean > error or not saved.any() else USUAL_CAUTION


@dataclass(frozen=True, eq=False)
class _Fold:
    """Known tasks that play the unknown, and the past that is left without their groups."""

    weights: FloatArray  # (n_judged, n_past)
    even: FloatArray  # (n_past,)
    past: FloatArray  # (n_past, n_candidates)
    truth: FloatArray  # (n_judged, n_candidates)
    counts: FloatArray  # (n_judged,), what every judged task counts
    groups: IntArray  # (n_judged,)

    @classmethod
    def of(
        cls,
        weigh: Weigher,
        regret: FloatArray,
        even: FloatArray,
        inside: IntArray,
        outside: IntArray,
        groups: IntArray,
    ) -> _Fold:
        share = even[inside] / even[inside].sum()
        return cls(weigh(inside, outside), share, regret[inside], regret[outside], even[outside], groups)

    def first_costs(self, caution: float) -> FloatArray:
        """Return the regret of the first place on every judged task, shape (n_judged, 1)."""
        reference = int(np.argmin(self.even @ self.past))
        firsts = [cautious_first(weights, self.past, reference, caution) for weights in self.weights]
        return self.truth[np.arange(len(firsts)), firsts][:, None]

    def list_costs(self, trust: Trust) -> FloatArray:
        """Return the regret of the best of the first 3 and 5 on every judged task, shape (n_judged, 2)."""
        orders = [
            trusting_order(weights, self.even, self.past, trust, length=max(_LIST_LENGTHS))
            for weights in self.weights
        ]
        return np.array(
            [
                [row[order[:length]].min() for length in _LIST_LENGTHS]
                for row, order in zip(self.truth, orders, strict=True)
            ]
        )


def _mean(folds: Sequence[_Fold], parts: Sequence[FloatArray]) -> FloatArray:
    counts = np.concatenate([fold.counts for fold in folds])
    return np.asarray(np.average(np.concatenate(parts), axis=0, weights=counts))


def cross_folds(groups: IntArray, judged: Any, random_state: int) -> list[tuple[IntArray, IntArray]]:
    """Deal known tasks out to folds.

    Parameters
    ----------
    groups : ndarray of int64, shape (n_rows,)
    judged : ndarray of bool, shape (n_rows,)
    random_state : int

    Returns
    -------
    list of (past, judged)
        Row positions; the groups of the judged rows are not in the past.
    """
    distinct = np.unique(groups)
    fold_of = np.random.default_rng(random_state).permutation(len(distinct)) % _N_FOLDS
    folds = fold_of[np.searchsorted(distinct, groups)]
    pairs = [(np.flatnonzero(folds != k), np.flatnonzero((folds == k) & judged)) for k in range(_N_FOLDS)]
    return [(inside, outside) for inside, outside in pairs if len(outside)]
