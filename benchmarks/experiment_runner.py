"""Measure what the experiment runner adds to a cell, and whether its coordinator grows.

Usage::

    python benchmarks/experiment_runner.py [--cells 10000] [--n-jobs 1] [--backend loky]

Each cell fits and predicts a classifier that only counts the classes of 125 rows. The overhead is what the run
takes (times the workers) less what the same evaluations take in a bare loop, per cell; sandboxes are started
before the clock is. Wall time only means something on an idle machine; processor time, summed over all
processes, also on a busy one.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from sklearn.datasets import load_wine
from sklearn.dummy import DummyClassifier

from autometa.components.experiments import (
    EVALUATION,
    Cell,
    EvaluationWork,
    Journal,
    Limits,
    TaskCache,
    as_evaluation,
    evaluation_record,
    run_jobs,
)
from autometa.domain import Candidate, Configuration, Strategy, Task, evaluate, holdout_splits


class WineSource:
    """A source of one bundled table."""

    def load(self, key: str) -> Task:
        X, y = load_wine(return_X_y=True)
        task = Task.from_arrays(X, y, name=key)
        return replace(task, splits=holdout_splits(task, 1))


class Counting(Strategy):
    """Predicts the frequencies of the classes."""

    name = "counting"

    def search_space(self, task: Task) -> dict[str, Any]:
        return {}

    def portfolio(self, task: Task) -> list[Configuration]:
        return [Configuration()]

    def build(self, configuration: Configuration, task: Task, **options: Any) -> DummyClassifier:
        return DummyClassifier()


def processor_seconds() -> float:
    """Seconds of processor time of this process and everything below it."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def bare_seconds(cells: list[Cell]) -> tuple[float, float]:
    """Wall and processor seconds of evaluating the cells in a loop."""
    task, strategy = WineSource().load("wine"), Counting()
    evaluate(task, task.splits[0], cells[0].candidate, strategy)
    started, processor = time.perf_counter(), processor_seconds()
    for cell in cells:
        evaluate(task, task.splits[0], cell.candidate, strategy)
    return time.perf_counter() - started, processor_seconds() - processor


def run(cells: list[Cell], n_jobs: int, backend: str, journal: Journal) -> tuple[float, float, list[int]]:
    """Wall and processor seconds of running the cells, and the coordinator's memory after each tenth of them."""
    work = EvaluationWork(TaskCache(WineSource()), {"counting": Counting()})
    options = {"limits": Limits(), "n_jobs": n_jobs, "backend": backend}
    process, resident = psutil.Process(), []
    list(run_jobs(work, cells[: 4 * n_jobs], **options))
    started, processor = time.perf_counter(), processor_seconds()
    for done, (cell, outcome) in enumerate(run_jobs(work, cells, **options), start=1):
        if outcome.status != "ok":
            raise SystemExit(outcome.message)
        journal.append(EVALUATION, evaluation_record(as_evaluation(cell, outcome)))
        if done % (len(cells) // 10) == 0:
            resident.append(process.memory_info().rss)
    return time.perf_counter() - started, processor_seconds() - processor, resident


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--backend", default="loky")
    given = parser.parse_args()
    cells = [Cell("wine", 0, 0, Candidate("counting", Configuration(i=i))) for i in range(given.cells)]
    bare_wall, bare_processor = bare_seconds(cells)
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal.jsonl", {}) as journal:
        wall, processor, resident = run(cells, given.n_jobs, given.backend, journal)
    print(f"{given.cells} cells, {given.n_jobs} x {given.backend}: {wall:.1f} s; bare loop {bare_wall:.1f} s")
    print(f"overhead, wall: {1000 * (wall * given.n_jobs - bare_wall) / given.cells:.2f} ms a cell")
    print(f"overhead, processor: {1000 * (processor - bare_processor) / given.cells:.2f} ms a cell")
    print("coordinator MiB after each tenth:", " ".join(f"{value / 2**20:.0f}" for value in resident))


if __name__ == "__main__":
    main()
