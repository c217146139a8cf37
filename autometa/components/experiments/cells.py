"""Cells: what is run, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from autometa.domain import Candidate, Task

__all__ = ["Cell", "CellKey", "TaskSource", "breadth_first"]

CellKey = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One candidate on one split of one task, with some of its training rows.

    Attributes
    ----------
    task : str
        Key of the task in its source.
    split : int
        Position in the task's splits.
    train_size : int
        Rows to fit on; 0 stands for all training rows of the split.
    candidate : Candidate
    """

    task: str
    split: int
    train_size: int
    candidate: Candidate

    @property
    def key(self) -> CellKey:
        """What identifies the cell in a store."""
        return self.task, self.split, self.train_size, self.candidate.id


class TaskSource(Protocol):
    """Where the workers get their tasks; it travels to other processes, so it must pickle and be small."""

    def load(self, key: str) -> Task:
        """Return a task with its splits; called once per worker and task, not once per cell.

        Parameters
        ----------
        key : str

        Returns
        -------
        Task
            With at least one split.
        """
        ...


def breadth_first(
    tasks: Sequence[tuple[str, int]],
    candidates: Mapping[str, Sequence[Candidate]],
    *,
    sizes: Iterable[int],
    n_splits: int,
) -> Iterator[Cell]:
    """List the cells so that an unfinished grid is as broad as it can be.

    Split 0 of everything comes before split 1 of anything; within a split one size of all tasks before the next;
    within a size a task's candidates follow each other, so that a worker keeps the task that it has loaded.

    Parameters
    ----------
    tasks : sequence of (key, n_train)
        In the order wanted; n_train is the number of training rows of a split.
    candidates : mapping of task key to sequence of Candidate
    sizes : iterable of int
        In the order wanted; 0 stands for all rows. A size that is not smaller than n_train is left out: it would
        be the full size again.
    n_splits : int

    Yields
    ------
    Cell
    """
    sizes = tuple(sizes)
    for split in range(n_splits):
        for size in sizes:
            for key, n_train in tasks:
                if size < n_train:
                    yield from (Cell(key, split, size, candidate) for candidate in candidates[key])
