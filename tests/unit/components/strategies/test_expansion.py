from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from autometa.components.strategies.expansion import (
    Interactions,
    RankScaler,
    StrongestExpanded,
    WidthLimiter,
    relevance,
)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(300, 6))


def test_relevance_of_classes_is_the_share_of_variance_between_them(X):
    y = np.arange(300) % 3
    centred = X - X.mean(axis=0)
    means = np.stack([centred[y == k].mean(axis=0) for k in range(3)])
    expected = (means**2).mean(axis=0) / centred.var(axis=0)
    scores = relevance(X, y, classification=True)
    assert (scores >= expected - 1e-12).all()
    strong = np.column_stack([y, X[:, 0]]).astype(float)
    np.testing.assert_allclose(relevance(strong, y, classification=True)[0], 1.0)


def test_relevance_sees_linear_and_even_relations_and_no_constants(X):
    X[:, 5] = 2.0
    scores = relevance(X, X[:, 1] + X[:, 3] ** 2, classification=False)
    assert set(np.argsort(scores)[-2:]) == {1, 3}
    assert scores[5] == 0.0


def test_ranks_are_bounded_and_monotone():
    values = np.exp(np.random.default_rng(0).normal(size=(500, 1)) * 5)
    scaled = RankScaler(0).fit(values).transform(np.sort(values, axis=0)).ravel()
    assert (np.diff(scaled) >= 0).all()
    assert np.abs(scaled).max() < 3.5
    assert abs(scaled.std() - 1) < 0.1


@pytest.mark.parametrize("kind", ["splines", "bins"])
def test_an_expansion_bends_a_line(X, kind):
    y = np.abs(X[:, 2])
    expanded = StrongestExpanded(kind, 8, classification=False).fit(X, y).transform(X)
    assert Ridge().fit(X, y).score(X, y) < 0.2
    assert Ridge(0.1).fit(expanded, y).score(expanded, y) > 0.8  # eight bins have wide ends


def test_an_expansion_spends_its_width_on_the_strongest_columns(X):
    y = np.abs(X[:, 4])
    expander = StrongestExpanded("splines", 6, classification=False, width=8).fit(X, y)
    assert list(expander.columns_) == [4]
    assert expander.transform(X).shape == (300, 6 + 8)


def test_products_make_a_product_linear(X):
    y = X[:, 0] * X[:, 1]
    multiplied = Interactions(6, classification=False).fit(X, y).transform(X)
    assert multiplied.shape == (300, 6 + 21)
    assert Ridge().fit(multiplied, y).score(multiplied, y) > 0.95


def test_products_of_fewer_columns_than_asked_for(X):
    assert Interactions(30).fit(X[:, :2], X[:, 0] > 0).transform(X[:, :2]).shape == (300, 2 + 3)


def test_wide_matrices_are_projected_and_narrow_ones_left_alone(X):
    assert WidthLimiter(4, 0).fit(X).transform(X).shape == (300, 4)
    np.testing.assert_array_equal(WidthLimiter(6).fit(X).transform(X), X)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_relevance_does_not_depend_on_the_targets_size(X, size):
    y = X[:, 1] + X[:, 3]
    expected = relevance(X, y, classification=False)
    np.testing.assert_allclose(relevance(X, size * y, classification=False), expected)
