"""The work of an experiment: load the task, cut the training rows, fit, predict, score."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from autometa.components.experiments.cells import Cell, TaskSource
from autometa.components.experiments.outcome import Outcome
from autometa.domain import Candidate, Evaluation, Split, Strategy, Task, evaluate, nested_subsample
from autometa.foundation.typing import RandomState

__all__ = ["EvaluationWork", "TaskCache", "as_evaluation", "cut"]

# Rows of the fit that imports a strategy's libraries, so that no cell's seconds hold an import.
WARM_UP_ROWS = 60
_WARM_UP_TEST_ROWS = 10


@dataclass
class TaskCache:
    """The last few tasks of a source.

    Attributes
    ----------
    source : TaskSource
    size : int
        Tasks kept.
    """

    source: TaskSource
    size: int = 4
    _tasks: OrderedDict[str, Task] = field(default_factory=OrderedDict, init=False, repr=False)

    def load(self, key: str) -> Task:
        """Return a task, from memory if it is there.

        Parameters
        ----------
        key : str

        Returns
        -------
        Task
        """
        if key not in self._tasks:
            while len(self._tasks) >= self.size:
                self._tasks.popitem(last=False)
            self._tasks[key] = self.source.load(key)
        self._tasks.move_to_end(key)
        return self._tasks[key]


@dataclass
class EvaluationWork:
    """Evaluates cells.

    Attributes
    ----------
    tasks : TaskCache
    strategies : mapping of str to Strategy
    device : str
    random_state : int or None
        Seed of the fits.
    keep_predictions : bool
        Whether evaluations hold what was predicted.
    """

    tasks: TaskCache
    strategies: Mapping[str, Strategy]
    device: str = "cpu"
    random_state: RandomState = 0
    keep_predictions: bool = False
    _warm: set[str] = field(default_factory=set, init=False, repr=False)

    def __call__(self, job: Cell, begin: Callable[[], None]) -> Evaluation:
        """Evaluate one cell.

        Parameters
        ----------
        job : Cell
        begin : callable

        Returns
        -------
        Evaluation
            With status "error" if the strategy does not take the task or the candidate raised, "memory" if it ran
            out of memory.
        """
        task = self.tasks.load(job.task)
        split = cut(task, job.split, job.train_size)
        strategy = self.strategies[job.candidate.strategy]
        refusal = strategy.refusal(task.take(split.train))
        if refusal is not None:
            return _failed(job, "error", f"UnsupportedTaskError: {refusal}")
        self._warm_up(job, task, split, strategy)
        begin()
        found = self._evaluate(job, task, split, strategy)
        return replace(found, status="memory") if found.message.startswith("MemoryError") else found

    def _evaluate(self, job: Cell, task: Task, split: Split, strategy: Strategy) -> Evaluation:
        return evaluate(
            task,
            split,
            job.candidate,
            strategy,
            task_key=job.task,
            train_size=job.train_size,
            device=self.device,
            random_state=self.random_state,
            keep_prediction=self.keep_predictions,
        )

    def _warm_up(self, job: Cell, task: Task, split: Split, strategy: Strategy) -> None:
        if strategy.name in self._warm:
            return
        few = replace(cut(task, job.split, WARM_UP_ROWS), test=split.test[:_WARM_UP_TEST_ROWS])
        light = Candidate(job.candidate.strategy, strategy.warm_up(job.candidate.configuration, task))
        self._evaluate(replace(job, candidate=light), task, few, strategy)
        self._warm.add(strategy.name)


def cut(task: Task, split: int, train_size: int) -> Split:
    """Return a split of a task with its training rows cut to a size.

    Parameters
    ----------
    task : Task
    split : int
    train_size : int
        0 stands for all.

    Returns
    -------
    Split
        A smaller size's rows are among a larger size's.
    """
    whole = task.splits[split]
    rows = nested_subsample(task.y if task.is_classification else None, whole.train, train_size)
    return replace(whole, train=rows)


def as_evaluation(cell: Cell, outcome: Outcome) -> Evaluation:
    """Turn what a sandbox says of a cell into an evaluation.

    Parameters
    ----------
    cell : Cell
    outcome : Outcome

    Returns
    -------
    Evaluation
    """
    if isinstance(outcome.value, Evaluation):
        return replace(outcome.value, peak_memory=outcome.peak_memory)
    failed = _failed(cell, outcome.status, outcome.message)
    return replace(failed, peak_memory=outcome.peak_memory, fit_seconds=outcome.seconds)


def _failed(cell: Cell, status: str, message: str) -> Evaluation:
    return Evaluation(*cell.key, status=status, message=message)  # type: ignore[arg-type]
