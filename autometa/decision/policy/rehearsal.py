"""Rehearsal: verdicts on known tasks, as they would have been, to learn how far off their intervals are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import NEAR_BEST, Query, Ranking
from autometa.decision.policy.buckets import Amount
from autometa.decision.policy.calibration import Calibration, Forecast
from autometa.decision.policy.evidence import RelativeEvidence, Run, least_loss
from autometa.decision.policy.near_best import Likelihood
from autometa.decision.policy.verdict import Verdict, amount_of
from autometa.foundation.typing import IntArray

if TYPE_CHECKING:
    from autometa.decision.policy.belief import Assumptions
    from autometa.decision.policy.posterior import Posterior

__all__ = ["SAME_ROWS", "own_runs", "rehearse", "rows_scored"]

# Rows scored, where runs and truth were scored on the same ones: what is common to both is no noise.
SAME_ROWS = 10**9
# The knowledge base tests on three rows for every seven that it trains on, and on no more than this.
_TEST_SHARE = 3 / 7
_MOST_TEST = 2000
_N_FOLDS = 10
# Candidates that are tried where few are.
_N_FEW = 6
# What a posterior's assumptions hold of the past: how far candidates were off, together, and from size to size.
_LEARNED = ("mean", "surprise", "drift", "trend", "curve", "scales")


def rows_scored(n_train: int) -> int:
    """Return the rows that the knowledge base tests on, for the rows that it fits on."""
    return int(min(_MOST_TEST, max(1.0, _TEST_SHARE * n_train)))


def own_runs(meta_dataset: MetaDataset) -> dict[str, list[Run]]:
    """Return the evaluations at smaller sizes as runs.

    Parameters
    ----------
    meta_dataset : MetaDataset

    Returns
    -------
    dict of str to list of Run
        By task; a failed run has no loss.
    """
    runs: dict[str, list[Run]] = {}
    tasks, n_train = meta_dataset.tasks["task"].astype(str).to_numpy(), meta_dataset.numbers("n_train")
    full = {tasks[row]: n_train[row] for row in np.flatnonzero(meta_dataset.full_size)}
    for row in np.flatnonzero(~meta_dataset.full_size):
        if n_train[row] >= full.get(tasks[row], 0):
            continue
        loss = np.where(meta_dataset.failed[row], np.nan, meta_dataset.loss[row])
        measured = np.flatnonzero(np.isfinite(loss) | meta_dataset.failed[row])
        found = [Run(c, int(n_train[row]), 0, float(loss[c])) for c in measured.tolist()]
        runs.setdefault(tasks[row], []).extend(found)
    return runs


def rehearse(
    posterior: Posterior,
    meta_dataset: MetaDataset,
    rows: IntArray,
    hindsight: Forecast,
    *,
    runs: Mapping[str, Sequence[Run]] | None = None,
    n_scored: Mapping[str, int] | None = None,
) -> tuple[Calibration, Likelihood]:
    """Learn how far off a verdict's intervals and probabilities are, from tasks that nothing was learned of.

    The prior's forecasts are those of hindsight; what the posterior learned is learned anew without the groups of
    a fold, and the verdicts on these are held against what came true.

    Parameters
    ----------
    posterior : Posterior
        With lessons, not calibrated.
    meta_dataset : MetaDataset
    rows : ndarray of int64, shape (n_rows,)
        Rows at full size.
    hindsight : Forecast
        The prior's of these rows.
    runs, n_scored
        As in `replay_evidence`.

    Returns
    -------
    Calibration, Likelihood
    """
    shown = own_runs(meta_dataset) if runs is None else runs
    if not shown:
        return Calibration.none(), Likelihood.none()
    stage = _Stage(posterior, meta_dataset, hindsight, shown, n_scored or {}, same_rows=runs is None)
    acts = [
        act
        for blind, places in _blinded(posterior, meta_dataset, rows)
        for place in places
        for act in stage.play(blind, int(rows[place]), place)
    ]
    if not acts:
        return Calibration.none(), Likelihood.none()
    verdicts, amounts = [act.verdict for act in acts], [act.amount for act in acts]
    forecast = Forecast(
        np.stack([verdict.expected_loss for verdict in verdicts]),
        np.stack([verdict.low for verdict in verdicts]),
        np.stack([verdict.high for verdict in verdicts]),
        np.asarray([verdict.order[0] for verdict in verdicts]),
    )
    played = np.asarray([act.row for act in acts])
    losses, members = meta_dataset.loss[played], meta_dataset.groups[played]
    regret = losses - np.nanmin(losses, axis=1, keepdims=True)
    near = np.where(np.isfinite(losses), regret <= NEAR_BEST, np.nan)
    given = np.stack([verdict.near_best for verdict in verdicts])
    likelihood = Likelihood.fit(given, near, forecast.first, members, amounts)
    return Calibration.fit(forecast, losses, members, corrected=True, amounts=amounts), likelihood


def _blinded(
    posterior: Posterior, meta_dataset: MetaDataset, rows: IntArray
) -> Iterator[tuple[Posterior, list[int]]]:
    """Yield posteriors that learned nothing of some dataset groups, with the places of those groups' rows."""
    groups = meta_dataset.groups[rows]
    distinct = np.unique(groups)
    fold_of = np.random.default_rng(0).permutation(len(distinct)) % _N_FOLDS
    for fold in range(_N_FOLDS):
        held_out = distinct[fold_of == fold]
        if len(held_out):
            rest = meta_dataset.take(~np.isin(meta_dataset.groups, held_out))
            # Without runs there is nothing to rehearse, so that this ends.
            blind = replace(posterior).fit(rest, runs={})
            yield blind, np.flatnonzero(np.isin(groups, held_out)).tolist()


