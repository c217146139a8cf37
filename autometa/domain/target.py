"""The target: what is predicted, checked and brought into labels or numbers."""

from __future__ import annotations

import decimal
import numbers
import warnings
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from autometa.domain.cells import as_numbers, clean_text, masked_as_none
from autometa.foundation.errors import DataWarning, ParameterError, TargetError
from autometa.foundation.typing import FloatArray, IntArray, LabelArray

__all__ = ["TaskType", "as_labels", "as_target", "as_target_numbers", "infer_task_type", "resolve_task_type"]

# Whole numbers with at most this many distinct values are read as classes, as OpenML's nominal targets mostly are.
MAX_INTEGER_CLASSES = 20
# Whole float64 numbers are exact up to here; beyond it two of them may be one.
MAX_EXACT_INTEGER = 2.0**53


class TaskType(StrEnum):
    """What is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class label."""
        return self is not TaskType.REGRESSION


def as_target(y: Any, *, n_rows: int, name: str) -> pd.Series:
    """Return the target as a Series of one value a row, none missing, numbers with a numeric dtype.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    n_rows : int
        Rows of the table.
    name : str
        Used in errors.

    Returns
    -------
    Series of shape (n_rows,)

    Raises
    ------
    TargetError
        If it is None, has another length or more than one column, misses values, or holds what cannot be
        predicted.
    """
    if y is None:
        raise TargetError("requires y to be passed, but the target y is None. Pass the column to predict.")
    target = _tidy(y if isinstance(y, pd.Series) else _series(_flat(y, name)), name)
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


def _series(array: LabelArray) -> pd.Series:
    return pd.Series(array, dtype=object if array.dtype == object else None, copy=False)


def _flat(y: Any, name: str) -> LabelArray:
    array = _as_array(y, name)
    if array.ndim == 2 and array.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected; it is used as y.ravel().",
            DataConversionWarning,
            stacklevel=5,
        )
        return array.ravel()
    if array.ndim != 1:
        raise TargetError(
            f"The target {name!r} must have one dimension; got shape {array.shape}. "
            "Targets with several outputs are not supported: recommend for one column at a time.",
            target=name,
        )
    return array


def _as_array(y: Any, name: str) -> LabelArray:
    if isinstance(y, np.ma.MaskedArray):
        return masked_as_none(y)
    try:
        # As objects: NumPy would turn ["a", nan] into strings, and the missing value into "nan".
        return np.asarray(y, dtype=object) if isinstance(y, (list, tuple)) else np.asarray(y)
    except Exception as error:  # whatever a foreign type's conversion raises
        raise TargetError(
            f"The target {name!r} cannot be read: {type(error).__name__}: {error}. Pass one value a row."
        ) from error


def _tidy(target: pd.Series, name: str) -> pd.Series:
    """Give numbers that came as objects a numeric dtype; refuse what is neither a label nor a number."""
    if isinstance(target.dtype, pd.ArrowDtype) and target.dtype.kind == "O":
        target = target.astype(object)  # binary, decimals, lists, structs
    if pd.api.types.is_object_dtype(target.dtype):
        kinds = set(map(type, target.to_numpy())) - {type(None), type(pd.NA), type(pd.NaT)}
        if any(issubclass(kind, tuple) or kind.__hash__ is None for kind in kinds):
            raise TargetError(
                f"The target {name!r} holds nested objects (lists, dicts or arrays); it must hold one label or "
                "one number a row. Targets with several outputs are not supported.",
                target=name,
            )
        if not any(issubclass(kind, str) for kind in kinds):
            target = target.infer_objects()
        if kinds and all(map(_is_number, kinds)) and pd.api.types.is_object_dtype(target.dtype):
            target = _as_float(target)
    if pd.api.types.is_complex_dtype(target.dtype):
        raise TargetError(
            f"The target {name!r} holds complex numbers; predict one real part at a time.", target=name
        )
    return target


