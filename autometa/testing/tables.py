"""Small tables that show what a strategy meets: every task type, every kind of column, and the awkward ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd

from autometa.domain.task import Task
from autometa.foundation.errors import DataWarning, ParameterError

__all__ = ["CLASSIFICATION_TYPES", "TABLES", "TASK_TYPES", "make_task"]

CLASSIFICATION_TYPES: Final = ("binary", "multiclass")
TASK_TYPES: Final = (*CLASSIFICATION_TYPES, "regression")
N_SAMPLES: Final = 60
WORDS: Final = ("alder", "birch", "cedar", "ebony", "hazel", "larch", "maple")


def make_task(table: str, task_type: str) -> Task:
    """Return one of the small tasks: the same one at every call, as a copy of its own.

    Parameters
    ----------
    table : str
        A name in `TABLES`.
    task_type : {"binary", "multiclass", "regression"}

    Returns
    -------
    Task
        With at most 60 rows; the signal is in the first numeric columns where there are any.

    Raises
    ------
    ParameterError
        If there is no such table or task type.
    """
    if table not in _MAKERS or task_type not in TASK_TYPES:
        raise ParameterError(
            f"make_task() knows the tables {list(TABLES)} and the types {list(TASK_TYPES)}; "
            f"got {table!r} and {task_type!r}."
        )
    task = _made(table, task_type)
    X = task.X.copy()
    for name in task.columns("image"):  # the arrays in the cells, too
        X[name] = [None if cell is None else cell.copy() for cell in X[name]]
    return replace(task, X=X, y=task.y.copy(), roles=dict(task.roles))


@cache
def _made(table: str, task_type: str) -> Task:
    frame = _MAKERS[table]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # rare classes and columns without values are meant
        return Task.from_arrays(
            frame,
            _target(table, task_type)[: len(frame)],
            type=task_type,
            roles={"picture": "image"} if table == "images" else None,
            name=f"{table}, {task_type}",
        )


@cache
def _signal() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Four independent standard normal columns, shape (N_SAMPLES, 4)."""
    return np.random.default_rng(0).normal(size=(N_SAMPLES, 4))


def _target(table: str, task_type: str) -> Any:
    signal = _signal()
    if task_type == "regression":
        return 3.0 * signal[:, 0] + signal[:, 1]
    n_classes = 2 if task_type == "binary" else 3
    labels = np.array(["ash", "oak", "yew"], dtype=object)[_thirds(signal[:, 0], n_classes)]
    if table == "rare_class":
        labels[labels == "oak"] = "ash"
        labels[7] = "oak"
    elif table == "many_classes" and task_type == "multiclass":
        labels = np.array([f"class {place % 20:02d}" for place in range(N_SAMPLES)], dtype=object)
    elif table == "few_rows":
        labels[:6] = ["ash", "oak", "yew" if n_classes == 3 else "ash"] * 2
    return labels


def _thirds(values: Any, n_classes: int) -> Any:
    """Number equal shares of the sorted values from 0."""
    ranks = np.argsort(np.argsort(values))
    return ranks * n_classes // len(values)


def _numeric() -> pd.DataFrame:
    return pd.DataFrame(_signal(), columns=["first", "second", "third", "fourth"])


def _missing() -> pd.DataFrame:
    table = _numeric()
    gaps = np.random.default_rng(1).random(table.shape) < 0.15
    return table.mask(gaps)


def _mixed() -> pd.DataFrame:
    generator = np.random.default_rng(2)
    table = _missing()
    table["constant"] = 1.0
    table["empty"] = np.nan
    table["flag"] = generator.random(N_SAMPLES) < 0.5
    table["few"] = pd.Categorical(generator.choice(["x", "y", "z"], N_SAMPLES))
    table.loc[:4, "few"] = None
    table["many"] = [f"level {place % 35}" for place in range(N_SAMPLES)]
    table["when"] = pd.date_range("2020-02-01", periods=N_SAMPLES, freq="37h")
    table.loc[3, "when"] = pd.NaT
    table["words"] = [" ".join(generator.choice(WORDS, 6)) for _ in range(N_SAMPLES)]
    return table


def _duplicate_columns() -> pd.DataFrame:
    table = _numeric()
    return table.assign(copy=table["first"], scaled=1e6 * table["first"])


def _wide() -> pd.DataFrame:
    noise = np.random.default_rng(3).normal(size=(N_SAMPLES, 2 * N_SAMPLES))
    return _numeric().join(pd.DataFrame(noise).add_prefix("noise_"))


def _extreme() -> pd.DataFrame:
    table = _numeric()
    table["huge"] = 1e12 * table["third"]
    table["tiny"] = 1e-12 * table["fourth"]
    table.loc[5, "second"] = 1e9
    return table


def _images() -> pd.DataFrame:
    """Squares of eight pixels, the brighter the greater the first number; one is missing."""
    noise = np.random.default_rng(4).integers(0, 32, (N_SAMPLES, 8, 8, 3))
    light = 96 + 32 * np.clip(_signal()[:, 0], -3, 3)
    pictures = list((light[:, None, None, None] + noise).astype(np.uint8))
    pictures[3] = None
    return pd.DataFrame({"picture": pd.Series(pictures, dtype=object), "second": _signal()[:, 1]})


_MAKERS: Final[dict[str, Callable[[], pd.DataFrame]]] = {
    "numeric": _numeric,
    "missing": _missing,
    "mixed": _mixed,
    "rare_class": _mixed,
    "one_number": lambda: _numeric()[["first"]],
    "categories": lambda: _mixed()[["few", "many", "flag"]],
    "dates": lambda: _mixed()[["when"]],
    "texts": lambda: _mixed()[["words"]],
    "images": _images,
    "nothing_to_learn": lambda: _mixed()[["constant", "empty"]],
    "duplicate_columns": _duplicate_columns,
    "wide": _wide,
    "extreme_numbers": _extreme,
    "many_classes": _numeric,
    "few_rows": lambda: _numeric().head(6),
}
TABLES: Final = tuple(_MAKERS)
