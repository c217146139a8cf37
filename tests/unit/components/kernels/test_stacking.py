"""Stacking weights: optimal, and better than plain averaging."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from autometa.components.kernels.stacking import stack_classifiers, stack_regressors


@pytest.fixture
def experts():
    """One good expert, one that is the same but timid, one that is noise."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, size=300)
    good = 2.0 * np.eye(3)[labels] + random.normal(size=(300, 3))
    logs = log_softmax(np.stack([good, 0.2 * good, random.normal(size=(300, 3))]), axis=2)
    return logs, labels, random.uniform(0.5, 2.0, size=300)


def mean_loss(weights, logs, labels, rows):
    joint = log_softmax(np.tensordot(weights, logs, axes=1), axis=1)
    return -rows @ joint[np.arange(len(labels)), labels] / rows.sum()


def test_newton_finds_the_optimum(experts):
    logs, labels, rows = experts

    def objective(weights):
        return rows.sum() * mean_loss(weights, logs, labels, rows) + 1.5 * ((weights - 0.5) ** 2).sum()

    weights = stack_classifiers(logs, labels, rows, ridge=3.0)
    reference = minimize(objective, np.zeros(3), method="BFGS", options={"gtol": 1e-7}).x
    np.testing.assert_allclose(weights, reference, atol=1e-4)


def test_stacking_beats_equal_weights_on_new_rows(experts):
    logs, labels, rows = experts
    weights = stack_classifiers(logs[:, :150], labels[:150], rows[:150], ridge=3.0)
    equal = np.full(3, 1 / 3)
    late = logs[:, 150:], labels[150:], rows[150:]
    assert mean_loss(weights, *late) < mean_loss(equal, *late) - 0.05


def test_a_strong_ridge_keeps_weights_equal(experts):
    np.testing.assert_allclose(stack_classifiers(*experts, ridge=1e9), 0.5, atol=1e-5)


def test_perfect_experts_leave_finite_weights():
    labels = np.arange(40) % 2
    logs = np.log(np.clip(np.eye(2)[labels], 0.03, 0.97))
    weights = stack_classifiers(np.stack([logs, logs]), labels, np.ones(40), ridge=3.0)
    assert np.isfinite(weights).all()
    assert (weights > 0.5).all()


def test_regression_weights_are_optimal_and_not_negative():
    random = np.random.default_rng(0)
    truth = random.normal(size=200)
    predictions = np.stack([truth + 0.3 * random.normal(size=200), 0.5 * truth, -truth])
    rows = random.uniform(0.5, 2.0, size=200)
    weights = stack_regressors(predictions, truth, rows, ridge=3.0)

    def objective(w):
        return rows @ (truth - w @ predictions) ** 2 + 3.0 * ((w - 1 / 3) ** 2).sum()

    reference = minimize(objective, np.full(3, 0.3), bounds=[(0, None)] * 3, method="L-BFGS-B", tol=1e-12).x
    assert (weights >= 0).all()
    assert weights[2] == 0
    np.testing.assert_allclose(weights, reference, atol=1e-4)
