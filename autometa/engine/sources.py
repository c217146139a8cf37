"""Sources: where a dataset comes from, and what is known of it before the target is looked at."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autometa.foundation.errors import DataWarning, OpenMLError, ParameterError, TableError

if TYPE_CHECKING:
    from autometa.components.openml import OpenMLTable
    from autometa.foundation.typing import IntArray

__all__ = ["BUNDLED", "Source", "open_source"]

# scikit-learn's own datasets with one target, inside its package: no network is needed.
BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")
_OPENML_TYPES = {"SUPERVISED_CLASSIFICATION": "classification", "SUPERVISED_REGRESSION": "regression"}


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A table and what its origin says of it.

    Attributes
    ----------
    X : table
        Whatever `autometa.domain.as_frame` takes; holds the target as a column where `y` is None.
    y : array-like of shape (n_samples,), or None
    target : str or None
        Name of the target that the origin states.
    type : {"classification", "regression"} or None
        Type that the origin states.
    name : str
    dataset_id, task_id : int or None
        OpenML ids.
    splits : tuple of (train, test)
        Official row positions.
    whole : table or None
        The table with the target in it, where `X` is without and the origin has both.
    """

    X: Any
    y: Any = None
    target: str | None = None
    type: str | None = None
    name: str = "table"
    dataset_id: int | None = None
    task_id: int | None = None
    splits: tuple[tuple[IntArray, IntArray], ...] = ()
    whole: Any = None


def open_source(dataset: Any) -> Source:
    """Recognise what kind of dataset this is, and open it.

    Parameters
    ----------
    dataset : Any
        See `autometa.as_task`.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If a text names nothing that can be opened, or the file or object cannot be read.
    OpenMLError
        If OpenML cannot be read.
    """
    if isinstance(dataset, str) and dataset.partition(":")[0] in _SCHEMES:
        scheme, _, rest = dataset.partition(":")
        return _SCHEMES[scheme](rest)
    if isinstance(dataset, (str, os.PathLike)):
        return _file(dataset)
    if isinstance(dataset, tuple) and len(dataset) == 2:
        return Source(X=dataset[0], y=dataset[1])
    if type(dataset).__module__.partition(".")[0] == "openml":
        return _openml_object(dataset)
    if isinstance(dataset, Mapping) and type(dataset).__name__ == "Bunch":
        return _bunch(dataset)
    return Source(X=dataset)


def _file(path: str | os.PathLike[str]) -> Source:
    from autometa.components.tables import read_table

    if isinstance(path, str) and "://" in path:
        raise ParameterError(
            f"Addresses are not opened ({path.partition('://')[0]}://...); download the file and pass its path.",
            path=path,
        )
    return Source(X=read_table(path), name=Path(path).name.partition(".")[0] or "table")


def _bundled(name: str) -> Source:
    from sklearn import datasets

    if name not in BUNDLED:
        raise ParameterError(f"scikit-learn bundles {list(BUNDLED)}; got 'sklearn:{name}'.", dataset=name)
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    return _bunch(bunch, name=name)


def _bunch(bunch: Mapping[str, Any], *, name: str = "table") -> Source:
    """Open a scikit-learn Bunch, those of `fetch_openml` and of text corpora included."""
    if "data" not in bunch:
        raise TableError(f"The Bunch has no 'data'; it has {sorted(bunch)}. Pass its table and target as (X, y).")
    details = bunch.get("details") or {}
    y = bunch.get("target")
    return Source(
        X=_bunch_table(bunch["data"], bunch.get("feature_names")),
        y=y,
        target=str(getattr(y, "name", None) or "target") if y is not None else None,
        name=str(details.get("name") or name),
        dataset_id=int(details["id"]) if str(details.get("id", "")).isdigit() else None,
        whole=bunch.get("frame"),
    )


def _bunch_table(data: Any, names: Any) -> Any:
    if isinstance(data, list) and data and isinstance(data[0], (str, bytes)):
        return {"text": data}
    if isinstance(data, np.ndarray) and data.ndim == 2 and names is not None and len(names) == data.shape[1]:
        return pd.DataFrame(data, columns=list(names), copy=False)
    return data


