"""Scenarios: published tables become arrays, folders can be written and read, and the protocol is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autometa.decision.policy import replay
from autometa.decision.policy.evidence import Run
from autometa.decision.scenarios import (
    Scenario,
    coverage,
    judge_ablations,
    judge_coverage,
    judge_scenario,
    load_aslib,
    load_folder,
    load_lcdb,
    load_oboe,
    load_scenario,
    own_scenario,
    write_folder,
)
from autometa.decision.scenarios.judging import replayed
from autometa.decision.scenarios.tables import group_of
from autometa.foundation.errors import FileFormatError, ParameterError
from tests.policy_worlds import make_world

LEARNERS = [f"sklearn.linear_model.L{place}" for place in range(14)] + ["SVC_linear", "SVC_rbf"]
DATASETS = (3, 6, 12)


def lcdb_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return curves (score = 1 - 1 / rows, less a thousandth per learner and seed) and qualities."""
    rows = [
        {
            "openmlid": key,
            "learner": learner,
            "size_train": size,
            "size_test": 40,
            "outer_seed": seed,
            "inner_seed": inner,
            "traintime": 0.5,
            "score_train": 1.0,
            "score_valid": 1 - 1 / size - place / 1000 - seed / 100,
            "score_test": 1 - 1 / size - place / 1000,
        }
        for key in DATASETS
        for place, learner in enumerate(LEARNERS)
        for size in (64, 256, 512, 2000)
        for seed in range(2)
        for inner in range(2)
    ]
    qualities = pd.DataFrame(
        {
            "openmlid": [*DATASETS, 99],
            "Name": ["fri_c0", "fri_c1", "car", "other"],
            "NumberOfFeatures": [5.0, 6.0, 7.0, 8.0],
            "NumberOfClasses": [2.0, 2.0, 3.0, 2.0],
        }
    )
    return pd.DataFrame(rows), qualities


@pytest.mark.parametrize("names", [("curves_accuracy", "datasets_qualities"), ("database-accuracy", "datasets")])
def test_lcdb(tmp_path: Path, names: tuple[str, str]) -> None:
    for name, table in zip(names, lcdb_tables(), strict=True):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    scenario = load_lcdb(tmp_path)
    meta = scenario.meta_dataset
    assert meta.metric == "accuracy"
    assert meta.n_candidates == len(LEARNERS)
    assert set(meta.tasks["train_size"]) == {0, 256, 512}
    assert meta.tasks["group"].nunique() == 2, "fri_c0 and fri_c1 are siblings"
    best = [c.configuration["learner"] for c in meta.candidates].index(LEARNERS[0])
    assert meta.loss[meta.full_size][:, best] == pytest.approx(-(1 - 1 / 2000))
    shown = [run for run in scenario.runs["3"] if run.candidate == best]
    assert {(run.n_train, run.repetition) for run in shown} == {(256, 0), (256, 1), (512, 0), (512, 1)}
    assert scenario.n_scored["3"] == 40
    assert load_scenario("lcdb", tmp_path).meta_dataset.content_hash() == meta.content_hash()


def test_oboe_long_and_wide_tables_say_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    configurations = [("KNN", {"k": 1}), ("KNN", {"k": 3}), ("MLP", {"layers": [8, 8]})]
    error = pd.DataFrame(rng.random((4, 3)), index=pd.Index([3, 6, 12, 14], name="openml_dataset_id"))
    sizes = pd.DataFrame({"openml_dataset_id": error.index, "n_rows": 100, "n_cols": 5})
    long = error.melt(ignore_index=False, var_name="config_id", value_name="error").reset_index()
    long["algorithm"] = [configurations[place][0] for place in long["config_id"]]
    long["hyperparameters"] = [json.dumps(configurations[place][1]) for place in long["config_id"]]
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    long.assign(runtime_s=2.0).to_csv(one / "error_long.csv", index=False)
    sizes.to_csv(one / "dataset_sizes.csv", index=False)
    labels = [str({"algorithm": name, "hyperparameters": values}) for name, values in configurations]
    error.set_axis(labels, axis=1).rename_axis(None).to_csv(two / "error_matrix.csv")
    (error.set_axis(labels, axis=1) * 0 + 2.0).rename_axis(None).to_csv(two / "runtime_matrix.csv")
    sizes.set_axis(["", "0", "1"], axis=1).to_csv(two / "dataset_sizes.csv", index=False)
    first, second = load_oboe(one), load_oboe(two)
    assert first.meta_dataset.content_hash() == second.meta_dataset.content_hash()
    np.testing.assert_allclose(first.meta_dataset.loss, error.to_numpy() - 1.0)
    assert [c.strategy for c in first.meta_dataset.candidates] == ["KNN", "KNN", "MLP"]
    assert first.meta_dataset.metafeature_names == ("n_rows", "n_cols")
    assert {run.n_train for run in first.runs["3"]} == {80}


