from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from autometa.decision.policy.portfolio import greedy_portfolio, weighted_quantiles


def test_the_second_complements_the_first_rather_than_repeating_it():
    # 0 and 1 are good on the same tasks; 2 is worse on average but good where they fail.
    regret = np.array([[0.0, 0.01, 0.9], [0.0, 0.01, 0.9], [0.0, 0.01, 0.9], [0.8, 0.8, 0.0]])
    assert greedy_portfolio(np.full(4, 0.25), regret).tolist() == [0, 2, 1]


def test_weights_decide():
    regret = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert greedy_portfolio(np.array([0.9, 0.1]), regret)[0] == 0
    assert greedy_portfolio(np.array([0.1, 0.9]), regret)[0] == 1


def test_greedy_value_is_at_least_the_guaranteed_share_of_the_best_set():
    rng = np.random.default_rng(1)
    regret = rng.random((30, 8))
    weights = rng.dirichlet(np.ones(30))
    first = greedy_portfolio(weights, regret)[0]

    def gain(members: tuple[int, ...]) -> float:
        return float(weights @ regret[:, first] - weights @ regret[:, [first, *members]].min(axis=1))

    best = max(gain(pair) for pair in combinations(range(8), 2))
    assert gain(tuple(greedy_portfolio(weights, regret)[1:3])) >= (1 - 1 / np.e) * best


def test_places_beyond_the_complementary_ones_are_sorted_by_expectation():
    rng = np.random.default_rng(0)
    regret = rng.random((50, 12))
    weights = np.full(50, 1 / 50)
    rest = greedy_portfolio(weights, regret, length=3)[3:]
    assert (np.diff(weights @ regret[:, rest]) >= 0).all()


def test_no_rows_keep_the_given_order():
    assert greedy_portfolio(np.empty(0), np.empty((0, 3))).tolist() == [0, 1, 2]


def test_weighted_quantiles_of_even_weights_are_order_statistics():
    values = np.arange(1.0, 11.0)[:, None]
    low, high = weighted_quantiles(values, np.full(10, 0.1), (0.1, 0.9))
    assert (low[0], high[0]) == (pytest.approx(1.0), pytest.approx(9.0))


def test_weighted_quantiles_ignore_rows_without_weight():
    values = np.array([[1.0], [2.0], [99.0]])
    low, high = weighted_quantiles(values, np.array([0.5, 0.5, 0.0]), (0.1, 0.9))
    assert (low[0], high[0]) == (1.0, 2.0)
