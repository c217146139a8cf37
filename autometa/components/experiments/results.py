"""Evaluations as records of a journal and as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from autometa.components.experiments.cells import CellKey
from autometa.domain import METRICS, Evaluation

__all__ = ["EVALUATION", "done_keys", "evaluation_record", "evaluations_frame"]

EVALUATION = "evaluation"
_KEY = ("task", "split", "train_size", "candidate")
_FACTS = (*_KEY, "status", "n_train", "n_test", "fit_seconds", "predict_seconds", "peak_memory", "message")


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON values.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    dict
    """
    return {**{name: getattr(evaluation, name) for name in _FACTS}, "scores": dict(evaluation.scores)}


def done_keys(records: Iterable[Mapping[str, Any]], *, again: Iterable[str] = ()) -> set[CellKey]:
    """Return the cells that need not be run any more.

    Parameters
    ----------
    records : iterable of mappings
        Of a journal.
    again : iterable of str
        Statuses that do not count as done.

    Returns
    -------
    set of (task, split, train_size, candidate)
    """
    unwanted = set(again)
    done: set[CellKey] = set()
    for record in records:
        if record["kind"] == EVALUATION:
            key = (record["task"], record["split"], record["train_size"], record["candidate"])
            (done.discard if record["status"] in unwanted else done.add)(key)
    return done


def evaluations_frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the evaluations of a journal as a table, the last one where a cell was run again.

    Parameters
    ----------
    records : iterable of mappings

    Returns
    -------
    DataFrame
        Columns task, split, train_size, candidate, status, n_train, n_test, fit_seconds, predict_seconds,
        peak_memory, message and one per metric (natural values, NaN where there is none), sorted by the first
        four.
    """
    found = {}
    for record in records:
        if record["kind"] == EVALUATION:
            row = {name: record[name] for name in _FACTS}
            row.update({name: _number(record["scores"].get(name)) for name in METRICS})
            row.update({name: _number(row[name]) for name in ("fit_seconds", "predict_seconds")})
            found[tuple(row[name] for name in _KEY)] = row
    rows = [found[key] for key in sorted(found)]
    return pd.DataFrame(rows, columns=[*_FACTS, *METRICS])


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