def _as_float(target: pd.Series) -> pd.Series:
    numbers = as_numbers(target, keep_infinite=True)
    if (np.isnan(numbers) > target.isna().to_numpy()).any():
        return target  # an integer beyond float64: as_target_numbers shows it
    return pd.Series(numbers, index=target.index, name=target.name)


def _is_number(kind: type) -> bool:
    return issubclass(kind, (numbers.Real, decimal.Decimal)) and not issubclass(kind, bool)


def infer_task_type(y: pd.Series) -> TaskType:
    """Decide what kind of target `y` is.

    Strings, booleans and categories are classes. Whole numbers are classes when there are two of them, or at most
    20 and each appears twice on average; all other numbers are regression, and so are durations (in seconds).

    Parameters
    ----------
    y : Series of shape (n_samples,)
        Without missing values.

    Returns
    -------
    TaskType

    Raises
    ------
    TargetError
        If `y` holds dates.
    """
    types = pd.api.types
    if types.is_datetime64_any_dtype(y.dtype) or isinstance(y.dtype, pd.PeriodDtype):
        raise TargetError(
            "The target holds dates, which cannot be predicted as they are. Turn them into numbers (for example "
            "days since the first one), or pass type='classification' if they are labels.",
        )
    if types.is_timedelta64_dtype(y.dtype):
        return TaskType.REGRESSION
    n_distinct = int(y.nunique())
    if types.is_numeric_dtype(y.dtype) and not types.is_bool_dtype(y.dtype):
        numbers = y.to_numpy(dtype=np.float64)
        is_whole = bool(np.isfinite(numbers).all() and (numbers == np.round(numbers)).all())
        is_fine_grained = n_distinct > 2 and (n_distinct > MAX_INTEGER_CLASSES or 2 * n_distinct > len(y))
        if not is_whole or is_fine_grained:
            return TaskType.REGRESSION
    return TaskType.BINARY if n_distinct <= 2 else TaskType.MULTICLASS


def resolve_task_type(requested: TaskType | str | None, y: pd.Series) -> TaskType:
    """Return the task type that is asked for, or the one that `y` suggests.

    Parameters
    ----------
    requested : {"binary", "multiclass", "classification", "regression"} or None
    y : Series of shape (n_samples,)

    Returns
    -------
    TaskType
        Two classes are binary even where multiclass was asked for.

    Raises
    ------
    ParameterError
        If the type is none of the four.
    TargetError
        If ``binary`` was asked for and there are more than two classes.
    """
    if requested is None:
        return infer_task_type(y)
    allowed = [kind.value for kind in TaskType] + ["classification"]
    if requested not in allowed:
        raise ParameterError(f"type must be one of {allowed}; got {requested!r}.", type=requested)
    if requested == TaskType.REGRESSION:
        return TaskType.REGRESSION
    n_classes = int(y.nunique())
    if requested == TaskType.BINARY and n_classes > 2:
        raise TargetError(
            f"type='binary' was given, but the target has {n_classes} classes; use type='multiclass'."
        )
    return TaskType.BINARY if n_classes <= 2 else TaskType.MULTICLASS


def as_labels(y: pd.Series) -> LabelArray:
    """Return class labels as int64, bool or object of str: dtypes that sort and that every estimator takes.

    Parameters
    ----------
    y : Series of shape (n_samples,)
        Without missing values.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    TargetError
        If there is one class, nearly as many classes as rows, or the labels are infinite or fractional.

    Warns
    -----
    DataWarning
        If a class has a single row.
    """
    codes, values = _coded_labels(y)
    counts = np.bincount(codes, minlength=len(values))
    values, counts, codes = values[counts > 0], counts[counts > 0], (np.cumsum(counts > 0) - 1)[codes]
    if len(values) < 2:
        raise TargetError(
            f"The target has only one class, {_shown(values[0])}; a classifier needs at least two. Check the "
            "target column, or pass type='regression' if it is a number."
        )
    if 2 * len(values) > len(codes) and len(values) > MAX_INTEGER_CLASSES:
        raise TargetError(
            f"The target has {len(values)} classes in {len(codes)} rows: nearly every row would be a class of "
            "its own. Drop identifier-like targets, or pass type='regression' if it is a number."
        )
    rare = values[counts == 1]
    if len(rare):
        warnings.warn(
            f"{len(rare)} class(es) have a single row, e.g. {_shown(sorted(rare)[0])}: they cannot be in training "
            "and test data at once, so what is said about them rests on nothing. Merge or drop them if they do "
            "not matter.",
            DataWarning,
            stacklevel=5,
        )
    return values[codes]


