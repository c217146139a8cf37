"""What of a results table can be published: whole runs on official splits, with predictions that fit the task."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autometa.components.openml import FlowUpload, OpenMLClient, OpenMLTable
from autometa.components.openml.uploads import CONFIDENCE
from autometa.engine.benchmark.flows import SAME_SYSTEM, flow_of, settings_of
from autometa.engine.benchmark.table import read_predictions
from autometa.foundation.errors import FileFormatError, OpenMLNotFoundError

__all__ = ["LeftOut", "PlannedRun", "Publication", "plan_publication", "run_predictions"]

logger = logging.getLogger(__name__)

# OpenML's names of what was measured in each fold, and the table's column in seconds.
MEASURED = {
    "wall_clock_time_millis_training": "fit_seconds",
    "wall_clock_time_millis_testing": "predict_seconds",
}


@dataclass(frozen=True, slots=True, eq=False)
class PlannedRun:
    """One system on one task with one seed, over all splits.

    Attributes
    ----------
    task_id : int
    dataset, task_type, system : str
    seed : int
    flow : FlowUpload
    settings : dict of str to str
        Values of the flow's parameters.
    rows : DataFrame
        Its rows of the results table, ordered by repeat and fold.
    """

    task_id: int
    dataset: str
    task_type: str
    system: str
    seed: int
    flow: FlowUpload
    settings: dict[str, str]
    rows: pd.DataFrame

    def fold_evaluations(self) -> dict[str, dict[int, dict[int, float]]]:
        """Return the measured times: measure -> repeat -> fold -> milliseconds."""
        found: dict[str, dict[int, dict[int, float]]] = {}
        for measure, column in MEASURED.items():
            for repeat, fold, seconds in self.rows[["repeat", "fold", column]].itertuples(index=False):
                if np.isfinite(seconds):
                    found.setdefault(measure, {}).setdefault(int(repeat), {})[int(fold)] = 1000.0 * float(seconds)
        return found


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A run that cannot be published.

    Attributes
    ----------
    task, dataset, system : str
    seed : int
    reason : str
    """

    task: str
    dataset: str
    system: str
    seed: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Publication:
    """What can be published and what cannot.

    Attributes
    ----------
    runs : tuple of PlannedRun
    left_out : tuple of LeftOut
    """

    runs: tuple[PlannedRun, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def flows(self) -> dict[tuple[str, str], FlowUpload]:
        """The runs' flows by name and external version."""
        return {(run.flow.name, run.flow.external_version): run.flow for run in self.runs}


def plan_publication(results: pd.DataFrame, folder: str | os.PathLike[str], client: OpenMLClient) -> Publication:
    """Find the runs of a results table, and check each against its task.

    Nothing is sent. Tasks are read through the client's cache, one after the other.

    Parameters
    ----------
    results : DataFrame
        See `autometa.engine.benchmark.table.as_results`.
    folder : path
        The one that holds the predictions.
    client : OpenMLClient
        Of the server that is to be published on: task ids are a server's own.

    Returns
    -------
    Publication

    Raises
    ------
    OpenMLUnavailableError, OfflineError, OpenMLError
        If a task cannot be read.
    """
    runs: list[PlannedRun] = []
    left_out: list[LeftOut] = []
    seen: set[tuple[Any, ...]] = set()
    for task, rows in results.groupby("task", sort=True):
        checked = _Task(str(task), rows, client)
        for (_, system, _seed), group in rows.groupby(["suite", "system", "seed"], sort=True):
            ordered = group.sort_values(["repeat", "fold", "sample"]).reset_index(drop=True)
            planned = _planned(ordered)
            identity = (planned.task_id, *_flow_key(planned), *sorted(planned.settings.items()))
            reason = (
                "the same run stands in another suite" if identity in seen else checked.problem(ordered, folder)
            )
            if reason is None:
                seen.add(identity)
                runs.append(planned)
            else:
                name = str(ordered["dataset"].iloc[0])
                left_out.append(LeftOut(str(task), name, str(system), int(ordered["seed"].iloc[0]), reason))
    return Publication(tuple(runs), tuple(left_out))


def run_predictions(rows: pd.DataFrame, folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the predictions of a run's rows in one table, with ``repeat`` and ``fold``.

    Parameters
    ----------
    rows : DataFrame
        Of the results table.
    folder : path

    Returns
    -------
    DataFrame

    Raises
    ------
    FileFormatError
        If some are missing or damaged.
    """
    parts = [
        read_predictions(folder, row).assign(repeat=int(row["repeat"]), fold=int(row["fold"]))
        for row in _records(rows)
    ]
    return pd.concat(parts, ignore_index=True)


def _planned(rows: pd.DataFrame) -> PlannedRun:
    first = next(_records(rows))
    return PlannedRun(
        task_id=-1 if pd.isna(first["task_id"]) else int(first["task_id"]),
        dataset=str(first["dataset"]),
        task_type=str(first["task_type"]),
        system=str(first["system"]),
        seed=int(first["seed"]),
        flow=flow_of(first),
        settings=settings_of(first),
        rows=rows,
    )


def _flow_key(run: PlannedRun) -> tuple[str, str]:
    return run.flow.name, run.flow.external_version


def _records(rows: pd.DataFrame) -> Iterator[Mapping[str, Any]]:
    for record in rows.to_dict("records"):
        yield {str(name): value for name, value in record.items()}


class _Task:
    """What a task demands of runs on it; read when it is first needed."""

    def __init__(self, name: str, rows: pd.DataFrame, client: OpenMLClient) -> None:
        self._name = name
        self._ids = set(rows["task_id"].dropna().astype(int))
        self._client = client
        self._table: OpenMLTable | str | None = None

    def problem(self, rows: pd.DataFrame, folder: str | os.PathLike[str]) -> str | None:
        """Say why a run cannot be published; None if it can."""
        found = self._problem_of_rows(rows)
        if found is not None:
            return found
        table = self._read()
        if isinstance(table, str):
            return table
        try:
            return _problem_of_predictions(rows, table, folder)
        except FileFormatError as error:
            return str(error)

    def _problem_of_rows(self, rows: pd.DataFrame) -> str | None:
        if (rows["split_source"] != "official").any():
            return "its splits are our own, and OpenML evaluates runs on a task's official splits only"
        if len(self._ids) != 1 or rows["task_id"].isna().any():
            return "it has no OpenML task"
        failed = rows[rows["status"] != "ok"]
        if len(failed):
            first = failed.iloc[0]
            return (
                f"{len(failed)} of {len(rows)} splits failed (repeat {first['repeat']}, fold {first['fold']}: "
                f"{first['status']}), and OpenML takes whole runs only"
            )
        if (rows["sample"] != 0).any():
            return "it has samples of a learning curve, which are not published"
        differing = [name for name in (*SAME_SYSTEM, "cores") if rows[name].map(repr).nunique() > 1]
        return f"its splits differ in {', '.join(differing)}: they are no single run" if differing else None

    def _read(self) -> OpenMLTable | str:
        if self._table is None:
            task_id = next(iter(self._ids))
            try:
                self._table = self._client.task(task_id)
            except OpenMLNotFoundError:
                self._table = f"{self._client.server} does not know task {task_id}"
            else:
                if self._table.splits is None:
                    self._table = f"{self._client.server} gives no splits for task {task_id}"
        return self._table


def _problem_of_predictions(rows: pd.DataFrame, table: OpenMLTable, folder: str | os.PathLike[str]) -> str | None:
    official = dict(zip(table.split_numbers, table.splits or (), strict=True))
    present = {(int(repeat), int(fold)) for repeat, fold in zip(rows["repeat"], rows["fold"], strict=True)}
    if present != set(official):
        n_present = len(present & set(official))
        return f"it has {n_present} of the task's {len(official)} splits, and OpenML takes whole runs only"
    target = table.frame[table.target]
    for row in _records(rows):
        found = read_predictions(folder, row)
        _, test = official[int(row["repeat"]), int(row["fold"])]
        where = f"repeat {row['repeat']}, fold {row['fold']}"
        if not np.array_equal(np.sort(found["row_id"].to_numpy()), np.sort(test)):
            return f"its predictions are not for the official test rows ({where})"
        problem = _problem_of_values(found, target.iloc[found["row_id"].to_numpy()])
        if problem is not None:
            return f"{problem} ({where})"
    return None


def _problem_of_values(found: pd.DataFrame, truth: pd.Series) -> str | None:
    confidences = [name for name in found.columns if name.startswith(CONFIDENCE)]
    if pd.api.types.is_numeric_dtype(truth.dtype):
        is_same = np.allclose(found["truth"].to_numpy(dtype=float), truth.to_numpy(dtype=float), rtol=1e-9)
        numbers = found[["prediction"]].to_numpy(dtype=float)
    else:
        is_same = bool((found["truth"].astype(str).to_numpy() == truth.astype(str).to_numpy()).all())
        numbers = found[confidences].to_numpy(dtype=float)
        if not confidences:
            return "its predictions have no confidences of the classes"
    if not is_same:
        return "the truth beside its predictions is not that of the task"
    return None if np.isfinite(numbers).all() else "its predictions hold values that are no finite numbers"
