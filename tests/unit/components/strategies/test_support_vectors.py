from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from autometa.components.strategies.support_vectors import SupportVectorClassifier, SupportVectorRegressor


@pytest.fixture
def moons():
    return make_moons(300, noise=0.25, random_state=0)


@pytest.fixture
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), (y - y.mean()) / y.std()


def test_two_classes_are_ordered_as_scikit_learn_orders_them(moons):
    X, y = moons
    ours = SupportVectorClassifier(C=2.0, random_state=0).fit(X, y).predict_proba(X)[:, 1]
    theirs = SVC(C=2.0, gamma=1.0 / (2 * X.var(axis=0).mean())).fit(X, y).decision_function(X)
    assert np.corrcoef(np.argsort(np.argsort(ours)), np.argsort(np.argsort(theirs)))[0, 1] > 0.9999


def test_regression_is_scikit_learns(diabetes):
    X, y = diabetes
    theirs = SVR(C=0.5, gamma="scale").fit(X, y).predict(X)
    np.testing.assert_allclose(SupportVectorRegressor(C=0.5).fit(X, y).predict(X), theirs, atol=1e-3)


@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "polynomial", "linear"])
@pytest.mark.parametrize("exact_rows", [4_000, 50])
def test_probabilities_of_new_rows_are_honest(kernel, exact_rows):
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
    scaler = StandardScaler().fit(X_train)
    machine = SupportVectorClassifier(kernel, C=5.0, exact_rows=exact_rows, n_landmarks=40, random_state=0)
    machine.fit(scaler.transform(X_train), y_train)
    assert machine.is_exact_ == (exact_rows > 90)
    assert log_loss(y_test, machine.predict_proba(scaler.transform(X_test))) < 0.35


def test_ten_classes_are_calibrated():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, train_size=500, stratify=y, random_state=0)
    machine = SupportVectorClassifier(C=5.0, random_state=0).fit(X_train, y_train)
    assert log_loss(y_test, machine.predict_proba(X_test)) < 0.25
    assert machine.predict(X_test).dtype == y.dtype


@pytest.mark.parametrize("n_rare", [1, 2])
def test_rare_classes_survive_the_calibration(moons, n_rare):
    X, y = moons
    labels = np.where(y == 1, "one", "zero").astype(object)
    labels[:n_rare] = "rare"
    machine = SupportVectorClassifier(random_state=0).fit(X, labels)
    assert list(machine.classes_) == ["one", "rare", "zero"]
    assert np.isfinite(machine.predict_proba(X)).all()
    only_rare = SupportVectorClassifier(random_state=0).fit(X, labels == "rare")
    assert only_rare.predict_proba(X)[:, 1].mean() < 0.1


@pytest.mark.parametrize("weighting", ["relevance", "trees"])
def test_weights_find_the_two_columns_among_noise(moons, weighting):
    X, y = moons
    noisy = np.hstack([X, np.random.default_rng(0).normal(size=(300, 30))])
    X_train, X_test, y_train, y_test = train_test_split(noisy, y, random_state=0)
    plain = SupportVectorClassifier(C=5.0, random_state=0).fit(X_train, y_train)
    weighted = SupportVectorClassifier(C=5.0, weighting=weighting, random_state=0).fit(X_train, y_train)
    assert set(np.argsort(weighted.weights_)[-2:]) == {0, 1}
    np.testing.assert_allclose(np.mean(weighted.weights_**2), 1.0)
    losses = [log_loss(y_test, machine.predict_proba(X_test)) for machine in (weighted, plain)]
    assert losses[0] < losses[1] - 0.05


def test_regression_on_landmarks_is_close_to_the_exact_one(diabetes):
    X, y = diabetes
    exact = SupportVectorRegressor(C=1.0, width=0.3).fit(X, y)
    landmarks = SupportVectorRegressor(C=1.0, width=0.3, exact_rows=100, n_landmarks=200, random_state=0).fit(X, y)
    assert not landmarks.is_exact_
    assert np.corrcoef(exact.predict(X), landmarks.predict(X))[0, 1] > 0.9


def test_a_target_inside_the_tube_is_its_intercept():
    X = np.arange(20.0)[:, None]
    machine = SupportVectorRegressor(epsilon=0.5).fit(X, np.full(20, 2.0))
    np.testing.assert_allclose(machine.predict(X), 2.0, atol=0.51)


def test_many_classes_of_few_rows_have_no_more_landmarks_than_rows():
    X, labels = np.random.default_rng(0).normal(size=(90, 3)), np.repeat(np.arange(45), 2)
    machine = SupportVectorClassifier(random_state=0).fit(X, labels)
    assert not machine.is_exact_
    assert machine.features_.components_.shape == (90, 3)
    np.testing.assert_allclose(machine.predict_proba(X).sum(axis=1), 1.0)


@pytest.mark.parametrize("machine", [SupportVectorClassifier, SupportVectorRegressor])
def test_columns_that_explain_nothing_weigh_alike(machine):
    # Both halves of a column hold the same targets, so that no split of any tree gains anything.
    X, y = np.repeat([[-1.0, 1.0], [1.0, -1.0]], 10, axis=0), np.tile([0.0, 1.0], 10)
    fitted = machine(weighting="trees", random_state=0).fit(X, y)
    np.testing.assert_allclose(fitted.weights_, 1.0)
