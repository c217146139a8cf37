"""Meta-features of five bundled tables are what they were.

``python -m tests.golden.test_metafeatures`` writes the file anew; raise SCHEMA_VERSION when values change.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from autometa.components.metafeatures import CATALOGUE, SCHEMA_VERSION, extract
from autometa.domain.task import Task

GOLDEN = Path(__file__).with_name("metafeatures.json")
# Ties between splits or neighbours are broken by the last bits of sums, which differ between processors.
TOLERANCE = {"general": 1e-12, "statistical": 1e-7, "info_theory": 1e-9, "landmarking": 0.03}


def tables():
    wine_X, wine_y = datasets.load_wine(return_X_y=True, as_frame=True)
    wine_X["alcohol"] = pd.cut(wine_X["alcohol"], 4, labels=list("abcd"))
    wine_X.loc[::7, "ash"] = np.nan
    digits_X, digits_y = datasets.load_digits(return_X_y=True)
    return {
        "iris": datasets.load_iris(return_X_y=True),
        "breast_cancer": datasets.load_breast_cancer(return_X_y=True),
        "wine_with_levels_and_gaps": (wine_X, wine_y.map({0: "one", 1: "two", 2: "three"})),
        "digits": (digits_X[:500], digits_y[:500]),
        "diabetes": datasets.load_diabetes(return_X_y=True),
    }


def metafeatures(name):
    found = extract(Task.from_arrays(*tables()[name])).to_dict()
    return {key: None if np.isnan(value) else value for key, value in found.items()}


@pytest.mark.parametrize("name", tables())
def test_values(name):
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["schema_version"] == SCHEMA_VERSION
    found, expected = metafeatures(name), golden["tables"][name]
    assert list(found) == list(expected)
    groups = {feature.name: feature.group for feature in CATALOGUE}
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=TOLERANCE[groups[key]], abs=TOLERANCE[groups[key]]), key


if __name__ == "__main__":
    content = {"schema_version": SCHEMA_VERSION, "tables": {name: metafeatures(name) for name in tables()}}
    GOLDEN.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
