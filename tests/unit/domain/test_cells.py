"""Cells of every kind as numbers, booleans, dates, texts and categories."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from autometa.domain.cells import as_booleans, as_categories, as_datetimes, as_numbers, as_texts, is_day_first

NAN = float("nan")


def objects(*cells):
    return pd.Series(cells, dtype=object)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([1, 2], dtype="int8"), [1, 2]),
        (pd.Series([1, None], dtype="Int64"), [1, NAN]),
        (pd.Series([1.5, np.inf, -np.inf]), [1.5, NAN, NAN]),
        (pd.Series([True, None], dtype="boolean"), [1, NAN]),
        (pd.Series([90, None], dtype="timedelta64[s]"), [90, NAN]),
        (pd.to_datetime(pd.Series(["1970-01-02", None])), [86400, NAN]),
        (pd.Series(pd.PeriodIndex(["1970-01-02"], freq="D")), [86400]),
        (pd.Series(["2", "x", None], dtype="category"), [2, NAN, NAN]),
        (objects("1", " 2.5 ", "?", "1e400", None, pd.NA), [1, 2.5, NAN, NAN, NAN, NAN]),
        (objects(1, True, 2.5, "x"), [1, 1, 2.5, NAN]),
        (objects(Decimal("1.5"), Fraction(1, 4), Decimal("nan")), [1.5, 0.25, NAN]),
        (objects(10**400, 1, 2**63), [NAN, 1, 2.0**63]),
        (objects(datetime.timedelta(minutes=1), np.timedelta64(2, "s"), pd.NaT), [60, 2, NAN]),
        (objects(datetime.time(1, 0, 1), datetime.date(1970, 1, 2)), [3601, 86400]),
        (objects([1], {}, object()), [NAN, NAN, NAN]),
        (pd.Series(pd.arrays.ArrowExtensionArray(pa.array([1, None], type=pa.duration("s")))), [1, NAN]),
    ],
)
def test_numbers(column, expected):
    np.testing.assert_array_equal(as_numbers(column), np.array(expected, dtype=float))


def test_numbers_are_not_copied_and_can_keep_infinities():
    cells = np.array([1.0, np.inf])
    column = pd.Series(cells, copy=False)
    assert np.shares_memory(as_numbers(column, keep_infinite=True), cells)
    assert np.isinf(as_numbers(column, keep_infinite=True)).tolist() == [False, True]
    assert cells[1] == np.inf


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([True, False]), [1, 0]),
        (objects(True, False, None), [1, 0, NAN]),
        (objects("True", " no ", "Y", "off", "0", "maybe"), [1, 0, 1, 0, 0, NAN]),
        (pd.Series(["yes", "no"], dtype="category"), [1, 0]),
        (pd.Series([0.0, 1.0, NAN]), [0, 1, NAN]),
    ],
)
def test_booleans(column, expected):
    np.testing.assert_array_equal(as_booleans(column), np.array(expected, dtype=float))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series(pd.to_datetime(["2020-01-01 12:00"]).tz_localize("Europe/Paris")), ["2020-01-01T11:00"]),
        (objects("2020-02-01", "1 March 2020", "x"), ["2020-02-01", "2020-03-01", "NaT"]),
        (objects(datetime.date(9999, 12, 31), datetime.date(1, 1, 1)), ["2262-01-01", "1678-01-01"]),
        (objects(pd.Period("2020-02", "M"), np.datetime64("2020-01-01")), ["2020-02-01", "2020-01-01"]),
        (pd.Series(pd.PeriodIndex(["1600-01", "2020-01"], freq="M")), ["1678-01-01", "2020-01-01"]),
        (pd.Series([1, 2], dtype="datetime64[s]"), ["1970-01-01", "1970-01-01"]),
        (objects("2020-01-01T00:00:00+02:00", None), ["2019-12-31T22:00", "NaT"]),
    ],
)
def test_datetimes(column, expected):
    found = as_datetimes(column)
    assert found.dtype == "datetime64[ns]"
    unit = "datetime64[m]" if any(":" in text for text in expected) else "datetime64[D]"
    assert found.astype(unit).tolist() == np.array(expected, dtype=unit).tolist()


@pytest.mark.parametrize(
    ("texts", "day_first"),
    [
        (["25/12/2020", "05/12/2020"], True),
        (["12/25/2020", "05/12/2020"], False),
        (["05/12/2020"], False),
        (["05.12.2020"], True),
        (["2020-12-05"], False),
        (["25/12/2020", "12/25/2020"], False),
        (["x"], False),
    ],
)
def test_whether_the_day_comes_first_is_found(texts, day_first):
    assert is_day_first(objects(*texts)) is day_first


def test_day_first_dates_are_read_alike():
    months = as_datetimes(objects("25/12/2020", "05/12/2020"), day_first=True).astype("datetime64[M]")
    assert set(months.tolist()) == {datetime.date(2020, 12, 1)}


def test_texts():
    assert as_texts(objects("a", None, 1, "\ud800", pd.NA)).tolist() == ["a", "", "1", "?", ""]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (objects(1, 1.0, "1", Decimal("1.0"), None), ["1", "1", "1", "1", None]),
        (objects(True, 1, False), ["True", "1", "False"]),
        (objects([1], [2], [1]), ["[1]", "[2]", "[1]"]),
        (pd.Series([2, 1, None], dtype="category"), ["2", "1", None]),
        (pd.Series([0.5, 2.0, NAN]), ["0.5", "2", None]),
        (pd.Series(["b", None], dtype="string"), ["b", None]),
        (objects(Decimal("Infinity"), Decimal("-Infinity")), ["Infinity", "-Infinity"]),
    ],
)
def test_categories(column, expected):
    codes, names = as_categories(column)
    assert [names[code] if code >= 0 else None for code in codes] == expected
