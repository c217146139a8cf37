"""The target: what it is, and what it must not be."""

from __future__ import annotations

import datetime
import time
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from autometa.domain.target import (
    TaskType,
    as_labels,
    as_target,
    as_target_numbers,
    infer_task_type,
    resolve_task_type,
)
from autometa.foundation.errors import DataWarning, ParameterError, TargetError


def target(y):
    return as_target(y, n_rows=len(y), name="y")


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (["a", "b"] * 5, "binary"),
        (["a", "b", "c"] * 5, "multiclass"),
        ([True, False] * 5, "binary"),
        ([0, 1] * 5, "binary"),
        ([0, 1, 1], "binary"),
        ([1.0, 2.0, 3.0] * 5, "multiclass"),
        (list(range(20)) * 2, "multiclass"),
        (list(range(21)) * 2, "regression"),
        ([1, 2, 3, 4], "regression"),
        ([0.5, 1.5], "regression"),
        ([Decimal("0.5"), Decimal(1)], "regression"),
        ([0.5, 1], "regression"),
        (pd.Series([0.5, 1.5], dtype=object), "regression"),
        (pd.Series([1, 2] * 3, dtype="Int64"), "binary"),
        (pd.Series([0.5, 1.5] * 3, dtype="double[pyarrow]"), "regression"),
        (pd.Series(["a", "b"] * 3, dtype="string[pyarrow]"), "binary"),
        (pd.Series(pd.to_timedelta([1, 2], unit="s")), "regression"),
        (pd.Series([1.5, 2.5] * 3, dtype="category"), "binary"),
        (pl.Series([0.5, 1.5]), "regression"),
    ],
)
def test_types_are_inferred(y, kind):
    assert infer_task_type(target(y)) == kind


@pytest.mark.parametrize(
    ("requested", "y", "kind"),
    [
        ("classification", [1, 2, 3, 4], TaskType.MULTICLASS),
        ("classification", [1, 2, 1, 2], TaskType.BINARY),
        ("multiclass", [1, 2, 1, 2], TaskType.BINARY),
        ("binary", [1, 2, 1, 2], TaskType.BINARY),
        ("regression", [1, 2, 1, 2], TaskType.REGRESSION),
        (TaskType.REGRESSION, [1, 2, 1, 2], TaskType.REGRESSION),
        (None, [1, 2, 1, 2], TaskType.BINARY),
    ],
)
def test_types_can_be_asked_for(requested, y, kind):
    assert resolve_task_type(requested, target(y)) is kind


def test_types_that_do_not_exist_or_do_not_fit_are_refused():
    with pytest.raises(ParameterError, match=r"type must be one of .*got 'ranking'"):
        resolve_task_type("ranking", target([1, 2]))
    with pytest.raises(TargetError, match="3 classes; use type='multiclass'"):
        resolve_task_type("binary", target([1, 2, 3]))


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        ([1.0, 2.0, 1.0, 2.0], np.array([1, 2, 1, 2])),
        (np.array([1, 2, 1, 2], dtype="uint8"), np.array([1, 2, 1, 2])),
        (pd.Series([3, 4, 3, 4], dtype="category"), np.array([3, 4, 3, 4])),
        ([True, False, True, False], np.array([True, False, True, False])),
        (pd.Series([True, False] * 2, dtype="boolean"), np.array([True, False] * 2)),
        (pd.Series(["b", "a"] * 2, dtype="category"), np.array(["b", "a"] * 2, dtype=object)),
        (pd.Series(["b", "a"] * 2, dtype="string"), np.array(["b", "a"] * 2, dtype=object)),
        ([1, "1", "a", "a"], np.array(["1", "1", "a", "a"], dtype=object)),
        ([b"x", b"y"] * 2, np.array(["b'x'", "b'y'"] * 2, dtype=object)),
    ],
)
def test_labels_have_a_dtype_that_sorts(y, labels):
    found = as_labels(target(y))
    assert found.dtype == labels.dtype
    assert found.tolist() == labels.tolist()


