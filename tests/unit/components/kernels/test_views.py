"""Standardised and ranked columns, indicators and relevance."""

from __future__ import annotations

import numpy as np
import pytest

from autometa.components.kernels.selection import spread_sample
from autometa.components.kernels.views import ColumnViews


def make(X, groups=None, weights=None):
    X = np.asarray(X, dtype=float)
    groups = np.arange(len(X)) % 2 if groups is None else groups
    return ColumnViews(X, groups, np.ones(len(X)) if weights is None else weights)


def test_standard_and_rank_of_a_small_column():
    column = np.array([[1.0], [2.0], [2.0], [5.0]])
    views = make(column).transform(column)
    np.testing.assert_allclose(views.standard[:, 0], (column[:, 0] - 2.5) / 1.5)
    # mid-ranks of 1, 2 and 3 (twice), 4 among four, as shares: 1/8, 1/2, 1/2, 7/8
    np.testing.assert_allclose(views.rank[:, 0], [-0.75, 0.0, 0.0, 0.75])


def test_new_values_are_clipped_and_interpolated():
    column = np.arange(5.0)[:, None]
    views = make(column).transform(np.array([[-1e9], [0.5], [1e9]]))
    np.testing.assert_allclose(views.standard[[0, 2], 0], [-3.0, 3.0])
    np.testing.assert_allclose(views.rank[:, 0], [-0.8, -0.6, 0.8])


def test_missing_values_become_centre_and_indicator():
    table = np.array([[1.0, 7.0], [np.nan, 8.0], [3.0, 9.0], [5.0, 6.0]])
    columns = make(table)
    views = columns.transform(table)
    assert views.rank.shape == (4, 3)
    assert views.standard[1, 0] == 0.0
    assert views.rank[1, 0] == 0.0
    assert views.standard[1, 2] > 0 > views.standard[0, 2]
    # A column that was complete in training and is missing now is simply at its centre.
    assert np.isfinite(columns.transform(np.full((2, 2), np.nan)).standard).all()


def test_constant_and_empty_columns_are_left_out():
    table = np.column_stack([np.full(6, 3.7), np.full(6, np.nan), np.arange(6.0), np.full(6, 0.1) * 3])
    assert make(table).transform(table).rank.shape == (6, 1)


def test_weights_act_as_repeated_rows():
    table, weights = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 3.0, 2.0])
    groups = np.array([0, 1, 1])
    weighted = make(table, groups, weights).transform(table)
    repeats = np.repeat(np.arange(3), weights.astype(int))
    repeated = make(table[repeats], groups[repeats]).transform(table)
    np.testing.assert_allclose(weighted.standard, repeated.standard)
    np.testing.assert_allclose(weighted.rank, repeated.rank)


def test_relevant_columns_weigh_more():
    random = np.random.default_rng(0)
    groups = random.integers(0, 2, size=400)
    shifted, middle, noise = groups + random.normal(size=400), random.normal(size=400), random.normal(size=400)
    middle = np.where(groups == 1, middle * 0.1, np.sign(middle) + middle)  # one class sits in the middle
    relevance = (
        make(np.column_stack([shifted, middle, noise, noise**3]), groups).transform(np.zeros((1, 4))).relevance
    )
    assert relevance.mean() == pytest.approx(1.0)
    assert relevance[:2].min() > 5 * relevance[2:].max()


def test_spread_sample_depends_on_content_and_keeps_shares():
    random = np.random.default_rng(0)
    table, groups = random.normal(size=(900, 3)), (np.arange(900) % 10 == 0).astype(np.int64)
    views = make(table, groups).transform(table)
    rows = spread_sample(views, groups, 100, np.random.RandomState(0))
    assert len(set(rows.tolist())) == 100
    assert groups[rows].sum() == 10
    order = random.permutation(900)
    moved = spread_sample(views.take(order), groups[order], 100, np.random.RandomState(0))
    assert set(order[moved].tolist()) == set(rows.tolist())
