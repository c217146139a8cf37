"""Collecting a knowledge base: build, resume, export."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autometa.components.experiments import (
    EVALUATION,
    Cell,
    Journal,
    Limits,
    Outcome,
    Progress,
    TaskCache,
    as_evaluation,
    breadth_first,
    done_keys,
    evaluation_record,
    run_jobs,
)
from autometa.components.knowledge import KnowledgeBase
from autometa.components.openml.folder import OpenMLFolder
from autometa.domain import Candidate, Strategy, Task
from autometa.engine.collection_export import JOURNAL_FILE, export_knowledge, provenance
from autometa.engine.collection_work import CollectionWork, Description, Protocol, SplitSource, Survey
from autometa.foundation.errors import ParameterError, PluginError
from autometa.plugins import get_registry
from autometa.plugins.discovery import BUILT_IN_DISTRIBUTION
from autometa.plugins.isolation import portfolio, unsupported

__all__ = ["Protocol", "build_knowledge", "export_knowledge"]

DEFAULT_SIZES = (0, 1024, 256)
GIBIBYTE = 1024**3

_logger = logging.getLogger(__name__)


def build_knowledge(
    source_folder: str | os.PathLike[str],
    workspace: str | os.PathLike[str],
    *,
    strategies: Iterable[str] | None = None,
    sizes: Sequence[int] = DEFAULT_SIZES,
    n_splits: int = 1,
    protocol: Protocol | None = None,
    tasks: Collection[str] | None = None,
    seconds_per_cell: float = 30.0,
    memory_per_cell: int = 4 * GIBIBYTE,
    n_jobs: int = 1,
    backend: str | None = None,
    device: str = "cpu",
    run_again: Iterable[str] = (),
    output: str | os.PathLike[str] | None = None,
) -> KnowledgeBase:
    """Evaluate candidates on the datasets of a folder; the same call goes on where one was stopped.

    Breadth first: split 0 of everything before split 1 of anything, full size before the smaller ones, small
    datasets before large ones. Every result is stored when it ends, so that a killed process loses the cells in
    flight only; `export_knowledge` may be called on the workspace at any time.

    Parameters
    ----------
    source_folder : path
        With ``index.csv`` and ``parquet/`` (see `OpenMLFolder`).
    workspace : path
        Folder that holds the journal.
    strategies : iterable of str, optional
        Names; default: all that are installed, in the order of their registration.
    sizes : sequence of int
        Training sizes in the order wanted; 0 stands for all training rows.
    n_splits : int
    protocol : Protocol, optional
        Caps and seeds; must be the same in every call on a workspace.
    tasks : collection of str, optional
        Keys (``openml-<dataset id>``); default: all of the folder.
    seconds_per_cell : float
        Limit of fit and predict together.
    memory_per_cell : int
        Limit of bytes above the start of the cell.
    n_jobs : int
    backend : str, optional
        Name of a joblib backend.
    device : str
    run_again : iterable of str
        Statuses ("error", "timeout", ...) of earlier cells to run again; the new result counts.
    output : path, optional
        Folder to save the knowledge base to.

    Returns
    -------
    KnowledgeBase

    Raises
    ------
    FileFormatError
        If the folder is not one of OpenML data.
    ParameterError
        If an argument is outside its allowed set.
    StoreError
        If the journal cannot be read or written.
    """
    rules = protocol or Protocol()
    chosen = get_registry().select(strategies)
    _check(sizes, n_splits, chosen)
    source = SplitSource(OpenMLFolder(Path(source_folder)), rules, n_splits)
    collection = _Collection(
        source=source,
        work=CollectionWork(
            TaskCache(source),
            chosen,
            device=device,
            random_state=rules.random_state,
            metafeatures=get_registry().metafeatures,
        ),
        limits=Limits(seconds_per_cell, memory_per_cell),
        sizes=tuple(sizes),
        n_jobs=n_jobs,
        backend=backend,
        only=None if tasks is None else frozenset(tasks),
    )
    path = Path(workspace) / JOURNAL_FILE
    with Journal(path, rules.to_dict()) as journal:
        collection.run(journal, run_again=tuple(run_again))
    base = export_knowledge(workspace)
    if output is not None:
        base.save(output)
    return base


def _check(sizes: Sequence[int], n_splits: int, strategies: dict[str, Strategy]) -> None:
    if not sizes or min(sizes) < 0 or len(set(sizes)) != len(sizes):
        raise ParameterError(f"sizes must be different numbers of rows, 0 for all; got {list(sizes)}.")
    if n_splits < 1:
        raise ParameterError(f"n_splits must be at least 1; got {n_splits}.")
    if not strategies:
        raise ParameterError("No strategy is installed, so there is nothing to evaluate.")


@dataclass(frozen=True)
class _Collection:
    """One call of `build_knowledge`."""

    source: SplitSource
    work: CollectionWork
    limits: Limits
    sizes: tuple[int, ...]
    n_jobs: int
    backend: str | None
    only: frozenset[str] | None

    def run(self, journal: Journal, *, run_again: tuple[str, ...]) -> None:
        """Survey what is not surveyed yet, then work the grid off."""
        journal.append("run", self._provenance())
        records = list(journal.records())
        facts = self._surveyed(journal, records, run_again)
        candidates = self._candidates(journal, records)
        done = done_keys(records, again=run_again)
        described = {
            (r["task"], r["train_size"])
            for r in records
            if r["kind"] == "metafeatures" and r["status"] not in run_again
        }
        del records
        jobs = list(self._jobs(facts, candidates, done, described))
        with Progress(len(jobs), "Collecting") as progress:
            for job, outcome in self._outcomes(jobs):
                self._store(journal, job, outcome, progress)

    def _provenance(self) -> dict[str, Any]:
        plugins = [record for record in get_registry().records if {*record.strategies} & {*self.work.strategies}]
        distributions = {plugin.distribution for plugin in plugins if plugin.distribution} - {
            BUILT_IN_DISTRIBUTION
        }
        return provenance(self.source, self.work, self.limits, n_jobs=self.n_jobs, distributions=distributions)

    def _outcomes(self, jobs: Sequence[Any]) -> Iterator[tuple[Any, Outcome]]:
        return run_jobs(self.work, jobs, limits=self.limits, n_jobs=self.n_jobs, backend=self.backend)

    def _surveyed(
        self, journal: Journal, records: Sequence[dict[str, Any]], run_again: tuple[str, ...]
    ) -> list[dict[str, Any]]:
        """Return the facts of all usable tasks, in ascending size."""
        known = {
            r["task"]: r for r in records if r["kind"] in ("task", "skip") and r.get("status") not in run_again
        }
        entries = [e for key, e in self.source.folder.entries.items() if self.only is None or key in self.only]
        entries.sort(key=lambda entry: entry.n_samples * entry.n_features)
        limit = self.source.protocol.max_features
        for entry in entries:
            if entry.key not in known and entry.n_features > limit:
                reason = f"{entry.n_features} features; at most {limit} are taken."
                known[entry.key] = {"kind": "skip", "task": entry.key}
                journal.append("skip", {"task": entry.key, "name": entry.name, "reason": reason})
        jobs = [Survey(entry.key) for entry in entries if entry.key not in known]
        with Progress(len(jobs), "Surveying") as progress:
            for job, outcome in self._outcomes(jobs):
                known[job.task] = self._store_survey(journal, job, outcome)
                progress.advance(outcome.status)
        return [known[entry.key] for entry in entries if known[entry.key]["kind"] == "task"]

    def _store_survey(self, journal: Journal, job: Survey, outcome: Outcome) -> dict[str, Any]:
        if outcome.status == "ok":
            facts = asdict(outcome.value)
            journal.append("task", facts)
            return {"kind": "task", **facts}
        _logger.warning("%s is left out: %s", job.task, outcome.message)
        facts = {"name": self._name(job.task), "status": outcome.status, "reason": outcome.message}
        journal.append("skip", {"task": job.task, **facts})
        return {"kind": "skip"}

    def _name(self, key: str) -> str:
        return self.source.folder.entries[key].name

    def _candidates(self, journal: Journal, records: Sequence[dict[str, Any]]) -> dict[str, list[Candidate]]:
        """Return the candidates of each type of task, and note them in the journal."""
        known = {r["candidate"] for r in records if r["kind"] == "candidate"}
        found = {}
        for task in _example_tasks():
            found[task.type.value] = self._offered(task)
            for candidate in found[task.type.value]:
                if candidate.id not in known:
                    known.add(candidate.id)
                    facts = {"strategy": candidate.strategy, "configuration": candidate.configuration.to_json()}
                    journal.append("candidate", {"candidate": candidate.id, **facts})
        return found

    def _offered(self, task: Task) -> list[Candidate]:
        """Return the portfolios for a kind of task, without strategies that refuse the kind or fail to answer."""
        offered: list[Candidate] = []
        refused = unsupported(self.work.strategies, task)
        for name, strategy in self.work.strategies.items():
            if name in refused:
                _logger.info("%s is left out of %s tasks: %s", name, task.type.value, refused[name])
                continue
            try:
                offered += portfolio(name, strategy, task)
            except PluginError as error:
                _logger.warning("%s is left out of %s tasks: %s", name, task.type.value, error)
        return offered

    def _jobs(
        self,
        facts: Sequence[dict[str, Any]],
        candidates: dict[str, list[Candidate]],
        done: set[tuple[str, int, int, str]],
        described: set[tuple[str, int]],
    ) -> Iterator[Description | Cell]:
        """Yield what is left to do; the meta-features of training rows come before the cells on them."""
        per_task = {fact["task"]: candidates[fact["type"]] for fact in facts}
        order = [(fact["task"], fact["n_train"]) for fact in facts]
        for cell in breadth_first(order, per_task, sizes=self.sizes, n_splits=self.source.n_splits):
            if cell.split == 0 and (cell.task, cell.train_size) not in described:
                described.add((cell.task, cell.train_size))
                yield Description(cell.task, 0, cell.train_size)
            if cell.key not in done:
                yield cell

    def _store(self, journal: Journal, job: Description | Cell, outcome: Outcome, progress: Progress) -> None:
        if isinstance(job, Cell):
            evaluation = as_evaluation(job, outcome)
            journal.append(EVALUATION, evaluation_record(evaluation))
            progress.advance(evaluation.status)
            return
        facts = outcome.value or {"values": {}, "n_train": 0, "seconds": None}
        key = {"task": job.task, "train_size": job.train_size}
        journal.append("metafeatures", {**key, "status": outcome.status, "message": outcome.message, **facts})
        progress.advance(outcome.status)


def _example_tasks() -> list[Task]:
    """Return one small task of each type: a portfolio may depend on the type and on nothing else."""
    X = [[float(i), float(i % 7)] for i in range(60)]
    targets = {"binary": [i % 2 for i in range(60)], "multiclass": [i % 3 for i in range(60)]}
    numbers = [0.5 * i for i in range(60)]
    return [Task.from_arrays(X, y, type=kind) for kind, y in {**targets, "regression": numbers}.items()]
