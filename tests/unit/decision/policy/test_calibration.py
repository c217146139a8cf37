"""Intervals hold as often as they say, probabilities come true as often, and far tasks have wider intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from autometa.decision.policy import INTERVAL_LEVEL, get_policy, query_of, rehearsal
from autometa.decision.policy._base import NEAR_BEST
from autometa.decision.policy.calibration import Calibration, Forecast
from autometa.decision.policy.evidence import Run
from autometa.decision.policy.near_best import Likelihood
from autometa.foundation.typing import FloatArray
from tests.policy_worlds import make_world


def made_up(n_rows: int, *, half: float, seed: int) -> tuple[Forecast, FloatArray]:
    """Return forecasts of 0 with the same halves everywhere, and truths of standard deviation 1 (first: 2)."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n_rows, 5))
    truth[:, 0] *= 2
    nothing = np.zeros((n_rows, 5))
    return Forecast(nothing, nothing - half, nothing + half, np.zeros(n_rows, dtype=np.int64)), truth


@pytest.mark.parametrize("half", [0.1, 1.0, 10.0])
def test_intervals_too_narrow_or_too_wide_are_mended(half: float) -> None:
    groups = np.arange(400) // 2
    calibration = Calibration.fit(*made_up(400, half=half, seed=0), groups)
    forecast, truth = made_up(4000, half=half, seed=1)
    ends = [calibration.apply(e, a, b, 0) for e, a, b in zip(*_parts(forecast), strict=True)]
    low, high = (np.stack(side) for side in zip(*ends, strict=True))
    inside = (low <= truth) & (truth <= high)
    assert inside[:, 0].mean() == pytest.approx(INTERVAL_LEVEL, abs=0.05)
    assert inside[:, 1:].mean() == pytest.approx(INTERVAL_LEVEL, abs=0.03)


def _parts(forecast: Forecast) -> tuple[FloatArray, FloatArray, FloatArray]:
    return forecast.expected, forecast.low, forecast.high


def test_a_group_of_many_tasks_counts_once() -> None:
    forecast, truth = made_up(200, half=1.0, seed=0)
    truth[:100] *= 50
    alone, together = np.arange(200), np.r_[np.zeros(100, dtype=int), np.arange(1, 101)]
    assert Calibration.fit(forecast, truth, alone).others[0] > 10
    assert Calibration.fit(forecast, truth, together).others[0] < 2


def test_of_few_groups_nothing_is_learned_and_a_correction_widens() -> None:
    forecast, truth = made_up(40, half=1.0, seed=0)
    calibration = Calibration.fit(forecast, truth, np.arange(40) // 8)
    assert calibration.n_groups == 0
    low, high = calibration.apply(forecast.expected[0], forecast.low[0], forecast.high[0], 0)
    np.testing.assert_array_equal(np.stack([low, high]), np.stack([forecast.low[0], forecast.high[0]]))
    plain = Calibration.fit(forecast, truth, np.arange(40))
    careful = Calibration.fit(forecast, truth, np.arange(40), corrected=True)
    assert (careful.others > plain.others).all()


def test_of_few_groups_corrected_intervals_hold_on_the_next_group_as_often_as_they_say() -> None:
    held = []
    for seed in range(1000):
        forecast, truth = made_up(16, half=1.0, seed=seed)
        calibration = Calibration.fit(*_rows(forecast, truth, slice(15)), np.arange(15), corrected=True)
        ends = calibration.apply(forecast.expected[15], forecast.low[15], forecast.high[15], 0)
        held.append((ends[0] <= truth[15]) & (truth[15] <= ends[1]))
    assert np.mean(held, axis=0)[0] == pytest.approx(INTERVAL_LEVEL, abs=0.04)
    assert np.mean(held, axis=0)[1:] == pytest.approx(
        INTERVAL_LEVEL + 0.05, abs=0.05
    )  # candidates are independent


def _rows(forecast: Forecast, truth: FloatArray, rows: slice) -> tuple[Forecast, FloatArray]:
    return Forecast(*(part[rows] for part in (*_parts(forecast), forecast.first))), truth[rows]


@dataclass
class Recorder:
    """A posterior that only notes which tasks it learned of."""

    prior: str = "none"

    def fit(self, meta_dataset, *, runs):
        assert runs == {}, "it must not rehearse itself"
        self.groups = set(meta_dataset.tasks["group"])
        return self


def test_a_rehearsed_verdict_rests_on_nothing_that_was_learned_of_its_group() -> None:
    world = make_world(60, sizes=(0, 500))
    rows = np.flatnonzero(world.full_size)
    places = []
    for blind, held_out in rehearsal._blinded(Recorder(), world, rows):
        assert not blind.groups & set(world.tasks["group"].iloc[rows[held_out]])
        places += held_out
    assert sorted(places) == list(range(len(rows)))


def test_calibration_is_kept() -> None:
    calibration = Calibration.fit(*made_up(100, half=1.0, seed=0), np.arange(100))
    again = Calibration.from_arrays(calibration.to_arrays("x."), "x.")
    np.testing.assert_array_equal(again.first, calibration.first)
    assert again.n_groups == 100


def test_probabilities_that_are_too_timid_are_sharpened() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.05, 0.95, (2000, 4))
    came = (rng.random(true.shape) < true).astype(float)
    given = 0.5 + (true - 0.5) / 2
    first, groups = np.zeros(2000, dtype=np.int64), np.arange(2000)
    likelihood = Likelihood.fit(given, came, first, groups)
    mended = np.stack([likelihood.apply(row, 0) for row in given])
    assert np.abs(mended - true).mean() < 0.3 * np.abs(given - true).mean()
    unknown = Likelihood.fit(given[:8], came[:8], first[:8], groups[:8])
    np.testing.assert_allclose(unknown.apply(given[0], 0), given[0])


