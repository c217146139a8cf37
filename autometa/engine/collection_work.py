"""What the workers of a collection do: survey a task, describe its training rows, evaluate a candidate on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np

from autometa.components.experiments import Cell, EvaluationWork, TaskCache, cut
from autometa.components.metafeatures import describe
from autometa.components.openml.folder import OpenMLFolder
from autometa.domain import Split, Task, holdout_splits, nested_subsample
from autometa.foundation.errors import KnowledgeError, TableError
from autometa.foundation.typing import IntArray
from autometa.plugins import MetaFeatureFunction

__all__ = ["CollectionWork", "Description", "Protocol", "SplitSource", "Survey", "TaskFacts"]

# For one meta-feature function of a plugin: more than `recommend` grants, so that a busy machine loses no value.
PLUGIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Protocol:
    """What the figures of a collection depend on, whatever is collected; a workspace holds one protocol.

    Attributes
    ----------
    test_share : float
        Share of the rows that is tested on.
    max_train, max_test : int
        Caps on the rows of a split; 0 for none.
    min_rows : int
        Smaller datasets are left out: their few test rows tell candidates apart by chance only.
    max_features : int
        Wider datasets are left out.
    random_state : int
        Seed of splits and fits.
    """

    test_share: float = 0.3
    max_train: int = 2000
    max_test: int = 2000
    min_rows: int = 50
    max_features: int = 2000
    random_state: int = 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` returned.

        Parameters
        ----------
        values : mapping

        Returns
        -------
        Protocol

        Raises
        ------
        KnowledgeError
            If a rule is missing, unknown, or no number.
        """
        names = {rule.name for rule in fields(cls)}
        wrong = sorted(names.symmetric_difference(values)) or sorted(
            name for name in names if isinstance(values[name], bool) or not isinstance(values[name], (int, float))
        )
        if wrong:
            raise KnowledgeError(
                f"The protocol of the knowledge base cannot be repeated: {wrong} are missing, unknown to this "
                f"autometa, or no numbers. It states {dict(values)}; needed are {sorted(names)}. Build one with "
                "`autometa kb build`.",
                rules=wrong,
            )
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values.

        Returns
        -------
        dict
        """
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a knowledge base records of a task (see `KnowledgeBase.tasks`)."""

    task: str
    dataset_id: int | None
    task_id: int | None
    name: str
    group: str
    type: str
    n_samples: int
    n_features: int
    n_classes: int
    n_train: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Survey:
    """The job of reading a dataset once and noting its facts.

    Attributes
    ----------
    task : str
    """

    task: str


@dataclass(frozen=True, slots=True)
class Description:
    """The job of computing the meta-features of a split's training rows.

    Attributes
    ----------
    task : str
    split : int
    train_size : int
        0 stands for all.
    """

    task: str
    split: int
    train_size: int


@dataclass(frozen=True)
class SplitSource:
    """The datasets of a folder, with hold-out splits, cut to the rows that those use.

    Attributes
    ----------
    folder : OpenMLFolder
    protocol : Protocol
    n_splits : int
    """

    folder: OpenMLFolder
    protocol: Protocol
    n_splits: int

    def load(self, key: str) -> Task:
        """Return a task with its splits.

        Parameters
        ----------
        key : str

        Returns
        -------
        Task
            Only with rows that a split uses: what is cached and cut for each cell stays small.
        """
        return self.split(self.folder.load(key))

    def split(self, task: Task) -> Task:
        """Return a whole dataset's task with its splits (see `load`).

        Parameters
        ----------
        task : Task

        Returns
        -------
        Task
        """
        rules = self.protocol
        splits = holdout_splits(
            task,
            self.n_splits,
            test_share=rules.test_share,
            random_state=rules.random_state,
            max_test=rules.max_test or None,
        )
        labels = task.y if task.is_classification else None
        capped = [replace(s, train=nested_subsample(labels, s.train, rules.max_train)) for s in splits]
        rows = np.unique(np.concatenate([part for s in capped for part in (s.train, s.test)]))
        return replace(task.take(rows), splits=tuple(_moved(s, rows) for s in capped))


def _moved(split: Split, rows: IntArray) -> Split:
    return Split(split.index, np.searchsorted(rows, split.train), np.searchsorted(rows, split.test))


@dataclass
class CollectionWork(EvaluationWork):
    """Does the three kinds of jobs of a collection.

    Attributes
    ----------
    metafeatures : tuple of MetaFeatureFunction
        What plugins describe a task by, beside the built-in meta-features.
    """

    metafeatures: tuple[MetaFeatureFunction, ...] = ()

    def __call__(self, job: Survey | Description | Cell, begin: Callable[[], None]) -> Any:
        """Do one job.

        Parameters
        ----------
        job : Survey, Description or Cell
        begin : callable

        Returns
        -------
        TaskFacts, dict or Evaluation
        """
        if isinstance(job, Survey):
            return survey(self.tasks, job.task)
        if isinstance(job, Description):
            return self._describe(job, begin)
        return super().__call__(job, begin)

    def _describe(self, job: Description, begin: Callable[[], None]) -> dict[str, Any]:
        task = self.tasks.load(job.task)
        rows = cut(task, job.split, job.train_size).train
        begin()
        started = time.perf_counter()
        # Only training rows are looked at: what the policy learns from says nothing of the test rows.
        seed = self.random_state or 0
        values = describe(task.take(rows), self.metafeatures, random_state=seed, seconds=PLUGIN_SECONDS).to_dict()
        return {"values": values, "n_train": len(rows), "seconds": time.perf_counter() - started}


def survey(tasks: TaskCache, key: str) -> TaskFacts:
    """Read a dataset and note its facts.

    Parameters
    ----------
    tasks : TaskCache
        Of a `SplitSource`.
    key : str

    Returns
    -------
    TaskFacts

    Raises
    ------
    TableError
        If it has too few rows.
    """
    source = tasks.source
    if not isinstance(source, SplitSource):
        raise TypeError(f"A survey needs a SplitSource; got {type(source).__name__}.")
    whole = source.folder.load(key)
    if whole.n_samples < source.protocol.min_rows:
        raise TableError(
            f"{whole.n_samples} rows with a target; at least {source.protocol.min_rows} are asked for."
        )
    return TaskFacts(
        task=key,
        dataset_id=whole.dataset_id,
        task_id=whole.task_id,
        name=whole.name,
        group=whole.group,
        type=whole.type.value,
        n_samples=whole.n_samples,
        n_features=whole.n_features,
        n_classes=len(whole.classes),
        n_train=len(source.split(whole).splits[0].train),
        fingerprint=whole.fingerprint(),
    )
