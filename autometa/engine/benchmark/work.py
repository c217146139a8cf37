"""What the workers of a benchmark do: survey a task, and judge a system on one of its splits."""

from __future__ import annotations

import contextlib
import json
import platform
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

import numpy as np

from autometa.components.experiments import Begin
from autometa.components.knowledge.leaving_out import DatasetIdentity
from autometa.domain import Prediction, Task, nested_subsample, predict
from autometa.domain.metrics import score_all
from autometa.engine.benchmark.sources import BenchmarkSource, Fold, PosedTask
from autometa.engine.benchmark.systems import Fitted, Situation, System
from autometa.foundation.errors import AutoMetaError
from autometa.foundation.typing import FloatArray, IntArray, LabelArray, Status

__all__ = [
    "BenchmarkCell",
    "BenchmarkWork",
    "CellResult",
    "NotLoaded",
    "Predictions",
    "SurveyJob",
    "TaskFacts",
    "place",
]

# Tasks that a worker keeps; cells of one task follow each other.
TASKS_KEPT = 2
WARM_UP_ROWS = 60
MAX_MESSAGE = 2000
LIBRARIES = ("autometa-ml", "numpy", "pandas", "scikit-learn", "scipy", "torch")


@dataclass(frozen=True, slots=True)
class SurveyJob:
    """Read a task once and note what is known of it."""

    task: str


@dataclass(frozen=True, slots=True)
class BenchmarkCell:
    """One system on one split of one task.

    Attributes
    ----------
    task : str
    place : int
        Position of the split among the posed task's.
    repeat, fold, sample : int
        Its numbers.
    system : str
    seed : int
    """

    task: str
    place: int
    repeat: int
    fold: int
    sample: int
    system: str
    seed: int

    @property
    def key(self) -> tuple[str, int, int, int, str, int]:
        """What identifies the cell within a suite."""
        return self.task, self.repeat, self.fold, self.sample, self.system, self.seed


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the coordinator knows of a task; JSON values.

    Attributes
    ----------
    task, dataset, task_type, split_source : str
        As in the results table.
    task_id, dataset_id : int or None
    n_samples, n_features : int
    n_classes : int or None
    splits : tuple of (repeat, fold, sample, n_train, n_test)
    content : str or None
        Hash of the data of a folder's dataset; None for an OpenML task, which its server and id identify.
    """

    task: str
    dataset: str
    task_type: str
    split_source: str
    task_id: int | None
    dataset_id: int | None
    n_samples: int
    n_features: int
    n_classes: int | None
    splits: tuple[tuple[int, int, int, int, int], ...]
    content: str | None = None


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """The task could not be read, which says nothing of the system.

    Attributes
    ----------
    reason : str
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Predictions:
    """What was predicted for the test rows of a cell.

    Attributes
    ----------
    row_ids : ndarray of int64
    truth, values : ndarray of shape (n_test,)
    probabilities : ndarray of float64, shape (n_test, n_classes), or None
    classes : ndarray of shape (n_classes,), or None
    """

    row_ids: IntArray
    truth: LabelArray
    values: LabelArray
    probabilities: FloatArray | None = None
    classes: LabelArray | None = None


@dataclass(frozen=True, slots=True)
class CellResult:
    """How a cell ended.

    Attributes
    ----------
    status : {"ok", "memory", "error"}
    message, chosen : str or None
    fit_seconds, predict_seconds : float
    scores : mapping of str to float
    started_at : str
        ISO 8601, UTC.
    versions, platform : str
        As in the results table.
    predictions : Predictions or None
    """

    status: Status
    message: str | None = None
    chosen: str | None = None
    fit_seconds: float = float("nan")
    predict_seconds: float = float("nan")
    scores: Mapping[str, float] = field(default_factory=dict)
    started_at: str = ""
    versions: str = "{}"
    platform: str = ""
    predictions: Predictions | None = None


