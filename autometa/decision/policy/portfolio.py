"""Greedy portfolios: a list whose members complement each other on the weighted past."""

from __future__ import annotations

import numpy as np

from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["N_COMPLEMENTARY", "greedy_portfolio", "weighted_quantiles"]

# Places of the list that are chosen to complement; what follows is sorted by expectation.
N_COMPLEMENTARY = 16
# Rows beyond this share of the weight do not change a choice and are left out of the search.
_MASS = 0.999
# A place that gains less than this much expected regret is not complementing anything.
_LEAST_GAIN = 1e-9


def greedy_portfolio(
    weights: FloatArray, regret: FloatArray, *, first: int | None = None, length: int = N_COMPLEMENTARY
) -> IntArray:
    """Order candidates: the best expected first, then what lowers the expected minimum most.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_rows,)
        Shares of the past rows; they sum to 1.
    regret : ndarray of float64, shape (n_rows, n_candidates)
        Lower is better.
    first : int, optional
        The first place, if it is chosen already; default the best expected.
    length : int
        Places chosen to complement; the rest follows in order of expected regret.

    Returns
    -------
    ndarray of int64, shape (n_candidates,)
        A permutation. Ties go to the earlier column.

    References
    ----------
    .. [1] Xu, Hoos & Leyton-Brown, "Hydra", AAAI 2010.
    .. [2] Feurer et al., "Auto-Sklearn 2.0", JMLR 23(261), 2022.
    """
    expected = weights @ regret
    heavy = _heavy_rows(weights)
    share, past = weights[heavy], regret[heavy]
    reached = np.full(len(heavy), np.inf)
    value = np.inf
    chosen: list[int] = []
    for place in range(min(length, regret.shape[1])):
        score = expected if place == 0 else share @ np.minimum(past, reached[:, None])
        score = np.where(np.isin(np.arange(len(score)), chosen), np.inf, score)
        pick = first if place == 0 and first is not None else int(np.argmin(score))
        if place > 1 and value - score[pick] < _LEAST_GAIN:
            break
        chosen.append(pick)
        reached = np.minimum(reached, past[:, pick])
        value = float(share @ reached)
    rest = [j for j in np.argsort(expected, kind="stable") if j not in set(chosen)]
    return np.asarray(chosen + rest, dtype=np.int64)


def _heavy_rows(weights: FloatArray) -> IntArray:
    """Return the fewest rows that hold 99.9 % of the weight."""
    order = np.argsort(-weights, kind="stable")
    n_needed = int(np.searchsorted(np.cumsum(weights[order]), _MASS * weights.sum())) + 1
    return np.sort(order[:n_needed])


def weighted_quantiles(values: FloatArray, weights: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """Return quantiles of every column of `values` under one weight per row.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rows, n_columns)
    weights : ndarray of float64, shape (n_rows,)
    levels : tuple of float
        In (0, 1).

    Returns
    -------
    ndarray of float64, shape (n_levels, n_columns)
        The inverse of the weighted distribution function.
    """
    heavy = _heavy_rows(weights)
    order = np.argsort(values[heavy], axis=0)
    ordered = np.take_along_axis(values[heavy], order, axis=0)
    reached = np.cumsum(weights[heavy][order], axis=0)
    reached = reached / reached[-1]
    places = [np.argmax(reached >= level, axis=0) for level in levels]
    return np.stack([ordered[place, np.arange(values.shape[1])] for place in places])
