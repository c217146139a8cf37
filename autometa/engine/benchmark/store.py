"""The workspace of a benchmark: a journal that only the coordinator writes, predictions, and the table."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from autometa.components.experiments import Journal, Outcome, read_journal
from autometa.domain.metrics import METRICS
from autometa.engine.benchmark.systems import System
from autometa.engine.benchmark.table import (
    RESULTS_FILE,
    predictions_path,
    results_schema,
    write_atomically,
)
from autometa.engine.benchmark.work import BenchmarkCell, CellResult, Predictions, TaskFacts
from autometa.foundation.errors import StoreError

__all__ = ["JOURNAL_FILE", "BenchmarkStore", "CellKey", "export_results"]

JOURNAL_FILE = "journal.jsonl"
RESULT, WITHDRAWN, TASK, SYSTEM, ENVIRONMENT = "result", "withdrawn", "task", "system", "environment"
ROWS_AT_ONCE = 5000
# Of a cell that died before it said more; the time is then that of its end. The coordinator may run elsewhere.
UNKNOWN_PLACE = {"versions": "{}", "platform": "unknown"}
CellKey = tuple[str, int, int, int, str, int]
_KEY = ("task", "repeat", "fold", "sample", "system", "seed")


class BenchmarkStore:
    """The writer of a workspace; one at a time.

    Parameters
    ----------
    folder : Path
    protocol : mapping
        What the results depend on; a workspace holds one.

    Raises
    ------
    StoreError
        See `Journal`.
    """

    def __init__(self, folder: Path, protocol: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.suite = str(protocol["suite"])
        self.journal = Journal(self.folder / JOURNAL_FILE, protocol)
        self.facts: dict[str, TaskFacts] = {}
        self._systems: dict[str, str] = {}
        self._written: set[str] = set()
        self._closed = False
        self._environments: set[str] = set()
        try:
            self._recall()
        except BaseException:
            self.journal.close()
            raise

    def _recall(self) -> None:
        for record in self.journal.records():
            if record["kind"] == TASK:
                self.facts[record["task"]] = _as_facts(record)
            elif record["kind"] == SYSTEM:
                self._systems[record["system"]] = record["configuration"]
                self._written.add(record["system"])
            elif record["kind"] == ENVIRONMENT:
                self._environments.add(record["environment"])

    def done(self, again: Iterable[str] = ()) -> set[CellKey]:
        """Return the cells that need not be run any more.

        Parameters
        ----------
        again : iterable of str
            Statuses that do not count as done.

        Returns
        -------
        set of (task, repeat, fold, sample, system, seed)
        """
        unwanted, found = set(again), set[CellKey]()
        for record in self.journal.records():
            if record["kind"] in (RESULT, WITHDRAWN):
                is_done = record["kind"] == RESULT and record["status"] not in unwanted
                (found.add if is_done else found.discard)(_key(record))
        return found

    def check_data(self, task: str, content: str | None) -> None:
        """Refuse to go on with other data than those that the results of a task are of.

        Parameters
        ----------
        task : str
            One that is known.
        content : str or None
            See `TaskFacts`.

        Raises
        ------
        StoreError
        """
        known = self.facts[task].content
        if known is None and content is not None:
            raise StoreError(
                f"{self.folder} does not say which data its results of {task} are of: an earlier version began "
                "it, or the data came from a server. Use another workspace.",
                task=task,
            )
        if known != content:
            raise StoreError(
                f"{self.folder} was begun with other data under the name {task}: its file, or what the index says "
                "of it, is not the same. Use another workspace, or the folder that this one was begun with.",
                task=task,
            )

    def add_task(self, facts: TaskFacts) -> None:
        """Note what is known of a task.

        Parameters
        ----------
        facts : TaskFacts
        """
        self.facts[facts.task] = facts
        self.journal.append(TASK, asdict(facts))

    def add_system(self, system: System, configuration: Mapping[str, Any]) -> None:
        """Note what a system's name stands for.

        Parameters
        ----------
        system : System
        configuration : mapping

        Raises
        ------
        StoreError
            If results of another configuration are there under that name.
        """
        text = json.dumps(configuration, sort_keys=True)
        known = self._systems.setdefault(system.name, text)
        if known != text:
            raise StoreError(
                f"{self.folder} has results of {system.name} with another configuration ({known}); they would be "
                f"mixed with those of {text}. Use another workspace.",
                system=system.name,
            )
        if system.name in self._written:
            return
        self._written.add(system.name)
        record = {"system": system.name, "configuration": text, "time_budget": system.time_budget}
        self.journal.append(SYSTEM, record)

    def add_result(self, cell: BenchmarkCell, outcome: Outcome, cores: int) -> str:
        """Store how a cell ended: first what was predicted, then the row.

        Where predictions of an earlier result lie, that result is withdrawn before they are replaced: a process
        that dies in between leaves a cell to be run, not a row beside the predictions of another.

        Parameters
        ----------
        cell : BenchmarkCell
        outcome : Outcome
        cores : int

        Returns
        -------
        str
            The status.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        found = outcome.value if isinstance(outcome.value, CellResult) else None
        if found is None:
            found = _lost(outcome)
        self._replace_predictions(cell, found.predictions)
        record = {
            **dict(zip(_KEY, cell.key, strict=True)),
            "status": found.status,
            "message": found.message,
            "chosen": found.chosen,
            "fit_seconds": found.fit_seconds,
            "predict_seconds": found.predict_seconds,
            "peak_memory": outcome.peak_memory,
            "scores": dict(found.scores),
            "started_at": found.started_at,
            "environment": self._environment(found, cores),
        }
        self.journal.append(RESULT, record)
        return found.status

    def _replace_predictions(self, cell: BenchmarkCell, predictions: Predictions | None) -> None:
        path = predictions_path(self.folder, (self.suite, *cell.key))
        if path.exists():
            self.journal.append(WITHDRAWN, dict(zip(_KEY, cell.key, strict=True)))
            if predictions is None:
                _remove(path)
        if predictions is not None:
            write_atomically(_table(predictions), path)

    def _environment(self, found: CellResult, cores: int) -> str:
        """Return the name of where a cell ran, which is written once."""
        facts = {"versions": found.versions, "platform": found.platform, "cores": cores}
        name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
        if name not in self._environments:
            self._environments.add(name)
            self.journal.append(ENVIRONMENT, {"environment": name, **facts})
        return name

    def close(self) -> None:
        """Bring the journal to the disk and let others write; a second time it does nothing."""
        if not self._closed:
            self._closed = True
            self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _key(record: Mapping[str, Any]) -> CellKey:
    return cast("CellKey", tuple(record[name] for name in _KEY))


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"Cannot remove {path}, the predictions of a result that is replaced: {error.strerror or error}. "
            "Repair the access, then give the same command again to go on.",
            path=str(path),
        ) from error


