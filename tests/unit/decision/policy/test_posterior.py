"""The posterior: evidence beats a prior that knows nothing, finds strategies without history, and is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy import get_policy, query_of
from autometa.decision.policy.belief import Assumptions, Belief
from autometa.decision.policy.cache import load_or_learn
from autometa.decision.policy.evidence import RelativeEvidence, Run, compressed
from autometa.decision.policy.posterior import Posterior
from autometa.decision.policy.replay import Setting, Variant, replay_evidence, replay_table
from autometa.decision.policy.verdict import Verdict
from autometa.domain.strategy import Candidate
from autometa.foundation.errors import ParameterError, PolicyError
from tests.policy_worlds import CANDIDATES, make_world

SIZES = (0, 1024, 256)


@pytest.fixture(scope="module")
def world() -> MetaDataset:
    return make_world(informative=False, sizes=SIZES)


@pytest.fixture(scope="module")
def posterior(world: MetaDataset) -> Posterior:
    return Posterior(get_policy("static_portfolio").fit(world)).fit(world)


def assumptions(
    posterior: Posterior, world: MetaDataset, row: int, cold: tuple[Candidate, ...] = ()
) -> Assumptions:
    query = query_of(world, row)
    return posterior.assumptions(posterior.prior.rank(query), query, cold)


def evidence_of(world: MetaDataset, task: str, candidates: list[int], unit: float) -> RelativeEvidence:
    """Return what the candidates did on 1,024 rows of a task."""
    row = int(np.flatnonzero((world.tasks["task"] == task) & (world.tasks["train_size"] == 1024))[0])
    runs = [Run(place, 1024, 0, float(world.loss[row, c])) for place, c in enumerate(candidates)]
    return RelativeEvidence.of(runs, unit=unit, n_test=800)


def test_evidence_beats_a_prior_that_knows_nothing(world: MetaDataset) -> None:
    results = replay_evidence(world, Variant("static_portfolio"), n_folds=3)
    table = replay_table(results)
    table = table[table["top_k"] == 1].set_index(["average", "setting", "method"])["closed_gap"]
    for average in ("groups", "tasks"):
        assert table[average, "all, up to 256 rows", "prior"] == pytest.approx(0.0, abs=0.05)
        assert table[average, "all, up to 256 rows", "posterior"] > 0.8
        assert table[average, "all, up to 1,024 rows", "posterior"] > 0.8


def test_few_tries_are_worth_less_than_many_and_more_than_none(world: MetaDataset) -> None:
    settings = (Setting(256, 3), Setting(256))
    results = replay_evidence(world, Variant("static_portfolio"), settings=settings, n_folds=2)
    regret = results.groupby(["setting", "method"])["regret_1"].mean()
    of_few, of_all = (regret[f"{tried}, up to 256 rows", "posterior"] for tried in ("first 3", "all"))
    assert of_all < of_few < regret["all, up to 256 rows", "prior"]


def test_what_cannot_be_chosen_does_not_set_the_scale(world: MetaDataset, posterior: Posterior) -> None:
    """Far above a better candidate that is left out, differences would be flattened."""
    query = query_of(world, 0)
    ranking = posterior.prior.rank(query)
    first = int(np.argmin(ranking.expected_loss))
    far = np.where(np.arange(len(ranking.candidates)) == first, 0.0, 0.4 + np.arange(len(ranking.candidates)) / 10)
    ranking = replace(ranking, expected_loss=far)
    among_all = posterior.assumptions(ranking, query).mean
    available = np.arange(len(ranking.candidates)) != first
    among_rest = posterior.assumptions(ranking, query, available=available).mean
    assert np.argmin(among_rest) == first, "the order stays"
    assert np.ptp(among_rest[available]) > 1.5 * np.ptp(among_all[available])
    np.testing.assert_allclose(
        among_rest[available] - among_rest[available].min(),
        posterior.lessons.slope * compressed(far[available] - far[available].min(), posterior.lessons.unit),
    )


def test_replay_says_what_it_needs(world: MetaDataset) -> None:
    with pytest.raises(PolicyError, match="smaller training size"):
        replay_evidence(make_world(20), Variant("static_portfolio"))
    with pytest.raises(ParameterError, match="two folds"):
        replay_evidence(world, n_folds=1)


@pytest.mark.parametrize("setting", [Setting(256), Setting(256, 1)], ids=str)
def test_where_no_run_ended_well_the_prior_s_list_is_left_and_what_failed_is_its_end(setting: Setting) -> None:
    few = make_world(12, sizes=SIZES)
    tasks = few.tasks["task"].astype(str).unique()
    failed = [Run(c, 256, 0, np.nan) for c in range(few.n_candidates - 1)]
    results = replay_evidence(
        few, Variant("static_portfolio"), settings=(setting,), n_folds=2, runs=dict.fromkeys(tasks, failed)
    )
    chosen = results.set_index(["task", "method"])["chosen"].unstack("method")
    assert (chosen["posterior"] == chosen["subsample"]).all()
    if setting.n_tried is None:
        assert set(chosen["posterior"]) == {few.candidates[-1].id}
    else:
        assert (chosen["posterior"] != chosen["prior"]).all()
    assert np.isfinite(replay_table(results)["closed_gap"]).all()


def test_a_strategy_without_history_is_found_by_what_it_shows(world: MetaDataset) -> None:
    known = [c for c, candidate in enumerate(CANDIDATES) if candidate.strategy != "kernel"]
    cold = [c for c in range(len(CANDIDATES)) if c not in known]
    past = world.select_candidates([CANDIDATES[c].id for c in known])
    posterior = Posterior(get_policy("static_portfolio").fit(past)).fit(past)
    full = np.flatnonzero(world.full_size)
    wins = [row for row in full if world.loss[row].argmin() in cold][:8]
    for row in wins:
        given = assumptions(posterior, past, int(row), tuple(CANDIDATES[c] for c in cold))
        before = Belief.given(given, evidence_of(world, "t0", [], given.unit))
        assert int(np.argmin(before.risk)) < len(known), "without evidence it is no first choice"
        task = str(world.tasks["task"].iloc[row])
        after = Belief.given(given, evidence_of(world, task, known + cold, given.unit))
        assert (known + cold)[int(np.argmin(after.risk))] in cold


def test_without_evidence_the_prior_stands(posterior: Posterior, world: MetaDataset) -> None:
    given = assumptions(posterior, world, 0)
    belief = Belief.given(given, RelativeEvidence.of([], unit=given.unit, n_test=100))
    np.testing.assert_allclose(belief.mean, given.mean)
    ranking = posterior.prior.rank(query_of(world, 0))
    assert (np.argsort(belief.mean) == np.argsort(ranking.expected_loss)).all()


def test_intervals_stay_wider_for_a_task_far_from_all_known_ones(posterior: Posterior, world: MetaDataset) -> None:
    given = assumptions(posterior, world, 0)
    belief = Belief.given(given, evidence_of(world, "t0", list(range(9)), given.unit))
    ranking = posterior.prior.rank(query_of(world, 0))
    near, far = (
        Verdict.of(
            belief, replace(ranking, stretch=stretch), posterior, excluded=np.zeros(9, dtype=bool), n_test=800
        )
        for stretch in (1.0, 2.0)
    )
    np.testing.assert_array_equal(near.expected_loss, far.expected_loss)
    np.testing.assert_allclose(far.high - far.low, 2.0 * (near.high - near.low))
    assert (near.high > near.low).all()


def test_runs_of_a_candidate_speak_of_its_relatives_and_make_sure(
    posterior: Posterior, world: MetaDataset
) -> None:
    given = assumptions(posterior, world, 0)
    kin = replace(given, surprise=np.eye(9) * 0.5 + np.kron(np.eye(3), np.full((3, 3), 0.5)), mean=np.zeros(9))
    runs = [Run(c, 1024, r, 0.2 if c == 0 else 0.4) for c in (0, 3, 6) for r in range(3)]
    belief = Belief.given(kin, RelativeEvidence.of(runs, unit=kin.unit, n_test=800))
    assert belief.mean[0] < belief.mean[1] < belief.mean[4]
    variance = np.diag(belief.covariance)
    assert variance[0] < variance[1] < belief.scale**2


def test_the_same_evidence_is_the_same_belief(posterior: Posterior, world: MetaDataset) -> None:
    given = assumptions(posterior, world, 3)
    one, two = (Belief.given(given, evidence_of(world, "t3", list(range(9)), given.unit)) for _ in range(2))
    assert (one.mean == two.mean).all()
    assert (one.samples(50, random_state=1) == two.samples(50, random_state=1)).all()


def test_it_is_kept_and_answers_as_before(posterior: Posterior, world: MetaDataset, tmp_path: Path) -> None:
    fitted = load_or_learn(world, Posterior(posterior.prior), directory=tmp_path)
    (path,) = tmp_path.glob("posterior-*.npz")
    written = path.stat().st_mtime_ns
    kept = load_or_learn(world, Posterior(posterior.prior), directory=tmp_path)
    assert path.stat().st_mtime_ns == written
    for row in (0, 5):
        one, two = (assumptions(found, world, row, CANDIDATES[:0]) for found in (fitted, kept))
        for name in ("mean", "surprise", "drift", "trend", "scales"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert (one.curve, one.unit) == (two.curve, two.unit)


def test_another_prior_is_another_posterior(world: MetaDataset) -> None:
    one, two = (Posterior(get_policy(name)) for name in ("static_portfolio", "single_best"))
    assert one.parameters() != two.parameters()


@pytest.mark.parametrize("sizes", [(0,), (0, 256)])
def test_a_fixed_rule_is_announced_where_smaller_sizes_are_missing(sizes: tuple[int, ...]) -> None:
    world = make_world(16, sizes=sizes)
    posterior = Posterior(get_policy("static_portfolio").fit(world)).fit(world)
    assert "fixed rule" in posterior.notes[0]
    assert posterior.assumptions(posterior.prior.rank(query_of(world, 0)), query_of(world, 0)).curve[0] > 0


def test_enough_smaller_sizes_need_no_note(posterior: Posterior) -> None:
    assert posterior.notes == ()


def test_holes_and_failures_are_lived_with() -> None:
    world = make_world(sizes=SIZES, holes=0.3, failures=0.1)
    posterior = Posterior(get_policy("proximity").fit(world)).fit(world)
    given = assumptions(posterior, world, 0)
    assert np.isfinite(given.mean).all()
    assert np.linalg.eigvalsh(given.surprise).min() > 0
    assert np.linalg.eigvalsh(given.drift).min() > 0


def test_an_unfitted_one_says_so(world: MetaDataset) -> None:
    with pytest.raises(PolicyError, match="not fitted"):
        Posterior(get_policy("static_portfolio")).lessons  # noqa: B018


def test_a_ranking_of_others_is_refused(posterior: Posterior, world: MetaDataset) -> None:
    fewer = world.select_candidates([candidate.id for candidate in CANDIDATES[:4]])
    ranking = get_policy("static_portfolio").fit(fewer).rank(query_of(fewer, 0))
    with pytest.raises(PolicyError, match="other candidates"):
        posterior.assumptions(ranking, query_of(fewer, 0))
