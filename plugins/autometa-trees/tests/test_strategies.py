"""What is particular to trees: categories without an order, values that single precision cannot hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from autometa_trees.forests import ExtraTrees, RandomForest
from autometa_trees.histogram import HistogramBoosting

from autometa import Task

STRATEGIES = [HistogramBoosting(), RandomForest(), ExtraTrees()]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_levels_without_an_order_are_learned(strategy):
    rng = np.random.default_rng(0)
    level = rng.integers(25, size=400)
    bright = rng.random(25) < 0.5
    table = pd.DataFrame({"colour": [f"c{code}" for code in level], "noise": rng.normal(size=400)})
    task = Task.from_arrays(table, bright[level], roles={"colour": "categorical"})
    training = task.take(np.arange(300))
    model = strategy.build(strategy.portfolio(training)[0], training, random_state=0).fit(training.X, training.y)
    assert (model.predict(task.X[300:]) == task.y[300:]).mean() > 0.85


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_numbers_beyond_single_precision_are_taken(strategy):
    rng = np.random.default_rng(0)
    column = np.where(rng.random(80) < 0.5, 1e300, 1.0)
    task = Task.from_arrays(np.column_stack([column, rng.normal(size=80)]), column > 1)
    model = strategy.build(strategy.portfolio(task)[0], task, random_state=0).fit(task.X, task.y)
    assert (model.predict(task.X) == task.y).all()
