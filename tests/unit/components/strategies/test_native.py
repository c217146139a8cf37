from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autometa.domain import ColumnCanonicalizer
from autometa.preprocessing import NativeTable


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "number": [1.0, np.nan, np.inf, 1e300, -2.0, 3.0] * 5,
            "empty": np.nan,
            "kind": ["a", "b", "a", None, "c", "a"] * 5,
            "day": pd.date_range("2020-01-30", periods=30),
            "text": [f"the {i}th sentence of a longer story about {i % 5} dogs" for i in range(30)],
        }
    )


def native(table, **settings):
    return NativeTable(random_state=0, **settings).fit(ColumnCanonicalizer().fit_transform(table))


def test_numbers_keep_what_is_missing_and_fit_into_float32(table):
    canonical = ColumnCanonicalizer().fit(table)
    found = native(table).transform(canonical.transform(table))["f0"]
    assert found.isna().tolist() == ([False, True, True, False, False, False] * 5)
    assert np.isfinite(found.dropna().astype(np.float32)).all()


def test_categories_are_integers_and_what_is_missing_or_unknown_stays_missing(table):
    canonical = ColumnCanonicalizer().fit(table)
    unseen = table.assign(kind="never seen")
    kinds = native(table).transform(canonical.transform(table)).iloc[:, -1]
    assert isinstance(kinds.dtype, pd.CategoricalDtype)
    assert kinds[0] == kinds[2] != kinds[1]
    assert pd.isna(kinds[3])
    assert native(table).transform(canonical.transform(unseen)).iloc[:, -1].isna().all()


def test_the_rarest_levels_share_one():
    table = pd.DataFrame({"kind": list("aaabbcdef") * 4})
    canonical = ColumnCanonicalizer({"kind": "categorical"}).fit_transform(table)
    kinds = NativeTable(max_levels=3).fit(canonical).transform(canonical)["f0"]
    assert kinds.nunique() == 3
    assert kinds[5:9].nunique() == 1
    assert kinds[0] != kinds[3] != kinds[5]


def test_columns_without_any_value_are_dropped_and_one_is_left(table):
    only = table[["empty"]]
    canonical = ColumnCanonicalizer({"empty": "numeric"}).fit_transform(only)
    assert NativeTable().fit(canonical).transform(canonical).shape == (30, 1)
    assert all(native(table).transform(ColumnCanonicalizer().fit_transform(table)).notna().any())


def test_dates_and_texts_become_numbers(table):
    canonical = ColumnCanonicalizer().fit_transform(table)
    found = native(table).transform(canonical)
    assert list(found.columns) == [f"f{j}" for j in range(found.shape[1])]
    assert found.shape[1] > 10
    assert found.drop(columns=["f0", found.columns[-1]]).dtypes.eq(np.float64).all()
