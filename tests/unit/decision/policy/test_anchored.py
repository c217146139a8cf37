"""What few tasks say of candidates that a ranking lacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from autometa.components.knowledge import MetaDataset
from autometa.decision.policy import Query, Ranking
from autometa.decision.policy.anchored import Anchored
from autometa.domain import Candidate, Configuration

KNOWN = tuple(Candidate("old", Configuration({"a": value})) for value in range(3))
NEW = Candidate("new", Configuration({"b": 1}))
EVERYTHING = {candidate.id for candidate in (*KNOWN, NEW)}
QUERY = Query(np.empty(0), n_train=400, n_features=1, n_classes=2)


def ranking() -> Ranking:
    losses = np.array([0.3, 0.4, 0.5])
    seconds, counts = np.ones(3), np.full(3, 9)
    order = np.arange(3)
    return Ranking(KNOWN, order, losses, losses - 0.01, losses + 0.01, seconds, counts)


def few(loss: list[list[float]], n_train: list[int], groups: list[str]) -> MetaDataset:
    """Tasks on which the second known candidate and the new one were measured."""
    n = len(loss)
    tasks = pd.DataFrame(
        {
            "task": groups,
            "train_size": n_train,
            "name": groups,
            "group": groups,
            "dataset_id": pd.array([None] * n, dtype="Int64"),
            "n_train": n_train,
            "n_features": 1,
            "n_classes": 2,
        }
    )
    return MetaDataset(
        tasks=tasks,
        candidates=(KNOWN[1], NEW),
        metafeature_names=(),
        metafeatures=np.empty((n, 0)),
        loss=np.asarray(loss),
        failed=np.zeros((n, 2), dtype=bool),
        fit_seconds=np.tile([0.1, 10.0], (n, 1)),
        metric="log_loss",
    )


def test_a_candidate_stands_to_the_anchor_as_it_did_on_the_few_tasks() -> None:
    tasks = few([[0.7, 0.6], [0.5, 0.4], [0.2, 0.1]], [400, 400, 400], ["a", "b", "c"])
    found = Anchored.of(tasks, ranking(), QUERY, offered=EVERYTHING)
    assert found.anchor == KNOWN[1]  # the first of the list that was measured there
    assert found.candidates == (NEW,)
    assert found.expected_loss == pytest.approx([0.4 - 0.1 * 3 / 4])
    assert found.low[0] < found.expected_loss[0] < found.high[0]
    assert found.lead[0] > 0
    assert found.fit_seconds == pytest.approx([10.0])
    assert found.n_evaluations.tolist() == [3]


@pytest.mark.parametrize("second", [0.59, 0.9])
def test_what_is_not_clearly_better_does_not_lead(second: float) -> None:
    found = Anchored.of(
        few([[0.7, 0.6], [0.5, second]], [400, 400], ["a", "b"]), ranking(), QUERY, offered=EVERYTHING
    )
    assert found.lead[0] < 0


def test_tasks_that_differ_widen_the_interval() -> None:
    widths = []
    for gaps in ([-0.1, -0.1, -0.1], [0.2, -0.1, -0.4]):
        tasks = few([[0.6, 0.6 + gap] for gap in gaps], [400] * 3, ["a", "b", "c"])
        found = Anchored.of(tasks, ranking(), QUERY, offered=EVERYTHING)
        widths.append(found.high[0] - found.expected_loss[0])
    assert widths[1] > 3 * widths[0]


def test_a_group_speaks_with_the_size_that_is_closest() -> None:
    rows = [[0.6, 0.5], [0.6, 0.1], [0.6, 0.5], [0.6, 0.1]]
    tasks = few(rows, [300, 2000, 300, 2000], ["a", "a", "b", "b"])
    small = Anchored.of(tasks, ranking(), QUERY, offered=EVERYTHING)
    large = Anchored.of(tasks, ranking(), replace(QUERY, n_train=3000), offered=EVERYTHING)
    assert small.expected_loss == pytest.approx([0.4 - 0.1 * 2 / 3])
    assert large.expected_loss == pytest.approx([0.4 - 0.5 * 2 / 3])
    assert large.fit_seconds[0] == pytest.approx(10.0 * 3000 / 2000)


@pytest.mark.parametrize(
    ("groups", "offered"),
    [
        (["a", "a"], EVERYTHING),  # one group
        (["a", "b"], EVERYTHING - {NEW.id}),
        (["a", "b"], EVERYTHING - {KNOWN[1].id}),  # nothing to compare with
    ],
)
def test_nothing_is_said_without_grounds(groups: list[str], offered: set[str]) -> None:
    found = Anchored.of(few([[0.7, 0.6], [0.5, 0.4]], [300, 400], groups), ranking(), QUERY, offered=offered)
    assert found.candidates == ()
    assert list(found.places([NEW, KNOWN[0]])) == [-1, -1]


def test_an_unmeasured_metric_says_nothing() -> None:
    nan = float("nan")
    found = Anchored.of(few([[nan, nan]] * 2, [300, 400], ["a", "b"]), ranking(), QUERY, offered=EVERYTHING)
    assert found.candidates == ()
