"""Where name and definition are pymfe's, so is the value.

Exact but for rounding (1e-9) except for what rests on pymfe's joint entropy, which adds 1e-8 to every cell of the
table of frequencies (1e-5), and its canonical correlations, which are found iteratively (1e-5).
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from autometa.components.metafeatures import CATALOGUE, extract
from autometa.domain.task import Task

LOOSE = ("mut_inf.", "ns_ratio", "eq_num_attr", "can_cor.")
SHARED = [feature.name for feature in CATALOGUE if feature.source == "pymfe"]


def pymfe_values(X, y, cat_cols=(), transform_cat=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pymfe.mfe import MFE

        mfe = MFE(groups=["general", "statistical", "info-theory"], summary=["mean", "sd", "max", "min", "median"])
        mfe.fit(X, y, cat_cols=list(cat_cols), transform_cat=transform_cat)
        return dict(zip(*mfe.extract(), strict=True))


def tables():
    rng = np.random.default_rng(0)
    skewed = np.round(rng.exponential(size=(216, 5)), 1)
    skewed[:, 4] = rng.integers(0, 2, 216)
    return {
        "iris": load_iris(return_X_y=True),
        "wine": load_wine(return_X_y=True),
        "breast_cancer": load_breast_cancer(return_X_y=True),
        "ties": (skewed, (skewed[:, 0] + rng.normal(size=216) > 1).astype(int)),
    }


@pytest.mark.parametrize("table", tables())
def test_tables_of_numbers(table):
    X, y = tables()[table]
    ours, theirs = extract(Task.from_arrays(X, y)).to_dict(), pymfe_values(X, y)
    for name in SHARED:
        tolerance = 1e-5 if name.startswith(LOOSE) else 1e-9
        assert ours[name] == pytest.approx(theirs[name], rel=tolerance, abs=1e-12), name
    assert ours["bin_share"] * X.shape[1] == pytest.approx(theirs["nr_bin"])
    assert ours["outlier_attr_share"] * X.shape[1] == pytest.approx(theirs["nr_outliers"])


def test_a_table_of_categories():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    X = np.column_stack([(y + rng.integers(0, 3, 300)) % 4, rng.integers(0, 5, 300), y * rng.integers(0, 2, 300)])
    frame = pd.DataFrame(X).astype(str).astype("category")
    ours = extract(Task.from_arrays(frame, y)).to_dict()
    theirs = pymfe_values(X.astype(str).astype(object), y, cat_cols=[0, 1, 2], transform_cat="one-hot-full")
    exact = ("nr_cat", "sparsity.mean", "attr_ent.mean", "class_ent", "cor.mean", "cor.sd", "nr_cor_attr")
    for name in (*exact, "mut_inf.mean", "mut_inf.max", "mut_inf.sd", "ns_ratio", "eq_num_attr"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-9 if name in exact else 1e-5), name
