"""The canonicalizer: one form a role, the same whatever dtype the columns have when predicting."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from autometa.domain.columns import ColumnCanonicalizer
from autometa.foundation.errors import TableError

TEXTS = [f"some text number {i}" for i in range(6)]


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "n": [1.0, 2.0, np.nan, 4.0, np.inf, 6.0],
            "c": ["a", "b", None, "a", "b", "c"],
            "k": pd.Categorical([1, 2, 1, 2, 1, 2]),
            "b": [True, False, True, True, False, False],
            "d": pd.date_range("2020-01-01", periods=6),
            "t": TEXTS,
        }
    )


def test_forms(frame):
    table = ColumnCanonicalizer().fit_transform(frame)
    assert table.dtypes.astype(str).tolist() == [
        "float64", "category", "category", "float64", "datetime64[ns]", "object",
    ]  # fmt: skip
    assert np.isnan(table["n"]).tolist() == [False, False, True, False, True, False]
    assert table["c"].cat.categories.tolist() == ["a", "b", "c"]
    assert table["k"].cat.categories.tolist() == ["1", "2"]
    assert table["b"].tolist() == [1, 0, 1, 1, 0, 0]


def test_it_is_idempotent(frame):
    fitted = ColumnCanonicalizer().fit(frame)
    table = fitted.transform(frame)
    pd.testing.assert_frame_equal(fitted.transform(table), table)
    pd.testing.assert_frame_equal(ColumnCanonicalizer(fitted.roles_).fit_transform(table), table)


DRIFTS = {
    "float to int": ("n", lambda c: c.fillna(0).replace(np.inf, 0).astype("int32"), None),
    "float to text": ("n", lambda c: c.astype(str), None),
    "float to arrow": ("n", lambda c: c.astype("float64[pyarrow]"), None),
    "float to nullable": ("n", lambda c: c.astype("Float64"), None),
    "float to object": ("n", lambda c: c.astype(object), None),
    "category to object": ("k", lambda c: c.astype(object), "same"),
    "category to float": ("k", lambda c: c.astype(float), "same"),
    "category to text": ("k", lambda c: c.astype(str), "same"),
    "text to category": ("c", lambda c: c.astype("category"), "same"),
    "text to arrow": ("c", lambda c: c.astype("string[pyarrow]"), "same"),
    "bool to object": ("b", lambda c: c.astype(object), "same"),
    "bool to text": ("b", lambda c: c.astype(str), "same"),
    "bool to int": ("b", lambda c: c.astype(int), "same"),
    "bool to nullable": ("b", lambda c: c.astype("boolean"), "same"),
    "date to text": ("d", lambda c: c.astype(str), "same"),
    "date to arrow": ("d", lambda c: c.astype("timestamp[us][pyarrow]"), "same"),
    "date to UTC": ("d", lambda c: c.dt.tz_localize("UTC"), "same"),
    "date to object": ("d", lambda c: c.astype(object), "same"),
    "text to string": ("t", lambda c: c.astype("string"), "same"),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_dtypes_may_drift_between_fit_and_predict(frame, drift):
    name, change, _ = DRIFTS[drift]
    fitted = ColumnCanonicalizer().fit(frame)
    expected = fitted.transform(frame)
    found = fitted.transform(frame.assign(**{name: change(frame[name])}))
    if drift == "float to int":
        expected[name] = [1.0, 2.0, 0.0, 4.0, 0.0, 6.0]
    pd.testing.assert_frame_equal(found, expected)


def test_polars_frames_are_taken(frame):
    frame = frame.drop(columns="k")  # polars has no categories of numbers
    fitted = ColumnCanonicalizer().fit(frame)
    pd.testing.assert_frame_equal(fitted.transform(pl.from_pandas(frame)), fitted.transform(frame))


def test_unseen_categories_are_missing(frame):
    fitted = ColumnCanonicalizer().fit(frame)
    assert fitted.transform(frame.assign(c="new"))["c"].isna().all()


def test_column_order_and_extra_columns_do_not_matter(frame):
    fitted = ColumnCanonicalizer().fit(frame)
    other = frame[frame.columns[::-1]].assign(extra=1)
    pd.testing.assert_frame_equal(fitted.transform(other), fitted.transform(frame))


def test_a_lacking_column_is_named(frame):
    with pytest.raises(TableError, match=r"lacks the columns \['c'\]") as caught:
        ColumnCanonicalizer().fit(frame).transform(frame.drop(columns="c"))
    assert caught.value.context["columns"] == ["c"]


def test_given_roles_win_and_those_of_other_columns_are_ignored(frame):
    fitted = ColumnCanonicalizer({"n": "categorical", "gone": "text"}).fit(frame)
    assert fitted.roles_["n"] == "categorical"
    assert fitted.categories_["n"].tolist() == ["1", "2", "4", "6", "inf"]
    assert "gone" not in fitted.roles_


def test_the_way_dates_are_written_is_learned():
    train = pd.DataFrame({"d": ["25/12/2020", "05/12/2020"]})
    fitted = ColumnCanonicalizer().fit(train)
    later = fitted.transform(pd.DataFrame({"d": ["03/04/2021"]}))
    assert later["d"].iloc[0] == pd.Timestamp("2021-04-03")


def test_it_is_an_ordinary_transformer(frame):
    transformer = ColumnCanonicalizer()
    with pytest.raises(NotFittedError):
        transformer.transform(frame)
    fitted = clone(transformer).fit(frame)
    assert fitted.get_feature_names_out().tolist() == list(frame.columns)
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.transform(frame), fitted.transform(frame))


def test_the_table_is_not_changed(frame):
    before = frame.copy(deep=True)
    ColumnCanonicalizer().fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_row_labels_are_kept_even_if_they_repeat(frame):
    frame.index = [5, 5, 1, 1, 0, 0]
    table = ColumnCanonicalizer().fit_transform(frame)
    assert table.index.tolist() == [5, 5, 1, 1, 0, 0]
    assert table["c"].tolist()[:2] == ["a", "b"]


def test_a_hundred_thousand_categories():
    names = [f"c{i}" for i in range(100_000)]
    table = ColumnCanonicalizer({"c": "categorical"}).fit_transform(pd.DataFrame({"c": names}))
    assert len(table["c"].cat.categories) == 100_000
    assert table["c"].tolist() == names
