from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from autometa.decision.policy import ProximityPolicy, closed_gap, evaluate_policies, query_of
from autometa.decision.policy.evaluation import true_regrets
from autometa.decision.policy.report import EvaluationReport
from autometa.foundation.errors import ParameterError, PolicyError
from tests.policy_worlds import make_world

SMALL = ProximityPolicy(n_trees=60)
NAN = np.nan
REGRETS = ("regret_1", "regret_3", "regret_5")


@pytest.fixture(scope="module")
def report():
    world = make_world(60, failures=0.02)
    return evaluate_policies(world, [SMALL, "static_portfolio", "random"], seeds=(0, 1), n_folds=3)


def row(report, policy, k, average="tasks"):
    frame = report.to_frame()
    wanted = (frame["policy"] == policy) & (frame["top_k"] == k) & (frame["average"] == average)
    return frame[wanted].iloc[0]


def test_where_metafeatures_decide_proximity_beats_all_baselines(report):
    first = row(report, "proximity", 1)
    assert first["closed_gap"] > 0.6
    assert first["over_portfolio_low"] > 0.3
    assert row(report, "random", 1)["closed_gap"] < 0.1
    assert row(report, "proximity", 3)["closed_gap"] > row(report, "static_portfolio", 3)["closed_gap"]


def test_the_single_best_is_the_zero_and_longer_lists_are_no_worse(report):
    assert row(report, "single_best", 1)["closed_gap"] == 0.0
    assert row(report, "static_portfolio", 1)["closed_gap"] == pytest.approx(0.0)
    frame = report.to_frame()
    for _, part in frame.groupby(["average", "policy"]):
        assert (np.diff(part.sort_values("top_k")["closed_gap"]) >= 0).all()
    assert (frame["low"] <= frame["closed_gap"]).all()
    assert (frame["closed_gap"] <= frame["high"]).all()


def test_only_full_sizes_are_judged(report):
    own = report.results[report.results["policy"] == "proximity"]
    assert len(own) == 60 * 2
    assert (report.n_tasks, report.n_groups) == (60, 30)


def test_intervals_cover_about_what_they_claim(report):
    honesty = report.honesty().set_index("policy")
    assert 0.65 < honesty.loc["proximity", "all_inside"] < 0.95
    assert honesty.loc["proximity", "seconds_factor"] < 1.5


def test_the_report_reads(report):
    text = report.to_markdown()
    assert "60 tasks in 30 groups, 9 candidates, 3 folds by group, 2 seeds" in text
    assert text.count("\n| groups | ") == text.count("\n| tasks | ") == 4


def test_where_metafeatures_are_noise_little_is_lost():
    world = make_world(60, informative=False, seed=1)
    judged = evaluate_policies(world, [SMALL], seeds=(0,), n_folds=3)
    assert row(judged, "proximity", 1)["closed_gap"] > -0.2


def test_no_row_of_the_judged_group_has_any_weight():
    world = make_world(16, sizes=(0, 256))
    leaks = []

    @dataclass
    class Watched(ProximityPolicy):
        name: ClassVar[str] = "watched"

        def rank(self, query):
            ranking = super().rank(query)
            position = np.flatnonzero((world.metafeatures == query.metafeatures).all(axis=1))
            group = set(world.tasks["group"].iloc[position])
            known = set(self.experience.tasks["group"])
            neighbours = {near.task for near in ranking.neighbours}
            relatives = set(world.tasks["task"][world.tasks["group"].isin(group)])
            leaks.append((bool(group & known), bool(relatives & neighbours), len(known)))
            return ranking

    evaluate_policies(world, [Watched(n_trees=10)], seeds=(0,))
    assert len(leaks) == 16
    assert not any(in_training or among_neighbours for in_training, among_neighbours, _ in leaks)
    assert {n_known for *_, n_known in leaks} == {7}


def test_true_regrets_count_failures_as_worst_and_leave_holes():
    regret = true_regrets(np.array([0.3, 0.2, NAN, NAN, 9.0]), np.array([False, False, True, False, False]))
    np.testing.assert_allclose(regret, [0.1, 0.0, 1.0, NAN, 1.0])


def test_a_large_group_counts_once_among_groups_and_with_every_member_among_tasks():
    # Group "many" has three tasks where the policy halves the regret, "one" a task where it doubles it.
    groups = ["many", "many", "many", "one"]
    regrets = {"single_best": [0.2] * 4, "mine": [0.1, 0.1, 0.1, 0.4]}
    results = pd.DataFrame(
        {
            "policy": policy,
            "seed": 0,
            "task": f"t{i}",
            "group": group,
            **dict.fromkeys(REGRETS, regrets[policy][i]),
        }
        for policy in regrets
        for i, group in enumerate(groups)
    )
    judged = EvaluationReport(results, "log_loss", 3, "made up")
    assert row(judged, "mine", 1, "tasks")["closed_gap"] == pytest.approx((3 * 0.5 - 1) / 4)
    assert row(judged, "mine", 1, "groups")["closed_gap"] == pytest.approx((0.5 - 1) / 2)
    assert row(judged, "mine", 1, "groups")["mean_regret"] == pytest.approx(0.25)
    assert row(judged, "mine", 1, "tasks")["mean_regret"] == pytest.approx(0.175)
    assert row(judged, "mine", 1, "groups")["regret_80"] == 0.4
    assert row(judged, "mine", 1, "tasks")["regret_50"] == 0.1


def test_closed_gap_is_nan_where_the_single_best_is_best():
    assert np.isnan(closed_gap(np.zeros(3), np.zeros(3)))


def test_bad_requests_are_refused():
    world = make_world(10)
    with pytest.raises(ParameterError):
        evaluate_policies(world, seeds=())
    with pytest.raises(ParameterError):
        evaluate_policies(world, n_folds=1)
    with pytest.raises(PolicyError, match="fewer than two groups"):
        evaluate_policies(world.take(np.array([0, 1])))


def test_the_folds_seed_reaches_the_policy():
    world = make_world(30, n_metafeatures=12, seed=3)
    judged = evaluate_policies(world, [replace(SMALL, n_trees=5)], seeds=(0, 1), n_folds=2)
    own = judged.results[judged.results["policy"] == "proximity"]
    assert own.pivot(index="task", columns="seed", values="expected_error").diff(axis=1)[1].abs().max() > 0


def test_query_of_reads_a_row():
    world = make_world(5)
    query = query_of(world, 2)
    assert (query.n_features, query.n_classes) == (7, 4)
