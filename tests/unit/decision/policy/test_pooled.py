"""The pooled model: judged groups have no say, hidden histories are hidden, evidence speaks for the unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy import Query, Ranking, get_policy, query_of
from autometa.decision.policy.belief import Assumptions, Belief
from autometa.decision.policy.evidence import RelativeEvidence, Run
from autometa.decision.policy.long_format import COLUMNS, Situation, long_format
from autometa.decision.policy.pooled import LongTable, Opinion, PooledModel, Records
from autometa.decision.policy.posterior import Posterior
from autometa.decision.policy.states import KnownTask, draw_examples
from autometa.domain.strategy import Candidate, Configuration
from tests.policy_worlds import make_world

UNIT = 0.02
N_GROUPS = 14
N_CANDIDATES = 6


def column(X: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    return np.asarray(X[:, COLUMNS.index(name)])


def situation(forecast: Sequence[float] = (0.0,) * N_CANDIDATES, n_full: int = 2048) -> Situation:
    n = len(forecast)
    return Situation(np.asarray(forecast), np.linspace(-1, 1, n), np.ones(n, bool), np.arange(n) // 2, n_full, 8)


def evidence(losses: Mapping[tuple[int, int], float]) -> RelativeEvidence:
    """Return evidence of {(candidate, rows): loss}."""
    runs = [Run(candidate, rows, 0, loss) for (candidate, rows), loss in losses.items()]
    return RelativeEvidence.of(runs, unit=UNIT, n_test=500)


def known_tasks(seed: int = 0) -> list[KnownTask]:
    """Return tasks whose truth is what small sizes show, two to a group; forecasts say nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for task in range(2 * N_GROUPS):
        loss = rng.uniform(0, 0.3, N_CANDIDATES)
        runs = [
            Run(c, rows, 0, float(loss[c]) + 0.01 * rng.normal())
            for rows in (256, 1024)
            for c in range(N_CANDIDATES)
        ]
        standing = np.log1p((loss - loss.min()) / UNIT)
        forecast = rng.normal(size=N_CANDIDATES)
        found.append(KnownTask(situation(forecast), runs, standing - standing.mean(), 1.0, task // 2, 500))
    return found


def records_of(tasks: Sequence[KnownTask]) -> Records:
    standing = np.stack([task.standing for task in tasks])
    return Records.of(standing, np.ones(len(tasks)), np.asarray([task.group for task in tasks]))


def grown_on(tasks: Sequence[KnownTask]) -> PooledModel:
    return PooledModel.fit(draw_examples(tasks, unit=UNIT, perfect=0.0), records_of(tasks), n_trees=60)


@pytest.fixture(scope="module")
def tasks() -> list[KnownTask]:
    return known_tasks()


@pytest.fixture(scope="module")
def model(tasks: list[KnownTask]) -> PooledModel:
    return grown_on(tasks)


@pytest.fixture(scope="module")
def world() -> MetaDataset:
    return make_world(32, informative=False, sizes=(0, 1024, 256))


@pytest.fixture(scope="module")
def posterior(world: MetaDataset) -> Posterior:
    return Posterior(get_policy("static_portfolio").fit(world)).fit(world)


def opinion_of(model: PooledModel, n_new: int = 0, unseen: Sequence[int] = ()) -> Opinion:
    forecast, strategy = np.zeros(N_CANDIDATES + n_new), np.arange(N_CANDIDATES + n_new) // 2
    found = model.opinion(forecast, strategy, n_full=2048, n_features=8, unseen=unseen)
    assert found is not None
    return found


SHOWN = {(c, rows): 0.1 + 0.03 * c for rows in (256, 1024) for c in range(N_CANDIDATES)}


def test_what_a_judged_group_did_has_no_say(tasks: list[KnownTask], model: PooledModel) -> None:
    other = [replace(task, standing=50 + 7 * task.standing) if task.group == 3 else task for task in tasks]
    changed = grown_on(other)
    np.testing.assert_array_equal(
        opinion_of(model, unseen=[3]).standings(evidence(SHOWN)),
        opinion_of(changed, unseen=[3]).standings(evidence(SHOWN)),
    )
    without, whole = (opinion_of(changed, unseen=unseen).standings(evidence(SHOWN)) for unseen in ([3], []))
    assert np.abs(without - whole).max() > 0.5, "elsewhere it has"


def test_rehearsals_ask_only_trees_that_saw_none_of_the_group(
    world: MetaDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Posterior, bytes, Opinion | None]] = []
    assumptions = Posterior.assumptions

    def listening(posterior: Posterior, ranking: Ranking, query: Query, **kwargs: Any) -> Assumptions:
        given = assumptions(posterior, ranking, query, **kwargs)
        asked.append((posterior, query.metafeatures.tobytes(), given.opinion))
        return given

    monkeypatch.setattr(Posterior, "assumptions", listening)
    whole = Posterior(get_policy("static_portfolio").fit(world)).fit(world)
    rows = np.flatnonzero(world.full_size)
    group_of = {world.metafeatures[row].tobytes(): int(world.groups[row]) for row in rows}
    assert len(group_of) == len(rows) == 32
    told = {task: opinion for posterior, task, opinion in asked if posterior is whole}
    assert told.keys() == group_of.keys()
    for task, opinion in told.items():
        assert opinion is not None
        sees = opinion.model.sees[:, opinion.model.groups == group_of[task]]
        assert not sees[opinion.trees].any()
        assert sees.any(), "some other trees saw it"


def test_a_task_that_is_not_rehearsed_is_judged_by_all_trees(posterior: Posterior, world: MetaDataset) -> None:
    query = query_of(world, 0)
    opinion = posterior.assumptions(posterior.prior.rank(query), query).opinion
    assert opinion is not None
    assert len(opinion.trees) == opinion.model.trees.n_trees


def test_groups_that_nearly_all_trees_saw_are_not_judged(model: PooledModel) -> None:
    forecast, strategy = np.zeros(N_CANDIDATES), np.arange(N_CANDIDATES)
    everyone = range(N_GROUPS)
    assert model.opinion(forecast, strategy, n_full=2048, n_features=8, unseen=everyone) is None


def test_records_leave_groups_out() -> None:
    standing = np.array([[1.0, -1.0], [3.0, np.nan], [-6.0, 6.0]])
    records = Records.of(standing, np.ones(3), np.array([0, 0, 1]))
    np.testing.assert_allclose(records.without({1})[0], [4 / 3, -1 / 2])
    np.testing.assert_allclose(records.without({0})[0], [-3.0, 3.0])
    record, has_history = records.without({0, 1})
    assert (record == 0).all()
    assert not has_history.any()


def test_a_hidden_history_leaves_no_trace() -> None:
    hidden = np.array([True, False, False, False, False, True])
    one, two = (
        long_format(situation(forecast).masked(hidden), evidence(SHOWN))
        for forecast in ((5.0, 1, 2, 3, 4, -7.0), (-3.0, 1, 2, 3, 4, 0.5))
    )
    np.testing.assert_array_equal(one, two)
    assert (column(one, "has_history") == ~hidden).all()
    assert (column(one, "record")[hidden] == 0).all()


def test_histories_are_hidden_in_some_examples_and_not_in_others(tasks: list[KnownTask]) -> None:
    examples = draw_examples(tasks, unit=UNIT, perfect=0.0)
    known = column(examples.X, "has_history") > 0
    assert 0.4 < known.mean() < 0.9
    assert (column(examples.X, "forecast")[~known] == 0).all()
    assert np.isfinite(examples.X).all()
    assert set(examples.group) == set(range(N_GROUPS))


def test_examples_are_drawn_with_few_and_with_many_runs(tasks: list[KnownTask]) -> None:
    examples = draw_examples(tasks, unit=UNIT, perfect=0.0)
    share = column(examples.X, "tried_share")
    assert share.min() < 0.5
    assert share.max() == 1.0
    assert set(column(examples.X, "n_sizes")) == {0.0, 1.0, 2.0}


def test_candidates_are_described_alike_wherever_they_stand_in_the_list() -> None:
    turn = np.array([3, 0, 5, 1, 4, 2])
    given = situation((0.3, -0.2, 0.0, 0.4, -0.5, 0.1))
    turned = replace(
        given,
        **{name: getattr(given, name)[turn] for name in ("forecast", "record", "has_history", "strategy")},
    )
    shown = {key: loss for key, loss in SHOWN.items() if key not in {(2, 1024), (4, 256), (4, 1024)}}
    moved = {(int(np.flatnonzero(turn == c)[0]), rows): loss for (c, rows), loss in shown.items()}
    one, two = long_format(given, evidence(shown)), long_format(turned, evidence(moved))
    np.testing.assert_allclose(one[turn], two)


def test_rank_slope_and_place_say_what_was_shown() -> None:
    losses = {(0, 256): 0.2, (1, 256): 0.1, (0, 1024): 0.1, (1, 1024): 0.2, (2, 1024): 0.3}
    X = long_format(situation(), evidence(losses))
    np.testing.assert_allclose(column(X, "rank")[:3], [0, 1 / 3, 2 / 3])
    assert column(X, "slope")[0] < 0 < column(X, "slope")[1]
    assert (column(X, "slope")[2:] == 0).all(), "one size shows no slope"
    assert (column(X, "value")[3:] == 0).all(), "nothing was shown"
    np.testing.assert_allclose(column(X, "halvings"), 1.0)
    np.testing.assert_allclose(column(X, "place")[:3].sum(), 0.0, atol=1e-12)


def test_without_any_run_the_description_is_that_of_the_history() -> None:
    X = long_format(situation(), evidence({}))
    assert np.isfinite(X).all()
    assert (column(X, "n_sizes") == 0).all()


def test_a_candidate_without_history_is_ranked_by_what_it_shows(model: PooledModel) -> None:
    opinion = opinion_of(model, n_new=2)
    new = N_CANDIDATES
    shown = {**SHOWN, (new, 256): 0.05, (new, 1024): 0.02, (new + 1, 256): 0.4, (new + 1, 1024): 0.4}
    swapped = {({new: new + 1, new + 1: new}.get(c, c), rows): loss for (c, rows), loss in shown.items()}
    standing, exchanged = (opinion.standings(evidence(found)) for found in (shown, swapped))
    assert standing.argmin() == new
    assert standing.argmax() == new + 1
    assert exchanged.argmin() == new + 1


def test_beyond_what_is_known_every_halving_halves_the_trust(model: PooledModel) -> None:
    assert model.reach == pytest.approx(3.0), "2,048 rows known from 256"
    trusted = []
    for n_full in (2048, 4096, 16384):
        opinion = model.opinion(np.zeros(N_CANDIDATES), np.arange(N_CANDIDATES), n_full=n_full, n_features=8)
        assert opinion is not None
        trusted.append(opinion.trust(evidence({(0, 256): 0.1, (1, 256): 0.2})))
    assert trusted == pytest.approx([1.0, 0.5, 0.125])


def test_arrays_bring_it_back(model: PooledModel) -> None:
    arrays = model.to_arrays("pooled.")
    assert all(array.dtype != object for array in arrays.values())
    kept = PooledModel.from_arrays(arrays, "pooled.")
    for unseen in ([], [5]):
        one, two = (opinion_of(found, 1, unseen).standings(evidence(SHOWN)) for found in (model, kept))
        np.testing.assert_array_equal(one, two)
    assert kept.reach == model.reach


def test_the_cached_posterior_is_of_the_same_opinion(posterior: Posterior, world: MetaDataset) -> None:
    kept = Posterior(posterior.prior).restore(posterior.to_arrays())
    query, shown = query_of(world, 3), evidence({(c, 1024): 0.1 + 0.02 * (c % 4) for c in range(9)})
    ranking = posterior.prior.rank(query)
    one, two = (found.believe(found.assumptions(ranking, query), shown) for found in (posterior, kept))
    np.testing.assert_array_equal(one.mean, two.mean)


def test_the_belief_is_the_average_of_both(posterior: Posterior, world: MetaDataset) -> None:
    query, shown = query_of(world, 3), evidence({(c, 1024): 0.1 + 0.02 * (c % 4) for c in range(9)})
    cold = (Candidate("unheard_of", Configuration(strength=1.0)),)
    given = posterior.assumptions(posterior.prior.rank(query), query, cold)
    both, gaussian = Belief.given(given, shown), Belief.given(replace(given, opinion=None), shown)
    assert given.opinion is not None
    said = given.opinion.standings(shown)
    expected = (gaussian.mean + said - said.mean() + gaussian.mean.mean()) / 2
    np.testing.assert_allclose(both.mean, expected)
    assert len(both.mean) == 10
    assert (np.diag(both.covariance) > 0).all()


def test_it_stays_out_where_it_is_not_wanted_and_where_few_groups_are_known(world: MetaDataset) -> None:
    small = make_world(16, sizes=(0, 256))
    for past, posterior in (
        (world, Posterior(get_policy("static_portfolio").fit(world), pooled=False)),
        (small, Posterior(get_policy("static_portfolio").fit(small))),
    ):
        query = query_of(past, 0)
        posterior.fit(past)
        assert posterior.assumptions(posterior.prior.rank(query), query).opinion is None
        assert not any(name.startswith("pooled.") for name in posterior.to_arrays())


def test_of_no_task_there_are_no_examples() -> None:
    examples = draw_examples([], unit=UNIT, perfect=0.0)
    assert isinstance(examples, LongTable)
    assert len(examples.standing) == 0
