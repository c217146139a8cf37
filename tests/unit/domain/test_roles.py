"""Column roles are found from dtypes and cells, and can be overridden where the cells allow it."""

from __future__ import annotations

import datetime
import time
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from autometa.domain.roles import ColumnRole, check_role_overrides, infer_role, infer_roles
from autometa.foundation.errors import ParameterError, TableError

TEXTS = [f"a review number {i} of several words" for i in range(20)]


def objects(*cells):
    return pd.Series(cells, dtype=object)


def arrow(values, kind):
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, type=kind)))


@pytest.mark.parametrize(
    ("column", "role"),
    [
        (pd.Series([1.5, None]), "numeric"),
        (pd.Series([1, 2], dtype="UInt8"), "numeric"),
        (pd.Series([0.0, 1.0], dtype="Sparse[float64]"), "numeric"),
        (pd.to_timedelta(pd.Series([1, 2]), unit="s"), "numeric"),
        (pd.Series([True, False]), "boolean"),
        (pd.Series([True, None], dtype="boolean"), "boolean"),
        (pd.Series(["a", "b"], dtype="category"), "categorical"),
        (pd.Series([1, 2], dtype="category"), "categorical"),
        (pd.Series(pd.cut([1, 2, 3], 2)), "categorical"),
        (pd.Series(pd.date_range("2020", periods=2, tz="Asia/Tokyo")), "datetime"),
        (pd.Series(pd.period_range("2020-01", periods=2, freq="M")), "datetime"),
        (pd.Series(["x", "y"], dtype="string"), "categorical"),
        (arrow([1, None], pa.int32()), "numeric"),
        (arrow([Decimal("1.5")], pa.decimal128(5, 2)), "numeric"),
        (arrow([1, 2], pa.duration("s")), "numeric"),
        (arrow([True, None], pa.bool_()), "boolean"),
        (arrow([1, 2], pa.timestamp("us", "UTC")), "datetime"),
        (arrow([1, 2], pa.date32()), "datetime"),
        (arrow(["x", "y"], pa.string()), "categorical"),
        (arrow(["x", "y"], pa.dictionary(pa.int8(), pa.string())), "categorical"),
        (arrow([None, None], pa.null()), "numeric"),
        (objects(None, None), "numeric"),
        (objects(1, 2.5, Decimal(3), None), "numeric"),
        (objects(True, 2), "numeric"),
        (objects(datetime.timedelta(1), None), "numeric"),
        (objects(True, None), "boolean"),
        (objects(datetime.date(2020, 1, 1), pd.Timestamp("2021"), pd.NaT), "datetime"),
        (objects("1", " 2.5 ", "?", "", "NA"), "numeric"),
        (objects("?", ""), "numeric"),
        (objects("1", "two"), "categorical"),
        (objects("a", 1, None), "categorical"),
        (objects(b"x", b"y"), "categorical"),
        (objects("2020-01-31", "2020-02-01T10:00:00", "?"), "datetime"),
        (objects("31/12/2020", "1/2/2021"), "datetime"),
        (objects("Feb 29, 2024", "1 March 2024"), "datetime"),
        (objects("m1", "m2", "t3"), "categorical"),
        (objects("0-2", "3-5", "5-9"), "categorical"),
        (objects("10-19", "20-29"), "categorical"),
        (objects("1.2.3", "1.2.4"), "categorical"),
        (objects("2020-13-45", "2020-01-01"), "categorical"),
        (objects(*TEXTS), "text"),
        (objects(*TEXTS[:2] * 10), "categorical"),
        (objects(*[c * 80 for c in "abcdef"]), "text"),
    ],
)
def test_roles_are_found(column, role):
    assert infer_role(column) == role


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (objects([1], [2]), r"Column 'c' holds nested objects \(builtins.list\)"),
        (objects({"a": 1}), "nested objects"),
        (objects("a", np.arange(2)), "nested objects"),
        (objects(object()), "builtins.object"),
        (pd.Series([1j]), "complex numbers"),
        (objects(1j, 2), "complex numbers"),
        (arrow([[1]], pa.list_(pa.int64())), "nested objects"),
        (arrow([{"a": 1}], pa.struct([("a", pa.int64())])), "nested objects"),
    ],
)
def test_cells_that_are_no_cells_are_refused(column, message):
    with pytest.raises(TableError, match=message) as caught:
        infer_role(column, name="c")
    assert caught.value.context["column"] == "c"


def test_overrides_win():
    frame = pd.DataFrame({"zip": [8001, 8002], "x": [1.0, 2.0]})
    assert infer_roles(frame, {"zip": "categorical"}) == {
        "zip": ColumnRole.CATEGORICAL,
        "x": ColumnRole.NUMERIC,
    }


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"z": "numeric"}, r"columns \['z'\] that the table does not have. Its columns: \['a', 'n'\]"),
        ({"a": "ordinal"}, "must be one of .*categorical.*; got 'ordinal'"),
        ({"a": None}, "got None"),
    ],
)
def test_wrong_overrides_are_refused(overrides, message):
    frame = pd.DataFrame({"a": ["x", "y"], "n": [1, 2]})
    with pytest.raises(ParameterError, match=message):
        infer_roles(frame, overrides)


@pytest.mark.parametrize(
    ("name", "role", "is_possible"),
    [
        ("words", "numeric", False),
        ("words", "boolean", False),
        ("words", "datetime", False),
        ("words", "text", True),
        ("yes", "boolean", True),
        ("n", "datetime", False),
        ("n", "categorical", True),
        ("infinite", "numeric", True),
        ("missing", "datetime", True),
        ("date", "numeric", True),
    ],
)
def test_overrides_must_fit_the_cells(name, role, is_possible):
    frame = pd.DataFrame(
        {
            "words": ["red", "green"],
            "yes": ["yes", "no"],
            "n": [1, 2],
            "infinite": [np.inf, -np.inf],
            "missing": [None, None],
            "date": pd.to_datetime(["2020", "2021"]),
        }
    )
    if is_possible:
        check_role_overrides(frame, {name: role})
        return
    with pytest.raises(ParameterError, match=f"Column '{name}' cannot be used as {role}"):
        check_role_overrides(frame, {name: role})


def test_a_million_rows_cost_no_more_than_ten_thousand():
    cells = pd.Series([f"c{i % 1000}" for i in range(300_000)], dtype=object)
    frame = pd.DataFrame({"c": cells})
    started = time.process_time()
    assert infer_roles(frame) == {"c": "categorical"}
    assert time.process_time() - started < 0.5
