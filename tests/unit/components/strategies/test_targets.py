from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from autometa.components.strategies.targets import TargetTransformer, with_target

KINDS = ("identity", "log", "normal")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shift", [0.0, -50.0])
def test_the_inverse_undoes_the_transformation(kind, shift):
    y = np.random.default_rng(0).lognormal(size=(400, 1)) + shift
    transformer = TargetTransformer(kind).fit(y)
    z = transformer.transform(y)
    inside = (y > np.quantile(y, 0.01)) & (y < np.quantile(y, 0.99))
    assert abs(z.mean()) < 0.05
    assert abs(z.std() - 1) < 0.05
    np.testing.assert_allclose(transformer.inverse_transform(z)[inside], y[inside], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_wild_predictions_stay_near_the_training_range(kind):
    y = np.linspace(0.0, 10.0, 100)[:, None] ** 2
    wild = TargetTransformer(kind).fit(y).inverse_transform(np.array([[-1e6], [1e6]]))
    assert wild[0, 0] >= -100.0
    assert wild[1, 0] <= 300.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_target_is_predicted(kind):
    y = np.full(20, 3.0)
    model = with_target(LinearRegression(), kind).fit(np.arange(20.0)[:, None], y)
    np.testing.assert_allclose(model.predict([[5.0]]), 3.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_targets_near_the_ends_of_the_range_of_floats_are_learned(kind, size):
    X = np.linspace(0.0, 1.0, 50)[:, None]
    model = with_target(LinearRegression(), kind).fit(X, size * X.ravel())
    assert np.corrcoef(model.predict(X) / size, X.ravel())[0, 1] > 0.97


def test_a_logarithm_straightens_an_exponential():
    X = np.linspace(0.0, 5.0, 200)[:, None]
    y = np.exp(X.ravel()) - 1.0
    straight = clone(with_target(LinearRegression(), "log")).fit(X, y)
    assert straight.score(X, y) > with_target(LinearRegression()).fit(X, y).score(X, y) + 0.1
