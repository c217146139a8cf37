"""What must not matter does not matter."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from autometa.components.metafeatures import extract
from autometa.domain.task import Task
from autometa.foundation.errors import DataWarning

few = settings(max_examples=25, deadline=None, database=None)


@st.composite
def tables(draw):
    """Return a small table with ties, gaps and categories, a target, and a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_columns = draw(st.integers(12, 200)), draw(st.integers(1, 6))
    digits = draw(st.integers(0, 3))
    values = np.round(rng.standard_t(3, size=(n_rows, n_columns)), digits) + 0.0
    values[rng.random(values.shape) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    X = pd.DataFrame(values, columns=[f"x{j}" for j in range(n_columns)])
    if draw(st.booleans()):
        X["c"] = pd.Categorical(rng.choice(list("abcdef"), n_rows))
    if draw(st.booleans()):
        y = np.round(rng.normal(size=n_rows) + np.nan_to_num(values[:, 0]), digits + 1)
        return X, y, "regression", rng
    y = np.where(np.arange(n_rows) < 4, np.arange(n_rows) % 2, rng.integers(0, draw(st.integers(2, 4)), n_rows))
    return X, y, "classification", rng


def values_of(X, y, kind, *, without=()):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        found = extract(Task.from_arrays(X, y, type=kind))
    kept = [
        value
        for name, group, value in zip(found.names, found.groups, found.values, strict=True)
        if not {name, group} & set(without)
    ]
    return np.array(kept)


def assert_same(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@few
@given(tables())
def test_the_order_of_rows_but_for_the_halves_of_landmarkers(table):
    X, y, kind, rng = table
    order = rng.permutation(len(y))
    one = values_of(X, y, kind, without={"landmarking"})
    assert_same(one, values_of(X.iloc[order], y[order], kind, without={"landmarking"}))


@few
@given(tables())
def test_the_order_of_columns_but_for_landmarkers(table):
    X, y, kind, rng = table
    one = values_of(X, y, kind, without={"landmarking"})
    other = values_of(X.iloc[:, rng.permutation(X.shape[1])], y, kind, without={"landmarking"})
    assert_same(one, other)


@few
@given(tables())
def test_the_names_of_classes_columns_and_rows(table):
    X, y, kind, rng = table
    one = values_of(X, y, kind)
    renamed = X.rename(columns=lambda name: f"column {name}").set_axis(rng.permutation(len(y)), axis=0)
    if kind == "classification":
        y = np.array([f"class {7 - label}" for label in y])
    np.testing.assert_array_equal(one, values_of(renamed, y, kind))


@few
@given(tables(), st.floats(0.01, 100), st.floats(-100, 100))
def test_the_unit_of_a_column(table, factor, offset):
    X, y, kind, _ = table
    one = values_of(X, y, kind, without={"landmarking", "whole_share"})
    scaled = X.assign(x0=X["x0"] * factor + offset)
    assert_same(one, values_of(scaled, y, kind, without={"landmarking", "whole_share"}))


@few
@given(tables(), st.integers(-30, 30))
def test_a_power_of_two_as_the_unit_of_all_numbers_and_the_target(table, exponent):
    X, y, kind, _ = table
    one = values_of(X, y, kind, without={"whole_share"})
    scaled = X.assign(**{name: X[name] * 2.0**exponent for name in X if name != "c"})
    other = values_of(scaled, y * 2.0**exponent if kind == "regression" else y, kind, without={"whole_share"})
    np.testing.assert_array_equal(one, other)


@few
@given(tables(), st.integers(0, 5))
def test_finite_or_nan_and_repeatable(table, seed):
    X, y, kind, _ = table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        task = Task.from_arrays(X, y, type=kind)
    found = extract(task, random_state=seed)
    assert not np.isinf(found.values).any()
    np.testing.assert_array_equal(found.values, extract(task, random_state=seed).values)