@dataclass(frozen=True, eq=False)
class _Act:
    """A rehearsed verdict on a row of the past."""

    row: int
    amount: Amount
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class _Stage:
    """What is the same for all verdicts."""

    posterior: Posterior
    meta_dataset: MetaDataset
    hindsight: Forecast
    runs: Mapping[str, Sequence[Run]]
    n_scored: Mapping[str, int]
    same_rows: bool

    def play(self, blind: Posterior, row: int, place: int) -> Iterator[_Act]:
        """Yield verdicts on a row, of less and more evidence, by a posterior that learned nothing of its group."""
        meta = self.meta_dataset
        facts = meta.tasks.iloc[row]
        task, perfect = str(facts["task"]), least_loss(meta.metric)
        query = Query(meta.metafeatures[row], int(facts["n_train"]), int(facts["n_features"]))
        ranking = _ranking(meta, self.hindsight, place)
        n_test = self.n_scored.get(task, rows_scored(query.n_train))
        known = [run for run in self.runs.get(task, ()) if np.isfinite(run.loss)]
        assumptions = self._assumptions(blind, ranking, query, int(meta.groups[row]))
        for part in _parts(known, ranking.order):
            evidence = RelativeEvidence.of(part, unit=assumptions.unit, n_test=n_test, perfect=perfect)
            belief = self.posterior.believe(assumptions, evidence)
            verdict = Verdict.of(
                belief,
                ranking,
                blind,
                excluded=~np.isfinite(meta.loss[row]),
                n_test=SAME_ROWS if self.same_rows else n_test,
                complementary=False,
            )
            yield _Act(row, amount_of(belief), verdict)

    def _assumptions(self, blind: Posterior, ranking: Ranking, query: Query, group: int) -> Assumptions:
        """Return the posterior's assumptions with what is learned of the past taken from the blind one."""
        learned = blind.assumptions(ranking, query)
        own = self.posterior.assumptions(ranking, query, unseen={group})
        return replace(own, **{name: getattr(learned, name) for name in _LEARNED})


def _ranking(meta_dataset: MetaDataset, hindsight: Forecast, place: int) -> Ranking:
    n = meta_dataset.n_candidates
    by_loss = np.argsort(hindsight.expected[place], kind="stable")
    first = hindsight.first[place]
    return Ranking(
        candidates=meta_dataset.candidates,
        order=np.concatenate([[first], by_loss[by_loss != first]]),
        expected_loss=hindsight.expected[place],
        low=hindsight.low[place],
        high=hindsight.high[place],
        fit_seconds=np.full(n, np.nan),
        n_evaluations=np.zeros(n, dtype=np.int64),
    )


def _parts(runs: Sequence[Run], order: IntArray) -> Iterator[list[Run]]:
    """Yield less and more evidence: few candidates or all, up to three sizes, one repetition or all."""
    if not runs:
        return
    sizes = sorted({run.n_train for run in runs})
    repetitions = sorted({run.repetition for run in runs})
    tried = {run.candidate for run in runs}
    few = set([candidate for candidate in order.tolist() if candidate in tried][:_N_FEW])
    for chosen in (tried, few) if len(few) < len(tried) else (tried,):
        for size in dict.fromkeys([sizes[0], sizes[len(sizes) // 2], sizes[-1]]):
            for last in dict.fromkeys([repetitions[0], repetitions[-1]]):
                part = [
                    run
                    for run in runs
                    if run.candidate in chosen and run.n_train <= size and run.repetition <= last
                ]
                if part:
                    yield part
