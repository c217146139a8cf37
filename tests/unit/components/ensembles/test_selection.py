"""Greedy selection: the best single one first, then whatever lowers the loss of the mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autometa.components.ensembles import select_weights
from autometa.foundation.errors import ParameterError

TRUTH = np.asarray([[0.0], [1.0], [2.0], [3.0]])


def squared(prediction):
    return float(((prediction - TRUTH) ** 2).mean())


def test_errors_that_cancel_are_found():
    predictions = np.stack([TRUTH + 1.0, TRUTH - 2.0, TRUTH + 5.0])
    weights = select_weights(predictions, squared)
    np.testing.assert_allclose(weights, [2 / 3, 1 / 3, 0.0])
    assert squared(np.tensordot(weights, predictions, axes=1)) == pytest.approx(0.0)


def test_one_that_cannot_be_improved_stays_alone():
    predictions = np.stack([TRUTH + 1.0, TRUTH, TRUTH - 1.0])
    assert select_weights(predictions, squared).tolist() == [0.0, 1.0, 0.0]


def test_what_takes_too_long_together_is_not_combined():
    predictions = np.stack([TRUTH + 1.0, TRUTH - 1.1, TRUTH - 1.3])
    weights = select_weights(predictions, squared, seconds=np.asarray([2.0, 9.0, 3.0]), allowed_seconds=6.0)
    assert weights[1] == 0
    assert weights[0] > 0
    assert weights[2] > 0
    with pytest.raises(ParameterError, match="None of 3 candidates"):
        select_weights(predictions, squared, seconds=np.asarray([2.0, 9.0, 3.0]), allowed_seconds=1.0)


def test_it_ends_when_the_time_is_over_with_the_best_single_one():
    predictions = np.stack([TRUTH + 1.0, TRUTH - 2.0])
    assert select_weights(predictions, squared, is_over=lambda: True).tolist() == [1.0, 0.0]


def test_a_loss_that_is_not_defined_is_the_worst():
    predictions = np.stack([np.full_like(TRUTH, np.nan), TRUTH + 1.0])
    assert select_weights(predictions, squared).tolist() == [0.0, 1.0]


@given(seed=st.integers(0, 2**32 - 1), n_candidates=st.integers(1, 6), spread=st.floats(0.01, 3.0))
@settings(max_examples=60, deadline=None)
def test_never_worse_than_the_best_single_one_on_its_own_data(seed, n_candidates, spread):
    rng = np.random.default_rng(seed)
    predictions = TRUTH + spread * rng.normal(size=(n_candidates, *TRUTH.shape))
    for loss in (squared, lambda said: float(np.abs(said - TRUTH).max())):
        weights = select_weights(predictions, loss)
        single = min(loss(said) for said in predictions)
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1.0)
        assert loss(np.tensordot(weights, predictions, axes=1)) <= single * (1 + 1e-9)
        np.testing.assert_array_equal(weights, select_weights(predictions, loss))