def _openml_dataset_id(identifier: str) -> Source:
    from autometa.components.openml import OpenMLClient

    return _openml_table(OpenMLClient().dataset(identifier))


def _openml_task_id(identifier: str) -> Source:
    from autometa.components.openml import OpenMLClient

    return _openml_table(OpenMLClient().task(identifier))


def _openml_table(table: OpenMLTable) -> Source:
    frame, splits = _with_target(table.frame, table.target, table.splits or (), table.name)
    return Source(
        X=frame,
        target=table.target,
        type=table.task_type,
        name=table.name,
        dataset_id=table.dataset_id,
        task_id=table.task_id,
        splits=splits,
    )


def _openml_object(found: Any) -> Source:
    """Open a dataset or task of the ``openml`` package through its own methods; the package is not imported."""
    try:
        if hasattr(found, "target_name") and hasattr(found, "get_dataset"):
            return _openml_task_object(found)
        if hasattr(found, "get_data") and hasattr(found, "default_target_attribute"):
            return _openml_dataset_object(found, found.default_target_attribute)
    except OpenMLError:
        raise
    except Exception as error:  # whatever the client raises: no network, a damaged cache
        raise OpenMLError(
            f"The {type(found).__name__} cannot be read: {type(error).__name__}: {error}. "
            "Try its id instead, as 'openml:31' or 'openml-task:3'."
        ) from error
    raise ParameterError(
        f"A {type(found).__name__} of openml is no dataset; pass a dataset, a supervised task, 'openml:31' or "
        "'openml-task:3'."
    )


def _openml_task_object(task: Any) -> Source:
    kind = _OPENML_TYPES.get(task.task_type_id.name)
    if kind is None:
        raise OpenMLError(
            f"OpenML task {task.task_id} is of type {task.task_type_id.name}: supervised classification and "
            "regression tasks can be used.",
            task_id=task.task_id,
        )
    return _openml_dataset_object(
        task.get_dataset(), task.target_name, kind=kind, task_id=int(task.task_id), splits=_split_rows(task)
    )


def _openml_dataset_object(
    dataset: Any, target: str | None, *, kind: str | None = None, task_id: int | None = None, splits: Any = ()
) -> Source:
    # Dropping columns here, not in get_data: a task may pose a column as target that the dataset marks as ignored.
    frame, _, _, _ = dataset.get_data(include_row_id=True, include_ignore_attribute=True)
    marked = [dataset.row_id_attribute, *(dataset.ignore_attribute or [])]
    frame = frame.drop(columns=[name for name in marked if name in frame.columns and name != target])
    name = str(dataset.name)
    if target in frame.columns:
        frame, splits = _with_target(frame, str(target), splits, name)
    return Source(
        X=frame,
        target=target if target in frame.columns else None,
        type=kind,
        name=name,
        dataset_id=int(dataset.dataset_id),
        task_id=task_id,
        splits=splits,
    )


def _split_rows(task: Any) -> tuple[tuple[IntArray, IntArray], ...]:
    """Return the splits that the task object holds already; none are downloaded."""
    if getattr(task, "split", None) is None:
        return ()
    folds = (
        rows for folds in task.split.split.values() for samples in folds.values() for rows in samples.values()
    )
    return tuple((np.asarray(rows.train, dtype=np.int64), np.asarray(rows.test, dtype=np.int64)) for rows in folds)


def _with_target(
    frame: pd.DataFrame, target: str, splits: tuple[tuple[IntArray, IntArray], ...], name: str
) -> tuple[pd.DataFrame, tuple[tuple[IntArray, IntArray], ...]]:
    """Leave out the rows without a target, which a published table may have, and renumber those of the splits."""
    known = frame[target].notna().to_numpy()
    if known.all():
        return frame, splits
    warnings.warn(
        f"{int((~known).sum())} of {len(frame)} rows of {name!r} have no {target!r} and were left out.",
        DataWarning,
        stacklevel=6,
    )
    position = np.cumsum(known) - 1
    kept = tuple((position[train[known[train]]], position[test[known[test]]]) for train, test in splits)
    return frame[known], kept


_SCHEMES = {"openml": _openml_dataset_id, "openml-task": _openml_task_id, "sklearn": _bundled}
