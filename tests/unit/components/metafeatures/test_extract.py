"""extract(): the vector's form, bad tables, sampling, determinism, cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest

from autometa.components.metafeatures import CATALOGUE, extract, metafeature_names
from autometa.domain.task import Task
from autometa.foundation.errors import DataWarning

N = 120


def columns():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=N)
    return {
        "number": numbers,
        "gaps": np.where(rng.random(N) < 0.3, np.nan, numbers),
        "constant": np.ones(N),
        "nothing": np.full(N, np.nan),
        "infinite": np.where(rng.random(N) < 0.3, np.inf, numbers),
        "huge": rng.uniform(-1, 1, N) * 1e308,
        "tiny": numbers * 1e-308,
        "category": rng.choice(["x", "y", "z", None], N),
        "no category": pd.Categorical([None] * N, categories=["q"]),
        "row number": [f"id{i}" for i in range(N)],
        "boolean": rng.random(N) < 0.5,
        "nullable": pd.array([True, None, False] * (N // 3), dtype="boolean"),
        "integer": pd.array([1, None, 2, 3] * (N // 4), dtype="Int64"),
        "date": pd.date_range("2020-01-01", periods=N).where(rng.random(N) < 0.9),
        "duration": pd.to_timedelta(rng.integers(0, 9, N), unit="h"),
        "text": [f"some longer words about row {i}" for i in range(N)],
        "mixed": [1, "a", None, 2.5] * (N // 4),
    }


def targets():
    rng = np.random.default_rng(1)
    return {"classification": rng.integers(0, 3, N), "regression": rng.normal(size=N)}


def make_task(X, y, **facts):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Task.from_arrays(X, y, **facts)


def check_form(found, task):
    assert found.names == metafeature_names(task.is_classification)
    assert found.values.shape == (len(found.names),) == (len(found.groups),)
    assert found.values.dtype == np.float64
    assert not np.isinf(found.values).any()
    limits = {feature.name: feature.range for feature in CATALOGUE}
    for name, value in found.to_dict().items():
        low = limits[name].strip("[(").split(",")[0]
        if low in ("0", "1", "2", "-1", "-2", "-3"):
            assert not value < float(low) - 1e-9, name
        if limits[name].endswith("1]"):
            assert not value > 1 + 1e-9, name


@pytest.mark.parametrize("family", ["classification", "regression"])
@pytest.mark.parametrize("name", columns())
def test_a_single_column_of_any_kind(name, family):
    task = make_task(pd.DataFrame({name: columns()[name]}), targets()[family], type=family)
    check_form(extract(task), task)


@pytest.mark.parametrize("family", ["classification", "regression"])
def test_all_kinds_of_columns_together(family):
    task = make_task(pd.DataFrame(columns()), targets()[family], type=family)
    found = extract(task)
    check_form(found, task)
    assert not np.isnan(found.values).any()


@pytest.mark.parametrize("n_rows", [2, 3, 9, 10, 11])
@pytest.mark.parametrize("family", ["classification", "regression"])
def test_few_rows(n_rows, family):
    y = np.arange(n_rows) % 2 if family == "classification" else np.arange(n_rows) + 0.5
    task = make_task(pd.DataFrame(columns()).iloc[:n_rows], y, type=family)
    check_form(extract(task), task)


def test_classes_with_one_row():
    y = np.concatenate([np.zeros(N - 10, dtype=int), np.arange(1, 11)])
    task = make_task(pd.DataFrame(columns()), y, type="classification")
    check_form(extract(task), task)


def test_a_subset_with_a_single_class():
    y = targets()["classification"]
    task = make_task(pd.DataFrame(columns()), y).take(np.flatnonzero(y == 0))
    found = extract(task)
    assert not np.isinf(found.values).any()
    assert found.to_dict()["class_ent"] == 0
    assert np.isnan(found.to_dict()["landmark_ridge"])


def test_a_target_without_variance():
    task = make_task(pd.DataFrame(columns()), np.full(N, 2.5), type="regression")
    found = extract(task).to_dict()
    assert np.isnan(found["linear_r2"])
    assert np.isnan(found["landmark_ridge"])
    assert found["target_mode_share"] == 1


def test_a_target_near_the_greatest_float():
    y = np.random.default_rng(0).uniform(-1, 1, N)
    X = pd.DataFrame(columns())
    small = extract(make_task(X, y, type="regression"))
    np.testing.assert_allclose(extract(make_task(X, y * 1e307, type="regression")).values, small.values, atol=1e-7)


def test_a_hundred_thousand_categories():
    n_rows = 100_000
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"id": [f"v{i}" for i in range(n_rows)], "x": rng.normal(size=n_rows)})
    task = make_task(X, rng.integers(0, 2, n_rows))
    found = extract(task)
    check_form(found, task)
    # A column of row numbers tells nothing about the target, although its mutual information is the greatest.
    assert found.to_dict()["mut_inf.max"] == pytest.approx(1, abs=1e-3)
    assert found.to_dict()["uncertainty_coef.max"] < 0.01


def test_more_columns_than_are_sampled():
    X = np.random.default_rng(0).normal(size=(60, 700))
    found = extract(make_task(X, np.arange(60) % 2)).to_dict()
    assert found["nr_attr"] == 700
    assert found["inst_to_attr"] == 60 / 700


def test_sizes_and_class_shares_are_those_of_the_whole_table():
    rng = np.random.default_rng(0)
    y = (np.arange(30_000) % 10 == 0).astype(int)
    found = extract(make_task(rng.normal(size=(30_000, 3)), y)).to_dict()
    assert found["nr_inst"] == 30_000
    assert found["freq_class.min"] == pytest.approx(0.1)
    assert found["inst_to_class"] == 15_000


def test_a_sample_agrees_with_the_whole():
    rng = np.random.default_rng(0)
    X = rng.exponential(size=(40_000, 4))
    y = (X[:, 0] + rng.normal(size=40_000) > 1).astype(int)
    large, small = extract(make_task(X, y)), extract(make_task(X[:10_000], y[:10_000]))
    for name in ("skewness.mean", "cor.mean", "can_cor.max", "mut_inf.max", "target_cor.max"):
        assert large.to_dict()[name] == pytest.approx(small.to_dict()[name], rel=0.15, abs=0.01)


def test_the_values_cannot_be_written():
    found = extract(make_task(np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2))
    with pytest.raises(ValueError, match="read-only"):
        found.values[0] = 1.0


SCRIPT = """
import sys, warnings
warnings.simplefilter("error")
from sklearn.datasets import load_breast_cancer
from autometa.domain.task import Task
from autometa.components.metafeatures import extract
X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X["level"] = X["mean radius"].round().astype(str)
found = extract(Task.from_arrays(X, y.map({0: "no", 1: "yes"})), random_state=3)
"""
PRINT = """
print(found.values.tobytes().hex())
print([name for name in ("torch", "openml", "optuna") if name in sys.modules])
"""


def test_the_same_in_every_process_and_without_heavy_imports():
    here = {}
    with warnings.catch_warnings():  # the script sets a filter
        exec(SCRIPT, here)
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT + PRINT],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    values, heavy = finished.stdout.split("\n")[:2]
    assert values == here["found"].values.tobytes().hex()
    assert heavy == "[]"


def test_seconds_and_bytes_stay_within_ten_times_what_was_measured():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200_000, 50)).astype(np.float32)
    task = make_task(X, X[:, 0] > 0)
    extract(task)
    started = time.process_time()
    tracemalloc.start()
    extract(task)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - started < 2.0
    assert peak < 100e6
