"""Verdicts on much and on little evidence are corrected apart, where enough dataset groups tell them apart."""

from __future__ import annotations

import numpy as np
import pytest

from autometa.decision.policy import INTERVAL_LEVEL
from autometa.decision.policy.buckets import Amount, Buckets, group_shares
from autometa.decision.policy.calibration import Calibration, Forecast
from autometa.decision.policy.near_best import Likelihood
from autometa.foundation.typing import FloatArray, IntArray

N_CANDIDATES = 5
EVERYONE = np.ones(N_CANDIDATES, dtype=bool)
ONE = np.arange(N_CANDIDATES) == 1


def amount(halvings: float, seen=EVERYONE) -> Amount:
    return Amount(halvings, np.asarray(seen))


def rehearsed(n_groups: int, seed: int = 0) -> tuple[Forecast, FloatArray, IntArray, list[Amount]]:
    """Return two verdicts a group, forecasts of 0 within 1; far from the full size truths are 4 times as wide."""
    rng = np.random.default_rng(seed)
    amounts = [amount(halvings) for _ in range(n_groups) for halvings in (1.0, 5.0)]
    spread = np.array([each.halvings > 3 for each in amounts]) * 3.0 + 1.0
    truth = rng.normal(size=(2 * n_groups, N_CANDIDATES)) * spread[:, None]
    nothing = np.zeros(truth.shape)
    first = np.zeros(len(truth), dtype=np.int64)
    return Forecast(nothing, nothing - 1, nothing + 1, first), truth, np.arange(2 * n_groups) // 2, amounts


def widths(calibration: Calibration, given: Amount | None) -> FloatArray:
    nothing = np.zeros(N_CANDIDATES)
    low, high = calibration.apply(nothing, nothing - 1, nothing + 1, 0, amount=given)
    return np.asarray(high - low)


def test_little_evidence_has_intervals_of_its_own():
    forecast, truth, groups, amounts = rehearsed(300)
    calibration = Calibration.fit(forecast, truth, groups, amounts=amounts)
    near, far = widths(calibration, amount(1.0)), widths(calibration, amount(5.0))
    assert far == pytest.approx(4 * near, rel=0.35)
    _, fresh, _, given = rehearsed(2000, seed=1)
    held = [np.abs(row) < widths(calibration, each) / 2 for row, each in zip(fresh, given, strict=True)]
    of_far = np.array([each.halvings > 3 for each in given])
    for part in (of_far, ~of_far):
        assert np.asarray(held)[part].mean() == pytest.approx(INTERVAL_LEVEL, abs=0.05)


def test_of_few_groups_all_evidence_is_corrected_alike():
    forecast, truth, groups, amounts = rehearsed(15)
    calibration = Calibration.fit(forecast, truth, groups, amounts=amounts)
    np.testing.assert_array_equal(widths(calibration, amount(1.0)), widths(calibration, amount(5.0)))
    np.testing.assert_array_equal(widths(calibration, amount(1.0)), widths(calibration, None))


def test_what_was_not_tried_is_corrected_apart_from_what_was():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(100, N_CANDIDATES)) * np.where(ONE, 1.0, 5.0)
    nothing, first = np.zeros(truth.shape), np.zeros(100, dtype=np.int64)
    forecast = Forecast(nothing, nothing - 1, nothing + 1, first)
    calibration = Calibration.fit(forecast, truth, np.arange(100), amounts=[amount(1.0, ONE)] * 100)
    found = widths(calibration, amount(1.0, ONE))
    assert found[2:].min() > 3 * found[1]
    assert np.ptp(found[2:]) == 0


def test_probabilities_are_corrected_by_how_much_evidence_there_is():
    rng = np.random.default_rng(0)
    given = rng.uniform(0.2, 0.8, (400, N_CANDIDATES))
    amounts = [amount(1.0 + 4.0 * (row % 2)) for row in range(400)]
    true = np.where((np.arange(400) % 2)[:, None] == 1, given / 2, given)
    came = (rng.random(given.shape) < true).astype(float)
    likelihood = Likelihood.fit(given, came, np.zeros(400, dtype=np.int64), np.arange(400) // 2, amounts)
    even = np.full(N_CANDIDATES, 0.5)
    assert likelihood.apply(even, 0, amount(1.0)) == pytest.approx(0.5, abs=0.12)
    assert likelihood.apply(even, 0, amount(5.0)) == pytest.approx(0.25, abs=0.12)


def test_what_was_learned_is_kept():
    forecast, truth, groups, amounts = rehearsed(60)
    calibration = Calibration.fit(forecast, truth, groups, amounts=amounts)
    again = Calibration.from_arrays(calibration.to_arrays("x."), "x.")
    near = (truth < 0).astype(float)
    likelihood = Likelihood.fit(np.full(truth.shape, 0.4), near, forecast.first, groups, amounts)
    probability = np.linspace(0.1, 0.9, N_CANDIDATES)
    kept = Likelihood.from_arrays(likelihood.to_arrays("y."), "y.")
    for given in (amount(1.0), amount(5.0), amount(5.0, ONE)):
        np.testing.assert_array_equal(widths(again, given), widths(calibration, given))
        np.testing.assert_array_equal(kept.apply(probability, 0, given), likelihood.apply(probability, 0, given))


def test_a_group_counts_once_however_many_verdicts_and_candidates_it_has():
    kind = np.array([[True, True], [True, False], [False, False], [True, True]])
    shares = group_shares(kind, np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(shares, [[0.25, 0.25], [0.5, 0.0], [0.0, 0.0], [0.5, 0.5]])


def test_a_bucket_without_figures_of_its_own_says_what_is_usual():
    usual_first, usual = np.array([2.0, 3.0]), np.array([4.0, 5.0])
    found = Buckets.none().of(amount(9.0, ONE), 2, usual_first, usual)
    np.testing.assert_array_equal(found[:, 2], usual_first)
    np.testing.assert_array_equal(found[:, 1], usual)
