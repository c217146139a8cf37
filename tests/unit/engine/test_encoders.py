"""What is known of pretrained encoders, and where it puts them in a list."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autometa.components.knowledge import KnowledgeBase
from autometa.components.strategies import Linear, NeuralTextStrategy, SupportVectorMachine
from autometa.decision.policy import Query, Ranking
from autometa.domain import Candidate, Task
from autometa.engine.constraints import Constraints, Costs
from autometa.engine.encoders import asked_of_encoders
from autometa.engine.listing import prior_places

QUERY = Query(np.empty(0), n_train=320, n_features=1, n_classes=2)


def table(*, n_numbers: int = 0, target: list[float] | None = None) -> Task:
    X = pd.DataFrame({"text": [f"words number {i} of many" for i in range(60)]})
    for place in range(n_numbers):
        X[f"number_{place}"] = np.arange(60.0)
    return Task.from_arrays(X, target or [0, 1] * 30, roles={"text": "text"})


def portfolios(task: Task) -> dict[str, tuple[Candidate, ...]]:
    strategies = (Linear(), SupportVectorMachine(), NeuralTextStrategy("minilm"))
    return {strategy.name: strategy.candidates(task) for strategy in strategies}


def ranking(task: Task) -> Ranking:
    found = portfolios(task)
    known = (*found["svm"], *found["linear"])
    losses = np.linspace(0.5, 0.6, len(known))
    seconds, counts = np.full(len(known), 0.1), np.full(len(known), 9)
    return Ranking(known, np.arange(len(known)), losses, losses - 0.1, losses + 0.1, seconds, counts)


def test_the_shipped_figures_are_of_candidates_that_are_offered() -> None:
    base = KnowledgeBase.of_encoders()
    offered = {each.id for portfolio in portfolios(table()).values() for each in portfolio}
    texts = base.candidates[base.candidates["strategy"].isin(["linear", "svm", "neural_text"])]
    assert set(texts["candidate"]) <= offered
    assert (texts["strategy"] == "neural_text").sum() == 3
    assert (base.evaluations["status"] == "ok").all()


def test_a_table_of_texts_puts_the_fine_tuned_encoder_first() -> None:
    task = table()
    found, costly = asked_of_encoders(task, ranking(task), QUERY, portfolios(task), Constraints(), ())
    assert not costly
    places = prior_places(task, ranking(task), portfolios(task), {}, (), found)
    assert places[0].candidate.configuration["encoder"] == "fine_tuned"
    assert [place.rank for place in places] == list(range(1, len(places) + 1))
    assert len({place.candidate.id for place in places}) == len(places)
    assert all(place.evidence.endswith("known runs") for place in places)
    assert all(place.low <= place.expected_score <= place.high for place in places)
    known = [place.candidate for place in places if place.candidate.strategy != "neural_text"]
    assert known == list(ranking(task).listed)  # what was ranked keeps its order


def test_a_fit_that_takes_too_long_is_left_out() -> None:
    task = table()
    limits = Constraints(max_fit_seconds=20)
    found, costly = asked_of_encoders(task, ranking(task), QUERY, portfolios(task), limits, ())
    tuned = next(each for each in found.candidates if each.configuration["encoder"] == "fine_tuned")
    assert costly.keys() == {tuned.id}
    places = prior_places(task, ranking(task), portfolios(task), {tuned.id: Costs()}, costly, found)
    assert tuned not in [place.candidate for place in places]


@pytest.mark.parametrize(
    "task",
    [table(n_numbers=2), table(target=[0.1 * i for i in range(60)])],
    ids=["mostly numbers", "regression"],
)
def test_elsewhere_the_list_is_the_policys(task: Task) -> None:
    found, costly = asked_of_encoders(task, ranking(task), QUERY, portfolios(task), Constraints(), ())
    assert found.candidates == ()
    assert not costly