def _lost(outcome: Outcome) -> CellResult:
    """Return the result of a cell whose process did not come back: where it ran is what it said as it began."""
    where = outcome.note or {**UNKNOWN_PLACE, "started_at": datetime.now(UTC).isoformat()}
    return CellResult(outcome.status, outcome.message, fit_seconds=outcome.seconds, **where)


def _table(predictions: Predictions) -> pa.Table:
    is_classes = predictions.classes is not None
    kind = pa.string() if is_classes else pa.float64()

    def column(values: Any) -> pa.Array:
        return pa.array([str(value) for value in values] if is_classes else values, type=kind)

    columns = {
        "row_id": pa.array(predictions.row_ids, type=pa.int64()),
        "truth": column(predictions.truth),
        "prediction": column(predictions.values),
    }
    if predictions.classes is not None and predictions.probabilities is not None:
        for label, values in zip(predictions.classes, predictions.probabilities.T, strict=True):
            columns[f"confidence.{label}"] = pa.array(values, type=pa.float64())
    return pa.table(columns)


def export_results(folder: Path) -> Path:
    """Make the results table of what a workspace's journal holds, also while a run goes on.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Path
        Of the table.

    Raises
    ------
    StoreError
        If there is no journal, it is damaged, or the table cannot be written.
    """
    path, journal = Path(folder) / RESULTS_FILE, Path(folder) / JOURNAL_FILE
    last = _last_results(journal)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with pq.ParquetWriter(partial, results_schema(), compression="zstd") as writer:
            for rows in _batches(_rows(journal, frozenset(last.values()))):
                writer.write_table(pa.Table.from_pylist(rows, schema=results_schema()))
        partial.replace(path)
    except OSError as error:
        raise StoreError(
            f"Cannot write {path}: {error.strerror or error}. The journal beside it holds all results.",
            path=str(path),
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return path


def _last_results(journal: Path) -> dict[CellKey, int]:
    """Return the number of the record that holds the result of each cell."""
    last: dict[CellKey, int] = {}
    for number, record in enumerate(read_journal(journal)):
        if record["kind"] == RESULT:
            last[_key(record)] = number
        elif record["kind"] == WITHDRAWN:
            last.pop(_key(record), None)
    return last


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _rows(journal: Path, wanted: frozenset[int]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table: the last result of each cell with what its task, system and place are."""
    suite, tasks, systems, places = "", {}, {}, {}
    for number, record in enumerate(read_journal(journal)):
        kind = record["kind"]
        if kind == "header":
            suite = record["protocol"]["suite"]
        elif kind == TASK:
            tasks[record["task"]] = _as_facts(record)
        elif kind == SYSTEM:
            systems[record["system"]] = record
        elif kind == ENVIRONMENT:
            places[record["environment"]] = record
        elif kind == RESULT and number in wanted:
            facts, system = tasks[record["task"]], systems[record["system"]]
            yield {"suite": suite, **_row(record, facts, system, places[record["environment"]])}


def _row(
    record: Mapping[str, Any], facts: TaskFacts, system: Mapping[str, Any], place: Mapping[str, Any]
) -> dict[str, Any]:
    sizes = {split[:3]: split[3:] for split in facts.splits}
    n_train, n_test = sizes[record["repeat"], record["fold"], record["sample"]]
    return {
        **{name: record[name] for name in _KEY},
        **{name: getattr(facts, name) for name in ("task_id", "dataset", "task_type", "split_source")},
        **{name: getattr(facts, name) for name in ("n_features", "n_classes")},
        "n_train": n_train,
        "n_test": n_test,
        "configuration": system["configuration"],
        "time_budget": system["time_budget"],
        **{name: record[name] for name in ("chosen", "status", "message", "fit_seconds", "predict_seconds")},
        "peak_memory": record["peak_memory"],
        **{name: record["scores"].get(name, math.nan) for name in METRICS},
        **{name: place[name] for name in ("cores", "versions", "platform")},
        "started_at": pd.Timestamp(record["started_at"]),
    }


def _as_facts(record: Mapping[str, Any]) -> TaskFacts:
    values = {name: value for name, value in record.items() if name != "kind"}
    return TaskFacts(**{**values, "splits": tuple(tuple(split) for split in record["splits"])})
