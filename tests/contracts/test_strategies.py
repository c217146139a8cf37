"""What the installed strategies promise beyond the checks that every strategy passes.

Every candidate of the portfolios learns from a tiny table with mixed columns, gaps and a class with one row, and
the default ones are at home in scikit-learn.
"""

from __future__ import annotations

import dataclasses
import functools
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score

from autometa.domain import Task, as_frame, predict
from autometa.foundation.errors import DataWarning
from autometa.plugins.registry import get_registry

N_SAMPLES = 60
WORDS = ("alder", "birch", "cedar", "ebony", "hazel", "larch", "maple")


def mixed_table(n_samples=N_SAMPLES):
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(n_samples, 3))
    numbers[generator.random((n_samples, 3)) < 0.1] = np.nan
    table = pd.DataFrame(numbers, columns=["a", "b", "c"])
    table["nothing"] = np.nan
    table["constant"] = 1.0
    table["flag"] = generator.random(n_samples) < 0.5
    table["few"] = pd.Categorical(generator.choice(["x", "y", "z"], n_samples))
    table.loc[:4, "few"] = None
    table["many"] = [f"level {i % 35}" for i in range(n_samples)]
    table["when"] = pd.date_range("2020-02-01", periods=n_samples, freq="37h")
    table.loc[3, "when"] = pd.NaT
    table["words"] = [" ".join(generator.choice(WORDS, 6)) for _ in range(n_samples)]
    return table


def classes(table):
    labels = np.where(table["a"].fillna(0.0) > 0, "up", "down").astype(object)
    labels[7] = "once"
    return labels


def numbers(table):
    return table["a"].fillna(0.0).to_numpy() ** 2 + 3.0 * table["b"].fillna(0.0).to_numpy()


@pytest.fixture(autouse=True, scope="module")
def _unhurried():
    """A network that runs out of seconds on a busy machine is not the same network again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autometa.components.strategies.neural.MAX_SECONDS", 3_600.0)
        yield


@functools.cache
def tiny_task(kind):
    table = mixed_table()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the class with one row is what is tested
        if kind == "regression":
            return Task.from_arrays(table, numbers(table), type="regression")
        return Task.from_arrays(table, classes(table))


def strategies(kind):
    """Those that take the tiny table, which has no images."""
    return [found for found in get_registry().strategies.values() if found.refusal(tiny_task(kind)) is None]


def every_candidate():
    for kind in ("classification", "regression"):
        for strategy in strategies(kind):
            for place, candidate in enumerate(strategy.candidates(tiny_task(kind))):
                marks = [pytest.mark.slow] if strategy.name == "neural" and place else []  # seconds each
                yield pytest.param(strategy, candidate, kind, id=f"{kind[:3]}-{candidate.id}", marks=marks)


def every_default():
    for kind in ("classification", "regression"):
        for strategy in strategies(kind):
            yield pytest.param(strategy, kind, id=f"{kind[:3]}-{strategy.name}")


@functools.cache
def fitted(strategy_name, configuration, kind):
    task = tiny_task(kind)
    estimator = get_registry().strategy(strategy_name).build(configuration, task, device="cpu", random_state=0)
    return estimator.fit(task.X, task.y)


def default_estimator(strategy, task):
    return strategy.build(strategy.portfolio(task)[0], task, device="cpu", random_state=0)


def outputs(estimator, task):
    found = predict(estimator, task.X, task)
    return found.values if found.probabilities is None else found.probabilities


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_no_built_in_strategy_is_left_out_but_those_that_want_images_or_an_extra(kind):
    taken = {strategy.name for strategy in strategies(kind)}
    assert set(get_registry().record("built_in").strategies) - taken <= {"neural_image", "neural_text"}


@pytest.mark.parametrize(("strategy", "candidate", "kind"), list(every_candidate()))
class TestEveryCandidate:
    def test_it_learns_the_classes_or_the_numbers(self, strategy, candidate, kind):
        task = tiny_task(kind)
        found = predict(fitted(strategy.name, candidate.configuration, kind), task.X, task)
        if task.is_classification:
            np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0, atol=1e-6)
            own = found.probabilities[np.arange(task.n_samples), np.searchsorted(task.classes, task.y)]
            shares = np.unique(task.y, return_counts=True)[1] / task.n_samples
            assert own.mean() > np.sum(shares**2) + 0.02  # what stating the shares of the classes would give
        else:
            assert np.corrcoef(found.values, task.y)[0, 1] > 0.5

    def test_it_predicts_a_single_row_as_in_a_batch(self, strategy, candidate, kind):
        task = tiny_task(kind)
        estimator = fitted(strategy.name, candidate.configuration, kind)
        method = estimator.predict_proba if task.is_classification else estimator.predict
        np.testing.assert_allclose(method(task.X.iloc[[5]])[0], method(task.X)[5], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("strategy", "kind"), list(every_default()))
class TestEveryDefault:
    @pytest.mark.filterwarnings("ignore:The least populated class")
    def test_it_can_be_cross_validated(self, strategy, kind):
        task = tiny_task(kind)
        rows = np.flatnonzero(task.y != "once") if task.is_classification else np.arange(task.n_samples)
        scores = cross_val_score(
            default_estimator(strategy, task), task.X.iloc[rows], task.y[rows], cv=2, error_score="raise"
        )
        assert np.isfinite(scores).all()

    def test_it_takes_arrays_and_unseen_categories(self, strategy, kind):
        task = tiny_task(kind)
        array = task.X[["a", "b", "few"]].to_numpy(dtype=object)[8:]
        small = Task.from_arrays(array, task.y[8:], type=task.type if kind == "regression" else None)
        estimator = default_estimator(strategy, small).fit(array, small.y)
        array[:3, 2] = "never seen"
        assert np.isfinite(outputs(estimator, dataclasses.replace(small, X=as_frame(array)))).all()
