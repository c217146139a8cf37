"""Scaling of columns and choice of held-out rows."""

from __future__ import annotations

import numpy as np
import pytest

from autometa.components.neural.inputs import ColumnScaler, held_out_rows, stratified_folds


def test_numeric_columns_come_first_and_constant_ones_go():
    X = np.array([[5.0, 1.0, 10.0], [5.0, 9.0, 20.0], [5.0, 1.0, 60.0], [5.0, 9.0, 30.0]])
    scaler = ColumnScaler().fit(X)
    scaled = scaler.transform(X)
    assert (scaler.n_numeric_, scaler.n_plain_) == (1, 1)
    assert scaled.dtype == np.float32
    assert scaled[:, 0].mean() == pytest.approx(0.0, abs=1e-6)
    assert scaled[:, 0].std() == pytest.approx(1.0, abs=1e-6)
    assert scaled[:, 1].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_outliers_and_unseen_values_are_clipped():
    scaler = ColumnScaler().fit(np.arange(10.0)[:, None])
    assert np.abs(scaler.transform(np.array([[1e9], [-1e9]]))).max() <= 8.0


def test_a_table_of_constants_becomes_one_column_of_zeros():
    X = np.full((4, 3), 2.0)
    assert ColumnScaler().fit(X).transform(X).tolist() == [[0.0]] * 4


def test_folds_have_their_share_of_each_class():
    y = np.repeat([0, 1, 2], [50, 25, 10])
    folds = stratified_folds(y, 5, np.random.RandomState(0))
    counts = np.array([[np.sum((folds == fold) & (y == label)) for label in range(3)] for fold in range(5)])
    assert (counts == [10, 5, 2]).all()


def test_folds_have_their_share_of_the_range():
    y = np.arange(100.0)
    folds = stratified_folds(y, 4, np.random.RandomState(0))
    assert all(y[folds == fold].mean() == pytest.approx(49.5, abs=2.0) for fold in range(4))


def test_crossed_members_judge_every_row_once_a_round():
    y = np.tile([0, 1], 50)
    held_out = held_out_rows(y, 5, 0.2, np.random.RandomState(0), classification=True, crossed=True)
    assert (held_out.sum(axis=1) == 1).all()
    assert (held_out.sum(axis=0) == 20).all()


def test_members_that_share_weights_hold_out_the_same_rows():
    y = np.tile([0, 1], 50)
    held_out = held_out_rows(y, 3, 0.2, np.random.RandomState(0), classification=True, crossed=False)
    assert (held_out == held_out[:, :1]).all()
    assert held_out[:, 0].sum() == 20


@pytest.mark.parametrize("crossed", [False, True])
def test_the_only_row_of_a_class_is_always_learned_from(crossed):
    y = np.append(np.tile([0, 1], 30), 2)
    for seed in range(10):
        generator = np.random.RandomState(seed)
        held_out = held_out_rows(y, 5, 0.2, generator, classification=True, crossed=crossed)
        assert not held_out[-1].any()
