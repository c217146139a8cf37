"""What is particular to boosting: libraries that may be absent, native categories, a bounded number of trees."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from autometa_boosting import _base
from autometa_boosting.catboost import CatBoost
from autometa_boosting.lightgbm import LightGBM
from autometa_boosting.xgboost import XGBoost

from autometa import Task

STRATEGIES = [LightGBM(), XGBoost(), CatBoost()]


def colours(n: int = 300, n_levels: int = 10) -> Task:
    """The class is a property of the level, in no order of the levels."""
    rng = np.random.default_rng(0)
    level = rng.integers(n_levels, size=n)
    bright = rng.random(n_levels) < 0.5
    table = pd.DataFrame({"colour": [f"c{code}" for code in level], "noise": rng.normal(size=n)})
    return Task.from_arrays(table, np.where(bright[level], "bright", "dark"), roles={"colour": "categorical"})


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_an_absent_library_is_a_reason_and_not_an_error(strategy, monkeypatch):
    task = colours(60)
    monkeypatch.setattr(_base, "find_spec", lambda name: None)
    assert f"pip install {strategy.library}" in strategy.supports(task)
    assert strategy.portfolio(task)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_an_old_library_is_a_reason_too(strategy, monkeypatch):
    monkeypatch.setattr(_base, "find_spec", lambda name: object())
    monkeypatch.setattr(_base, "version", lambda name: "0.9.1")
    assert f"{strategy.library} 0.9 is too old" in strategy.supports(colours(60))


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_levels_without_an_order_are_learned(strategy):
    if find_spec(strategy.library) is None:
        pytest.skip(f"{strategy.library} is not installed")
    task = colours(600)
    training = task.take(np.arange(400))
    model = strategy.build(strategy.portfolio(training)[0], training, device="cpu", random_state=0)
    model.fit(training.X, training.y)
    assert (model.predict(task.X[400:]) == task.y[400:]).mean() > 0.85


@pytest.mark.parametrize(("n_classes", "rounds"), [(2, 2_000), (4, 1_000), (20, 200), (100, 150)])
def test_the_number_of_trees_is_bounded(n_classes, rounds):
    y = np.arange(200) % n_classes
    assert (
        _base.most_rounds(Task.from_arrays(np.arange(400.0).reshape(200, 2), y, type="classification")) == rounds
    )
