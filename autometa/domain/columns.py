"""Column roles: found, shown, overridden, and turned into one canonical form.

Every strategy's pipeline begins with a `ColumnCanonicalizer`, so that a fitted model takes whatever frame the
recommendation took: nullable and Arrow dtypes, booleans, dates, mixed objects.
"""

from __future__ import annotations

import datetime
import decimal
import numbers
import warnings
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.foundation.errors import ParameterError, TableError

__all__ = ["ColumnCanonicalizer", "ColumnRole", "as_frame", "infer_role", "infer_roles"]

# A role is decided on at most this many evenly spaced rows: enough to see what a column is, constant in time.
ROLE_SAMPLE_ROWS = 10_000
# A string column is text when its entries are long and mostly different, categorical otherwise.
TEXT_MIN_MEAN_WORDS = 3.0
TEXT_MIN_DISTINCT_SHARE = 0.5
TEXT_MIN_MEAN_CHARACTERS = 60.0


class ColumnRole(StrEnum):
    """What a column is, whatever dtype it came in."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"


def as_frame(X: Any) -> pd.DataFrame:
    """Return `X` as a DataFrame with unique string column names, without copying the cells where possible.

    Parameters
    ----------
    X : DataFrame, or array-like of shape (n_samples, n_features)
        Arrays get the column names ``x0``, ``x1``, ...

    Returns
    -------
    DataFrame of shape (n_samples, n_features)

    Raises
    ------
    TableError
        If the table is not two-dimensional or has duplicate column names.
    """
    frame = X if isinstance(X, pd.DataFrame) else _array_frame(X)
    names = [str(name) for name in frame.columns]
    if len(set(names)) != len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise TableError(
            f"Column names must be unique; {repeated[:5]} appear more than once. Rename or drop the copies.",
            columns=repeated,
        )
    if list(frame.columns) != names:
        frame = frame.set_axis(names, axis=1)
    return frame


def _array_frame(X: Any) -> pd.DataFrame:
    array = np.asarray(X)
    if array.ndim != 2:
        raise TableError(
            f"A table must have two dimensions (rows, columns); got {array.ndim} with shape {array.shape}. "
            "Reshape your data using array.reshape(-1, 1) for a single column.",
            shape=array.shape,
        )
    return pd.DataFrame(array, columns=[f"x{j}" for j in range(array.shape[1])])


def infer_roles(
    frame: pd.DataFrame, overrides: Mapping[str, ColumnRole | str] | None = None
) -> dict[str, ColumnRole]:
    """Find the role of every column, on at most 10,000 evenly spaced rows.

    Parameters
    ----------
    frame : DataFrame of shape (n_samples, n_features)
    overrides : mapping of column name to role, optional
        Roles that the user knows better.

    Returns
    -------
    dict of str to ColumnRole
        In column order.

    Raises
    ------
    ParameterError
        If an override names an unknown column or role.
    TableError
        If a column holds nested objects or complex numbers.
    """
    chosen = _validated_overrides(frame, overrides or {})
    step = max(1, len(frame) // ROLE_SAMPLE_ROWS)
    sample = frame.iloc[::step]
    return {
        name: chosen.get(name) or infer_role(sample.iloc[:, j], name=name) for j, name in enumerate(frame.columns)
    }


def _validated_overrides(frame: pd.DataFrame, overrides: Mapping[str, Any]) -> dict[str, ColumnRole]:
    unknown = [name for name in overrides if name not in frame.columns]
    if unknown:
        raise ParameterError(
            f"Roles were given for columns {unknown} that the table does not have. "
            f"Its columns: {list(frame.columns)[:20]}.",
            columns=unknown,
        )
    allowed = [role.value for role in ColumnRole]
    for name, role in overrides.items():
        if role not in allowed:
            raise ParameterError(
                f"The role of column {name!r} must be one of {allowed}; got {role!r}.", column=name
            )
    return {name: ColumnRole(role) for name, role in overrides.items()}


def infer_role(column: pd.Series, *, name: str = "") -> ColumnRole:
    """Find the role of one column.

    Parameters
    ----------
    column : Series of shape (n_samples,)
    name : str
        Used in errors.

    Returns
    -------
    ColumnRole

    Raises
    ------
    TableError
        If the cells are nested objects or complex numbers.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return ColumnRole.CATEGORICAL
    if pd.api.types.is_bool_dtype(dtype):
        return ColumnRole.BOOLEAN
    if pd.api.types.is_complex_dtype(dtype):
        raise TableError(f"Column {name!r} holds complex numbers; split it into real columns.", column=name)
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return ColumnRole.NUMERIC
    if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return ColumnRole.DATETIME
    if isinstance(dtype, pd.IntervalDtype):
        return ColumnRole.CATEGORICAL
    return _role_of_objects(column.dropna(), name)


def _role_of_objects(values: pd.Series, name: str) -> ColumnRole:
    if values.empty:
        return ColumnRole.NUMERIC
    kinds = {_kind_of_object(value) for value in values.to_numpy(dtype=object)}
    if "nested" in kinds:
        raise TableError(
            f"Column {name!r} holds nested objects (lists, dicts or arrays); a cell must be a number, a string, "
            "a boolean or a date. Expand it into columns of its own, or drop it.",
            column=name,
        )
    if kinds == {"boolean"}:
        return ColumnRole.BOOLEAN
    if kinds <= {"number", "boolean"}:
        return ColumnRole.NUMERIC
    if kinds == {"date"}:
        return ColumnRole.DATETIME
    if kinds == {"string"}:
        return _role_of_strings(values.astype(str))
    return ColumnRole.CATEGORICAL


