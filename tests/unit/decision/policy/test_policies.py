from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from autometa.decision.policy import (
    POLICIES,
    NearestTasksPolicy,
    ProximityPolicy,
    Query,
    SingleBestPolicy,
    StaticPortfolioPolicy,
    cache,
    get_policy,
    load_or_fit,
    query_of,
)
from autometa.decision.policy.cache import cache_key
from autometa.decision.policy.portfolio import greedy_portfolio
from autometa.foundation.errors import ParameterError, PolicyError
from tests.policy_worlds import make_world

SMALL = ProximityPolicy(n_trees=40)


def small(name):
    return replace(SMALL) if name == "proximity" else get_policy(name)


@pytest.fixture(scope="module")
def world():
    return make_world(40, sizes=(0, 256), holes=0.1, failures=0.03)


@pytest.fixture(scope="module")
def fitted(world):
    return {name: small(name).fit(world) for name in POLICIES}


@pytest.fixture(scope="module")
def question(world):
    return query_of(world, 5)


def same(one, other):
    for name in ("order", "expected_loss", "low", "high", "fit_seconds", "n_evaluations"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.neighbours == other.neighbours
    assert dict(one.influences) == dict(other.influences)
    assert (one.familiarity, one.fallback, one.notes) == (other.familiarity, other.fallback, other.notes)
    assert one.candidates == other.candidates


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_answers_in_full(name, fitted, question, world):
    ranking = fitted[name].rank(question)
    assert sorted(ranking.order.tolist()) == list(range(world.n_candidates))
    assert (ranking.low <= ranking.expected_loss).all()
    assert (ranking.expected_loss <= ranking.high).all()
    assert (ranking.fit_seconds > 0).all()
    assert sum(near.weight for near in ranking.neighbours) == pytest.approx(1.0, abs=0.01)
    assert ranking.best == ranking.candidates[ranking.order[0]] == ranking.listed[0]


@pytest.mark.parametrize("name", POLICIES)
def test_arrays_round_trip_to_the_same_answer(name, fitted, question):
    arrays = fitted[name].to_arrays()
    assert all(array.dtype != object for array in arrays.values())
    same(small(name).restore(arrays).rank(question), fitted[name].rank(question))


@pytest.mark.parametrize("name", POLICIES)
def test_fitting_twice_gives_the_same_answer(name, fitted, question, world):
    same(small(name).fit(world).rank(question), fitted[name].rank(question))


def test_another_seed_grows_another_forest(world, question):
    other = replace(SMALL, random_state=1).fit(world).rank(question)
    assert not np.array_equal(other.expected_loss, replace(SMALL).fit(world).rank(question).expected_loss)


@pytest.mark.parametrize("name", POLICIES)
def test_an_unfitted_policy_and_a_foreign_question_are_refused(name, fitted, question):
    with pytest.raises(PolicyError, match="not fitted"):
        small(name).rank(question)
    with pytest.raises(PolicyError, match="6 meta-features"):
        fitted[name].rank(Query(np.zeros(3), 100, 5, 2))


def test_baselines_are_what_they_say(world, fitted, question):
    past = fitted["static_portfolio"].experience
    weights = past.even_weights()
    assert weights[past.tasks["train_size"].to_numpy() != 0].sum() == 0
    regret = past.performance.regret
    single = fitted["single_best"].rank(question)
    assert single.order[0] == (weights @ regret).argmin()
    static = fitted["static_portfolio"].rank(question)
    assert static.order.tolist() == greedy_portfolio(weights, regret).tolist()
    near = NearestTasksPolicy(n_neighbours=4).fit(world).rank(question)
    assert [task.weight for task in near.neighbours] == [0.25] * 4
    assert near.neighbours[0].task == "t5"


def test_a_group_of_many_tasks_weighs_less_than_two():
    world = make_world(40, sizes=(0, 256))
    crowd = [int(task[1:]) < 30 for task in world.tasks["task"]]
    world.tasks.loc[crowd, "group"] = "crowd"
    world.tasks.loc[~np.array(crowd), "group"] = world.tasks["task"]
    past = StaticPortfolioPolicy().fit(world).experience
    even, is_crowd = past.even_weights(), (past.tasks["group"] == "crowd").to_numpy()
    alone = even[~is_crowd & (even > 0)]
    assert even.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(alone, alone[0])
    assert even[is_crowd].sum() / alone[0] == pytest.approx(60 / 31)


def test_many_copies_of_one_task_do_not_choose_the_single_best():
    world = make_world(30)
    world.loss[:] = 0.5
    world.loss[:20, 1] = 0.4  # Candidate 1 wins on twenty copies by .1, candidate 2 on ten tasks by .1.
    world.loss[20:, 2] = 0.4
    world.tasks["group"] = ["copies"] * 20 + [f"g{i}" for i in range(10)]
    assert SingleBestPolicy().fit(world).rank(query_of(world, 0)).order[0] == 2


def test_a_known_task_is_its_own_nearest(fitted, question):
    ranking = fitted["proximity"].rank(question)
    assert ranking.neighbours[0].task == "t5"
    assert ranking.familiarity == 1.0
    assert set(list(ranking.influences)[:2]) == {"feature_0", "feature_1"}
    assert sum(ranking.influences.values()) == pytest.approx(1.0)


def test_neighbours_count_a_task_once_over_its_sizes(fitted, question):
    tasks = [near.task for near in fitted["proximity"].rank(question).neighbours]
    assert len(tasks) == len(set(tasks))


def test_far_from_everything_it_falls_back_to_the_portfolio_and_says_so(fitted):
    stranger = Query(np.full(6, 1e9), 1000, 5, 2)
    ranking = fitted["proximity"].rank(stranger)
    assert ranking.fallback
    assert ranking.familiarity == 0.0
    assert "far from every known task" in ranking.notes[0]
    assert ranking.order.tolist() == fitted["static_portfolio"].rank(stranger).order.tolist()


def test_sizes_beyond_everything_known_are_noted(fitted, question):
    ranking = fitted["proximity"].rank(Query(question.metafeatures, 1_000_000, 9, 2))
    assert any("1,000,000 rows" in note for note in ranking.notes)
    assert not ranking.fallback


def test_with_few_tasks_it_falls_back(question):
    ranking = replace(SMALL).fit(make_world(8)).rank(question)
    assert ranking.fallback
    assert "too few tasks" in ranking.notes[0]


def test_undefined_metafeatures_are_taken(fitted, question):
    values = question.metafeatures.copy()
    values[::2] = np.nan
    ranking = fitted["proximity"].rank(replace(question, metafeatures=values))
    assert np.isfinite(ranking.expected_loss).all()


def test_an_all_nan_metafeature_of_the_past_is_taken(world, question):
    columns = world.metafeatures.copy()
    columns[:, 3] = np.nan
    ranking = replace(SMALL).fit(replace(world, metafeatures=columns)).rank(question)
    assert np.isfinite(ranking.expected_loss).all()


def test_a_candidate_without_history_comes_last_with_the_widest_interval(question):
    world = make_world(40)
    world.loss[:, [1, 4]] = np.nan
    world.fit_seconds[:, [1, 4]] = np.nan
    ranking = replace(SMALL).fit(world).rank(question)
    assert set(ranking.order[-2:].tolist()) == {1, 4}
    assert ranking.n_evaluations[[1, 4]].tolist() == [0, 0]
    known = np.setdiff1d(np.arange(9), [1, 4])
    assert ranking.low[1] <= ranking.low[known].min()
    assert ranking.high[1] >= ranking.high[known].max()
    assert np.isfinite(ranking.fit_seconds).all()


def test_nothing_known_at_all_is_an_honest_list(question):
    world = make_world(4).take(np.empty(0, dtype=np.int64))
    ranking = replace(SMALL).fit(world).rank(question)
    assert ranking.fallback
    assert ranking.order.tolist() == list(range(9))
    assert np.isnan(ranking.expected_loss).all()
    with pytest.raises(PolicyError, match="no candidate"):
        replace(SMALL).fit(make_world(4).select_candidates([]))


def test_expected_loss_stays_inside_the_metric(question):
    world = make_world(40)
    near_zero = replace(world, loss=np.maximum(world.loss - 0.4, 1e-6))
    ranking = replace(SMALL).fit(near_zero).rank(question)
    assert (ranking.low >= 0).all()


def test_an_unknown_policy_is_refused():
    with pytest.raises(ParameterError, match="static_portfolio"):
        get_policy("oracle")


def test_the_cache_gives_back_the_same_policy(world, question, tmp_path):
    first = load_or_fit(world, replace(SMALL), directory=tmp_path)
    [file] = tmp_path.glob("*.npz")
    stamp = file.stat().st_mtime_ns
    again = load_or_fit(world, replace(SMALL), directory=tmp_path)
    assert file.stat().st_mtime_ns == stamp
    same(again.rank(question), first.rank(question))
    assert not list(tmp_path.glob("*.tmp"))


def test_cached_policies_need_no_forest_library(world, question, tmp_path, monkeypatch):
    expected = load_or_fit(world, replace(SMALL), directory=tmp_path).rank(question)
    monkeypatch.setitem(__import__("sys").modules, "sklearn.ensemble", None)
    same(load_or_fit(world, replace(SMALL), directory=tmp_path).rank(question), expected)


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_a_broken_cache_file_is_logged_and_replaced(damage, world, question, tmp_path, caplog):
    expected = load_or_fit(world, replace(SMALL), directory=tmp_path).rank(question)
    [file] = tmp_path.glob("*.npz")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2] if damage is None else damage)
    with caplog.at_level(logging.WARNING):
        same(load_or_fit(world, replace(SMALL), directory=tmp_path).rank(question), expected)
    assert "cannot be read" in caplog.text
    with np.load(file, allow_pickle=False) as content:
        assert "forest.roots" in content.files


