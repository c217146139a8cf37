"""Task: a table, a target, a type, a metric, and perhaps official splits."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

import numpy as np
import pandas as pd

from autometa.domain.columns import ColumnCanonicalizer, ColumnRole, as_frame, infer_roles
from autometa.domain.metrics import default_metric, get_metric
from autometa.foundation.errors import DataWarning, ParameterError, TableError, TargetError
from autometa.foundation.typing import IntArray, LabelArray

__all__ = ["Split", "Task", "TaskType", "infer_task_type"]

# Whole numbers with at most this many distinct values are read as classes, as OpenML's nominal targets mostly are.
MAX_INTEGER_CLASSES = 20
MIN_ROWS = 2


class TaskType(StrEnum):
    """What is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class label."""
        return self is not TaskType.REGRESSION


@dataclass(frozen=True, slots=True)
class Split:
    """Row positions of one train/test split.

    Attributes
    ----------
    index : int
        Number of the split within its task.
    train, test : ndarray of int64
        Row positions; disjoint.
    """

    index: int
    train: IntArray
    test: IntArray


@dataclass(frozen=True, eq=False)
class Task:
    """A supervised problem.

    Build one with `Task.from_arrays`, or from anything that `autometa.recommend` takes with ``autometa.as_task``.

    Attributes
    ----------
    X : DataFrame of shape (n_samples, n_features)
        The table as it came, with unique string column names.
    y : ndarray of shape (n_samples,)
        Class labels as they came, or float64 for regression; never missing.
    type : TaskType
    roles : mapping of column name to ColumnRole
    metric : str
        Name of the metric that is optimised.
    name : str
    target : str
    dataset_id, task_id : int or None
        OpenML ids where they are known.
    group : str
        What must stay together when policies are judged: copies, siblings, one generator.
    splits : sequence of Split
        Official splits; empty where there are none.
    """

    X: pd.DataFrame = field(repr=False)
    y: LabelArray = field(repr=False)
    type: TaskType
    roles: Mapping[str, ColumnRole] = field(repr=False)
    metric: str
    name: str = "table"
    target: str = "target"
    dataset_id: int | None = None
    task_id: int | None = None
    group: str = ""
    splits: Sequence[Split] = field(default=(), repr=False)

    @classmethod
    def from_arrays(
        cls,
        X: Any,
        y: Any,
        *,
        type: TaskType | str | None = None,
        roles: Mapping[str, ColumnRole | str] | None = None,
        metric: str | None = None,
        **facts: Any,
    ) -> Self:
        """Check a table and a target and describe them.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        type : {"binary", "multiclass", "classification", "regression"}, optional
            Inferred from `y` if not given.
        roles : mapping of column name to role, optional
            Overrides of the inferred roles.
        metric : str, optional
            Default: ``log_loss`` or ``nrmse``.
        **facts : Any
            Further fields: name, target, dataset_id, task_id, group, splits.

        Returns
        -------
        Task

        Raises
        ------
        TableError, TargetError, ParameterError
            If the table, the target or an argument cannot be used.
        """
        frame = as_frame(X)
        _check_table(frame)
        target = _as_target(y, n_rows=len(frame), name=facts.get("target", "target"))
        kind = _resolve_type(type, target)
        values = _checked_classes(target) if kind.is_classification else _checked_numbers(target)
        if metric is None:
            metric = default_metric(classification=kind.is_classification)
        else:
            get_metric(metric, classification=kind.is_classification)
        return cls(X=frame, y=values, type=kind, roles=infer_roles(frame, roles), metric=metric, **facts)

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return len(self.X)

    @property
    def n_features(self) -> int:
        """Number of columns, the target not counted."""
        return self.X.shape[1]

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class label."""
        return self.type.is_classification

    @property
    def classes(self) -> LabelArray:
        """Sorted class labels, shape (n_classes,); empty for regression."""
        return np.unique(self.y) if self.is_classification else np.empty(0)

    def columns(self, role: ColumnRole | str) -> list[str]:
        """Return the names of the columns that have a role.

        Parameters
        ----------
        role : ColumnRole or str

        Returns
        -------
        list of str
        """
        return [name for name, found in self.roles.items() if found == role]

    def take(self, rows: IntArray) -> Task:
        """Return the task on some rows, in the given order; its official splits are dropped.

        Parameters
        ----------
        rows : ndarray of int64
            Row positions.

        Returns
        -------
        Task
        """
        return replace(self, X=self.X.iloc[rows], y=self.y[rows], splits=())

    def canonical(self) -> pd.DataFrame:
        """Return the table with every column in its role's canonical form (see `ColumnCanonicalizer`).

        Returns
        -------
        DataFrame of shape (n_samples, n_features)
        """
        return ColumnCanonicalizer(self.roles).fit(self.X).transform(self.X)

    def fingerprint(self) -> str:
        """Return a hash of the content that does not depend on the order of rows and columns or on names.

        Two tables with the same cells and the same target have the same fingerprint, so a copy of a known dataset is
        recognised whatever it is called. Reads every cell: about a second per 50 million cells.

        Returns
        -------
        str
            32 hexadecimal digits.
        """
        table = self.canonical()
        per_column = [
            int(pd.util.hash_pandas_object(_hashable(table[name]), index=False).to_numpy().sum(dtype=np.uint64))
            for name in table.columns
        ]
        labels = pd.Series(self.y).astype(str) if self.is_classification else pd.Series(self.y)
        target = int(pd.util.hash_pandas_object(labels, index=False).to_numpy().sum(dtype=np.uint64))
        facts = repr((self.X.shape, sorted(per_column), target))
        return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _hashable(column: pd.Series) -> pd.Series:
    """Return the cells so that equal content hashes equally, whatever the category codes are."""
    return column.astype(object).astype(str) if column.dtype.name == "category" else column


