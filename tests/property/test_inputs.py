"""Whatever comes, as_task and recommend either work or raise an error of our own, and warn of nothing but data."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autometa
from autometa.domain.columns import ColumnCanonicalizer, ColumnRole
from autometa.domain.task import Task
from autometa.engine.inputs import as_task
from autometa.foundation.errors import AutoMetaError, AutoMetaWarning, DataWarning, InputError
from tests.property.messy_tables import datasets, tables

COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    "database": None,
    "derandomize": True,
}
CANONICAL = {
    ColumnRole.NUMERIC: "float64",
    ColumnRole.BOOLEAN: "float64",
    ColumnRole.CATEGORICAL: "category",
    ColumnRole.DATETIME: "datetime64[ns]",
    ColumnRole.TEXT: "object",
}


def attempt(dataset: Any, target: Any) -> Task | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataWarning)
        try:
            return as_task(dataset, target)
        except InputError:
            return None


@settings(max_examples=250, **COMMON)
@given(datasets())
def test_any_dataset_becomes_a_task_or_an_input_error(case):
    task = attempt(*case)
    if task is None:
        return
    assert task.n_samples >= 2
    assert len(task.y) == task.n_samples
    assert list(task.roles) == list(task.X.columns) == [str(name) for name in task.X.columns]
    assert len(set(task.X.columns)) == task.n_features
    if task.is_classification:
        assert len(task.classes) >= 2
    else:
        assert np.isfinite(task.y).all()


@settings(max_examples=250, **COMMON)
@given(tables(max_columns=3))
def test_canonical_tables_have_the_dtypes_of_their_roles(frame):
    task = attempt(frame, np.arange(len(frame)) % 2)
    if task is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = task.canonical()
        again = ColumnCanonicalizer(task.roles).fit(table).transform(table)
    for name, role in task.roles.items():
        assert str(table[name].dtype) == CANONICAL[role]
        if role in (ColumnRole.NUMERIC, ColumnRole.BOOLEAN):
            assert not np.isinf(table[name]).any()
    pd.testing.assert_frame_equal(table, again)
    assert task.fingerprint() == task.take(np.arange(len(frame))[::-1]).fingerprint()


@settings(max_examples=100, **COMMON)
@given(tables(max_columns=2), st.data())
def test_a_fitted_canonicalizer_takes_any_table_with_its_columns(frame, data):
    task = attempt(frame, np.arange(len(frame)) % 2)
    if task is None:
        return
    other = data.draw(tables(max_columns=0).map(lambda empty: empty.index))
    cells = data.draw(
        st.lists(st.sampled_from([None, 1, 2.5, "x", True]), min_size=len(other), max_size=len(other))
    )
    drifted = pd.DataFrame({name: pd.Series(cells, dtype=object) for name in task.X.columns}, index=other)
    fitted = ColumnCanonicalizer(task.roles).fit(task.X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = fitted.transform(drifted)
    assert table.shape == drifted.shape
    assert table.dtypes.astype(str).tolist() == [CANONICAL[role] for role in task.roles.values()]


@settings(max_examples=60, **COMMON)
@given(tables(max_columns=3), st.sampled_from([0.5, 1.0]))
def test_recommend_returns_or_raises_an_error_of_our_own(frame, step):
    frame.columns = [f"c{j}" for j in range(frame.shape[1])]
    target = step * (np.arange(len(frame)) % (2 if step == 1 else 100))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", AutoMetaWarning)
        try:
            found = autometa.recommend(frame, target, top_k=5)
        except AutoMetaError:
            assert attempt(frame, target) is None, "as_task takes the table that recommend refuses"
            return
    assert 1 <= len(found.ranking) <= 5