def aslib_folder(folder: Path) -> Path:
    """Write 20 instances x 3 algorithms with 4 official folds."""
    rng = np.random.default_rng(1)
    keys = [str(100 + i) for i in range(20)]
    runs = pd.DataFrame(
        [(key, 1, f"{a}_weka.A{a}", rng.random(), "ok") for key in keys for a in range(3)],
        columns=["instance_id", "repetition", "algorithm", "predictive_accuracy", "runstatus"],
    )
    runs.loc[0, ["predictive_accuracy", "runstatus"]] = [np.nan, "timeout"]
    features = pd.DataFrame({"instance_id": keys, "repetition": 1, "NumberOfInstances": 50, "x": rng.random(20)})
    cv = pd.DataFrame({"instance_id": keys, "repetition": 1, "fold": [1 + i % 4 for i in range(20)]})
    for name, table in {"runs": runs, "feature_values": features, "cv": cv}.items():
        table.to_parquet(folder / f"SMALL_{name}.parquet", index=False)
    return folder


def test_aslib_keeps_failures_and_official_folds(tmp_path: Path) -> None:
    scenario = load_aslib(aslib_folder(tmp_path))
    meta = scenario.meta_dataset
    assert meta.failed.sum() == 1
    assert np.isnan(meta.loss[meta.failed]).all()
    folds = scenario.official_folds()
    assert folds is not None
    assert [len(fold) for fold in folds] == [5, 5, 5, 5]
    table = judge_scenario(scenario, policies=("static_portfolio",), seeds=(0,))
    assert set(table["evidence"]) == {"none"}
    assert table["fold_average"].notna().all()
    single = table[(table["method"] == "single_best") & (table["top_k"] == 1)]
    assert single["closed_gap"].to_numpy() == pytest.approx(0.0)


def test_tables_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="curves_accuracy"):
        load_lcdb(tmp_path)
    with pytest.raises(ParameterError, match="--data FOLDER"):
        load_scenario("aslib")
    with pytest.raises(ParameterError, match="existing folder"):
        load_scenario(str(tmp_path / "nothing"))
    with pytest.raises(FileFormatError, match=r"scenario\.json"):
        load_folder(tmp_path)
    assert "lcdb" not in sys.modules, "packages of figures are read, not imported"


