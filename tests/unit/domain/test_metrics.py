"""Metrics are those of scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as skm

from autometa.domain.metrics import (
    CLASSIFICATION_METRICS,
    METRICS,
    REGRESSION_METRICS,
    Prediction,
    default_metric,
    get_metric,
    score_all,
)
from autometa.foundation.errors import ParameterError


def prediction(n_classes, n_samples=200, seed=0):
    rng = np.random.default_rng(seed)
    classes = np.array([f"c{k}" for k in range(n_classes)], dtype=object)
    proba = rng.dirichlet(np.ones(n_classes), n_samples).round(2)  # with ties
    proba = (proba + 0.01) / (proba + 0.01).sum(axis=1, keepdims=True)
    y = classes[rng.integers(0, n_classes, n_samples)]
    return y, Prediction(classes[proba.argmax(axis=1)], proba, classes)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_classification_metrics_agree_with_scikit_learn(n_classes):
    y, said = prediction(n_classes)
    found = score_all(y, said, classification=True)
    labels, proba = list(said.classes), said.probabilities
    auc = (
        skm.roc_auc_score(y == labels[1], proba[:, 1])
        if n_classes == 2
        else skm.roc_auc_score(y, proba, multi_class="ovr", labels=labels)
    )
    expected = {
        "log_loss": skm.log_loss(y, proba, labels=labels),
        "roc_auc": auc,
        "balanced_accuracy": skm.balanced_accuracy_score(y, said.values),
        "accuracy": skm.accuracy_score(y, said.values),
        "brier": ((proba - (y[:, None] == said.classes)) ** 2).sum(axis=1).mean(),
    }
    assert found == pytest.approx(expected, rel=1e-12)
    assert list(found) == list(CLASSIFICATION_METRICS)


def test_regression_metrics_agree_with_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    y = rng.normal(3, 5, 100).round(1)
    said = Prediction((y + rng.normal(size=100)).round(1))
    found = score_all(y, said, classification=False)
    expected = {
        "nrmse": skm.root_mean_squared_error(y, said.values) / y.std(),
        "nmae": skm.mean_absolute_error(y, said.values) / y.std(),
        "r2": skm.r2_score(y, said.values),
        "spearman": spearmanr(y, said.values).statistic,
    }
    assert found == pytest.approx(expected, rel=1e-12)
    assert list(found) == list(REGRESSION_METRICS)


def test_perfect_predictions_reach_the_best_end():
    classes = np.array([0, 1, 2])
    y = np.repeat(classes, 5)
    perfect = Prediction(y, np.eye(3)[y], classes)
    for name, value in score_all(y, perfect, classification=True).items():
        assert value == pytest.approx(METRICS[name].best, abs=1e-6)
    numbers = np.arange(5.0)
    for name, value in score_all(numbers, Prediction(numbers), classification=False).items():
        assert value == pytest.approx(METRICS[name].best)


def test_log_loss_of_a_wrong_certainty_is_finite():
    said = Prediction(np.array([0]), np.array([[1.0, 0.0]]), np.array([0, 1]))
    assert METRICS["log_loss"].score(np.array([1]), said) == pytest.approx(-np.log(1e-7))


def test_what_is_not_defined_is_nan():
    one_class = Prediction(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))
    assert np.isnan(METRICS["roc_auc"].score(np.array([0, 0]), one_class))
    assert np.isnan(METRICS["nrmse"].score(np.ones(3), Prediction(np.zeros(3))))
    assert METRICS["spearman"].score(np.arange(3.0), Prediction(np.zeros(3))) == 0.0


def test_a_class_that_is_not_tested_does_not_count_in_the_area():
    y, said = prediction(3)
    kept = y != "c2"
    part = Prediction(said.values[kept], said.probabilities[kept], said.classes)
    two = [skm.roc_auc_score(y[kept] == f"c{k}", part.probabilities[:, k]) for k in range(2)]
    assert METRICS["roc_auc"].score(y[kept], part) == pytest.approx(np.mean(two))


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
def test_losses_are_lower_for_better_values(metric):
    assert metric.loss(metric.best) < metric.loss(metric.worst)


def test_names_and_needs_are_checked():
    with pytest.raises(ParameterError, match="for regression; got 'log_loss'"):
        get_metric("log_loss", classification=False)
    with pytest.raises(ParameterError, match="needs class probabilities"):
        METRICS["log_loss"].score(np.array([0]), Prediction(np.array([0])))
    y, said = prediction(2)
    with pytest.raises(ParameterError, match="holds classes that the prediction does not know"):
        METRICS["brier"].score(np.where(y == "c0", "zz", y), said)
    assert default_metric(classification=True) in CLASSIFICATION_METRICS
    assert default_metric(classification=False) in REGRESSION_METRICS
