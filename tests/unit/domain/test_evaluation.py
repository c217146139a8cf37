"""One cell: fit, predict, score; a failure is an evaluation too."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression

from autometa.domain.evaluation import evaluate, predict
from autometa.domain.metrics import CLASSIFICATION_METRICS, REGRESSION_METRICS
from autometa.domain.splits import holdout_splits
from autometa.domain.strategy import Candidate, Configuration, Strategy
from autometa.domain.task import Split, Task
from autometa.foundation.errors import EvaluationError

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(120, 3)), columns=["a", "b", "c"])
CLASSES = Task.from_arrays(X, np.where(X["a"] > 0.3, "yes", "no"), name="t")
NUMBERS = Task.from_arrays(X, X["a"] * 2 + RNG.normal(size=120), name="r")
(SPLIT,) = holdout_splits(CLASSES, 1)


class Given(Strategy):
    """Builds the estimator it was made with."""

    name = "given"

    def __init__(self, estimator):
        self.estimator = estimator

    def search_space(self, task):
        return {}

    def portfolio(self, task):
        return [Configuration()]

    def build(self, configuration, task, *, device="auto", random_state=None):
        if isinstance(self.estimator, Exception):
            raise self.estimator
        return self.estimator


class Constant(ClassifierMixin, BaseEstimator):
    """Says the same of every row, right or wrong."""

    def __init__(self, proba=(0.5, 0.5), classes=("no", "yes"), n_rows=None):
        self.proba, self.classes, self.n_rows = proba, classes, n_rows

    def fit(self, X, y):
        warnings.warn("a learner's own business", UserWarning, stacklevel=2)
        return self.fit_quietly()

    def fit_quietly(self):
        self.classes_ = np.array(self.classes)
        return self

    def predict_proba(self, X):
        return np.tile(self.proba, (self.n_rows or len(X), 1))


def cell(estimator, task=CLASSES, split=SPLIT):
    return evaluate(
        task, split, Candidate("given", Configuration()), Given(estimator), task_key="key", train_size=7
    )


@pytest.mark.parametrize(
    ("estimator", "task", "metrics"),
    [(LogisticRegression(), CLASSES, CLASSIFICATION_METRICS), (LinearRegression(), NUMBERS, REGRESSION_METRICS)],
)
def test_scores_and_costs(estimator, task, metrics):
    found = cell(estimator, task)
    assert (found.status, found.message, found.task, found.train_size) == ("ok", "", "key", 7)
    assert (found.n_train, found.n_test) == (len(SPLIT.train), len(SPLIT.test))
    assert list(found.scores) == list(metrics)
    assert found.fit_seconds > 0
    assert found.predict_seconds > 0
    best = found.scores["accuracy" if task.is_classification else "r2"]
    assert best > 0.7


def test_only_the_training_rows_are_seen():
    seen = {}

    class Spy(LogisticRegression):
        def fit(self, X, y):
            seen["rows"] = list(X.index)
            return super().fit(X, y)

    cell(Spy())
    assert seen["rows"] == SPLIT.train.tolist()


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (ValueError("no luck"), "ValueError: no luck"),
        (Constant(proba=(np.nan, 0.5)), "EvaluationError: Constant predicted NaN or infinite values"),
        (Constant(n_rows=3), r"EvaluationError: Constant predicted an array of shape (3, 2)"),
        (Constant(classes=("no", "maybe")), "classes that the task does not have"),
        (ValueError("x" * 9999), "ValueError: xxx"),
    ],
)
def test_failures_are_evaluations(estimator, message):
    found = cell(estimator)
    assert found.status == "error"
    assert message in found.message
    assert len(found.message) <= 2000
    assert found.scores == {}
    assert np.isnan(found.fit_seconds)
    assert found.n_train == len(SPLIT.train)


def test_warnings_of_learners_and_metrics_are_not_errors():
    one_row = Split(0, SPLIT.train, SPLIT.test[:1])
    assert cell(Constant()).status == "ok"
    assert cell(LinearRegression(), NUMBERS, one_row).status == "ok"


def test_probabilities_are_in_the_order_of_the_classes():
    said = predict(Constant(proba=(0.75, 0.25), classes=("yes", "no")).fit_quietly(), X[:2], CLASSES)
    assert said.classes.tolist() == ["no", "yes"]
    assert said.probabilities.tolist() == [[0.25, 0.75]] * 2
    assert said.values.tolist() == ["yes", "yes"]


def test_a_class_that_was_not_seen_has_probability_zero():
    said = predict(Constant(proba=(1.0,), classes=("yes",)).fit_quietly(), X[:1], CLASSES)
    assert said.probabilities.tolist() == [[0.0, 1.0]]


def test_regression_predictions_must_be_one_finite_number_a_row():
    class Broken(LinearRegression):
        def predict(self, X):
            return np.full(len(X), np.inf)

    with pytest.raises(EvaluationError, match="Broken predicted NaN or infinite"):
        predict(Broken(), X, NUMBERS)
