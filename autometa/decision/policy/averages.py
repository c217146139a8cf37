"""Averages over judged tasks, and what their bootstrap draws: dataset groups, each with all of its tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["AVERAGES", "JudgedGroups"]

# Over groups: a generator that made sixty tasks is one voice, as it is one draw of the bootstrap.
AVERAGES = ("groups", "tasks")
_N_BOOTSTRAP = 2000


@dataclass(frozen=True, eq=False)
class JudgedGroups:
    """The dataset groups of the tasks that were judged.

    Attributes
    ----------
    codes : ndarray of int, shape (n_tasks,)
        Group of every task, from 0 without gaps.
    """

    codes: IntArray

    @classmethod
    def of(cls, groups: pd.Series[str]) -> Self:
        """Number the groups.

        Parameters
        ----------
        groups : Series
            Of every task.

        Returns
        -------
        JudgedGroups
        """
        return cls(np.asarray(pd.factorize(groups.astype(str))[0], dtype=np.int64))

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.codes.max()) + 1

    def weights(self, average: str) -> FloatArray:
        """Return what every task counts.

        Parameters
        ----------
        average : {"groups", "tasks"}
            Whether every group counts 1, or every task.

        Returns
        -------
        ndarray of float64, shape (n_tasks,)
        """
        return np.ones(len(self.codes)) if average == "tasks" else 1.0 / np.bincount(self.codes)[self.codes]

    def draws(self) -> FloatArray:
        """Return how often every task is in each bootstrap sample of groups, always the same ones.

        Returns
        -------
        ndarray of float64, shape (n_draws, n_tasks)
        """
        # Whoever only asks a policy needs no leaderboard.
        from autometa.components.leaderboard.resampling import draw_group_counts

        return draw_group_counts(self.codes, _N_BOOTSTRAP, random_state=0)
