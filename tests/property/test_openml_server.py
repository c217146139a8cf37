"""Whatever a table holds, the ARFF file that the test server makes of it holds the same."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import arff
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.openml_server.arff_files import attributes, write_arff

# Line breaks and other control characters are left out: an ARFF file has one row a line.
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(1, 8))
    values = draw(st.lists(TEXT, min_size=1, max_size=5, unique=True))
    codes = draw(st.lists(st.integers(-1, len(values) - 1), min_size=n, max_size=n))
    numbers = draw(st.lists(st.floats(allow_infinity=False), min_size=n, max_size=n))
    texts = draw(st.lists(st.none() | TEXT, min_size=n, max_size=n))
    return pd.DataFrame(
        {
            "number": np.array(numbers, dtype=float),
            "nominal one": pd.Categorical.from_codes(codes, categories=pd.Index(values, dtype=object)),
            "text": pd.Series(texts, dtype=object),
        }
    )


def same(left: Any, right: Any) -> bool:
    is_missing = right is None or (isinstance(right, float) and math.isnan(right))
    return left is None if is_missing else left == right


@settings(deadline=None, max_examples=150)
@given(tables())
def test_an_arff_file_holds_its_table(frame: pd.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.arff"
        write_arff(path, "it's a 'relation'", frame)
        read = arff.loads(path.read_text(encoding="utf-8"))
    assert read["attributes"] == attributes(frame)
    assert len(read["data"]) == len(frame)
    for row, expected in zip(read["data"], frame.itertuples(index=False), strict=True):
        assert all(same(left, right) for left, right in zip(row, expected, strict=True)), (row, expected)
