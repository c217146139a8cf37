"""Workers that outlive a search: what runs is killed, what is idle stays."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from autometa.components.experiments import Cell, Limits
from autometa.domain import Candidate, Configuration, Task, holdout_splits
from autometa.engine.evidence import Workers
from tests.integration.evidence.strategies import Good, Sleeper

CELL = Cell("table", 0, 0, Candidate("good", Configuration()))
SLEEPING = Cell("table", 0, 0, Candidate("sleeper", Configuration()))


@pytest.fixture
def workers():
    X, y = load_breast_cancer(return_X_y=True)
    task = Task.from_arrays(X, y)
    object.__setattr__(task, "splits", holdout_splits(task, 1))
    with Workers(2) as workers:
        workers.prepare(
            task, {"good": Good(), "sleeper": Sleeper()}, device="cpu", random_state=0, keep_predictions=True
        )
        yield workers


def done(workers: Workers) -> list[str]:
    found = []
    while workers.under_way:
        found += [evaluation.status for _, evaluation in workers.finished(60)]
    return found


def test_what_was_predicted_is_kept_and_clearing_kills_what_runs(workers: Workers) -> None:
    workers.submit(CELL, Limits())
    (evaluation,) = [found for _, found in workers.finished(60)]
    assert evaluation.prediction is not None
    np.testing.assert_allclose(evaluation.prediction.probabilities.sum(axis=1), 1.0)
    workers.submit(SLEEPING, Limits())
    workers.submit(SLEEPING, Limits())
    time.sleep(0.2)
    workers.clear()
    assert workers.under_way == 0
    for _ in range(2):
        workers.submit(CELL, Limits())
    assert done(workers) == ["ok", "ok"]
