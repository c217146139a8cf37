"""Classifier and regressor: what they learn, keep, promise and refuse."""

from __future__ import annotations

import itertools
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

from autometa.components.neural import TabularNetworkClassifier, TabularNetworkRegressor, _base, training
from autometa.components.neural.calibration import best_temperature, mean_probabilities
from autometa.engine.persistence import load_model, save_model
from autometa.foundation.errors import ParameterError, TargetError

TINY = {"width": 16, "n_blocks": 1, "max_epochs": 30, "learning_rate": 0.02, "device": "cpu", "random_state": 0}
KINDS = [
    ("mlp", "none"),
    ("packed", "piecewise"),
    ("tabm", "periodic"),
]


CHECKED = {"k": 2, "dropout": 0.0, "batch_size": 16, **TINY, "max_epochs": 12, "learning_rate": 0.05}
DRAWN_BY_ROW = "Batches and held-out rows are drawn row by row, so one row of weight two is not two rows."


@pytest.mark.filterwarnings("ignore")  # the checks fit degenerate tables on purpose
@parametrize_with_checks(
    [TabularNetworkClassifier(**CHECKED), TabularNetworkRegressor(**CHECKED)],
    expected_failed_checks=lambda _: {"check_sample_weight_equivalence_on_dense_data": DRAWN_BY_ROW},
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def wine():
    return train_test_split(*load_wine(return_X_y=True), stratify=load_wine().target, random_state=0)


@pytest.mark.parametrize(("architecture", "embedding"), KINDS)
def test_ten_rows_are_learned_by_heart(architecture, embedding):
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(10, 4)), np.tile(["a", "b"], 5)
    settings = {**TINY, "max_epochs": 200, "dropout": 0.0, "batch_size": 10}
    model = TabularNetworkClassifier(architecture=architecture, embedding=embedding, **settings).fit(X, y)
    assert (model.predict(X) == y).all()
    assert log_loss(y, model.predict_proba(X)) < 0.1


@pytest.mark.parametrize(("architecture", "embedding"), KINDS)
def test_training_beats_the_random_initialisation(wine, architecture, embedding):
    X, X_test, y, y_test = wine
    settings = {"architecture": architecture, "embedding": embedding, **TINY}
    trained = TabularNetworkClassifier(**settings).fit(X, y)
    untrained = TabularNetworkClassifier(**{**settings, "learning_rate": 1e-12}).fit(X, y)
    assert trained.score(X_test, y_test) >= 0.9
    assert log_loss(y_test, trained.predict_proba(X_test)) < 0.5 * log_loss(
        y_test, untrained.predict_proba(X_test)
    )


def test_a_bent_boundary_is_found_where_a_line_fails():
    X, y = make_moons(600, noise=0.15, random_state=0)
    model = TabularNetworkClassifier(architecture="packed", embedding="piecewise", **TINY).fit(X[:400], y[:400])
    line = LogisticRegression().fit(X[:400], y[:400])
    assert model.score(X[400:], y[400:]) > line.score(X[400:], y[400:]) + 0.05


@pytest.mark.parametrize(("architecture", "embedding"), KINDS)
def test_regression_explains_the_diabetes_data(architecture, embedding):
    X, y = load_diabetes(return_X_y=True)
    model = TabularNetworkRegressor(architecture=architecture, embedding=embedding, **TINY).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.4
    assert model.predict(X).min() >= model.target_range_[0]


@pytest.mark.parametrize(("architecture", "embedding"), KINDS)
def test_a_seed_fixes_the_fit_and_a_refit_starts_afresh(wine, architecture, embedding):
    X, X_test, y, _ = wine
    model = TabularNetworkClassifier(architecture=architecture, embedding=embedding, **TINY)
    first = model.fit(X, y).predict_proba(X_test)
    assert np.array_equal(first, model.fit(X, y).predict_proba(X_test))
    assert np.array_equal(first, clone(model).fit(X, y).predict_proba(X_test))
    assert not np.array_equal(first, clone(model).set_params(random_state=1).fit(X, y).predict_proba(X_test))


@pytest.mark.parametrize(("architecture", "embedding"), KINDS)
def test_stored_models_predict_the_same(wine, tmp_path, architecture, embedding):
    X, X_test, y, _ = wine
    model = TabularNetworkClassifier(architecture=architecture, embedding=embedding, **TINY).fit(X, y)
    expected = model.predict_proba(X_test)
    assert np.array_equal(expected, pickle.loads(pickle.dumps(model)).predict_proba(X_test))
    restored = load_model(save_model(model, tmp_path / "model.skops"))
    assert np.array_equal(expected, restored.predict_proba(X_test))


def test_a_pickle_holds_no_tensors(wine):
    X, _, y, _ = wine
    assert b"torch" not in pickle.dumps(TabularNetworkClassifier(**TINY).fit(X, y))


def test_prediction_does_not_depend_on_the_order_or_number_of_rows(wine):
    X, X_test, y, _ = wine
    model = TabularNetworkClassifier(**TINY).fit(X, y)
    order = np.random.default_rng(0).permutation(len(X_test))
    whole = model.predict_proba(X_test)
    assert model.predict_proba(X_test[order]) == pytest.approx(whole[order], abs=1e-6)
    assert model.predict_proba(X_test[:1]) == pytest.approx(whole[:1], abs=1e-6)


