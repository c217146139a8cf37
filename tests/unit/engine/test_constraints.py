"""Constraints: what is left out before anything is run, with the reason, and what is said if nothing is left."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer

import autometa
from autometa import Candidate, Configuration
from autometa.engine.constraints import Constraints, Costs, Exclusion, none_left
from autometa.engine.inputs import as_task
from autometa.foundation.errors import NoCandidateError, ParameterError, PluginWarning
from autometa.plugins import get_registry

FRAME = load_breast_cancer(as_frame=True).frame.iloc[::3]
ONLY: dict[str, Any] = {"strategies": ["linear", "svm"], "top_k": None}


def recommended(**constraints: Any) -> autometa.Recommendation:
    return autometa.recommend(FRAME, target="target", **ONLY, **constraints)


@pytest.mark.parametrize(
    ("constraints", "reason"),
    [
        (Constraints(max_fit_seconds=2), "predicted to fit in 3 s, more than 2 s"),
        (Constraints(max_predict_ms_per_row=0.5), "predicted to predict a row in 0.75 ms (in batches of 1,000)"),
        (Constraints(max_memory_gb=1), "predicted to take 4 GB of memory in the fit, more than 1 GB"),
    ],
)
def test_what_takes_more_than_allowed_is_excluded_and_what_is_not_known_is_not(constraints, reason):
    costs = {"heavy": Costs(3.0, 0.75, 4.0), "light": Costs(1.0, 0.25, 0.5), "unknown": Costs()}
    found = constraints.too_costly(costs)
    assert found.keys() == {"heavy"}
    assert found["heavy"].reason.startswith(reason)
    assert found["heavy"].excess > 1


@pytest.mark.parametrize(
    ("constraints", "named"),
    [
        (Constraints(time_budget=2), "time_budget"),
        (Constraints(time_budget=2, max_fit_seconds=1), "max_fit_seconds"),
        (Constraints(time_budget=2, max_fit_seconds=10), "time_budget"),
        (Constraints(time_budget=2, max_fit_seconds=2.5), "time_budget"),
        (Constraints(max_fit_seconds=2, max_memory_gb=3), "max_fit_seconds"),
        (Constraints(max_fit_seconds=2, max_memory_gb=1), "max_memory_gb"),
    ],
)
def test_the_limit_that_is_broken_by_most_is_named(constraints, named):
    assert constraints.too_costly({"heavy": Costs(3.0, 0.75, 4.0)})["heavy"].constraint == named


def test_a_time_budget_is_named_by_its_name():
    found = Constraints(time_budget=2).too_costly({"heavy": Costs(3.0)})["heavy"]
    assert found.reason == "predicted to fit in 3 s, more than half of the time budget, 1 s"


def test_without_a_limit_of_the_fit_the_reasons_name_the_time_budget():
    asked = {"time_budget": 0.01, **ONLY}
    with pytest.raises(NoCandidateError, match="time_budget excluded") as caught:
        autometa.recommend(FRAME, target="target", reserve_fit=True, **asked)
    assert "max_fit_seconds" not in str(caught.value)
    estimator = autometa.AutoMetaClassifier(time_budget=0.01, strategies=ONLY["strategies"])
    with pytest.raises(NoCandidateError, match=r"half of the time budget, 0\.005 s"):
        estimator.fit(FRAME.drop(columns="target"), FRAME["target"])


def test_a_budget_that_need_not_hold_the_fit_leaves_nobody_out():
    found = autometa.recommend(FRAME, target="target", time_budget=0.01, **ONLY)
    assert not [reason for reason in found.excluded.values() if "time budget" in reason]


@pytest.mark.parametrize("name", ["max_fit_seconds", "max_predict_ms_per_row", "max_memory_gb"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_a_limit_is_a_positive_number(name, value):
    with pytest.raises(ParameterError, match=name):
        Constraints(**{name: value})


def test_the_error_counts_by_constraint_and_names_the_nearest_miss():
    task = as_task(FRAME, "target")
    barred = {
        "a": Exclusion("max_memory_gb", "predicted to take 4 GB", 4.0),
        "b": Exclusion("max_memory_gb", "predicted to take 1.5 GB", 1.5),
        "c": Exclusion("interpretable", "cannot be read"),
    }
    excluded = {"svm": "left out by the caller"} | {key: each.reason for key, each in barred.items()}
    error = none_left(task, excluded, barred)
    for part in ("max_memory_gb excluded 2", "interpretable excluded 1", "nearest miss is b", "1.5 times"):
        assert part in str(error)
    assert error.context["by_constraint"] == {"max_memory_gb": 2, "interpretable": 1}
    assert error.context["excluded"] == excluded


def test_only_what_can_be_read_is_listed_and_the_others_have_a_reason():
    found = recommended(interpretable=True)
    linear = get_registry().strategy("linear")
    listed = [place.candidate for place in found.ranking]
    assert listed
    assert all(linear.is_interpretable(candidate.configuration, found.source) for candidate in listed)
    offered = {c.id for name in ONLY["strategies"] for c in get_registry().strategy(name).candidates(found.source)}
    left_out = offered - {candidate.id for candidate in listed}
    assert left_out <= found.excluded.keys()
    assert "interpretable" in found.explain()
    assert json.loads(found.to_json())["excluded"] == dict(found.excluded)


def test_limits_are_kept_by_what_is_predicted_and_shown():
    every = recommended(max_predict_ms_per_row=1e6, max_memory_gb=1e6)
    figures = sorted(place.predict_ms_per_row for place in every.ranking)
    assert all(0 < place.memory_gb < 10 for place in every.ranking)
    middle = figures[len(figures) // 2]
    some = recommended(max_predict_ms_per_row=middle)
    assert {place.candidate.id for place in some.ranking} == {
        place.candidate.id for place in every.ranking if place.predict_ms_per_row <= middle
    }
    again = autometa.Recommendation.from_json(some.to_json())
    assert again.ranking == some.ranking
    with pytest.raises(NoCandidateError, match="max_predict_ms_per_row excluded 24"):
        recommended(max_predict_ms_per_row=figures[0] / 100)


def test_without_a_limit_nothing_but_the_fit_is_predicted():
    assert {place.predict_ms_per_row for place in recommended().ranking} == {None}


@pytest.mark.parametrize(
    ("values", "readable"),
    [
        ({"features": "linear", "scaling": "standard", "model": "logistic"}, True),
        ({"features": "linear", "scaling": "quantile", "model": "logistic"}, False),
        ({"features": "splines", "scaling": "standard", "model": "logistic"}, False),
        ({"features": "linear", "scaling": "standard", "model": "discriminant"}, False),
    ],
)
def test_a_linear_model_of_the_columns_themselves_can_be_read(values, readable):
    task = as_task(FRAME, "target")
    assert get_registry().strategy("linear").is_interpretable(Configuration(values), task) is readable


def test_what_is_made_of_a_text_cannot_be_read():
    words = as_task(FRAME.assign(note="some words"), "target", roles={"note": "text"})
    assert not get_registry().strategy("linear").is_interpretable(Configuration(), words)


def test_a_strategy_that_fails_to_say_so_is_not_interpretable():
    from autometa.plugins.isolation import is_interpretable

    class Broken(type(get_registry().strategy("linear"))):
        def is_interpretable(self, configuration, task):
            raise RuntimeError("no idea")

    with pytest.warns(PluginWarning, match="no idea, so its models count as unreadable"):
        assert is_interpretable(Broken(), Configuration(), as_task(FRAME, "target")) is False
    constraints = Constraints(interpretable=True)
    with pytest.warns(PluginWarning, match="no idea"):
        assert not constraints.allow(Broken(), Candidate("linear", Configuration()), as_task(FRAME, "target"))


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "", None])
def test_a_device_has_one_of_the_known_names(device):
    with pytest.raises(ParameterError, match="device must be"):
        recommended(device=device)