def test_categories_that_no_row_has_are_no_classes():
    y = pd.Series(pd.Categorical(["a", "b"] * 3, categories=["c", "a", "b"]))
    assert set(as_labels(target(y))) == {"a", "b"}


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 1, 1], "only one class, 1;"),
        (["a", "a"], "only one class, 'a';"),
        (list(range(30)), "30 classes in 30 rows"),
        ([f"id{i}" for i in range(30)], "30 classes in 30 rows"),
        ([0.5, 1.5], "Unknown label type.*continuous"),
        ([np.inf, 1.0], "infinite"),
        ([2.0**60, 1.0], r"beyond 2\*\*53"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(y, message):
    with pytest.raises(TargetError, match=message):
        as_labels(target(y))


def test_a_class_with_one_row_is_a_warning():
    with pytest.warns(DataWarning, match="1 class.* have a single row, e.g. 'c'"):
        as_labels(target(["a", "b", "a", "b", "c"]))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        ([1, None], r"'y' is missing \(NaN\) in 1 of 2 rows.*dropna"),
        (["a", float("nan")], r"is missing \(NaN\) in 1 of 2 rows"),
        (pd.Series(["a", pd.NA], dtype="string"), "is missing"),
        (np.ma.masked_array([1, 2], mask=[0, 1]), "is missing"),
        ([1, 2, 3], "has 3 values and the table 2 rows"),
        ([[1, 2], [3, 4]], r"one dimension; got shape \(2, 2\)"),
        ([[1], [2, 3]], "nested objects"),
        ([{"a": 1}, {"a": 2}], "nested objects"),
        (np.array([1j, 2j]), "complex"),
        (5, r"one dimension; got shape \(\)"),
    ],
)
def test_targets_that_are_none_are_refused(y, message):
    with pytest.raises(TargetError, match=message):
        as_target(y, n_rows=2, name="y")


def test_dates_are_refused_unless_they_are_labels():
    y = target(pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02"] * 2)))
    with pytest.raises(TargetError, match="holds dates"):
        resolve_task_type(None, y)
    assert resolve_task_type("classification", y) is TaskType.BINARY
    assert len(set(as_labels(y))) == 2
    with pytest.raises(TargetError, match="must be numeric"):
        as_target_numbers(y)


@pytest.mark.parametrize(
    ("y", "numbers"),
    [
        ([1, 2], [1.0, 2.0]),
        (["1.5", "2"], [1.5, 2.0]),
        (pd.Series([Decimal("1.5"), 2]), [1.5, 2.0]),
        (pd.Series([1.5, 2.5], dtype="category"), [1.5, 2.5]),
        ([datetime.timedelta(minutes=1), datetime.timedelta(0)], [60.0, 0.0]),
        ([True, False], [1.0, 0.0]),
    ],
)
def test_numbers(y, numbers):
    assert as_target_numbers(target(y)).tolist() == numbers


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["1", "red"], r"must be numeric; 'the target' holds 'red' .* in 1 of 2 rows"),
        ([np.inf, 1.0], "infinite"),
        ([10**400, 1], "must be numeric"),
    ],
)
def test_numbers_that_are_none_are_refused(y, message):
    with pytest.raises(TargetError, match=message):
        as_target_numbers(target(y))


def test_a_constant_number_is_a_warning():
    with pytest.warns(DataWarning, match="the same number, 2,"):
        as_target_numbers(target([2.0, 2.0]))


def test_a_million_strings_take_less_than_half_a_second():
    y = np.array(["red", "green", "blue"], dtype=object)[np.arange(1_000_000) % 3]
    started = time.process_time()
    series = as_target(y, n_rows=len(y), name="y")
    assert resolve_task_type(None, series) is TaskType.MULTICLASS
    assert as_labels(series)[:3].tolist() == ["red", "green", "blue"]
    assert time.process_time() - started < 0.5
