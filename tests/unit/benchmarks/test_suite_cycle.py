"""What the driver of the whole cycle serves, and what it takes for a failure; the stored result has none."""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_iris

from benchmarks import suite_cycle

STORED = Path(__file__).parents[3] / "benchmarks" / "results" / "suite_cycle.json"


@pytest.fixture
def stored():
    return json.loads(STORED.read_text())


def test_the_stored_cycle_is_as_it_must_be(stored):
    assert stored["not_as_it_must_be"] == []
    assert suite_cycle.problems(stored, kills=2) == []
    assert stored["cells"] == stored["tasks"] * len(stored["systems"]) * stored["folds"]
    assert {"autometa", "default:linear"} < set(stored["systems"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows_equal": -1}, "rows are equal"),
        ({"predictions_equal": 0}, "predictions are equal"),
        ({"statuses": {"ok": 20, "error": 4}}, "cells end well or at a limit"),
        ({"statuses": {"timeout": 24}}, "some end well"),
        ({"runs_read_back": 23}, "what is published is read back"),
        ({"rows_twice": 1}, "each cell is one row"),
        ({"kills": 1}, "it was killed as often as wanted"),
        ({"uploads_at_second_publish": 1}, "a second time sends nothing"),
        ({"uploads_of_the_dry_run": 1}, "a dry run sends nothing"),
        ({"runs_on_the_server": 0}, "each run is sent once"),
        ({"max_difference": 1e-5}, "the figures are ours"),
        ({"max_difference": float("nan")}, "the figures are ours"),
        ({"max_difference_of_predictions": float("inf")}, "the predictions are ours"),
        ({"max_difference_of_comparison": float("nan")}, "and are equal"),
        ({"compared": {"killed": {}, "whole": {}}}, "all stand beside each other"),
    ],
)
def test_what_is_not_as_it_must_be_is_said(stored, change, said):
    assert suite_cycle.problems({**copy.deepcopy(stored), **change}, kills=2) == [said]


def test_tasks_of_the_suite_are_served_on_a_stratified_part_of_their_rows(tmp_path):
    frame = load_iris(as_frame=True).frame
    frame["target"] = pd.Categorical([f"c{label}" for label in frame["target"]])
    (tmp_path / "data" / "parquet").mkdir(parents=True)
    frame.to_parquet(tmp_path / "data" / "parquet" / "iris.parquet")
    facts = {"task_type": "classification", "target": "target", "file": "iris.parquet"}
    facts |= {"n_rows": 150, "n_features": 4}
    rows = [
        {"did": 1, "task_id": "59.0", "name": "iris", "suites": "CC18;AMLB", **facts},
        {"did": 2, "task_id": "60.0", "name": "other", "suites": "AMLB", **facts},
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "data" / "index.csv", index=False)
    options = argparse.Namespace(folder=tmp_path / "data", task=None, max_rows=60, limit_tasks=None)
    kept = suite_cycle.write_served_folder(options, tmp_path / "served")
    assert kept["name"].tolist() == ["iris"]
    served = pd.read_parquet(tmp_path / "served" / "parquet" / "iris.parquet")
    assert served["target"].value_counts().tolist() == [20, 20, 20]
    (dataset,) = suite_cycle.Folder(tmp_path / "served").suites[suite_cycle.SUITE].datasets
    assert (dataset.task_id, len(dataset.frame())) == (59, 60)
