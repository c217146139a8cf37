"""Every kind of table in memory becomes a DataFrame with unique string names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from autometa.domain.frames import SPARSE_DENSE_LIMIT, as_frame
from autometa.foundation.errors import TableError

COLUMNS = {"a": [1.5, 2.5], "b": ["x", None]}
FRAME = pd.DataFrame(COLUMNS)


@pytest.mark.parametrize(
    "table",
    [
        FRAME,
        pl.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS).lazy(),
        pa.table(COLUMNS),
        pa.RecordBatch.from_pydict(COLUMNS),
        COLUMNS,
        [{"a": 1.5, "b": "x"}, {"a": 2.5, "b": None}],
        FRAME.convert_dtypes(dtype_backend="pyarrow"),
    ],
    ids=["pandas", "polars", "lazy", "pyarrow", "batch", "dict", "records", "arrow-dtypes"],
)
def test_named_tables_keep_names_cells_and_missing_values(table):
    frame = as_frame(table)
    assert list(frame.columns) == ["a", "b"]
    assert frame["a"].tolist() == [1.5, 2.5]
    assert frame["b"].isna().tolist() == [False, True]
    assert frame["b"].iloc[0] == "x"


@pytest.mark.parametrize(
    "table",
    [
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        [[1.0, 2.0], [3.0, 4.0]],
        sparse.csr_matrix([[1.0, 2.0], [3.0, 4.0]]),
        sparse.coo_array([[1.0, 2.0], [3.0, 4.0]]),
        np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]]),
        np.matrix([[1.0, 2.0], [3.0, 4.0]]),
    ],
    ids=["array", "rows", "csr", "coo", "masked", "matrix"],
)
def test_nameless_tables_get_numbered_names(table):
    frame = as_frame(table)
    assert list(frame.columns) == ["x0", "x1"]
    assert frame.to_numpy(dtype=float).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_masked_cells_are_missing():
    frame = as_frame(np.ma.masked_array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]]))
    assert frame.isna().to_numpy().tolist() == [[False, True], [False, False]]


def test_mixed_rows_keep_their_types():
    frame = as_frame([[1, "a"], [None, "b"]])
    assert frame["x0"].isna().tolist() == [False, True]
    assert frame["x1"].tolist() == ["a", "b"]


def test_structured_arrays_keep_their_names():
    array = np.array([(1, "a"), (2, "b")], dtype=[("n", "i8"), ("s", "U1")])
    assert list(as_frame(array).columns) == ["n", "s"]


def test_cells_are_not_copied():
    array = np.arange(6.0).reshape(3, 2)
    assert np.shares_memory(as_frame(array).to_numpy(), array)
    frame = pd.DataFrame(array, columns=[0, 1], copy=False)
    assert np.shares_memory(as_frame(frame).to_numpy(), array)


def test_names_become_text():
    names = [1, ("a", "b"), pd.Timestamp("2020-01-01"), None, "\ud800"]
    frame = as_frame(pd.DataFrame([[0] * 5], columns=pd.Index(names, dtype=object)))
    assert list(frame.columns) == ["1", "('a', 'b')", "2020-01-01 00:00:00", "None", "?"]
    multi = pd.DataFrame([[0, 1]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))
    assert list(as_frame(multi).columns) == ["('a', 1)", "('a', 2)"]


@pytest.mark.parametrize("names", [["a", "a", "b"], [1, "1", "b"]])
def test_duplicate_names_are_named(names):
    with pytest.raises(TableError, match="must be unique") as caught:
        as_frame(pd.DataFrame([[1, 2, 3]], columns=pd.Index(names, dtype=object)))
    assert caught.value.context["columns"] == [str(names[0])]


def test_a_sparse_matrix_that_is_too_large_is_refused_before_it_is_made_dense():
    matrix = sparse.csr_matrix((SPARSE_DENSE_LIMIT // 80, 11))
    with pytest.raises(TableError, match=r"2\.4 GB as a dense table; at most 2\.1 GB"):
        as_frame(matrix)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros(3), "two dimensions"),
        (np.zeros((2, 2, 2)), r"got 3 with shape \(2, 2, 2\)"),
        (3, "A int is no table"),
        (None, "A NoneType is no table"),
        ("text", "A str is no table"),
        (object(), "A object is no table"),
        (pd.Series([1, 2]), r"a Series, which is one column. Use .to_frame"),
        (pl.Series([1, 2]), r"a Series, which is one column. Use .to_frame"),
        ({"a": [1, 2], "b": [1]}, "cannot be read as a table"),
        ({"a": 1}, "cannot be read as a table"),
        ([[1, 2], [3]], "two dimensions"),
        ([1, 2], "Reshape your data"),
    ],
)
def test_what_is_no_table_is_refused(table, message):
    with pytest.raises(TableError, match=message):
        as_frame(table)
