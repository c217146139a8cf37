"""What meta-features are computed from: a sample of the task as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from autometa.domain.columns import ColumnRole
from autometa.domain.splits import nested_subsample
from autometa.domain.task import Task
from autometa.foundation.typing import FloatArray, IntArray

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
        Numeric target, divided by its greatest absolute value; empty for classification.
    """

    n_samples: int
    n_features: int
    role_counts: dict[ColumnRole, int]
    class_counts: IntArray
    numeric: FloatArray
    whole: FloatArray
    levels: tuple[IntArray, ...]
    missing: FloatArray
    codes: IntArray
    target: FloatArray

    @property
    def n_rows(self) -> int:
        """Number of sampled rows."""
        return len(self.codes)

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
    codes = pd.factorize(task.y)[0].astype(np.int64) if task.is_classification else None
    rows = nested_subsample(codes, np.arange(task.n_samples), MAX_ROWS, random_state=random_state)
    sample = _sample_columns(task, random_state).take(rows)
    numeric, whole, levels = _columns(sample)
    return TaskView(
        n_samples=task.n_samples,
        n_features=task.n_features,
        role_counts={role: list(task.roles.values()).count(role) for role in ColumnRole},
        class_counts=np.empty(0, dtype=np.int64) if codes is None else np.bincount(codes),
        numeric=numeric,
        whole=whole,
        levels=levels,
        missing=sample.X.isna().to_numpy().mean(axis=0),
        codes=np.zeros(len(rows), dtype=np.int64) if codes is None else codes[rows],
        target=np.empty(0) if task.is_classification else _below_one(sample.y[:, None].astype(np.float64))[:, 0],
    )


def _sample_columns(task: Task, random_state: int) -> Task:
    if task.n_features <= MAX_COLUMNS:
        return task
    chosen = np.random.default_rng(random_state).permutation(task.n_features)[:MAX_COLUMNS]
    X = task.X.iloc[:, np.sort(chosen)]
    return replace(task, X=X, roles={name: task.roles[name] for name in X.columns})


def _columns(sample: Task) -> tuple[FloatArray, FloatArray, tuple[IntArray, ...]]:
    """Return numbers, which of them are whole, and level codes; columns of free text are left out."""
    table = sample.canonical()
    numbers: list[FloatArray] = []
    levels: list[IntArray] = []
    for name, role in sample.roles.items():
        column = table[name]
        if role == ColumnRole.CATEGORICAL:
            levels.append(column.cat.codes.to_numpy(dtype=np.int64))
        elif role == ColumnRole.BOOLEAN:
            levels.append(column.fillna(-1).to_numpy().astype(np.int64))
        elif role == ColumnRole.DATETIME:
            numbers.append(_days(column))
        elif role == ColumnRole.NUMERIC:
            numbers.append(column.to_numpy(dtype=np.float64))
    numeric = np.asarray(numbers).T if numbers else np.empty((len(table), 0))
    whole = ((numeric == np.round(numeric)) | np.isnan(numeric)).all(axis=0)
    return _below_one(numeric), whole.astype(np.float64), tuple(levels)


def _days(column: pd.Series) -> FloatArray:
    return (column - pd.Timestamp(0)).dt.total_seconds().to_numpy(dtype=np.float64) / 86_400


def _below_one(numbers: FloatArray) -> FloatArray:
    """Scale columns by powers of two, which is exact, so that no later square or product overflows."""
    greatest = np.fmax.reduce(np.abs(numbers), axis=0, initial=0.0)
    return np.ldexp(numbers, -np.frexp(greatest)[1])