@dataclass
class BenchmarkWork:
    """Does the jobs of a benchmark in a sandbox.

    Attributes
    ----------
    source : BenchmarkSource
    systems : mapping of str to System
    seconds : float
        Limit of a cell.
    cores : int
    keep_predictions : bool
    """

    source: BenchmarkSource
    systems: Mapping[str, System]
    seconds: float = 3600.0
    cores: int = 1
    keep_predictions: bool = True
    _tasks: dict[str, PosedTask] = field(default_factory=dict, init=False, repr=False)
    _identities: dict[str, DatasetIdentity] = field(default_factory=dict, init=False, repr=False)
    _warm: set[str] = field(default_factory=set, init=False, repr=False)

    def __call__(self, job: SurveyJob | BenchmarkCell, begin: Begin) -> Any:
        """Do one job.

        Parameters
        ----------
        job : SurveyJob or BenchmarkCell
        begin : Begin

        Returns
        -------
        TaskFacts, CellResult or NotLoaded
        """
        try:
            posed = self._load(job.task)
            if isinstance(job, SurveyJob):
                return _facts(job.task, posed, self.source.content(job.task))
        except (AutoMetaError, OSError) as error:
            return NotLoaded(f"{type(error).__name__}: {error}"[:MAX_MESSAGE])
        return self._judge(job, posed, begin)

    def _load(self, key: str) -> PosedTask:
        if key not in self._tasks:
            while len(self._tasks) >= TASKS_KEPT:
                self._tasks.pop(next(iter(self._tasks)))
            self._tasks[key] = self.source.load(key)
        return self._tasks[key]

    def _identity(self, key: str, task: Task) -> DatasetIdentity:
        if key not in self._identities:
            found = DatasetIdentity(task.name, task.dataset_id, task.group, task.fingerprint())
            self._identities[key] = found
        return self._identities[key]

    def _judge(self, job: BenchmarkCell, posed: PosedTask, begin: Begin) -> CellResult:
        system, fold = self.systems[job.system], posed.folds[job.place]
        where = place(system.packages())
        training = posed.task.take(fold.train)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what a third-party learner warns of is nobody's business here
                identity = self._identity(job.task, posed.task) if system.learns_from_tasks else None
                situation = Situation(identity, job.seed, self.cores, self.seconds)
                system.prepare(training, situation)
                self._warm_up(system, training, situation)
                begin(where)  # so that it is known of a cell that does not come back
                return self._measured(system, situation, training, posed, fold, where)
        except MemoryError as error:
            return CellResult("memory", f"MemoryError: {error}"[:MAX_MESSAGE], **where)
        except Exception as error:  # whatever a system raises is its result
            return CellResult("error", f"{type(error).__name__}: {error}"[:MAX_MESSAGE], **where)

    def _warm_up(self, system: System, training: Task, situation: Situation) -> None:
        """Fit a few rows once, so that no cell's seconds hold an import."""
        if system.name in self._warm or system.time_budget is not None:
            return
        labels = training.y if training.is_classification else None
        few = training.take(nested_subsample(labels, np.arange(training.n_samples), WARM_UP_ROWS))
        with contextlib.suppress(Exception):  # the cell itself will say what is wrong
            predict(system.fit(few, situation).model, few.X, few)
        self._warm.add(system.name)

    def _measured(
        self,
        system: System,
        situation: Situation,
        training: Task,
        posed: PosedTask,
        fold: Fold,
        where: dict[str, Any],
    ) -> CellResult:
        task = posed.task
        started = perf_counter()
        fitted: Fitted = system.fit(training, situation)
        fit_seconds = perf_counter() - started
        test = task.X.iloc[fold.test]
        started = perf_counter()
        prediction = predict(fitted.model, test, task)
        predict_seconds = perf_counter() - started
        truth = task.y[fold.test]
        return CellResult(
            "ok",
            chosen=fitted.chosen,
            fit_seconds=fit_seconds,
            predict_seconds=predict_seconds,
            scores=score_all(truth, prediction, classification=task.is_classification),
            predictions=_kept(posed.row_ids[fold.test], truth, prediction) if self.keep_predictions else None,
            **where,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Travel without the tasks that were loaded."""
        return {**self.__dict__, "_tasks": {}, "_identities": {}, "_warm": set()}


def _kept(row_ids: IntArray, truth: LabelArray, prediction: Prediction) -> Predictions:
    return Predictions(row_ids, truth, prediction.values, prediction.probabilities, prediction.classes)


def _facts(key: str, posed: PosedTask, content: str | None) -> TaskFacts:
    task = posed.task
    sizes = ((f.repeat, f.fold, f.sample, len(f.train), len(f.test)) for f in posed.folds)
    return TaskFacts(
        task=key,
        dataset=task.name,
        task_type=task.type.value,
        split_source=posed.split_source,
        task_id=task.task_id if posed.split_source == "official" else None,
        dataset_id=task.dataset_id,
        n_samples=task.n_samples,
        n_features=task.n_features,
        n_classes=len(task.classes) if task.is_classification else None,
        splits=tuple(sizes),
        content=content,
    )


def place(packages: tuple[str, ...]) -> dict[str, Any]:
    """Return when and where something is run, as fields of a `CellResult`.

    Parameters
    ----------
    packages : tuple of str
        Distributions whose versions matter, beside the usual ones.

    Returns
    -------
    dict
    """
    return {
        "started_at": datetime.now(UTC).isoformat(),
        "versions": _versions(packages),
        "platform": describe_platform(),
    }


@cache
def _versions(packages: tuple[str, ...]) -> str:
    found = {}
    for name in sorted({*LIBRARIES, *packages}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return json.dumps(found)


@cache
def describe_platform() -> str:
    """Return operating system, architecture, Python and processor of this machine; no name of it.

    Returns
    -------
    str
    """
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            processor = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {processor}"
