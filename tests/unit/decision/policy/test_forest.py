from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from autometa.decision.policy.forest import Forest


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(80, 7)), rng.normal(size=(80, 3)), rng.normal(size=(40, 7))


@pytest.fixture(scope="module")
def model(data):
    X, Y, _ = data
    return ExtraTreesRegressor(25, min_samples_leaf=2, bootstrap=False, random_state=3).fit(X, Y)


@pytest.fixture(scope="module")
def forest(data):
    X, Y, _ = data
    return Forest.fit(X, Y, n_trees=25, min_samples_leaf=2, random_state=3)


def test_traversal_equals_scikit_learn(data, model, forest):
    _, _, queries = data
    assert np.array_equal(forest.apply(queries) - forest.roots, model.apply(queries))


def test_a_value_on_a_threshold_goes_where_scikit_learn_sends_it(data, model, forest):
    _, _, queries = data
    on_threshold = queries.copy()
    on_threshold[:, forest.feature[0]] = forest.threshold[0]
    assert np.array_equal(forest.apply(on_threshold) - forest.roots, model.apply(on_threshold))


def test_weights_give_scikit_learns_prediction(data, model, forest):
    _, Y, queries = data
    weights = forest.weights(queries)
    np.testing.assert_allclose(weights @ Y, model.predict(queries), atol=1e-12)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert (weights >= 0).all()


def test_weights_give_scikit_learns_prediction_where_rows_count_differently(data):
    X, Y, queries = data
    counts = np.random.default_rng(1).uniform(0.05, 1.0, len(X))
    model = ExtraTreesRegressor(25, min_samples_leaf=2, bootstrap=False, random_state=3)
    forest = Forest.fit(X, Y, n_trees=25, min_samples_leaf=2, sample_weight=counts, random_state=3)
    expected = model.fit(X, Y, sample_weight=counts).predict(queries)
    np.testing.assert_allclose(forest.weights(queries) @ Y, expected, atol=1e-12)
    assert np.abs(forest.weights(queries)[:, counts < 0.2].mean() / forest.weights(queries).mean()) < 0.6


def test_influence_finds_the_only_column_that_matters():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(100, 4))
    forest = Forest.fit(X, np.sign(X[:, 2] - 0.5), n_trees=50, random_state=0)
    shares = forest.influence(X[0], 4)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[2] > 0.8


def test_arrays_round_trip(data, forest):
    _, _, queries = data
    again = Forest.from_arrays(forest.to_arrays("f."), "f.")
    assert np.array_equal(again.weights(queries), forest.weights(queries))
    assert all(array.dtype != object for array in forest.to_arrays("f.").values())


def test_a_constant_target_grows_stumps_that_weigh_all_rows_alike(data):
    X, _, queries = data
    forest = Forest.fit(X, np.zeros(len(X)), n_trees=3)
    assert forest.depth == 0
    np.testing.assert_allclose(forest.weights(queries), 1 / len(X))
    assert forest.influence(queries[0], 7).sum() == 0
