"""Folds: the splits that candidates are cross-validated on, the more the fewer rows there are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from autometa.domain import Split, Task, nested_subsample
from autometa.foundation.errors import TargetError
from autometa.foundation.typing import IntArray, LabelArray

__all__ = ["Folds", "n_folds"]

# As many as are sent to the workers in a second; what does best on them does best on more.
MAX_ROWS = 20_000
# Up to so many rows: so many folds, so many times.
_PLANS = ((300, 5, 3), (1_000, 5, 2), (10_000, 5, 1), (MAX_ROWS, 3, 1))


def n_folds(n_samples: int) -> tuple[int, int]:
    """Return how many folds a table is split into, and how many times.

    Parameters
    ----------
    n_samples : int

    Returns
    -------
    (n_folds, n_repetitions) : tuple of int
    """
    return next((plan[1:] for plan in _PLANS if n_samples <= plan[0]), _PLANS[-1][1:])


@dataclass(frozen=True, eq=False)
class Folds:
    """A task with the splits of a repeated, for classes stratified, cross-validation.

    Attributes
    ----------
    task : Task
        At most 20,000 rows, with ``n_folds * n_repetitions`` splits.
    n_folds, n_repetitions : int
    """

    task: Task
    n_folds: int
    n_repetitions: int

    @classmethod
    def of(cls, task: Task, *, max_repetitions: int | None = None, random_state: int = 0) -> Folds:
        """Split a task; a class with a single row is learned from in every split and tested in none.

        Parameters
        ----------
        task : Task
        max_repetitions : int, optional
            Fewer repetitions than `n_folds` says, where there is no time for all.
        random_state : int

        Returns
        -------
        Folds

        Raises
        ------
        TargetError
            If there are too few rows, or too few that can be tested, for every fold to have one.
        """
        labels = task.y if task.is_classification else None
        rows = nested_subsample(labels, np.arange(task.n_samples), MAX_ROWS, random_state=random_state)
        part = task.take(rows)
        folds, repetitions = n_folds(part.n_samples)
        repetitions = min(repetitions, max_repetitions or repetitions)
        labels = part.y if part.is_classification else None
        splits: list[Split] = []
        for repetition in range(repetitions):
            fold_of = _fold_of_rows(labels, part.n_samples, folds, random_state + repetition)
            for fold in range(folds):
                train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
                if not len(test):
                    raise TargetError(
                        f"{task.name!r} has too few rows for {folds} folds: add rows, or merge rare classes."
                    )
                splits.append(Split(len(splits), train, test))
        return cls(replace(part, splits=tuple(splits)), folds, repetitions)


def _fold_of_rows(labels: LabelArray | None, n_samples: int, n_folds: int, seed: int) -> IntArray:
    """Return the fold that each row is tested in; -1 for none."""
    shuffled = np.random.default_rng(seed).permutation(n_samples)
    fold_of = np.empty(n_samples, dtype=np.int64)
    if labels is None:
        fold_of[shuffled] = np.arange(n_samples) % n_folds
        return fold_of
    codes, classes = pd.factorize(labels)
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    alone = np.bincount(codes, minlength=len(classes))[codes] == 1
    several = by_class[~alone[by_class]]
    fold_of[several] = np.arange(len(several)) % n_folds
    fold_of[alone] = -1
    return fold_of