def _check_table(frame: pd.DataFrame) -> None:
    if frame.shape[1] == 0:
        raise TableError(
            f"0 feature(s) (shape={frame.shape}) while a minimum of 1 is required: the table has no feature "
            "columns. Add at least one besides the target.",
            shape=frame.shape,
        )
    if len(frame) < MIN_ROWS:
        raise TableError(
            f"The table has {len(frame)} row(s) (n_samples = {len(frame)}, shape={frame.shape}); a minimum of "
            f"{MIN_ROWS} is required, and a useful answer needs some dozens.",
            shape=frame.shape,
        )


def _as_target(y: Any, *, n_rows: int, name: str) -> pd.Series:
    if y is None:
        raise TargetError("requires y to be passed, but the target y is None. Pass the column to predict.")
    target = y if isinstance(y, pd.Series) else pd.Series(_flat(y, name))
    if len(target) != n_rows:
        raise TargetError(
            f"The target {name!r} has {len(target)} values and the table {n_rows} rows; they must be equally "
            "long (inconsistent numbers of samples).",
            target=name,
        )
    n_missing = int(target.isna().sum())
    if n_missing:
        raise TargetError(
            f"The target {name!r} is missing (NaN) in {n_missing} of {n_rows} rows. Rows without a target teach "
            f"nothing: drop them, for example with frame.dropna(subset=[{name!r}]).",
            target=name,
            n_missing=n_missing,
        )
    return target


def _flat(y: Any, name: str) -> np.ndarray[Any, Any]:
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected; it is used as y.ravel().",
            DataConversionWarning,
            stacklevel=4,
        )
        return array.ravel()
    if array.ndim != 1:
        raise TargetError(
            f"The target {name!r} must have one dimension; got shape {array.shape}. "
            "Targets with several outputs are not supported: recommend for one column at a time.",
            target=name,
        )
    return array


def infer_task_type(y: pd.Series) -> TaskType:
    """Decide what kind of target `y` is.

    Strings, booleans and categories are classes. Whole numbers are classes when there are at most 20 different ones
    and each appears twice on average; everything else numeric is regression.

    Parameters
    ----------
    y : Series of shape (n_samples,)
        Without missing values.

    Returns
    -------
    TaskType
    """
    n_distinct = int(y.nunique())
    if pd.api.types.is_numeric_dtype(y.dtype) and not pd.api.types.is_bool_dtype(y.dtype):
        numbers = y.to_numpy(dtype=np.float64)
        is_whole = bool(np.isfinite(numbers).all() and (numbers == np.round(numbers)).all())
        if not is_whole or n_distinct > MAX_INTEGER_CLASSES or 2 * n_distinct > len(y):
            return TaskType.REGRESSION
    return TaskType.BINARY if n_distinct <= 2 else TaskType.MULTICLASS