def _shown(label: Any) -> str:
    return repr(label.item() if isinstance(label, np.generic) else label)


def _coded_labels(y: pd.Series) -> tuple[IntArray, LabelArray]:
    """Return codes and the labels they stand for, which are sorted out on the few values, not on the many rows."""
    if isinstance(y.dtype, pd.CategoricalDtype):
        of_category, values = _coded_labels(_tidy(pd.Series(y.cat.categories.to_numpy(dtype=object)), "target"))
        return of_category[y.cat.codes.to_numpy()], values
    if pd.api.types.is_bool_dtype(y.dtype):
        return pd.factorize(y.to_numpy(dtype=np.bool_))
    if pd.api.types.is_numeric_dtype(y.dtype):
        return pd.factorize(_number_labels(y))
    codes, values = pd.factorize(y.to_numpy(dtype=object))
    if set(map(type, values)) <= {bool, np.bool_}:
        return codes, values.astype(np.bool_)
    names = np.empty(len(values), dtype=object)
    names[:] = [clean_text(value) for value in values]
    of_value, names = pd.factorize(names)  # 1 and "1" are one label now
    return of_value[codes], names


def _number_labels(y: pd.Series) -> LabelArray:
    if pd.api.types.is_signed_integer_dtype(y.dtype):
        return y.to_numpy(dtype=np.int64)
    numbers = y.to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).all():
        raise TargetError("The target holds infinite values; replace or drop those rows.")
    if (numbers != np.round(numbers)).any():
        raise TargetError(
            "Unknown label type: the target holds fractional (continuous) numbers, which cannot be classes. "
            "Pass type='regression', or turn the numbers into labels first."
        )
    if (np.abs(numbers) > MAX_EXACT_INTEGER).any():
        raise TargetError(
            "Unknown label type: the target holds numbers beyond 2**53, which cannot be told apart safely. Turn "
            "them into strings if they are labels, or pass type='regression'."
        )
    return numbers.astype(np.int64)


def as_target_numbers(y: pd.Series) -> FloatArray:
    """Return a regression target as float64; durations in seconds.

    Parameters
    ----------
    y : Series of shape (n_samples,)
        Without missing values.

    Returns
    -------
    ndarray of float64, shape (n_samples,)

    Raises
    ------
    TargetError
        If a value is no finite number.

    Warns
    -----
    DataWarning
        If all numbers are equal.
    """
    is_date = pd.api.types.is_datetime64_any_dtype(y.dtype) or isinstance(y.dtype, pd.PeriodDtype)
    numbers = np.full(len(y), np.nan) if is_date else as_numbers(y, keep_infinite=True)
    unread = np.isnan(numbers)
    if unread.any():
        example = y.iloc[int(unread.argmax())]
        raise TargetError(
            f"A regression target must be numeric; {y.name or 'the target'!r} holds {example!r} (dtype {y.dtype}) "
            f"in {int(unread.sum())} of {len(y)} rows. Pass type='classification' if these are labels."
        )
    if not np.isfinite(numbers).all():
        raise TargetError("The target holds infinite values; replace or drop those rows.")
    if numbers.min() == numbers.max():
        warnings.warn(
            f"The target is the same number, {numbers[0]:g}, in every row: there is nothing to learn.",
            DataWarning,
            stacklevel=5,
        )
    return numbers
