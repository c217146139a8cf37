"""Differences between a system and an opponent: on each task over its folds, and over all tasks.

Folds share training rows, so their plain variance is too small. The interval on a task is that of the corrected
resampled t-test [1]_ [2]_: the variance of the paired differences times (1/n + n_test/n_train).

References
----------
.. [1] C. Nadeau, Y. Bengio. Inference for the generalization error. Machine Learning 52, 2003.
.. [2] R. Bouckaert, E. Frank. Evaluating the replicability of significance tests. PAKDD 2004.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from autometa.components.leaderboard.ranks import rounded
from autometa.components.leaderboard.resampling import CONFIDENCE, Interval, percentile_intervals
from autometa.foundation.typing import FloatArray

__all__ = ["TaskDifferences", "corrected_intervals", "mean_differences", "task_differences"]


@dataclass(frozen=True, slots=True)
class TaskDifferences:
    """Loss of each system minus the opponent's, per task; negative where the system is better.

    Attributes
    ----------
    mean, low, high : DataFrame of float64, shape (n_tasks, n_systems)
        95 % interval over folds; ends are NaN on tasks with a single split.
    """

    mean: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame

    def of_scores(self, sign: float) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Return mean, low and high of the metric's natural values; `sign` is -1 where greater is better."""
        if sign > 0:
            return self.mean, self.low, self.high
        return -self.mean, -self.high, -self.low

    @property
    def has_intervals(self) -> bool:
        """Whether some task has more than one split, so that a difference on it can be told from chance."""
        return bool(self.low.notna().any(axis=None))

    @property
    def better(self) -> pd.DataFrame:
        """Where the system is better and the interval excludes 0."""
        return self.high < 0

    @property
    def worse(self) -> pd.DataFrame:
        """Where the system is worse and the interval excludes 0."""
        return self.low > 0


def corrected_intervals(
    differences: FloatArray, test_to_train: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean and 95 % interval of paired differences over resampled splits.

    Parameters
    ----------
    differences : ndarray of float64, shape (n_splits, n_systems)
    test_to_train : float
        Number of test rows / number of training rows of a split.

    Returns
    -------
    mean, low, high : ndarray of float64, shape (n_systems,)
        Ends are NaN with a single split.
    """
    n_splits = len(differences)
    mean = differences.mean(axis=0)
    if n_splits < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    spread = np.sqrt((1 / n_splits + test_to_train) * differences.var(axis=0, ddof=1))
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, n_splits - 1) * spread
    return mean, mean - reach, mean + reach


def task_differences(losses: pd.DataFrame, test_to_train: pd.Series[float], opponent: str) -> TaskDifferences:
    """Compare every system with an opponent on every task.

    Parameters
    ----------
    losses : DataFrame of float64, shape (n_splits, n_systems)
        Index (task, repeat, fold, sample).
    test_to_train : Series of float64
        Test rows per training row, by task.
    opponent : str

    Returns
    -------
    TaskDifferences
    """
    paired = losses.sub(losses[opponent], axis=0)
    paired = paired.where(rounded(losses.to_numpy()) != rounded(losses[[opponent]].to_numpy()), 0.0)
    tasks = list(paired.index.unique("task"))
    found = [corrected_intervals(paired.loc[[task]].to_numpy(), float(test_to_train[task])) for task in tasks]
    index = pd.Index(tasks, name="task")
    mean, low, high = (
        pd.DataFrame([row[part] for row in found], index=index, columns=losses.columns) for part in range(3)
    )
    return TaskDifferences(mean, low, high)


def mean_differences(losses: FloatArray, opponent: int, counts: FloatArray) -> list[Interval]:
    """Return the mean over tasks of each system's loss minus the opponent's, with a paired bootstrap interval.

    Parameters
    ----------
    losses : ndarray of float64, shape (n_tasks, n_systems)
    opponent : int
    counts : ndarray of float64, shape (n_bootstrap, n_tasks)
        From `draw_task_counts`.

    Returns
    -------
    list of Interval
        Negative where the system is better.
    """
    paired = losses - losses[:, [opponent]]
    draws = counts @ paired / len(losses)
    return percentile_intervals(paired.mean(axis=0), draws, len(losses))
