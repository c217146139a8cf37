"""What a time budget buys beside peers on OpenML-CC18: which datasets, which rows, and what the runs say."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autometa.domain import holdout_splits
from autometa.engine.benchmark.sources import BenchmarkSource
from tests.results_tables import results_table


@pytest.fixture
def driver(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "benchmarks")  # as when it is run as a script
    import budgets

    yield budgets
    for name in ("budgets", "budgets_report", "cc18_suite"):
        sys.modules.pop(name, None)


@pytest.fixture
def folder(tmp_path):
    """Three datasets, one of which is not of the suite, with a target that is sometimes missing."""
    path = tmp_path / "data"
    (path / "parquet").mkdir(parents=True)
    rows = []
    for did, suites, n_rows in ((1, "CC18;AMLB", 120), (2, "CC18", 60), (3, "AMLB", 60)):
        generator = np.random.default_rng(did)
        target = pd.Series(generator.choice(["no", "yes"], size=n_rows, p=[0.7, 0.3]), dtype="category")
        target.iloc[5] = None
        frame = pd.DataFrame({"a": generator.normal(size=n_rows), "b": np.arange(n_rows), "class": target})
        frame.to_parquet(path / "parquet" / f"{did}.parquet")
        facts = {"did": did, "name": f"data-{did}", "group": f"group-{did}", "task_type": "classification"}
        sizes = {"n_rows": n_rows, "n_features": 2, "target": "class", "file": f"{did}.parquet"}
        rows.append({**facts, **sizes, "suites": suites})
    pd.DataFrame(rows).to_csv(path / "index.csv", index=False)
    return path


@pytest.fixture
def runs():
    """Runs of four systems on four datasets of three groups."""
    losses = {
        "autometa": [0.30, 0.40, 0.50, 0.60],
        "autometa@60s": [0.20, 0.40, 0.40, 0.65],
        "flaml@60s": [0.40, 0.50, 0.30, 0.60],
        "autogluon@60s": [0.25, 0.45, 0.60, 0.70],
    }
    table = results_table(losses, split_source="own")
    return table.assign(group=table["dataset"].map(lambda name: "a" if name < "data-002" else name))


def entries(driver, folder):
    return driver.suite.entries(folder)


def test_only_datasets_of_the_suite_are_taken_small_ones_first(driver, folder):
    assert [entry.name for entry in entries(driver, folder)] == ["data-2", "data-1"]


def test_named_datasets_are_taken_by_name_or_key_and_unknown_ones_refused(driver, folder):
    both = driver.choose(entries(driver, folder), ["data-1", "openml-2"], None)
    assert {entry.name for entry in both} == {"data-1", "data-2"}
    with pytest.raises(SystemExit, match=r"no datasets \['data-3'\]"):
        driver.choose(entries(driver, folder), ["data-3"], None)


@pytest.mark.parametrize(("at_most", "places"), [(2, [0, 9]), (4, [0, 3, 6, 9]), (20, list(range(10)))])
def test_a_subset_goes_from_the_smallest_to_the_largest_in_equal_steps(driver, at_most, places):
    listed = [SimpleNamespace(name=str(place)) for place in range(10)]
    chosen = driver.choose(listed, None, at_most)
    assert [entry.name for entry in chosen] == [str(place) for place in places]


def test_the_cut_folder_has_the_rows_and_splits_of_the_other_drivers(driver, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(driver.suite, "MAX_ROWS", 80)
    driver.write_cut(folder, entries(driver, folder), tmp_path / "cut")
    posed = BenchmarkSource(tmp_path / "cut", "", tmp_path, own_splits=2).load("folder:openml-1")
    expected, _ = driver.suite.load(folder, "openml-1", 0)
    assert posed.task.n_samples == 80
    pd.testing.assert_frame_equal(posed.task.X, expected.X.reset_index(drop=True))
    assert (posed.task.y == expected.y).all()
    assert posed.task.group == "group-1"
    for fold, split in zip(posed.folds, holdout_splits(expected, 2), strict=True):
        assert (fold.train == split.train).all()


def test_a_run_is_exported_with_the_group_of_its_dataset(driver, folder, tmp_path):
    options = argparse.Namespace(
        systems=["sklearn.dummy.DummyClassifier"], n_splits=1, seconds_per_cell=60.0, gibibytes_per_cell=4.0
    )
    driver.run(folder, tmp_path / "work", entries(driver, folder)[:1], options)
    found = driver.export(folder, tmp_path / "work")
    assert found[["dataset", "group", "status", "n_train"]].to_numpy().tolist() == [
        ["data-2", "group-2", "ok", 41]
    ]
    assert np.isfinite(found["log_loss"]).all()


def test_standings_are_means_over_datasets_and_ranks_among_all(driver, runs):
    table = driver.budgets_report.report(runs)
    standing = table[table["kind"] == "standing"].set_index("system")
    assert standing.index[0] == "autometa@60s"
    assert standing.loc["autometa@60s", "log_loss"] == pytest.approx(0.4125)
    assert standing.loc["autometa@60s", "rank"] == pytest.approx((1 + 1.5 + 2 + 3) / 4)
    assert standing.loc["flaml@60s", "wins"] == 2
    assert (standing["log_loss_low"] <= standing["log_loss"]).all()
    assert (standing["log_loss"] <= standing["log_loss_high"]).all()


def test_differences_are_paired_and_negative_where_autometa_is_better(driver, runs):
    table = driver.budgets_report.report(runs)
    pairs = table[table["kind"] == "difference"].set_index(["system", "against"])
    assert set(pairs.index.get_level_values("system")) == {"autometa", "autometa@60s"}
    row = pairs.loc["autometa@60s", "flaml@60s"]
    assert row["difference"] == pytest.approx((-0.2 - 0.1 + 0.1 + 0.05) / 4)
    assert row[["wins", "ties", "losses"]].tolist() == [2, 0, 2]
    assert row["rank_difference"] == 0
    assert pairs.loc["autometa", "autometa@60s"][["wins", "ties", "losses"]].tolist() == [1, 1, 2]
    assert pairs.loc["autometa", "best peer"]["difference"] == pytest.approx((0.05 - 0.05 + 0.2 + 0.0) / 4)
    assert pairs.loc["autometa", "best system"]["difference"] == pytest.approx((0.1 + 0.0 + 0.2 + 0.0) / 4)


def test_siblings_are_drawn_together(driver):
    """Six datasets that always come together tell less than six that do not."""
    table = results_table({"autometa": [0.9] * 6 + [0.4] * 6, "flaml@60s": [0.4] * 12}, split_source="own")
    apart = table.assign(group=table["dataset"])
    siblings = apart.assign(group=apart["group"].where(apart["group"] >= "data-006", "siblings"))
    (low, high), (low_apart, high_apart) = (
        found[found["against"] == "flaml@60s"][["difference_low", "difference_high"]].iloc[0]
        for found in map(driver.budgets_report.report, (siblings, apart))
    )
    assert low < low_apart < 0.25 < high_apart < high


def test_a_single_group_tells_no_interval(driver):
    table = results_table({"autometa": [0.9] * 6, "flaml@60s": [0.4, 0.5, 0.6, 0.4, 0.5, 0.6]}, split_source="own")
    found = driver.budgets_report.report(table.assign(group="siblings"))
    pair = found[found["against"] == "flaml@60s"].iloc[0]
    assert pair["difference"] == pytest.approx(0.4)
    assert pair[["difference_low", "difference_high"]].isna().all()


def test_a_failed_cell_is_as_bad_as_the_worst_and_counted(driver, runs):
    failed = (runs["dataset"] == "data-000") & (runs["system"] == "autometa")
    runs.loc[failed, ["status", "log_loss"]] = ["timeout", np.nan]
    table = driver.budgets_report.report(runs)
    standing = table[table["kind"] == "standing"].set_index("system")
    assert standing.loc["autometa", "failures"] == 1
    assert standing.loc["autometa", "log_loss"] == pytest.approx((0.4 + 0.4 + 0.5 + 0.6) / 4, abs=1e-5)


def test_losses_by_dataset_name_first_where_the_longest_budget_loses_most(driver, runs):
    table = driver.budgets_report.by_dataset(runs)
    assert table["dataset"].iloc[0] == "data-002"
    assert table["autometa@60s less best peer"].tolist() == pytest.approx([0.1, 0.05, -0.05, -0.05])


def test_the_best_candidate_counts_where_all_candidates_were_run(driver, runs):
    tried = pd.DataFrame(
        {
            "name": ["data-000"] * 3 + ["data-001"] * 2,
            "split": 0,
            "candidate": ["x", "y", "z", "x", "y"],
            "n_offered": 3,
            "status": ["ok", "ok", "timeout", "ok", "ok"],
            "log_loss": [0.15, 0.5, 0.01, 0.1, 0.2],
        }
    )
    table = driver.budgets_report.report(runs, tried)
    row = table[(table["system"] == "autometa") & (table["against"] == "best candidate")].iloc[0]
    assert row["n_datasets"] == 1
    assert row["difference"] == pytest.approx(0.30 - 0.15)
