"""The ladder: the subsamples of a table that candidates are tried on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from autometa.domain import Task, holdout_splits, nested_subsample
from autometa.foundation.typing import IntArray

__all__ = ["Ladder"]

LOWEST = 256
N_REPETITIONS = 10
# Rows that go to the workers: enough for a rung of 14,000, and no more than a second to send.
MAX_ROWS = 20_000
MAX_TEST = 2_000
# A rung this close below the highest is left out: it would cost nearly as much and tell less.
_LEAST_STEP = 1.3


@dataclass(frozen=True, eq=False)
class Ladder:
    """Repeated stratified hold-outs of a task, with growing nested parts of their training rows.

    Attributes
    ----------
    task : Task
        At most 20,000 rows, with a split for each repetition.
    sizes : ndarray of int64, shape (n_sizes,)
        Training rows of the rungs: 256, 512, 1024, ... and all training rows of a split.
    n_test : int
        Rows that are scored.
    """

    task: Task
    sizes: IntArray
    n_test: int

    @classmethod
    def of(cls, task: Task, *, random_state: int = 0) -> Ladder:
        """Split a task.

        Parameters
        ----------
        task : Task
        random_state : int

        Returns
        -------
        Ladder

        Raises
        ------
        TargetError
            If no class has a second row, so that none can be held out.
        """
        rows = nested_subsample(
            task.y if task.is_classification else None,
            np.arange(task.n_samples),
            MAX_ROWS,
            random_state=random_state,
        )
        part = task.take(rows)
        splits = holdout_splits(part, N_REPETITIONS, random_state=random_state, max_test=MAX_TEST)
        highest = min(len(split.train) for split in splits)
        lower = [size for size in LOWEST * 2 ** np.arange(16) if size * _LEAST_STEP <= highest]
        sizes = np.asarray([*lower, highest], dtype=np.int64)
        return cls(replace(part, splits=splits), sizes, min(len(split.test) for split in splits))
