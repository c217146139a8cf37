"""What meta-features are computed from: a sample of the task as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from autometa.domain.columns import ColumnRole
from autometa.domain.splits import nested_subsample
from autometa.domain.task import Task
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "TaskView", "view_task"]

MAX_ROWS = 10_000
MAX_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as arrays, on at most 10,000 rows and 500 columns.

    Attributes
    ----------
    n_samples, n_features : int
        Of the whole task.
    role_counts : dict of ColumnRole to int
        Of the whole task.
    class_counts : ndarray of int64, shape (n_classes,)
        Of the whole task; empty for regression.
    numeric : ndarray of float64, shape (n_rows, n_numeric)
        Numeric and date columns, NaN where missing, each multiplied by a power of two so that no cell exceeds 1.
        Column-major.
    whole : ndarray of bool, shape (n_numeric,)
        Whether a column of `numeric` held whole numbers only.
    levels : tuple of ndarray of int64, shape (n_rows,)
        Categorical and boolean columns as codes 0, 1, ... in the order of the sorted values; -1 where missing.
    missing : ndarray of float64, shape (n_columns,)
        Share of missing cells of each sampled column.
    codes : ndarray of int64, shape (n_rows,)
        Class codes; zeros for regression.
    target : ndarray of float64, shape (n_rows,)
        Numeric target, multiplied by a power of two so that no value exceeds 1; empty for classification.
    """

    n_samples: int
    n_features: int
    role_counts: dict[ColumnRole, int]
    class_counts: IntArray
    numeric: FloatArray
    whole: BoolArray
    levels: tuple[IntArray, ...]
    missing: FloatArray
    codes: IntArray
    target: FloatArray

    @property
    def n_rows(self) -> int:
        """Number of sampled rows."""
        return len(self.codes)

    @property
    def n_levels(self) -> list[int]:
        """Number of values of each categorical and boolean column."""
        return [int(codes.max(initial=-1)) + 1 for codes in self.levels]

    @property
    def n_columns(self) -> int:
        """Number of sampled columns."""
        return len(self.missing)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.class_counts)

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class label."""
        return self.n_classes > 0


def view_task(task: Task, *, random_state: int) -> TaskView:
    """Sample a task and turn it into arrays.

    Rows are sampled before anything is converted, so time and memory do not grow with the table beyond the target.

    Parameters
    ----------
    task : Task
    random_state : int
        Seed of the samples of rows and columns.

    Returns
    -------
    TaskView
    """
    # Classes are numbered by hashing: sorting a million strings takes seconds.
    codes = _integers(pd.factorize(task.y)[0]) if task.is_classification else None
    rows = nested_subsample(codes, np.arange(task.n_samples), MAX_ROWS, random_state=random_state)
    sample = _sample_columns(task, random_state).take(rows)
    roles = list(task.roles.values())
    return TaskView(
        n_samples=task.n_samples,
        n_features=task.n_features,
        role_counts={role: roles.count(role) for role in ColumnRole},
        class_counts=_integers([] if codes is None else np.bincount(codes)),
        codes=np.zeros(len(rows), dtype=np.int64) if codes is None else codes[rows],
        target=np.empty(0) if task.is_classification else _below_one(sample.y.astype(np.float64)),
        **_columns(sample),
    )


def _sample_columns(task: Task, random_state: int) -> Task:
    if task.n_features <= MAX_COLUMNS:
        return task
    chosen = np.random.default_rng(random_state).permutation(task.n_features)[:MAX_COLUMNS]
    X = task.X.iloc[:, np.sort(chosen)]
    return replace(task, X=X, roles={name: task.roles[name] for name in X.columns})


def _columns(sample: Task) -> dict[str, Any]:
    """Return numbers, which of them are whole, level codes, and shares of missing cells, as fields of the view."""
    as_they_came = (ColumnRole.CATEGORICAL, ColumnRole.TEXT, ColumnRole.IMAGE)
    plain = {name: role for name, role in sample.roles.items() if role not in as_they_came}
    table = replace(sample, X=sample.X[list(plain)], roles=plain).canonical()
    numbers: list[FloatArray] = []
    levels: list[IntArray] = []
    missing: list[float] = []
    for name, role in sample.roles.items():
        # Canonical text has no missing cells any more.
        column = sample.X[name] if role in as_they_came else table[name]
        missing.append(float(column.isna().mean()))
        if role in (ColumnRole.TEXT, ColumnRole.IMAGE):
            continue
        if role == ColumnRole.CATEGORICAL:
            levels.append(_level_codes(column))
        elif role == ColumnRole.BOOLEAN:
            levels.append(_integers(pd.factorize(column.to_numpy(), sort=True)[0]))
        else:
            numbers.append(_days(column) if role == ColumnRole.DATETIME else column.to_numpy(dtype=np.float64))
    numeric = np.asarray(numbers).T if numbers else np.empty((len(table), 0))
    whole = ((numeric == np.round(numeric)) | np.isnan(numeric)).all(axis=0)
    return {"numeric": _below_one(numeric), "whole": whole, "levels": tuple(levels), "missing": np.array(missing)}


def _level_codes(column: pd.Series) -> IntArray:
    """Number the levels in the order of their names; -1 where missing.

    Hashing the cells and sorting the levels only takes a fifth of the time of the canonical form.
    """
    codes, levels = pd.factorize(column)
    names = np.array([str(level) for level in np.asarray(levels, dtype=object)], dtype=object)
    order = pd.factorize(names, sort=True)[0]
    return np.where(codes >= 0, _integers(order)[codes], -1) if len(levels) else _integers(codes)


def _integers(values: Any) -> IntArray:
    return np.asarray(values, dtype=np.int64)


def _days(column: pd.Series) -> FloatArray:
    seconds = (column - pd.Timestamp(0)).dt.total_seconds()
    return np.asarray(seconds / 86_400, dtype=np.float64)


def _below_one(numbers: FloatArray) -> FloatArray:
    """Scale columns by powers of two, which is exact, so that no later square or product overflows."""
    greatest = np.fmax.reduce(np.abs(numbers), axis=0, initial=0.0)
    return np.asarray(np.ldexp(numbers, -np.frexp(greatest)[1]), dtype=np.float64)
