"""run_benchmark(): systems on the tasks of a suite; the same call goes on where one was stopped."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autometa.components.experiments import Limits, Outcome, Progress, cluster, run_jobs
from autometa.components.openml import OpenMLClient
from autometa.engine.benchmark.patience import patiently
from autometa.engine.benchmark.sources import BenchmarkSource
from autometa.engine.benchmark.store import BenchmarkStore, CellKey, export_results
from autometa.engine.benchmark.suites import Suite, open_suite
from autometa.engine.benchmark.systems import System
from autometa.engine.benchmark.work import BenchmarkCell, BenchmarkWork, NotLoaded, SurveyJob, TaskFacts
from autometa.foundation.errors import BenchmarkError, FileFormatError, ParameterError, StoreError
from autometa.foundation.settings import get_settings

__all__ = ["BenchmarkPlan", "run_benchmark", "surveyed"]

GIBIBYTE = 1024**3
# Waiting for an OpenML server and fitting a policy come before the clock of a cell is started.
PREPARATION_SECONDS = 1800.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BenchmarkPlan:
    """What is run.

    Attributes
    ----------
    systems : tuple of System
    seeds : tuple of int
    tasks : collection of str, optional
        Keys, or OpenML task ids as text; default: all of the suite.
    max_repeats, max_folds : int or None
        Take only the first ones of each task.
    own_splits : int
        Own 70/30 splits for tasks without official ones; 0 refuses such tasks.
    seconds : float
        Limit of a cell: fit and predict together.
    memory : int
        Limit of a cell, bytes.
    cores : int
        Of a cell.
    """

    systems: tuple[System, ...]
    seeds: tuple[int, ...] = (0,)
    tasks: Collection[str] | None = None
    max_repeats: int | None = None
    max_folds: int | None = None
    own_splits: int = 0
    seconds: float = 3600.0
    memory: int = 8 * GIBIBYTE
    cores: int = 1

    def __post_init__(self) -> None:
        longest = max((system.time_budget or 0.0 for system in self.systems), default=0.0)
        if not self.seconds > longest:
            raise ParameterError(
                f"The limit of a cell ({self.seconds:g} s) must be above the largest time budget ({longest:g} s): "
                "the last fit and the predictions come after it."
            )

    def limits(self) -> Limits:
        """Return what a cell may use."""
        return Limits(self.seconds, self.memory, PREPARATION_SECONDS, self.cores)

    def chosen(self, suite: Suite) -> tuple[str, ...]:
        """Return the keys of the suite's tasks that are wanted.

        Raises
        ------
        BenchmarkError
            If one is not in the suite.
        """
        if self.tasks is None:
            return suite.tasks
        wanted = {key: key.rpartition(":")[2] for key in suite.tasks}
        absent = sorted(set(self.tasks) - {*wanted.keys(), *wanted.values()})
        if absent:
            raise BenchmarkError(
                f"The suite {suite.name!r} has no tasks {absent}; it has {list(suite.tasks)[:10]} ...",
                tasks=absent,
            )
        return tuple(key for key, short in wanted.items() if {key, short} & set(self.tasks))

    def cells(self, facts: Sequence[TaskFacts]) -> Iterator[BenchmarkCell]:
        """List the cells: small tasks before large ones, the cells of a task after each other.

        Parameters
        ----------
        facts : sequence of TaskFacts

        Yields
        ------
        BenchmarkCell
        """
        for task in sorted(facts, key=lambda each: (each.n_samples * each.n_features, each.task)):
            systems = [system for system in self.systems if system.unsupported(task.task_type) is None]
            for place, (repeat, fold, sample, *_) in enumerate(task.splits):
                if repeat < (self.max_repeats or repeat + 1) and fold < (self.max_folds or fold + 1):
                    for seed in self.seeds:
                        for system in systems:
                            yield BenchmarkCell(task.task, place, repeat, fold, sample, system.name, seed)


def run_benchmark(
    suite: str,
    workspace: str | os.PathLike[str],
    plan: BenchmarkPlan,
    *,
    n_jobs: int = 1,
    backend: str | None = None,
    scheduler: str | None = None,
    run_again: Collection[str] = (),
    client: OpenMLClient | None = None,
) -> Path:
    """Run systems on the tasks of a suite; the same call goes on where one was stopped.

    Every result is stored the moment it ends, by this process alone: a killed run loses the cells in flight.

    Parameters
    ----------
    suite : str
        See `open_suite`.
    workspace : path
        Folder of the journal, the predictions and the results table. It holds one suite under one set of limits.
    plan : BenchmarkPlan
    n_jobs : int
        Workers; -1 for one per core.
    backend : str, optional
        ``loky`` (default), ``dask``, ``ray``, or another joblib backend.
    scheduler : str, optional
        Address of a Dask scheduler or a Ray cluster.
    run_again : collection of str
        Statuses of earlier cells to run again; the new result counts.
    client : OpenMLClient, optional
        Default: as the settings say.

    Returns
    -------
    Path
        Of the results table.

    Raises
    ------
    BenchmarkError
        If the suite or a system cannot be used, or a task could not be read; all other cells were run.
    StoreError
        If a result cannot be stored (a full disk), or the workspace was begun with other settings.
    """
    with _opened(suite, workspace, plan, n_jobs, backend, scheduler, client) as (opened, run):
        for system in plan.systems:
            run.store.add_system(system, system.configuration())
        try:
            problems = run.everything(plan.chosen(opened), run_again)
        except BaseException:
            with suppress(StoreError):  # the journal has it all
                export_results(run.store.folder)
            raise
        table = export_results(run.store.folder)
    if problems:
        first = "; ".join(f"{task}: {reason}" for task, reason in list(problems.items())[:3])
        raise BenchmarkError(
            f"{len(problems)} tasks could not be read ({first}). All other cells are done and stored in {table}; "
            "give the same command again to run the rest.",
            tasks=sorted(problems),
        )
    return table


def surveyed(
    suite: str,
    workspace: str | os.PathLike[str],
    plan: BenchmarkPlan,
    *,
    n_jobs: int = 1,
    backend: str | None = None,
    scheduler: str | None = None,
    client: OpenMLClient | None = None,
) -> tuple[str, list[TaskFacts], set[CellKey]]:
    """Read the tasks of a suite that are not known yet, and run nothing.

    Parameters
    ----------
    suite, workspace, plan, n_jobs, backend, scheduler, client
        See `run_benchmark`.

    Returns
    -------
    str
        Name of the suite.
    list of TaskFacts
        Of the tasks that can be read.
    set of (task, repeat, fold, sample, system, seed)
        Cells that are done.
    """
    with _opened(suite, workspace, plan, n_jobs, backend, scheduler, client) as (opened, run):
        tasks = plan.chosen(opened)
        run.survey(tasks)
        return opened.name, run.facts(tasks), run.store.done()


@contextmanager
def _opened(
    suite: str,
    workspace: str | os.PathLike[str],
    plan: BenchmarkPlan,
    n_jobs: int,
    backend: str | None,
    scheduler: str | None,
    client: OpenMLClient | None,
) -> Iterator[tuple[Suite, _Run]]:
    client = client or OpenMLClient()
    cache = Path(get_settings().cache_directory)
    with cluster(backend, scheduler=scheduler, n_jobs=n_jobs):
        opened = patiently(lambda: open_suite(suite, client))
        source = BenchmarkSource.of(opened, client, cache, own_splits=plan.own_splits)
        work = BenchmarkWork(source, {s.name: s for s in plan.systems}, plan.seconds, plan.cores)
        with BenchmarkStore(Path(workspace), _protocol(opened, source, plan)) as store:
            yield opened, _Run(store, work, plan, n_jobs, backend)


def _protocol(suite: Suite, source: BenchmarkSource, plan: BenchmarkPlan) -> dict[str, Any]:
    """Return what the results depend on; those of another protocol are not mixed with them."""
    return {
        "benchmark": 1,
        "suite": suite.name,
        "origin": "folder" if suite.folder else source.server,
        "own_splits": plan.own_splits,
        "seconds": plan.seconds,
        "memory": plan.memory,
        "cores": plan.cores,
    }


@dataclass
class _Run:
    """One call of `run_benchmark`."""

    store: BenchmarkStore
    work: BenchmarkWork
    plan: BenchmarkPlan
    n_jobs: int
    backend: str | None

    def everything(self, tasks: Sequence[str], run_again: Collection[str]) -> dict[str, str]:
        """Survey what is not surveyed, run what is not done; return why tasks could not be read."""
        problems = self.survey(tasks)
        facts = self.facts(tasks)
        self._tell_unsupported(facts)
        done = self.store.done(run_again)
        cells = [cell for cell in self.plan.cells(facts) if cell.key not in done]
        _logger.info("%d cells to run; %d are done.", len(cells), len(done))
        del done
        with Progress(len(cells), "Benchmark") as progress:
            for cell, outcome in self._outcomes(cells):
                if isinstance(outcome.value, NotLoaded):
                    problems[cell.task] = outcome.value.reason
                    continue
                progress.advance(self.store.add_result(cell, outcome, self.plan.cores))
        return problems

    def _outcomes(self, jobs: Sequence[Any]) -> Iterator[tuple[Any, Outcome]]:
        return run_jobs(self.work, jobs, limits=self.plan.limits(), n_jobs=self.n_jobs, backend=self.backend)

    def facts(self, tasks: Sequence[str]) -> list[TaskFacts]:
        """Return what is known of the tasks that could be read."""
        return [self.store.facts[task] for task in tasks if task in self.store.facts]

    def survey(self, tasks: Sequence[str]) -> dict[str, str]:
        """Read the tasks that are not known yet; return why some could not be read."""
        self._check_data(tasks)
        problems = {}
        jobs = [SurveyJob(task) for task in tasks if task not in self.store.facts]
        with Progress(len(jobs), "Reading tasks") as progress:
            for job, outcome in self._outcomes(jobs):
                if isinstance(outcome.value, TaskFacts):
                    self.store.add_task(outcome.value)
                    progress.advance("ok")
                    continue
                found = outcome.value
                problems[job.task] = found.reason if isinstance(found, NotLoaded) else outcome.message
                _logger.warning("%s cannot be read: %s", job.task, problems[job.task])
                progress.advance("error")
        return problems

    def _check_data(self, tasks: Sequence[str]) -> None:
        """Refuse other data than those that known tasks were read from."""
        for task in tasks:
            if task in self.store.facts:
                with suppress(FileFormatError):  # then nothing is run on it, which its cells will say
                    self.store.check_data(task, self.work.source.content(task))

    def _tell_unsupported(self, facts: Sequence[TaskFacts]) -> None:
        for system in self.plan.systems:
            for kind in sorted({task.task_type for task in facts}):
                reason = system.unsupported(kind)
                if reason is not None:
                    _logger.warning("%s is not run on %s tasks: %s", system.name, kind, reason)