def test_a_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    world = make_world(20, sizes=(0, 256), failures=0.05)
    tasks = world.tasks["task"].unique()
    runs = {task: (Run(0, 256, 0, 0.5, 1.0), Run(3, 256, 0, 0.4, 2.0)) for task in tasks}
    scenario = Scenario(
        "made up", world, runs, n_scored=dict.fromkeys(tasks, 70), folds={t: int(t[1:]) // 10 for t in tasks}
    )
    write_folder(scenario, tmp_path)
    again = load_folder(tmp_path)
    order = {c.configuration["name"]: place for place, c in enumerate(again.meta_dataset.candidates)}
    places = [order[candidate.id] for candidate in world.candidates]
    full, other = world.take(world.full_size), again.meta_dataset.take(again.meta_dataset.full_size)
    np.testing.assert_allclose(other.loss[:, places], full.loss)
    assert (other.failed[:, places] == full.failed).all()
    np.testing.assert_allclose(other.metafeatures, full.metafeatures)
    assert (other.groups == full.groups).all()
    assert {run.loss for run in again.runs["t3"]} == {0.4, 0.5}
    assert again.n_scored == scenario.n_scored
    assert again.folds == scenario.folds
    assert set(again.meta_dataset.tasks["train_size"]) == {0, 256}


def test_a_folder_with_unknown_tasks_or_metrics_is_refused(tmp_path: Path) -> None:
    write_folder(own_scenario(make_world(12)), tmp_path)
    performance = pd.read_parquet(tmp_path / "performance.parquet")
    performance.assign(task="elsewhere").to_parquet(tmp_path / "performance.parquet", index=False)
    with pytest.raises(FileFormatError, match="elsewhere"):
        load_folder(tmp_path)
    (tmp_path / "scenario.json").write_text('{"metric": "beauty"}')
    with pytest.raises(ParameterError, match="beauty"):
        load_folder(tmp_path)


def test_official_folds_must_be_complete_and_keep_groups_together() -> None:
    world = make_world(12)
    with pytest.raises(ParameterError, match="none for 11 tasks"):
        Scenario("x", world, folds={"t0": 1})
    folds = Scenario("x", world, folds={f"t{i}": i for i in range(12)}).official_folds()
    assert folds is not None
    assert sorted(np.concatenate(folds).tolist()) == [0, 1, 2, 3, 4, 5]


def test_siblings_are_one_group() -> None:
    assert group_of("fri_c0_1000_10") == group_of("fri_c4_1000_50") == "fri"
    assert group_of("mfeat-fourier") == group_of("mfeat-zernike")
    assert group_of("2dplanes") == "2dplanes"


def test_no_number_of_folds_leaves_one_group_out_with_evidence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    left_out: list[int] = []

    def judged(meta, variant, held_out, *rest):
        left_out.append(len(held_out))
        return [{"task": "t", "group": "g", "seed": 0, "setting": "none", "method": "prior"}]

    monkeypatch.setattr(replay, "_judge_fold", judged)
    scenario = Scenario("small", make_world(12, sizes=(0, 256)))
    replayed(scenario, n_folds=None)
    assert left_out == [1] * 6  # groups of two tasks
    left_out.clear()
    replayed(scenario, n_folds=3)
    assert left_out == [2, 2, 2]


@pytest.mark.slow
def test_evidence_is_worth_something_and_every_part_is_left_out_once() -> None:
    scenario = Scenario("small", make_world(24, informative=False, sizes=(0, 256)))
    table = judge_scenario(scenario, policies=("static_portfolio",), seeds=(0,), n_folds=2)
    first = table[(table["top_k"] == 1) & (table["average"] == "tasks")].set_index(["evidence", "method"])
    gap = first["closed_gap"]
    assert gap["all, up to 256 rows", "posterior"] > 0.6
    assert gap["none", "static_portfolio"] == pytest.approx(0.0)
    assert (first["low"] <= first["closed_gap"]).all()
    assert (first["closed_gap"] <= first["high"]).all()
    ablated = judge_ablations(scenario, seeds=(0,), n_folds=2)
    assert set(ablated["variant"]) == {
        "everything",
        "without meta-features",
        "without evidence",
        "without pooling",
        "without complementarity",
    }
    gaps = ablated[(ablated["top_k"] == 1) & (ablated["average"] == "tasks")].set_index("variant")["closed_gap"]
    assert gaps["everything"] > gaps["without evidence"]


def test_coverage_is_measured_of_prior_and_posterior() -> None:
    """In a world of 30 groups, two standard errors of a coverage of .80 are .15."""
    scenario = Scenario("small", make_world(60, sizes=(0, 256)))
    table = judge_coverage(scenario, seeds=(0,), n_folds=2)
    assert set(zip(table["evidence"], table["method"], strict=True)) == {
        ("none", "prior"),
        ("all, up to 256 rows", "posterior"),
    }
    intervals = table[table["of"] != "near best"]
    assert intervals["nominal"].to_numpy() == pytest.approx(0.8)
    assert intervals["coverage"].to_numpy() == pytest.approx(0.8, abs=0.15)
    posterior = replayed(scenario, seeds=(0,), n_folds=2).query("method == 'posterior'")
    said = table[(table["method"] == "posterior") & (table["average"] == "tasks")].set_index("of")
    assert said.loc["first", "coverage"] == pytest.approx(posterior["first_inside"].mean())
    assert said.loc["near best", "coverage"] == pytest.approx((posterior["regret_1"] <= 0.01).mean())
    assert said.loc["near best", "nominal"] == pytest.approx(posterior["near"].mean())
    assert said.loc["all", "width"] == pytest.approx(posterior["width"].median())


def test_coverage_counts_tasks_or_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tasks of a generator whose intervals held, and one task whose interval did not, each judged twice."""
    judged = pd.DataFrame(
        {
            "task": ["a", "b", "c", "d"],
            "group": ["fri", "fri", "fri", "iris"],
            "first_inside": [1.0, 1.0, 1.0, 0.0],
            "all_inside": [0.5, 0.5, 0.5, 0.1],
            "regret_1": [0.0, 0.02, 0.02, 0.0],
            "near": [0.9, 0.6, 0.6, 0.5],
            "width": [0.1, 0.2, 0.3, 0.4],
        }
    )
    seeds = pd.concat([judged, judged]).assign(setting="none", method="prior")
    monkeypatch.setattr(coverage, "replayed", lambda *_, **__: seeds)
    table = judge_coverage(Scenario("made up", make_world(4)), seeds=(0, 1)).set_index(["of", "average"])
    found = table["coverage"].to_dict()
    assert found[("first", "tasks")] == pytest.approx(0.75)
    assert found[("first", "groups")] == pytest.approx(0.5)
    assert found[("all", "tasks")] == pytest.approx(0.4)
    assert found[("all", "groups")] == pytest.approx(0.3)
    assert found[("near best", "tasks")] == pytest.approx(0.5)
    assert found[("near best", "groups")] == pytest.approx(2 / 3)
    assert table.loc[("near best", "groups"), "nominal"] == pytest.approx(0.6)
    ends = table.loc[[("first", "tasks"), ("first", "groups")], ["low", "high"]]
    assert ends.to_numpy() == pytest.approx(np.array([[0.0, 1.0], [0.0, 1.0]]))  # one of two groups, or both
    assert set(table["n_tasks"]) == {4}
    assert set(table["n_groups"]) == {2}
