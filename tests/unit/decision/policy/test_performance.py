from __future__ import annotations

import numpy as np
import pytest

from autometa.decision.policy.performance import REGRET_CLIP, complete_losses, prepare_performance
from tests.policy_worlds import make_world

NAN = np.nan


def test_a_failure_is_the_worst_of_its_row():
    filled = complete_losses(np.array([[0.2, 0.5, NAN]]), np.array([[False, False, True]]))
    assert filled.tolist() == [[0.2, 0.5, 0.5]]


def test_a_failed_repetition_counts_as_failure_though_another_succeeded():
    filled = complete_losses(np.array([[0.2, 0.5, 0.1]]), np.array([[False, False, True]]))
    assert filled.tolist() == [[0.2, 0.5, 0.5]]


def test_a_row_of_partial_failures_keeps_its_successes():
    filled = complete_losses(np.array([[0.2, 0.5]]), np.array([[True, True]]))
    assert filled.tolist() == [[0.2, 0.5]]


def test_disasters_are_clipped():
    filled = complete_losses(np.array([[0.2, 30.0]]), np.zeros((1, 2), dtype=bool))
    assert filled.tolist() == [[0.2, 0.2 + REGRET_CLIP]]


def test_holes_are_filled_by_row_and_candidate_effects():
    truth = np.linspace(0.1, 0.5, 100)[:, None] + np.array([[0.0, 0.05, 0.2]])
    holey = truth.copy()
    holey[1, 2] = holey[3, 0] = NAN
    filled = complete_losses(holey, np.zeros((100, 3), dtype=bool))
    np.testing.assert_allclose(filled, truth, atol=0.01)  # a twentieth of the effect is held back


def test_regret_is_complete_and_rows_without_success_are_dropped():
    world = make_world(20, holes=0.3, failures=0.1)
    world.loss[4] = NAN
    world.failed[4] = True
    performance, rows = prepare_performance(world)
    assert 4 not in rows
    assert len(rows) == 19
    assert performance.regret.shape == (19, world.n_candidates)
    assert (performance.regret >= 0).all()
    assert (performance.regret <= REGRET_CLIP).all()
    assert performance.regret.min(axis=1) == pytest.approx(0.0)


def test_a_candidate_without_history_is_not_known():
    world = make_world(20)
    world.loss[:, 2] = NAN
    performance, _ = prepare_performance(world)
    assert np.flatnonzero(~performance.is_known).tolist() == [2]
    assert np.isfinite(performance.regret).all()


def test_every_task_teaches_at_its_greatest_size():
    world = make_world(20, sizes=(0, 256, 64))
    world.loss[3] = NAN  # nothing succeeded on all rows of this task
    world.loss[[4, 24]] = NAN
    _, rows = prepare_performance(world)
    assert rows.tolist() == [0, 1, 2, *range(5, 20), 23, 44]


def test_one_lucky_run_does_not_make_a_winner_of_every_row():
    rng = np.random.default_rng(0)
    loss = 0.5 + 0.1 * rng.normal(size=(100, 10))
    loss[:, 0] = NAN
    loss[0, 0] = loss[0, 1:].min() - 0.2
    filled = complete_losses(loss, np.zeros(loss.shape, dtype=bool))
    assert (filled[1:].argmin(axis=1) == 0).mean() < 0.2
