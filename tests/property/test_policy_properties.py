from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autometa.decision.policy import ProximityPolicy, closed_gap, query_of
from autometa.decision.policy.evaluation import true_regrets
from autometa.decision.policy.performance import REGRET_CLIP, complete_losses
from autometa.decision.policy.portfolio import greedy_portfolio, weighted_quantiles
from tests.policy_worlds import make_world

few = settings(max_examples=4, deadline=None)
cells = st.floats(0.0, 50.0) | st.just(float("nan"))


@few
@given(seed=st.integers(0, 10_000), holes=st.floats(0, 0.6), failures=st.floats(0, 0.3))
def test_a_ranking_is_a_permutation_with_ordered_intervals(seed, holes, failures):
    world = make_world(24, sizes=(0, 256), holes=holes, failures=failures, seed=seed)
    ranking = ProximityPolicy(n_trees=10).fit(world).rank(query_of(world, seed % 24))
    assert sorted(ranking.order.tolist()) == list(range(world.n_candidates))
    assert (ranking.low <= ranking.expected_loss).all()
    assert (ranking.expected_loss <= ranking.high).all()
    assert 0.0 <= ranking.familiarity <= 1.0


@few
@given(seed=st.integers(0, 10_000))
def test_renaming_the_order_of_candidates_renames_the_answer(seed):
    world = make_world(18, seed=seed)
    shuffle = np.random.default_rng(seed).permutation(world.n_candidates)
    shuffled = world.select_candidates([world.candidates[j].id for j in shuffle])
    query = query_of(world, 1)
    one, other = (ProximityPolicy(n_trees=10).fit(data).rank(query) for data in (world, shuffled))
    np.testing.assert_allclose(other.expected_loss, one.expected_loss[shuffle], atol=1e-6)
    assert other.best == one.best


@few
@given(seed=st.integers(0, 10_000))
def test_the_order_of_tasks_does_not_change_a_static_answer(seed):
    from autometa.decision.policy import StaticPortfolioPolicy

    world = make_world(24, sizes=(0, 256), seed=seed)
    shuffled = world.take(np.random.default_rng(seed).permutation(world.n_rows))
    query = query_of(world, 1)
    one, other = (StaticPortfolioPolicy().fit(data).rank(query) for data in (world, shuffled))
    assert one.order.tolist() == other.order.tolist()


@given(
    loss=npst.arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=cells),
    data=st.data(),
)
def test_completed_losses_are_within_the_clip_of_the_rows_best(loss, data):
    loss[:, 0] = np.where(np.isfinite(loss[:, 0]), loss[:, 0], 1.0)
    failed = data.draw(npst.arrays(bool, loss.shape))
    filled = complete_losses(loss, failed)
    present = np.isfinite(loss) | failed
    assert np.isfinite(filled).all()
    rows = np.where(present, filled, np.nan)
    assert (np.nanmax(rows, axis=1) - np.nanmin(rows, axis=1) <= REGRET_CLIP + 1e-12).all()


@given(loss=npst.arrays(float, st.integers(1, 8), elements=st.floats(-5, 50)))
def test_regret_is_never_negative_and_the_best_has_none(loss):
    regret = true_regrets(loss, np.zeros(len(loss), dtype=bool))
    assert (regret >= 0).all()
    assert regret[np.argmin(loss)] == 0


@given(zero=npst.arrays(float, st.integers(1, 20), elements=st.floats(0, 1)))
def test_closed_gap_of_the_best_is_one_and_of_the_single_best_zero(zero):
    zero[0] += 0.1
    assert closed_gap(np.zeros_like(zero), zero) == 1.0
    assert closed_gap(zero, zero) == 0.0


@given(
    regret=npst.arrays(float, (6, 5), elements=st.floats(0, 1)),
    weights=npst.arrays(float, 6, elements=st.floats(0.01, 1)),
)
def test_a_longer_list_never_expects_a_worse_best(regret, weights):
    order = greedy_portfolio(weights / weights.sum(), regret)
    assert sorted(order.tolist()) == list(range(5))
    reached = [weights @ regret[:, order[: k + 1]].min(axis=1) for k in range(5)]
    assert (np.diff(reached) <= 1e-12).all()
    assert reached[0] <= (weights @ regret).min() + 1e-12


@given(
    values=npst.arrays(float, (7, 2), elements=st.floats(-9, 9)),
    weights=npst.arrays(float, 7, elements=st.floats(0.01, 1)),
)
def test_quantiles_are_ordered_and_inside_the_values(values, weights):
    low, high = weighted_quantiles(values, weights, (0.1, 0.9))
    assert (low <= high).all()
    assert (low >= values.min(axis=0)).all()
    assert (high <= values.max(axis=0)).all()


@few
@given(seed=st.integers(0, 1000))
def test_the_content_hash_sees_every_cell_and_no_copy(seed):
    world = make_world(6, seed=seed)
    assert world.content_hash() == make_world(6, seed=seed).content_hash()
    rng = np.random.default_rng(seed)
    for name in ("loss", "metafeatures", "fit_seconds"):
        changed = getattr(world, name).copy()
        changed.flat[rng.integers(changed.size)] += 1.0
        assert replace(world, **{name: changed}).content_hash() != world.content_hash()
