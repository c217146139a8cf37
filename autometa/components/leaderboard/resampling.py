"""The bootstrap over tasks: tasks are what a benchmark samples, so intervals come from drawing tasks anew.

All figures of one table are computed on the same draws, so differences of systems are paired. Where tasks come in
groups (copies, siblings, one generator's), groups are what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autometa.foundation.typing import FloatArray, IntArray

__all__ = [
    "CONFIDENCE",
    "Interval",
    "draw_group_counts",
    "draw_task_counts",
    "draw_tasks",
    "percentile_ends",
    "percentile_intervals",
]

CONFIDENCE = 0.95
_ENDS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its interval; the ends are NaN where there is none (a single task, a single fold).

    Attributes
    ----------
    value, low, high : float
    """

    value: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether there are ends."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @property
    def excludes_zero(self) -> bool:
        """Whether both ends are on one side of zero; False without ends."""
        return self.is_known and (self.low > 0 or self.high < 0)


def draw_task_counts(n_tasks: int, n_bootstrap: int, random_state: int) -> FloatArray:
    """Draw tasks with replacement.

    Parameters
    ----------
    n_tasks, n_bootstrap : int
    random_state : int

    Returns
    -------
    ndarray of float64, shape (n_bootstrap, n_tasks)
        How often each task is in each draw; rows sum to `n_tasks`.
    """
    generator = np.random.default_rng(random_state)
    return generator.multinomial(n_tasks, np.full(n_tasks, 1 / n_tasks), size=n_bootstrap).astype(float)


def draw_group_counts(groups: IntArray, n_bootstrap: int, random_state: int) -> FloatArray:
    """Draw groups of tasks with replacement, each with all of its tasks.

    Parameters
    ----------
    groups : ndarray of int, shape (n_tasks,)
        Group of every task, from 0 without gaps.
    n_bootstrap : int
    random_state : int

    Returns
    -------
    ndarray of float64, shape (n_bootstrap, n_tasks)
        How often each task is in each draw.
    """
    return draw_task_counts(int(groups.max()) + 1, n_bootstrap, random_state)[:, groups]


def draw_tasks(n_tasks: int, n_bootstrap: int, random_state: int) -> IntArray:
    """Draw tasks with replacement, one after another.

    The numbers are others than those behind `draw_task_counts`, which takes less memory.

    Parameters
    ----------
    n_tasks, n_bootstrap : int
    random_state : int

    Returns
    -------
    ndarray of int64, shape (n_bootstrap, n_tasks)
        Positions of the tasks of each draw.
    """
    return np.random.default_rng(random_state).integers(n_tasks, size=(n_bootstrap, n_tasks))


def percentile_ends(draws: FloatArray) -> FloatArray:
    """Return both ends of the 95 % interval of bootstrap draws.

    Parameters
    ----------
    draws : ndarray of shape (n_bootstrap, ...)

    Returns
    -------
    ndarray of float64, shape (2, ...)
    """
    return np.asarray(np.quantile(draws, _ENDS, axis=0))


def percentile_intervals(values: FloatArray, draws: FloatArray, n_tasks: int) -> list[Interval]:
    """Turn bootstrap draws into percentile intervals.

    Parameters
    ----------
    values : ndarray of shape (n_systems,)
        The estimates.
    draws : ndarray of shape (n_bootstrap, n_systems)
    n_tasks : int
        With a single task there is no interval.

    Returns
    -------
    list of Interval
    """
    if n_tasks < 2:
        return [Interval(float(value), float("nan"), float("nan")) for value in values]
    low, high = percentile_ends(draws)
    return [Interval(*map(float, ends)) for ends in zip(values, low, high, strict=True)]
