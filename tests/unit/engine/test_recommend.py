"""recommend(): the same answer everywhere, limits that hold, reasons for what is left out."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import autometa
from autometa.engine import cold_start, evidence, listing
from autometa.foundation.errors import NoCandidateError, ParameterError
from autometa.plugins import Registry, get_registry


@pytest.fixture(scope="module")
def wine() -> pd.DataFrame:
    return load_wine(as_frame=True).frame


@pytest.fixture(scope="module")
def recommendation(wine: pd.DataFrame) -> autometa.Recommendation:
    return autometa.recommend(wine, target="target", top_k=None)


def test_list_holds_every_candidate_once(recommendation: autometa.Recommendation) -> None:
    assert recommendation.source is not None
    offered = {
        candidate.id
        for name, strategy in get_registry().strategies.items()
        if name not in ("neural_text", "neural_image")  # for tables of texts and images
        for candidate in strategy.candidates(recommendation.source)
    }
    listed = [place.candidate.id for place in recommendation.ranking]
    assert len(listed) == len(set(listed))
    assert set(listed) == offered
    assert len(offered) >= 30
    assert [place.rank for place in recommendation.ranking] == list(range(1, len(listed) + 1))


def test_scores_lie_in_their_intervals_and_fit_times_are_positive(
    recommendation: autometa.Recommendation,
) -> None:
    known = [place for place in recommendation.ranking if not math.isnan(place.expected_score)]
    assert known
    for place in known:
        assert 0 <= place.low <= place.expected_score <= place.high
        assert place.fit_seconds > 0


def test_the_probability_of_being_near_the_best_is_listed_and_kept(
    recommendation: autometa.Recommendation,
) -> None:
    known = [place.near_best for place in recommendation.ranking if not math.isnan(place.expected_score)]
    assert all(value is not None and 0 <= value <= 1 for value in known)
    assert recommendation.to_frame()["near_best"].iloc[0] == known[0]
    assert autometa.Recommendation.from_json(recommendation.to_json()).ranking[0].near_best == known[0]


def test_first_choice_beats_the_prior_on_held_out_rows(wine: pd.DataFrame) -> None:
    train, test = wine.iloc[::2], wine.iloc[1::2]
    model = autometa.recommend(train, target="target").fit()
    X = test.drop(columns="target")
    codes = test["target"].to_numpy()
    loss = -np.log(model.predict_proba(X)[np.arange(len(X)), codes]).mean()
    assert loss < 0.3  # 1.09 is what the class shares alone give


@pytest.mark.parametrize("metric", ["r2", "nrmse"])
def test_regression_scores_have_the_metric_s_direction(metric: str) -> None:
    data = load_diabetes(as_frame=True)
    found = autometa.recommend((data.data, data.target), metric=metric)
    assert found.task.type == "regression"
    assert found.best.low <= found.best.expected_score <= found.best.high
    assert 0.0 < found.best.expected_score < 1.0


def test_same_inputs_give_the_same_answer_in_another_process(wine: pd.DataFrame, tmp_path: Path) -> None:
    code = (
        "import autometa; from sklearn.datasets import load_wine;"
        "r = autometa.recommend(load_wine(as_frame=True).frame, target='target', random_state=3);"
        "print(r.to_frame()[['candidate', 'expected_score', 'low', 'high']].to_json(double_precision=15))"
    )
    # Each with a cache of its own, so that the policy is fitted anew there, and with other hash seeds.
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "AUTOMETA_CACHE_DIRECTORY": str(tmp_path / seed), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    here = autometa.recommend(wine, target="target", random_state=3).to_frame()
    assert runs[0] == runs[1]
    assert runs[0].strip() == here[["candidate", "expected_score", "low", "high"]].to_json(double_precision=15)


@pytest.mark.parametrize("form", ["polars", "dict", "lazy"])
def test_roles_that_were_chosen_hold_for_tables_of_every_kind(form: str) -> None:
    polars = pytest.importorskip("polars")
    columns = {"code": [float(j % 7) for j in range(140)], "size": [float(j % 11) for j in range(140)]}
    y = [int(j % 7 in (1, 4, 5)) for j in range(140)]
    tables = {"dict": columns, "polars": polars.DataFrame(columns), "lazy": polars.LazyFrame(columns)}
    found = autometa.recommend((pd.DataFrame(columns), y), roles={"code": "categorical"}, strategies=["linear"])
    model = found.fit(tables[form], y)
    assert model[0].roles_["code"] == "categorical"
    assert model[0].roles_["size"] == "numeric"


def test_strategies_and_exclude_choose(wine: pd.DataFrame) -> None:
    only = autometa.recommend(wine, target="target", strategies=["linear"])
    assert {place.candidate.strategy for place in only.ranking} == {"linear"}
    without = autometa.recommend(wine, target="target", exclude=["linear"], top_k=None)
    assert "linear" not in {place.candidate.strategy for place in without.ranking}
    assert without.excluded["linear"] == "left out by the caller"


def test_max_fit_seconds_leaves_out_with_a_reason(wine: pd.DataFrame) -> None:
    found = autometa.recommend(wine, target="target", top_k=None)
    limit = float(np.nanmedian([place.fit_seconds for place in found.ranking]))
    limited = autometa.recommend(wine, target="target", top_k=None, max_fit_seconds=limit)
    assert not any(place.fit_seconds > limit for place in limited.ranking)
    assert 0 < len(limited.ranking) < len(found.ranking)
    by_limit = {name: reason for name, reason in limited.excluded.items() if name not in found.excluded}
    assert len(by_limit) == len(found.ranking) - len(limited.ranking)
    assert all("predicted to fit" in reason for reason in by_limit.values())
    with pytest.raises(NoCandidateError, match="predicted to fit"):
        autometa.recommend(wine, target="target", strategies=["linear"], max_fit_seconds=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strategies": ["nonsense"]}, "No strategy is called 'nonsense'"),
        ({"policy": "nonsense"}, "policy must be one of"),
        ({"metric": "nonsense"}, "metric must be one of"),
        ({"top_k": 0}, "top_k"),
        ({"max_fit_seconds": -1}, "max_fit_seconds"),
        ({"type": "nonsense"}, "type must be one of"),
    ],
)
def test_bad_arguments_are_named(wine: pd.DataFrame, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        autometa.recommend(wine, target="target", **arguments)


def test_what_is_left_under_a_limit_is_ranked_anew(
    recommendation: autometa.Recommendation, wine: pd.DataFrame
) -> None:
    limit = recommendation.best.fit_seconds * 0.99
    limited = autometa.recommend(wine, target="target", top_k=None, max_fit_seconds=limit)
    assert limited.best.candidate != recommendation.best.candidate
    expected = {place.candidate.id: place.expected_score for place in limited.ranking}
    # The first place is the best expected one or one that the policy trusts as much, never a mere complement.
    assert limited.best.expected_score <= np.nanmedian(list(expected.values()))


def test_top_k_cuts_and_keeps_the_order(wine: pd.DataFrame, recommendation: autometa.Recommendation) -> None:
    assert autometa.recommend(wine, target="target", top_k=3).ranking == recommendation.ranking[:3]


@pytest.mark.parametrize("policy", ["random", "single_best", "static_portfolio", "nearest_tasks", "proximity"])
def test_every_policy_answers(policy: str) -> None:
    data = load_breast_cancer(as_frame=True)
    found = autometa.recommend((data.data, data.target), policy=policy)
    assert found.policy == policy
    assert len(found.ranking) == 10


def test_explanation_names_known_tasks(recommendation: autometa.Recommendation) -> None:
    assert "Nearest known tasks" in recommendation.explain()
    assert "OpenML" in recommendation.explain()
    weights = [near.weight for near in recommendation.neighbours]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) <= 1 + 1e-9


def test_refit_on_other_rows_after_a_journey_through_json(
    wine: pd.DataFrame, recommendation: autometa.Recommendation
) -> None:
    again = autometa.Recommendation.from_json(recommendation.to_json())
    X, y = wine.drop(columns="target"), wine["target"]
    np.testing.assert_allclose(again.fit(X, y).predict_proba(X), recommendation.fit().predict_proba(X))


class Newcomer(autometa.Strategy):
    """A strategy that no knowledge base has seen."""

    name = "newcomer"

    def search_space(self, task: Any) -> dict[str, Any]:
        return {}

    def portfolio(self, task: Any) -> list[autometa.Configuration]:
        return [autometa.Configuration(depth=depth) for depth in (1, 2)]

    def build(self, configuration: Any, task: Any, *, device: str = "auto", random_state: Any = None) -> Any:
        raise AssertionError("nothing is fitted")


def test_a_strategy_without_history_is_in_the_list_below_the_others_and_marked(
    wine: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = get_registry().strategy("linear")
    registry = Registry({"newcomer": Newcomer(), "linear": linear})
    monkeypatch.setattr("autometa.engine.recommend.get_registry", lambda: registry)
    places = autometa.recommend(wine, target="target", top_k=None).ranking
    new = places[-2:]
    known = places[:-2]
    assert {place.candidate.strategy for place in known} == {"linear"}
    assert [place.candidate.configuration["depth"] for place in new] == [1, 2]
    assert {place.evidence for place in new} == {"no history: judged by nothing yet"}
    for place in new:
        assert np.isnan(place.expected_score)
        assert place.low == min(other.low for other in known)
        assert place.high == max(other.high for other in known)
    short = autometa.recommend(wine, target="target", top_k=3)
    assert any("Nothing is known yet of newcomer" in n and "top_k=None" in n for n in short.notes)
    alone = autometa.recommend(wine, target="target", strategies=["newcomer"])
    assert [place.candidate.strategy for place in alone.ranking] == ["newcomer"] * 2
    assert np.isnan(alone.ranking[0].low)


def test_with_a_budget_tables_that_strategies_refuse_share_what_was_learned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[evidence.Consultation] = []

    def hold(self: evidence.Consultation, *args: Any, **options: Any) -> evidence.Finding:
        asked.append(self)
        return evidence.Finding(self.candidates, None, np.ones(len(self.candidates)))

    monkeypatch.setattr(evidence.Consultation, "hold", hold)
    rng = np.random.default_rng(0)
    target = [0, 1] * 20
    numbers = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"])
    texts = pd.DataFrame({"text": [f"some words and the number {i}" for i in range(40)]})
    images = pd.DataFrame({"image": [*rng.integers(0, 255, (40, 8, 8, 3), dtype=np.uint8)]})
    tables = [(numbers, {}), (texts, {"text": "text"}), (images, {"image": "image"})]
    crew: Any = SimpleNamespace()
    for table, roles in tables:
        task = autometa.Task.from_arrays(table, target, roles=roles)
        found = autometa.recommend(task, time_budget=60, workers=crew, top_k=None)
        listed = {place.candidate.id for place in found.ranking}
        known = {candidate.id for candidate in asked[-1].ranking.candidates}
        assert known - listed == set(asked[-1].unavailable)
        assert {key.split("-")[0] for key in listed}.isdisjoint(found.excluded)
        # What could not be tried is listed as if there were no budget.
        plain = autometa.recommend(task, top_k=None)
        assert [place.candidate for place in found.ranking] == [place.candidate for place in plain.ranking]
        assert found.neighbours == plain.neighbours
    assert len({each.ranking.candidates for each in asked}) == 1
    assert {candidate.strategy for candidate in asked[0].ranking.candidates} >= {"linear", "svm", "kernel"}
    learned_from = [each.meta_dataset.content_hash() for each in asked if each.meta_dataset is not None]
    assert learned_from == learned_from[:1] * 3


def test_what_the_caller_leaves_out_is_not_learned_about(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[evidence.Consultation] = []

    def hold(self: evidence.Consultation, *args: Any, **options: Any) -> evidence.Finding:
        asked.append(self)
        return evidence.Finding(self.candidates, None, np.ones(len(self.candidates)))

    monkeypatch.setattr(evidence.Consultation, "hold", hold)
    crew: Any = SimpleNamespace()
    wine = load_wine(as_frame=True)
    autometa.recommend(wine, strategies=["linear"], time_budget=60, workers=crew)
    assert {candidate.strategy for candidate in asked[0].ranking.candidates} == {"linear"}


def test_what_nobody_has_tried_stays_below_after_the_runs_of_a_budget(
    recommendation: autometa.Recommendation,
) -> None:
    places = list(recommendation.ranking[:3])
    new = autometa.Candidate("newcomer", autometa.Configuration())
    untried = replace(places[0], candidate=new, evidence=cold_start.NO_HISTORY)
    listed = [untried, *places]
    said = dict.fromkeys(("expected_loss", "low", "high", "near_best"), np.ones(4))
    verdict = SimpleNamespace(order=np.arange(4), **said)
    finding = SimpleNamespace(
        candidates=[place.candidate for place in listed],
        failures={},
        verdict=verdict,
        trials={},
        fit_seconds=np.ones(4),
    )
    task = autometa.as_task("sklearn:wine")
    found = listing.judged_places(task, finding, listed)
    assert [place.candidate for place in found] == [*(place.candidate for place in places), new]
    assert [place.rank for place in found] == [1, 2, 3, 4]
