"""Strategies for tables as they come: every dtype, every kind of cell, every shape, sensible or not."""

from __future__ import annotations

import datetime
import decimal
import fractions
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

MAX_ROWS = 12

numbers = st.one_of(
    st.integers(-(10**4), 10**4),
    st.sampled_from([0, 1, 2**63, -(2**63), 10**400]),
    st.floats(),
    st.decimals().filter(lambda value: not value.is_snan()),  # pandas itself stumbles over a signalling NaN
    st.fractions(max_denominator=10),
    st.sampled_from([np.float32(0.1), np.int8(3), np.bool_(True), np.uint64(2**64 - 1)]),
)
dates = st.one_of(
    st.datetimes(),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([datetime.UTC, datetime.timezone(datetime.timedelta(hours=5))])),
    st.sampled_from(
        [pd.Timestamp("2020-02-29", tz="Europe/Paris"), np.datetime64("2020-01-01"), pd.Period("2020-01")]
    ),
)
durations = st.one_of(st.timedeltas(), st.times(), st.just(np.timedelta64(3, "s")))
words = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", " ", "?", "NA", "nan", "inf", "1", "1.0", " 2 ", "1e999", "yes", "No", "true"]),
    st.sampled_from(
        ["2020-01-01", "05/12/2020", "25/12/2020", "9999-12-31", "0001-01-01", "m1", "5-9", "a" * 100]
    ),
    st.sampled_from(["\ud800", "\x00", "né", "日本語", "a b c d e", "many words that make a text of their own"]),
)
missing = st.sampled_from([None, float("nan"), pd.NA, pd.NaT, decimal.Decimal("nan")])
labels = st.sampled_from([b"bytes", uuid.UUID(int=1), pd.Interval(0, 1), fractions.Fraction(1, 3)])
nested = st.sampled_from([[1, 2], {"a": 1}, (1, 2), {1}, np.arange(2), 1j, object(), pd.Series([1])])
cells = st.one_of(numbers, dates, durations, words, missing, labels)
CELLS = (numbers, dates, durations, words, missing, labels, st.booleans(), cells, st.one_of(cells, nested))


@st.composite
def object_columns(draw: st.DrawFn, n_rows: int) -> pd.Series:
    kind = (
        st.one_of(draw(st.sampled_from(CELLS)), missing) if draw(st.booleans()) else draw(st.sampled_from(CELLS))
    )
    column = np.empty(n_rows, dtype=object)
    for i in range(n_rows):
        column[i] = draw(kind)
    return pd.Series(column, dtype=object)


TYPED = {
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint8": st.integers(0, 255),
    "bool": st.booleans(),
    "complex128": st.complex_numbers(max_magnitude=10),
    "Int64": st.one_of(st.none(), st.integers(-5, 5)),
    "Float64": st.one_of(st.none(), st.floats(-5, 5)),
    "boolean": st.one_of(st.none(), st.booleans()),
    "string": st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=5)),
    "category": st.one_of(st.none(), st.sampled_from(["a", "b"]), st.integers(0, 2)),
    "datetime64[ns]": st.one_of(
        st.none(), st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
    ),
    "datetime64[s]": st.one_of(st.none(), st.datetimes()),
    "datetime64[ns, Europe/Paris]": st.datetimes(datetime.datetime(1980, 1, 1), datetime.datetime(2030, 1, 1)),
    "timedelta64[ns]": st.one_of(st.none(), st.timedeltas(datetime.timedelta(-9), datetime.timedelta(9))),
    "period[M]": st.one_of(st.none(), st.just("2020-02"), st.just("1600-01")),
    "Sparse[float64]": st.sampled_from([0.0, 1.5, float("nan")]),
}
ARROW = (
    (pa.int64(), st.one_of(st.none(), st.integers(-9, 9))),
    (pa.float64(), st.one_of(st.none(), st.floats())),
    (pa.bool_(), st.one_of(st.none(), st.booleans())),
    (pa.string(), st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=4))),
    (pa.binary(), st.binary(max_size=3)),
    (pa.timestamp("us", "UTC"), st.one_of(st.none(), st.integers(0, 10**15))),
    (pa.date32(), st.one_of(st.none(), st.integers(-(10**5), 10**5))),
    (pa.time64("us"), st.integers(0, 10**9)),
    (pa.duration("s"), st.one_of(st.none(), st.integers(0, 99))),
    (pa.decimal128(6, 2), st.one_of(st.none(), st.decimals(-9, 9, places=2))),
    (pa.null(), st.none()),
    (pa.list_(pa.int64()), st.lists(st.integers(0, 9), max_size=2)),
    (pa.struct([("a", pa.int64())]), st.just({"a": 1})),
)