def _resolve_type(requested: TaskType | str | None, y: pd.Series) -> TaskType:
    if requested is None:
        return infer_task_type(y)
    if requested == "classification":
        return TaskType.BINARY if y.nunique() <= 2 else TaskType.MULTICLASS
    allowed = [kind.value for kind in TaskType] + ["classification"]
    if requested not in allowed:
        raise ParameterError(f"type must be one of {allowed}; got {requested!r}.", type=requested)
    if requested == TaskType.BINARY and y.nunique() > 2:
        raise TargetError(
            f"type='binary' was given, but the target has {y.nunique()} classes; use type='multiclass'."
        )
    return TaskType.BINARY if requested == TaskType.MULTICLASS and y.nunique() <= 2 else TaskType(requested)


def _checked_classes(y: pd.Series) -> LabelArray:
    labels = _plain_labels(y)
    values, counts = np.unique(labels, return_counts=True)
    if len(values) < 2:
        raise TargetError(
            f"The target has only one class, {values[0]!r}; a classifier needs at least two. Check the target "
            "column, or pass type='regression' if it is a number."
        )
    if 2 * len(values) > len(labels) and len(values) > MAX_INTEGER_CLASSES:
        raise TargetError(
            f"The target has {len(values)} classes in {len(labels)} rows: nearly every row would be a class of its "
            "own. Drop identifier-like targets, or pass type='regression' if it is a number."
        )
    rare = [value for value, count in zip(values.tolist(), counts, strict=True) if count == 1]
    if rare:
        warnings.warn(
            f"{len(rare)} class(es) have a single row, e.g. {rare[0]!r}: they cannot be in training and test data at "
            "once, so what is said about them rests on nothing. Merge or drop them if they do not matter.",
            DataWarning,
            stacklevel=5,
        )
    return labels


def _plain_labels(y: pd.Series) -> LabelArray:
    """Return labels as int64, bool or object of str: dtypes that sort and that every estimator takes."""
    if isinstance(y.dtype, pd.CategoricalDtype):
        y = y.astype(y.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(y.dtype):
        return y.to_numpy(dtype=np.bool_)
    if pd.api.types.is_numeric_dtype(y.dtype):
        numbers = y.to_numpy(dtype=np.float64)
        if not np.isfinite(numbers).all():
            raise TargetError("The target holds infinite values; replace or drop those rows.")
        if (numbers == np.round(numbers)).all():
            return numbers.astype(np.int64)
        raise TargetError(
            "Unknown label type: the target holds fractional (continuous) numbers, which cannot be classes. "
            "Pass type='regression', or turn the numbers into labels first."
        )
    labels = y.to_numpy(dtype=object)
    kinds = {type(label) for label in labels}
    if kinds <= {bool, np.bool_}:
        return labels.astype(np.bool_)
    if kinds <= {int, np.int64}:
        return labels.astype(np.int64)
    return np.asarray([str(label) for label in labels], dtype=object)


def _checked_numbers(y: pd.Series) -> LabelArray:
    try:
        numbers = pd.to_numeric(y.astype(object)).to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TargetError(
            f"A regression target must be numeric; {y.name or 'the target'!r} holds {y.iloc[0]!r} (dtype {y.dtype}). "
            "Pass type='classification' if these are labels."
        ) from error
    if not np.isfinite(numbers).all():
        raise TargetError("The target holds infinite values; replace or drop those rows.")
    if np.ptp(numbers) == 0:
        warnings.warn(
            f"The target is the same number, {numbers[0]:g}, in every row: there is nothing to learn.",
            DataWarning,
            stacklevel=5,
        )
    return numbers
