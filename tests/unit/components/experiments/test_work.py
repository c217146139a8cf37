from __future__ import annotations

import numpy as np
import pytest

from autometa.components.experiments import Cell, EvaluationWork, Limits, Outcome, TaskCache, as_evaluation, cut
from autometa.domain import Configuration, Evaluation
from autometa.foundation.errors import ParameterError
from tests.experiment_helpers import Misbehaving, WineSource, candidate

KEY = Cell("wine", 0, 100, candidate()).key


@pytest.fixture
def work():
    return EvaluationWork(TaskCache(WineSource()), {"misbehaving": Misbehaving()})


def run(work, mode="ok", size=0):
    began = []
    found = work(Cell("wine", 0, size, candidate(mode)), lambda: began.append(1))
    return found, len(began)


def test_a_cell_is_evaluated_on_its_rows(work):
    found, _ = run(work, size=70)
    assert (found.task, found.train_size, found.status, found.n_train) == ("wine", 70, "ok", 70)
    assert found.scores["log_loss"] > 0


def test_the_first_cell_of_a_strategy_warms_it_up_before_its_limits_begin(work, monkeypatch):
    rows = []
    monkeypatch.setattr(Misbehaving, "supports", lambda self, task: None)
    monkeypatch.setattr(
        "autometa.components.experiments.work.evaluate",
        lambda task, split, *args, **options: rows.append(len(split.train)) or Evaluation(*KEY, status="ok"),
    )
    for _ in range(2):
        work(Cell("wine", 0, 100, candidate()), lambda: rows.append("begin"))
    # What comes before the last "begin" is not counted against the cell's limits.
    assert rows == [60, "begin", 100, "begin", 100]


def test_a_strategy_says_what_it_is_warmed_up_with(work, monkeypatch):
    fitted = []
    monkeypatch.setattr(Misbehaving, "supports", lambda self, task: None)
    monkeypatch.setattr(Misbehaving, "warm_up", lambda self, configuration, task: Configuration(mode="light"))
    monkeypatch.setattr(
        "autometa.components.experiments.work.evaluate",
        lambda task, split, chosen, *args, **options: fitted.append(chosen) or Evaluation(*KEY, status="ok"),
    )
    work(Cell("wine", 0, 100, candidate()), lambda: None)
    assert [dict(each.configuration) for each in fitted] == [{"mode": "light"}, dict(candidate().configuration)]


@pytest.mark.parametrize(("mode", "status"), [("raise", "error"), ("out of memory", "memory")])
def test_what_a_candidate_raises_is_a_result(work, mode, status):
    found, _ = run(work, mode)
    assert (found.status, "on purpose" in found.message) == (status, True)


def test_a_refusal_is_a_result(work, monkeypatch):
    monkeypatch.setattr(Misbehaving, "supports", lambda self, task: "not this one")
    found, began = run(work)
    assert (found.status, found.message, began) == ("error", "UnsupportedTaskError: not this one", 0)


def test_the_cache_keeps_the_last_few_tasks(tmp_path):
    log = tmp_path / "loads"
    cache = TaskCache(WineSource(str(log)), size=2)
    for key in "abacab":
        cache.load(key)
    assert [line.split()[1] for line in log.read_text().splitlines()] == ["a", "b", "c", "b"]


def test_smaller_training_sizes_lie_inside_larger_ones():
    task = WineSource().load("wine")
    whole, some, few = (cut(task, 1, size) for size in (0, 80, 20))
    assert set(few.train) < set(some.train) < set(whole.train)
    assert np.array_equal(few.test, whole.test)
    assert set(task.y[few.train]) == {0, 1, 2}


def test_what_a_sandbox_says_becomes_an_evaluation():
    cell = Cell("t", 0, 0, candidate())
    ok = as_evaluation(cell, Outcome("ok", Evaluation(*cell.key, status="ok"), peak_memory=5))
    assert (ok.status, ok.peak_memory) == ("ok", 5)
    late = as_evaluation(cell, Outcome("timeout", message="Ran past 1 s.", seconds=1.0))
    assert (late.task, late.candidate) == ("t", cell.candidate.id)
    assert (late.status, late.message, late.fit_seconds) == ("timeout", "Ran past 1 s.", 1.0)
    assert np.isnan(as_evaluation(cell, Outcome("crash")).fit_seconds)


@pytest.mark.parametrize("limits", [{"seconds": 0}, {"memory": -1}])
def test_limits_are_positive(limits):
    with pytest.raises(ParameterError, match="above 0"):
        Limits(**limits)
