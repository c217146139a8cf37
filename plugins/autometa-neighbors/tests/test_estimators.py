"""Probabilities that can be believed, from learners that are known for the opposite."""

from __future__ import annotations

import numpy as np
import pytest
from autometa_neighbors.estimators import SmoothedNeighborsClassifier, SmoothedNeighborsRegressor
from autometa_neighbors.gaussians import RegularizedDiscriminant
from autometa_neighbors.tempering import BinnedBayes, TemperedClassifier
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.estimator_checks import check_estimator


def repeated(n=300, copies=15, seed=0):
    """Two classes told apart by one column; naive Bayes takes its copies for as many witnesses."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    column = y + rng.normal(size=n)
    return np.repeat(column[:, None], copies, axis=1), y


def test_votes_never_give_a_probability_of_zero():
    X, y = repeated()
    probabilities = SmoothedNeighborsClassifier(n_neighbors=3).fit(X, y).predict_proba(X)
    assert probabilities.min() > 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


@pytest.mark.parametrize("kind", [SmoothedNeighborsClassifier, SmoothedNeighborsRegressor])
def test_there_may_be_fewer_rows_than_neighbours(kind):
    X, y = repeated(8)
    assert len(kind(n_neighbors=50).fit(X, y).predict(X)) == 8


def test_a_temperature_takes_the_certainty_from_naive_bayes():
    X, y = repeated()
    fresh, truth = repeated(seed=1)
    plain = log_loss(truth, GaussianNB().fit(X, y).predict_proba(fresh))
    tempered = TemperedClassifier(GaussianNB()).fit(X, y)
    assert tempered.temperature_ > 3
    assert log_loss(truth, tempered.predict_proba(fresh)) < 0.5 * plain


def test_a_class_with_one_row_does_not_switch_the_temperature_off():
    X, y = repeated()
    usual = TemperedClassifier(GaussianNB()).fit(X, y).temperature_
    rare = TemperedClassifier(GaussianNB()).fit(X, np.where(np.arange(300) == 7, 2, y))
    assert rare.temperature_ > 0.5 * usual
    assert rare.predict_proba(X).shape == (300, 3)


def test_a_class_with_one_row_borrows_the_common_covariance():
    X, y = repeated(60, copies=1)
    X = np.hstack([X, np.random.default_rng(2).normal(size=(60, 2))])
    y = np.where(np.arange(60) == 5, 2, y)
    X[5] += 6
    model = RegularizedDiscriminant(pooling=0.1).fit(X, y)
    assert model.predict(X[[5]]) == [2]
    assert np.isfinite(model.predict_proba(X)).all()


def test_pooling_everything_is_the_linear_discriminant():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    X, y = repeated(copies=1)
    X = np.hstack([X, np.random.default_rng(2).normal(size=(300, 3))])
    ours = RegularizedDiscriminant(pooling=1.0, shrinkage=0.0).fit(X, y).predict_proba(X)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(X, y).predict_proba(X)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_wide_tables_are_projected():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 400)), np.arange(50) % 2
    X[y == 1] += 1
    assert (RegularizedDiscriminant().fit(X, y).predict(X) == y).mean() > 0.95


@pytest.mark.parametrize(
    "learner", [BinnedBayes(), RegularizedDiscriminant()], ids=lambda learner: type(learner).__name__
)
def test_scikit_learn_checks(learner):
    check_estimator(learner, on_skip=None)
