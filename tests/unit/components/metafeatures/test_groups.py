"""Values that follow from the construction of a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from autometa.components.metafeatures import extract
from autometa.components.metafeatures.encoding import bin_numbers, lump_rare
from autometa.components.metafeatures.info_theory import entropy, mutual_information
from autometa.domain.task import Task


def found_for(X, y, **facts):
    return extract(Task.from_arrays(X, y, **facts)).to_dict()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_general(rng):
    X = pd.DataFrame(
        {
            "whole": rng.integers(0, 9, 100),
            "real": np.where(np.arange(100) < 10, np.nan, rng.normal(size=100)),
            "letter": list("abcd") * 25,
            "flag": [True, False] * 50,
            "text": [f"quite a few words here {i}" for i in range(100)],
        }
    )
    found = found_for(X, ["yes"] * 25 + ["no"] * 75)
    expected = {
        "nr_attr": 5,
        "nr_cat": 2,
        "cat_share": 0.4,
        "text_share": 0.2,
        "bin_share": 0.2,
        "whole_share": 0.5,
        "missing_share": 0.02,
        "missing_attr_share": 0.2,
        "cat_levels.mean": 3,
        "cat_levels.max": 4,
        "freq_class.max": 0.75,
        "class_balance": stats.entropy([0.25, 0.75], base=2),
        "inst_to_class": 50,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_the_shape_of_a_numeric_target(rng):
    y = np.where(rng.random(500) < 0.4, 0.0, rng.exponential(size=500))
    found = found_for(rng.normal(size=(500, 2)), y, type="regression")
    factor = 499 / 500
    assert found["target_skewness"] == pytest.approx(stats.skew(y) * factor**1.5)
    assert found["target_kurtosis"] == pytest.approx((stats.kurtosis(y) + 3) * factor**2 - 3)
    assert found["target_mode_share"] == pytest.approx((y == 0).mean())
    assert found["target_distinct_share"] == pytest.approx(len(np.unique(y)) / 500)


def test_moments_leave_out_missing_cells(rng):
    x = rng.exponential(size=300)
    gaps = np.concatenate([x, np.full(100, np.nan)])
    with_gaps = found_for(pd.DataFrame({"x": gaps}), np.arange(400) % 2)
    without = found_for(pd.DataFrame({"x": x}), np.arange(300) % 2)
    for name in ("skewness.mean", "kurtosis.mean", "outlier_share", "mode_share.mean"):
        assert with_gaps[name] == pytest.approx(without[name])


def test_linear_r2_is_the_adjusted_share_of_variance(rng):
    X = rng.normal(size=(200, 3))
    y = X @ [1.0, -2.0, 0.0] + rng.normal(size=200)
    r2 = LinearRegression().fit(X, y).score(X, y)
    assert found_for(X, y)["linear_r2"] == pytest.approx(1 - (1 - r2) * 199 / 196)


def test_the_correlation_ratio_is_that_of_an_analysis_of_variance(rng):
    y = np.arange(240) % 3
    x = y + rng.normal(size=240)
    f = stats.f_oneway(*(x[y == k] for k in range(3))).statistic
    eta2 = 2 * f / (2 * f + 237)
    expected = np.sqrt(1 - (1 - eta2) * 239 / 237)
    assert found_for(x[:, None], y)["target_cor.max"] == pytest.approx(expected)


def test_noise_columns_are_not_informative(rng):
    X = rng.normal(size=(2000, 50))
    y = (X[:, :5].sum(axis=1) > 0).astype(int)
    assert found_for(X, y)["informative_share"] == pytest.approx(0.1, abs=0.04)


def test_principal_components(rng):
    factor = rng.normal(size=(500, 1))
    found = found_for(np.hstack([factor, factor, -factor, rng.normal(size=(500, 1))]), np.arange(500) % 2)
    assert found["pca_first"] == pytest.approx(0.75, abs=0.01)
    assert found["pca_95_share"] == 0.5
    assert found["nr_cor_attr"] == 0.5


def test_mutual_information_of_a_copy_and_of_independent_codes():
    codes = np.arange(12) % 3
    assert mutual_information(codes, codes) == pytest.approx(np.log2(3))
    assert mutual_information(codes, np.arange(12) // 3 % 2) == pytest.approx(0, abs=1e-12)
    assert entropy(np.array([5])) == 0


def test_mutual_information_of_many_values_counts_pairs_by_sorting():
    codes = np.arange(2000)
    target = np.arange(2000) // 2
    assert mutual_information(codes, target) == pytest.approx(np.log2(1000))


def test_bins_have_equal_frequency_and_missing_is_its_own():
    column = np.concatenate([np.arange(64.0), np.full(66, np.nan)])
    counts = np.bincount(bin_numbers(column))
    assert counts.tolist() == [13, 13, 12, 13, 13, 66]
    assert np.bincount(bin_numbers(np.full(5, np.nan))).tolist() == [5]


def test_lumping_keeps_the_frequent_levels():
    codes = np.repeat(np.arange(5), [1, 4, 2, 8, 1])
    assert sorted(np.bincount(lump_rare(codes, 2)).tolist()) == [4, 4, 8]
    assert lump_rare(codes, 5) is codes


def two_circles(rng, n_rows):
    angle = rng.uniform(0, 2 * np.pi, n_rows)
    y = np.arange(n_rows) % 2
    radius = 1 + y + rng.normal(scale=0.15, size=n_rows)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def test_landmarkers_see_what_is_not_linear(rng):
    X, y = two_circles(rng, 800)
    found = found_for(X, y)
    assert found["landmark_rbf"] > 0.95
    assert abs(found["landmark_ridge"]) < 0.2
    assert found["gap_quadratic_ridge"] > 0.7
    assert found["gap_rbf_ridge"] == pytest.approx(found["landmark_rbf"] - found["landmark_ridge"])


def test_landmarkers_see_what_is_linear(rng):
    X = rng.normal(size=(800, 20))
    y = X @ rng.normal(size=20) + rng.normal(size=800)
    found = found_for(X, y)
    assert found["landmark_ridge"] > 0.9
    assert found["gap_tree_ridge"] < -0.3
    assert found["gap_knn_1nn"] > 0
    assert found["slope_knn"] > 0


def test_landmarkers_of_noise_are_near_zero(rng):
    y = rng.permutation(np.arange(2000) % 2)
    found = found_for(rng.normal(size=(2000, 5)), y)
    for name, value in found.items():
        if name.startswith("landmark_"):
            assert abs(value) < 0.15, name


def test_ranks_help_where_tails_are_heavy(rng):
    latent = rng.normal(size=(600, 3))
    y = latent.sum(axis=1) + rng.normal(scale=0.1, size=600)
    assert found_for(np.exp(4 * latent), y)["gap_rank_ridge"] > 0.3


def test_a_rare_class_is_enriched(rng):
    # 0.5 % of the rows: three of 600, were they not chosen first.
    y = (np.arange(8000) % 200 == 0).astype(int)
    X = rng.normal(size=(8000, 4)) + 3 * y[:, None]
    assert found_for(X, y)["landmark_ridge"] > 0.95


def test_few_rows_have_no_landmarkers_and_fewer_than_64_no_slopes(rng):
    X = rng.normal(size=(63, 3))
    assert np.isnan(found_for(X[:9], np.arange(9) % 2)["landmark_ridge"])
    found = found_for(X, np.arange(63) % 2)
    assert not np.isnan(found["landmark_ridge"])
    assert np.isnan(found["slope_ridge"])
