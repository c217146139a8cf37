from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autometa.decision.policy._base import Query
from autometa.decision.policy.fit_time import FitTimes
from tests.policy_worlds import make_world


def ask(n: int, p: int = 10, k: int = 2) -> Query:
    return Query(np.zeros(6), n, p, k)


@pytest.fixture(scope="module")
def world():
    return make_world(60, sizes=(0, 1024, 256), holes=0.1)


def with_seconds(world, function):
    n = world.numbers("n_train")[:, None]
    place = np.arange(world.n_candidates)[None]
    return replace(world, fit_seconds=np.broadcast_to(function(n, place), world.loss.shape).copy())


def test_a_power_law_is_recovered_within_a_tenth(world):
    model = FitTimes.fit(with_seconds(world, lambda n, j: (1 + j) * 1e-6 * n**1.5))
    expected = (1 + np.arange(world.n_candidates)) * 1e-6 * 2000**1.5
    np.testing.assert_allclose(model.predict(ask(2000)), expected, rtol=0.1)


def test_growth_beyond_what_is_known_is_between_linear_and_cubic(world):
    for power, expected in ((0.0, 1.0), (2.0, 2.0), (5.0, 3.0)):
        model = FitTimes.fit(with_seconds(world, lambda n, j, power=power: 0.01 * (n / 1000) ** power + 0.0 * j))
        ratio = model.predict(ask(1_000_000)) / model.predict(ask(100_000))
        np.testing.assert_allclose(np.log10(ratio), expected, atol=0.1)


def test_a_candidate_timed_on_few_tasks_borrows_from_its_strategy(world):
    timed = with_seconds(world, lambda n, j: np.where(j < 3, 1e-5, 1e-3) * n)
    timed.fit_seconds[2:, 2] = np.nan
    seconds = FitTimes.fit(timed).predict(ask(2000))
    assert seconds[2] == pytest.approx(0.02, rel=0.5)


def test_fits_that_were_stopped_count_as_slow_ones(world):
    truth = with_seconds(world, lambda n, j: 1e-5 * n**1.5 + 0.0 * j)
    limit = float(np.quantile(truth.fit_seconds, 0.8))
    late = truth.fit_seconds > limit

    def ask_after(seconds):
        hidden = np.where(late, np.nan, truth.loss)
        model = FitTimes.fit(replace(truth, loss=hidden, failed=truth.failed | late, fit_seconds=seconds))
        return model.predict(ask(4000))[0]

    bounded = ask_after(np.where(late, limit, truth.fit_seconds))
    assert bounded == pytest.approx(1e-5 * 4000**1.5, rel=0.1)

    # Timed out far above what the others say: the forecast must rise with the bound.
    assert ask_after(np.where(late, 50 * limit, truth.fit_seconds)) > 3 * bounded


def test_nothing_timed_says_nothing(world):
    model = FitTimes.fit(with_seconds(world, lambda n, j: np.nan * n))
    assert np.isnan(model.predict(ask(1000))).all()


def test_there_is_a_least_time(world):
    model = FitTimes.fit(with_seconds(world, lambda n, j: 1e-9 * n))
    assert (model.predict(ask(2)) >= 1e-3).all()