def test_learning_leaves_the_other_cores_alone(world, tmp_path, monkeypatch):
    threads = []
    fit = SingleBestPolicy.fit

    def watched(self, meta_dataset):
        threads.extend(library["num_threads"] for library in threadpool_info())
        return fit(self, meta_dataset)

    monkeypatch.setattr(SingleBestPolicy, "fit", watched)
    load_or_fit(world, SingleBestPolicy(), directory=tmp_path)
    assert set(threads) == {1}


def test_a_cache_that_cannot_be_written_is_logged(world, question, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with caplog.at_level(logging.WARNING):
        ranking = load_or_fit(world, SingleBestPolicy(), directory=blocked / "policies").rank(question)
    assert "not kept" in caplog.text
    assert len(ranking.order) == world.n_candidates


@pytest.mark.parametrize("library", ["autometa-ml", "numpy", "scikit-learn"])
def test_the_cache_key_depends_on_versions(library, world, monkeypatch):
    before = cache_key(world, SMALL)
    cache._versions.cache_clear()
    found = cache.version
    monkeypatch.setattr(cache, "version", lambda name: "0.0.0" if name == library else found(name))
    try:
        assert cache_key(world, SMALL) != before
    finally:
        cache._versions.cache_clear()


def test_the_cache_key_depends_on_content_and_parameters(world):
    key = cache_key(world, SMALL)
    assert key == cache_key(world, replace(SMALL))
    assert key != cache_key(world, replace(SMALL, n_trees=41))
    assert key != cache_key(world, StaticPortfolioPolicy())
    changed = world.loss.copy()
    changed[0, 0] += 1e-9
    assert key != cache_key(replace(world, loss=changed), SMALL)