def _kind_of_object(value: Any) -> str:
    if isinstance(value, (list, dict, tuple, set, np.ndarray, pd.Series, pd.DataFrame)):
        return "nested"
    if isinstance(value, (bool, np.bool_)):
        return "boolean"
    if isinstance(value, (numbers.Real, decimal.Decimal)):
        return "number"
    if isinstance(value, (datetime.date, np.datetime64)):
        return "date"
    return "string" if isinstance(value, str) else "other"


def _role_of_strings(strings: pd.Series) -> ColumnRole:
    if pd.to_numeric(strings, errors="coerce").notna().all():
        return ColumnRole.NUMERIC
    if strings.str.contains(r"\d", regex=True).all() and _to_datetime(strings.iloc[:200]).notna().all():
        return ColumnRole.DATETIME
    distinct_share = strings.nunique() / len(strings)
    is_long = (
        strings.str.count(r"\S+").mean() >= TEXT_MIN_MEAN_WORDS
        or strings.str.len().mean() >= TEXT_MIN_MEAN_CHARACTERS
    )
    return ColumnRole.TEXT if is_long and distinct_share >= TEXT_MIN_DISTINCT_SHARE else ColumnRole.CATEGORICAL


class ColumnCanonicalizer(TransformerMixin, BaseEstimator):
    """Bring every column into the one form that its role has.

    ======================  ==========================================================
    role                    canonical form
    ======================  ==========================================================
    numeric, boolean        float64; infinities and what is no number become NaN
    categorical             pandas category of strings seen in training; others missing
    datetime                datetime64[ns], UTC without zone
    text                    object of str; missing as the empty string
    ======================  ==========================================================

    Parameters
    ----------
    roles : mapping of column name to role, optional
        What is missing here is inferred from the training table.

    Attributes
    ----------
    roles_ : dict of str to ColumnRole
        The role of every training column, in column order.
    categories_ : dict of str to ndarray of str
        The sorted categories of each categorical column.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features,)
    """

    def __init__(self, roles: Mapping[str, str] | None = None) -> None:
        self.roles = roles

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn roles and categories.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        ColumnCanonicalizer
        """
        frame = as_frame(X)
        given = {name: role for name, role in (self.roles or {}).items() if name in frame.columns}
        self.roles_ = infer_roles(frame, given)
        self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        self.n_features_in_ = frame.shape[1]
        self.categories_ = {
            name: np.asarray(sorted(_as_strings(frame[name]).dropna().unique()), dtype=object)
            for name, role in self.roles_.items()
            if role == ColumnRole.CATEGORICAL
        }
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """Return `X` with canonical columns.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        DataFrame of shape (n_samples, n_features)
            Training column order.

        Raises
        ------
        TableError
            If a training column is not in `X`.
        """
        check_is_fitted(self)
        frame = as_frame(X)
        missing = [name for name in self.roles_ if name not in frame.columns]
        if missing:
            raise TableError(
                f"The table lacks the columns {missing[:10]} that the model was fitted with; "
                f"it has {list(frame.columns)[:10]}.",
                columns=missing,
            )
        columns = {name: self._canonical(frame[name], role) for name, role in self.roles_.items()}
        return pd.DataFrame(columns, index=frame.index, copy=False)

    def _canonical(self, column: pd.Series, role: ColumnRole) -> Any:
        if role == ColumnRole.CATEGORICAL:
            categories = pd.Index(self.categories_[str(column.name)], dtype=object)
            return pd.Categorical.from_codes(categories.get_indexer(_as_strings(column)), categories=categories)
        if role == ColumnRole.DATETIME:
            return _to_datetime(column).to_numpy()
        if role == ColumnRole.TEXT:
            return column.astype(object).where(column.notna(), "").map(str).astype(object).to_numpy()
        return _to_float(column)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return the training column names.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str, shape (n_features,)
        """
        check_is_fitted(self)
        return self.feature_names_in_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _as_strings(column: pd.Series) -> pd.Series:
    """Return the cells as str, missing ones as None; 1, 1.0 and "1" are one category."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        # Rename the few categories instead of the many cells.
        names = np.asarray([_category_name(value) for value in column.cat.categories], dtype=object)
        codes = column.cat.codes.to_numpy()
        cells = np.where(codes >= 0, names[codes] if len(names) else None, None)
        return pd.Series(cells, index=column.index, dtype=object)
    return column.astype(object).map(_category_name, na_action="ignore").where(column.notna(), None)


def _category_name(value: Any) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _to_datetime(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "could not infer format": mixed formats are allowed
        parsed = pd.to_datetime(column.astype(object), errors="coerce", utc=True, format="mixed")
    return parsed.dt.tz_localize(None).astype("datetime64[ns]")


def _to_float(column: pd.Series) -> np.ndarray[Any, Any]:
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        column = column.dt.total_seconds()
    if not pd.api.types.is_numeric_dtype(column.dtype):
        column = pd.to_numeric(column.astype(object), errors="coerce")
    cells = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(cells).any():
        cells = np.where(np.isinf(cells), np.nan, cells)
    return cells