def test_probabilities_that_say_the_contrary_become_the_rate_that_came_true() -> None:
    rng = np.random.default_rng(0)
    given = rng.uniform(0.5, 0.99, (300, 4))
    came = (rng.random(given.shape) > given).astype(float)
    likelihood = Likelihood.fit(given, came, np.zeros(300, dtype=np.int64), np.arange(300))
    mended = likelihood.apply(np.array([0.5, 0.5, 0.7, 0.9]), 0)
    assert mended[0] == pytest.approx(came[:, 0].mean())
    assert mended[1:] == pytest.approx(came[:, 1:].mean())


def test_candidates_that_were_run_on_many_rows_only_can_be_rehearsed() -> None:
    """The first six of the list have no run at the least size, so that there is nothing to show of them there."""
    runs = [Run(c, 1024, 0, 0.1) for c in range(8)] + [Run(c, 256, 0, 0.1) for c in (6, 7)]
    parts = [{(run.candidate, run.n_train) for run in part} for part in rehearsal._parts(runs, np.arange(8))]
    everyone = {(c, 1024) for c in range(8)}
    assert parts == [{(6, 256), (7, 256)}, {(6, 256), (7, 256)} | everyone, {(c, 1024) for c in range(6)}]


def test_far_from_all_known_tasks_the_interval_widens_and_the_ranking_says_so() -> None:
    world = make_world(40)
    policy = get_policy("proximity").fit(world)
    query = query_of(world, 0)
    near, far = policy.rank(query), policy.rank(replace(query, metafeatures=query.metafeatures + 1e3))
    farther = policy.rank(replace(query, metafeatures=query.metafeatures + 1e6))
    assert not any("wider" in note for note in near.notes)
    assert any("wider" in note for note in far.notes)
    upper = [float((ranking.high - ranking.expected_loss).mean()) for ranking in (near, far, farther)]
    assert upper[0] < upper[1] < upper[2]


def test_the_probability_of_being_near_the_best_is_that_of_the_weighted_past() -> None:
    ranking = get_policy("static_portfolio").fit(make_world(40)).rank(query_of(make_world(40), 0))
    assert ranking.near_best is not None
    assert ((ranking.near_best >= 0) & (ranking.near_best <= 1)).all()
    loss = make_world(40).loss
    share = (loss <= loss.min(axis=1, keepdims=True) + NEAR_BEST).mean(axis=0)
    np.testing.assert_allclose(ranking.near_best, share)