def test_shuffled_training_rows_teach_the_same(wine):
    X, X_test, y, y_test = wine
    order = np.random.default_rng(1).permutation(len(X))
    model = TabularNetworkClassifier(**TINY)
    scores = [clone(model).fit(X[o], y[o]).score(X_test, y_test) for o in (np.arange(len(X)), order)]
    assert abs(scores[0] - scores[1]) < 0.1


def test_the_limit_of_seconds_is_kept(monkeypatch):
    looks = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: 0.01 * next(looks))  # every look at it takes a hundredth
    for module in (_base, training):
        monkeypatch.setattr(module, "time", clock)
    generator = np.random.default_rng(0)
    X = generator.normal(size=(4_000, 20))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    model = TabularNetworkClassifier(
        max_seconds=1.0, max_epochs=10_000, patience=10_000, device="cpu", random_state=0
    )
    model.fit(X, y)
    assert model.stopped_by_ == "time"
    assert 0.8 < model.fit_seconds_ <= 1.0
    assert np.isfinite(model.predict_proba(X[:50])).all()


def test_a_fit_that_is_too_much_for_a_cpu_is_planned_shorter(monkeypatch, wine):
    model = TabularNetworkClassifier(
        architecture="mlp", embedding="none", patience=1_000, device="cpu", random_state=0
    )
    n_planned = model.fit(*wine[::2]).n_epochs_
    n_multiplications = model._spec.n_multiplications * len(wine[0])
    monkeypatch.setattr(_base, "_CPU_WORK", 3.5 * n_multiplications)
    assert model.fit(*wine[::2]).n_epochs_ == 3 < n_planned
    assert model.stopped_by_ == "epochs"


def test_weights_are_heeded():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(300, 2))
    y = (X[:, 0] + generator.normal(size=300) > 1.2).astype(int)
    plain = TabularNetworkClassifier(**TINY).fit(X, y)
    balanced = TabularNetworkClassifier(class_weight="balanced", **TINY).fit(X, y)
    weighted = TabularNetworkClassifier(**TINY).fit(X, y, sample_weight=np.where(y == 1, 50.0, 1.0))
    shares = [model.predict(X).mean() for model in (plain, balanced, weighted)]
    assert shares[0] < shares[1] < shares[2]


def test_rows_of_weight_zero_do_not_matter():
    generator = np.random.default_rng(0)
    X, weights = generator.normal(size=(120, 3)), np.repeat([1.0, 0.0], [100, 20])
    spoilt, wild = X.copy(), np.where(weights > 0, X[:, 0], 1e6)
    spoilt[weights == 0] = 1e6
    plain = TabularNetworkRegressor(**TINY).fit(X[:100], X[:100, 0]).predict(X)
    weighted = TabularNetworkRegressor(**TINY).fit(spoilt, wild, sample_weight=weights).predict(X)
    assert np.array_equal(plain, weighted)
    labels = np.where(weights > 0, (X[:, 0] > 0).astype(int), 2)
    model = TabularNetworkClassifier(**TINY).fit(spoilt, labels, sample_weight=weights)
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.predict_proba(X)[:, 2].max() < 0.2


def test_the_device_and_its_reason_are_stated(wine):
    X, _, y, _ = wine
    model = TabularNetworkClassifier(**{**TINY, "device": "auto", "max_epochs": 1}).fit(X, y)
    assert model.device_ == ("cuda" if torch.cuda.is_available() else "cpu")
    assert model.device_reason_


@pytest.mark.parametrize(
    "wrong",
    [
        {"architecture": "transformer"},
        {"embedding": "fourier"},
        {"k": 0},
        {"dropout": 1.0},
        {"max_seconds": 0},
        {"validation_share": 0.9},
        {"device": "abacus"},
    ],
)
def test_wrong_parameters_are_refused_by_name(wine, wrong):
    X, _, y, _ = wine
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        TabularNetworkClassifier(**wrong).fit(X, y)


def test_a_single_class_is_refused():
    with pytest.raises(TargetError, match="two classes"):
        TabularNetworkClassifier(**TINY).fit(np.eye(3), ["a", "a", "a"])


def test_a_temperature_cools_overconfident_logits():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2_000, 1, 3))
    odds = np.exp(logits[:, 0])
    codes = (generator.random((2_000, 1)) > np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    temperature = best_temperature(3.0 * logits, np.minimum(codes, 2), np.ones((2_000, 1)))
    assert temperature == pytest.approx(3.0, rel=0.15)
    assert mean_probabilities(logits, temperature).sum(axis=1) == pytest.approx(1.0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("architecture", "embedding"), KINDS)
def test_a_gpu_learns_as_well_and_its_pickle_needs_none(wine, architecture, embedding):
    X, X_test, y, y_test = wine
    settings = {**TINY, "device": "cuda", "architecture": architecture, "embedding": embedding}
    model = TabularNetworkClassifier(**settings).fit(X, y)
    assert model.device_ == "cuda"
    assert model.score(X_test, y_test) >= 0.9
    moved = pickle.loads(pickle.dumps(model)).set_params(device="cpu")
    assert moved.predict_proba(X_test) == pytest.approx(model.predict_proba(X_test), abs=0.05)