@st.composite
def typed_columns(draw: st.DrawFn, n_rows: int) -> pd.Series:
    dtype = draw(st.sampled_from(sorted(TYPED)))
    values = draw(st.lists(TYPED[dtype], min_size=n_rows, max_size=n_rows))
    if dtype == "category":
        return pd.Series(pd.Categorical(values))
    if dtype.startswith("period"):
        return pd.Series(pd.PeriodIndex(values, freq="M"))
    return pd.Series(values, dtype=object).astype(dtype) if dtype == "string" else pd.Series(values, dtype=dtype)


@st.composite
def arrow_columns(draw: st.DrawFn, n_rows: int) -> pd.Series:
    kind, values = draw(st.sampled_from(ARROW))
    array = pa.array(draw(st.lists(values, min_size=n_rows, max_size=n_rows)), type=kind)
    return pd.Series(pd.arrays.ArrowExtensionArray(array))


def constant_columns(n_rows: int) -> st.SearchStrategy[pd.Series]:
    return st.sampled_from([1, 0.5, "a", None, float("nan"), float("inf"), True]).map(
        lambda value: pd.Series([value] * n_rows, dtype=object if value is None else None)
    )


def columns(n_rows: int) -> st.SearchStrategy[pd.Series]:
    return st.one_of(
        object_columns(n_rows), typed_columns(n_rows), arrow_columns(n_rows), constant_columns(n_rows)
    )


names = st.one_of(
    st.text(max_size=3),
    st.integers(0, 3),
    st.none(),
    st.sampled_from(["a", "b", "né", "a b", 1.5, ("a", "b"), pd.Timestamp("2020-01-01"), "\ud800"]),
)


@st.composite
def tables(draw: st.DrawFn, *, max_columns: int = 4) -> pd.DataFrame:
    n_rows = draw(st.one_of(st.integers(0, 3), st.integers(4, MAX_ROWS)))
    cells = draw(st.lists(columns(n_rows), max_size=max_columns))
    frame = pd.concat(cells, axis=1) if cells else pd.DataFrame(index=range(n_rows))
    if draw(st.booleans()):
        frame.columns = pd.Index(draw(st.lists(names, min_size=len(cells), max_size=len(cells))), dtype=object)
    elif draw(st.booleans()) and len(cells):
        frame.columns = pd.MultiIndex.from_tuples([("top", j % 3) for j in range(len(cells))])
    return frame


targets_of_classes = st.sampled_from([["a", "b"], [0, 1], [True, False], [0, 1, 2], ["né", "b", "1"]])


@st.composite
def targets(draw: st.DrawFn, n_rows: int) -> Any:
    """A target: often one that can be predicted, so that the table is looked at; otherwise any column."""
    if draw(st.integers(0, 3)):
        values = draw(st.one_of(targets_of_classes, st.just([0.5, 1.5, 2.25, -1.0])))
        return [values[i % len(values)] for i in range(n_rows)]
    return draw(columns(n_rows))


@st.composite
def datasets(draw: st.DrawFn) -> tuple[Any, Any]:
    """A table in some form, and its target in some form."""
    frame = draw(tables())
    target = draw(targets(len(frame)))
    form = draw(st.sampled_from(["pair", "frame", "array", "dict", "rows", "named", "column"]))
    if form == "named" and "y" not in list(frame.columns) and not isinstance(frame.columns, pd.MultiIndex):
        return frame.assign(
            y=np.asarray(target, dtype=object) if isinstance(target, list) else target.to_numpy()
        ), "y"
    if form == "column":
        return frame, draw(names)
    X = {
        "array": lambda: frame.to_numpy(dtype=object),
        "dict": lambda: {str(j): frame.iloc[:, j].tolist() for j in range(frame.shape[1])},
        "rows": lambda: frame.to_numpy(dtype=object).tolist(),
    }.get(form, lambda: frame)()
    return ((X, target), None) if form == "pair" else (X, target)
