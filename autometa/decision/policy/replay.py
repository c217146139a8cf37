"""Replay: what evidence is worth, with the runs on subsamples read from the knowledge base instead of made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import joblib
import numpy as np
import pandas as pd

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.components.leaderboard.resampling import percentile_ends
from autometa.decision.policy._base import Policy, Query, Ranking
from autometa.decision.policy.averages import AVERAGES, JudgedGroups
from autometa.decision.policy.baselines import SingleBestPolicy, StaticPortfolioPolicy
from autometa.decision.policy.evaluation import group_folds, query_of, seeded, true_regrets
from autometa.decision.policy.evidence import RelativeEvidence, Run, least_loss
from autometa.decision.policy.experience import Experience
from autometa.decision.policy.posterior import Posterior
from autometa.decision.policy.rehearsal import SAME_ROWS, own_runs, rows_scored
from autometa.decision.policy.report import TOP_K
from autometa.decision.policy.verdict import Verdict
from autometa.decision.policy.weighted import WeightedPolicy
from autometa.foundation.errors import ParameterError, PolicyError
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["METHODS", "Setting", "Variant", "replay_evidence", "replay_table"]

METHODS = ("single_best", "static_portfolio", "prior", "subsample", "posterior")


@dataclass(frozen=True, slots=True)
class Setting:
    """Evidence of one kind.

    Attributes
    ----------
    max_rows : int or None
        Greatest training size that runs may have; None for any.
    n_tried : int or None
        How many candidates have evidence, the first of the prior's list; None for all, 0 for no evidence.
    n_repetitions : int or None
        Repetitions that count; None for all.
    """

    max_rows: int | None = None
    n_tried: int | None = None
    n_repetitions: int | None = None

    def __str__(self) -> str:
        if self.n_tried == 0:
            return "none"
        tried = "all" if self.n_tried is None else f"first {self.n_tried}"
        rows = "all rows" if self.max_rows is None else f"up to {self.max_rows:,} rows"
        return f"{tried}, {rows}" + ("" if self.n_repetitions is None else f" x {self.n_repetitions}")

    def shown(self, runs: Sequence[Run], tried: Collection[int]) -> list[Run]:
        """Return the runs that count.

        Parameters
        ----------
        runs : sequence of Run
        tried : collection of int
            Candidates that have evidence.

        Returns
        -------
        list of Run
        """
        rows = np.inf if self.max_rows is None else self.max_rows
        repetitions = np.inf if self.n_repetitions is None else self.n_repetitions
        return [
            run for run in runs if run.n_train <= rows and run.repetition < repetitions and run.candidate in tried
        ]


@dataclass(frozen=True, slots=True)
class Variant:
    """What is judged, perhaps with a part of it left out.

    Attributes
    ----------
    policy : str or Policy
        The prior.
    pooled : bool
        Whether the pooled model has a say in the posterior (see `Posterior`).
    complementary : bool
        Whether what follows the first place complements it, or is the next best.
    """

    policy: str | Policy = "proximity"
    pooled: bool = True
    complementary: bool = True


def replay_evidence(
    meta_dataset: MetaDataset,
    variant: Variant | None = None,
    seeds: Sequence[int] = (0,),
    *,
    settings: Sequence[Setting] = (Setting(256), Setting(1024)),
    n_folds: int | None = 5,
    folds: Sequence[IntArray] | None = None,
    n_jobs: int = 1,
    runs: Mapping[str, Sequence[Run]] | None = None,
    n_scored: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Judge choices after evidence on tasks that neither prior nor posterior has seen.

    A fold is a set of dataset groups; prior and posterior are learned without them. The evidence of a task are its
    own evaluations at smaller training sizes, and the choice is judged at full size. Both were scored on the same
    test rows, so that there is no noise of scoring: a choice by evidence looks better here than it is on new rows,
    and the plain winner most of all.

    Parameters
    ----------
    meta_dataset : MetaDataset
        With rows at smaller training sizes.
    variant : Variant, optional
        What is judged; default: the whole of it.
    seeds : sequence of int
        One round each.
    settings : sequence of Setting
        Kinds of evidence.
        Tasks without any evidence of one of these kinds are judged without evidence only (``n_tried=0``).
    n_folds : int or None
        Folds of dataset groups; None leaves one group out.
    folds : sequence of ndarray of int64, optional
        Codes of the groups that are left out together, instead of folds that are dealt by seed.
    n_jobs : int
        Processes of joblib.
    runs : mapping of str to sequence of Run, optional
        Evidence by task, where it is kept apart: scored on other rows than those of the truth, and repeated.
    n_scored : mapping of str to int, optional
        Rows that the runs of a task were scored on; by default as the knowledge base tests.

    Returns
    -------
    DataFrame
        One row per (seed, task, setting, method): ``task``, ``group``, ``seed``, ``setting``, ``method`` (one of
        `METHODS`), ``regret_1``, ``regret_3``, ``regret_5`` (of the best of the first 1, 3, 5), ``chosen``
        (candidate id), ``first_inside`` and ``all_inside`` (whether the loss lies in its 80 % interval; share over
        candidates), ``width`` of the first candidate's interval and ``near`` (probability given that it is within
        `NEAR_BEST` of the best), of prior and posterior.

    Raises
    ------
    ParameterError
        If there is no seed or fewer than two folds.
    PolicyError
        If no task has evaluations at a smaller size.
    """
    if not seeds or (n_folds is not None and n_folds < 2):
        raise ParameterError("replay_evidence needs a seed and at least two folds.", n_folds=n_folds)
    evidence = runs if runs is not None else own_runs(meta_dataset)
    judged = _judged_rows(meta_dataset, evidence, settings)
    if not len(judged):
        raise PolicyError(
            "The knowledge base holds no task at a smaller training size as well as at its full one."
        )
    told = set(meta_dataset.tasks["task"].astype(str).iloc[_told_rows(meta_dataset, evidence, settings)])
    evidence = {task: own for task, own in evidence.items() if task in told}
    groups = np.unique(meta_dataset.groups[judged])
    parts = joblib.Parallel(n_jobs=n_jobs)(
        joblib.delayed(_judge_fold)(
            meta_dataset,
            variant or Variant(),
            held_out,
            judged,
            settings,
            seed,
            evidence,
            n_scored or {},
            runs is not None,
        )
        for seed in seeds
        for held_out in (folds if folds is not None else group_folds(groups, n_folds, seed))
    )
    return pd.DataFrame([row for part in parts for row in part])


def _judged_rows(
    meta_dataset: MetaDataset, runs: Mapping[str, Sequence[Run]], settings: Sequence[Setting]
) -> IntArray:
    """Return the rows at full size that are judged: all of them, if one is asked about without evidence."""
    if any(setting.n_tried == 0 for setting in settings):
        return np.flatnonzero(meta_dataset.full_size & np.isfinite(meta_dataset.loss).any(axis=1))
    return _told_rows(meta_dataset, runs, settings)


def _told_rows(
    meta_dataset: MetaDataset, runs: Mapping[str, Sequence[Run]], settings: Sequence[Setting]
) -> IntArray:
    """Return the rows at full size of tasks that have evidence of every kind."""
    measured = meta_dataset.full_size & np.isfinite(meta_dataset.loss).any(axis=1)
    wanted = [setting for setting in settings if setting.n_tried != 0]
    everyone = frozenset(range(meta_dataset.n_candidates))
    told = {task for task, own in runs.items() if all(setting.shown(own, everyone) for setting in wanted)}
    return np.flatnonzero(measured & meta_dataset.tasks["task"].astype(str).isin(told).to_numpy())


def _judge_fold(
    meta_dataset: MetaDataset,
    variant: Variant,
    held_out: IntArray,
    judged: IntArray,
    settings: Sequence[Setting],
    seed: int,
    runs: Mapping[str, Sequence[Run]],
    n_scored: Mapping[str, int],
    is_apart: bool,
) -> list[dict[str, Any]]:
    outside = np.isin(meta_dataset.groups, held_out)
    learned = _Learned.of(meta_dataset.take(~outside), variant, seed, runs if is_apart else None, n_scored)
    found = []
    for row in judged[outside[judged]].tolist():
        facts, query = meta_dataset.tasks.iloc[row], query_of(meta_dataset, row)
        task = str(facts["task"])
        case = _Case(
            query=query,
            loss=meta_dataset.loss[row],
            regret=true_regrets(meta_dataset.loss[row], meta_dataset.failed[row]),
            runs=runs.get(task, ()),
            n_test=n_scored.get(task, rows_scored(query.n_train)),
            same_rows=not is_apart,
            ranking=learned.prior.rank(query),
        )
        names = {"task": task, "group": facts["group"], "seed": seed}
        for setting in [known for known in settings if case.runs or known.n_tried == 0]:
            for method, answer in learned.answers(case, setting).items():
                found.append({**names, "setting": str(setting), "method": method, **case.judge(answer)})
    for outcome in found:
        outcome["chosen"] = meta_dataset.candidates[outcome["chosen"]].id
    return found


@dataclass(frozen=True, eq=False)
class _Answer:
    """A list, and an interval of every candidate's loss where one is given."""

    order: IntArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    near_best: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class _Case:
    """A task that is judged: what may be known of it, and the truth."""

    query: Query
    loss: FloatArray
    regret: FloatArray  # NaN where not measured
    runs: Sequence[Run]
    n_test: int
    same_rows: bool  # runs and truth were scored on the same ones
    ranking: Ranking

    @property
    def measured(self) -> BoolArray:
        """Which candidates have a truth."""
        return np.isfinite(self.regret)

    def judge(self, answer: _Answer) -> dict[str, Any]:
        """Return regrets of the best of the first ones that were measured, and whether intervals held."""
        listed = answer.order[self.measured[answer.order]]
        found: dict[str, Any] = {f"regret_{k}": float(self.regret[listed[:k]].min()) for k in TOP_K}
        found |= {
            "chosen": int(listed[0]),
            "first_inside": np.nan,
            "all_inside": np.nan,
            "width": np.nan,
            "near": np.nan,
        }
        if answer.low is not None and answer.high is not None:
            finite = np.isfinite(self.loss)
            inside = (self.loss >= answer.low) & (self.loss <= answer.high)
            found["first_inside"] = float(inside[listed[0]]) if finite[listed[0]] else np.nan
            found["all_inside"] = float(inside[finite].mean())
            found["width"] = float(answer.high[listed[0]] - answer.low[listed[0]])
        if answer.near_best is not None:
            found["near"] = float(answer.near_best[listed[0]])
        return found


@dataclass(frozen=True, eq=False)
class _Learned:
    """Everything that is learned without the judged groups."""

    variant: Variant
    metric: str
    prior: Policy
    posterior: Posterior
    baselines: Mapping[str, Policy]

    @classmethod
    def of(
        cls,
        training: MetaDataset,
        variant: Variant,
        seed: int,
        runs: Mapping[str, Sequence[Run]] | None,
        n_scored: Mapping[str, int],
    ) -> _Learned:
        past = Experience.fit(training, random_state=seed)
        fresh = seeded(variant.policy, seed)
        prior = fresh.learn(past) if isinstance(fresh, WeightedPolicy) else fresh.fit(training)
        posterior = Posterior(prior, pooled=variant.pooled)
        posterior.fit(training, runs=runs, n_scored=n_scored)
        baselines = {policy.name: policy.learn(past) for policy in (SingleBestPolicy(), StaticPortfolioPolicy())}
        return cls(variant, training.metric, prior, posterior, baselines)

    def answers(self, case: _Case, setting: Setting) -> dict[str, _Answer]:
        """Return the list of every method."""
        ranking = case.ranking
        order = ranking.order if self.variant.complementary else np.argsort(ranking.expected_loss, kind="stable")
        found = {name: _Answer(policy.rank(case.query).order) for name, policy in self.baselines.items()}
        found["prior"] = _Answer(order, ranking.low, ranking.high, ranking.near_best)
        tried = ranking.order[case.measured[ranking.order]][: setting.n_tried]
        shown = setting.shown(case.runs, frozenset(tried.tolist()))
        if setting.n_tried != 0:
            found |= self._with_evidence(case, shown, order)
        return found

    def _with_evidence(self, case: _Case, shown: Sequence[Run], of_prior: IntArray) -> dict[str, _Answer]:
        """Return the list by losses on the most rows, and the posterior's; the prior's where no run ended well."""
        failed = np.isin(np.arange(len(case.loss)), [run.candidate for run in shown if np.isnan(run.loss)])
        excluded = ~case.measured | failed
        if excluded.all() or all(np.isnan(run.loss) for run in shown):
            left = _Answer(np.concatenate([of_prior[~failed[of_prior]], of_prior[failed[of_prior]]]))
            return {"subsample": left, "posterior": left}
        assumptions = self.posterior.assumptions(case.ranking, case.query)
        perfect = least_loss(self.metric)
        evidence = RelativeEvidence.of(shown, unit=assumptions.unit, n_test=case.n_test, perfect=perfect)
        verdict = Verdict.of(
            self.posterior.believe(assumptions, evidence),
            case.ranking,
            self.posterior,
            excluded=excluded,
            n_test=SAME_ROWS if case.same_rows else case.n_test,
            complementary=self.variant.complementary,
        )
        return {
            "subsample": _Answer(_by_last_loss(evidence, of_prior)),
            "posterior": _Answer(verdict.order, verdict.low, verdict.high, verdict.near_best),
        }


def _by_last_loss(evidence: RelativeEvidence, of_prior: IntArray) -> IntArray:
    """Order candidates by their loss on the most rows; those not run there follow in the prior's order."""
    last = evidence.n_train == evidence.n_train.max(initial=0)
    winners = evidence.candidate[last][np.argsort(evidence.loss[last], kind="stable")]
    return np.concatenate([winners, of_prior[~np.isin(of_prior, winners)]])


def replay_table(results: pd.DataFrame) -> pd.DataFrame:
    """Return closed gaps with paired bootstrap intervals over dataset groups.

    Parameters
    ----------
    results : DataFrame
        Of `replay_evidence`.

    Returns
    -------
    DataFrame
        One row per (average, setting, method, top_k): ``average`` as in `EvaluationReport.to_frame`; ``n_tasks``;
        ``closed_gap``; ``over_prior``, ``over_portfolio`` and ``over_subsample`` (closed gap above that of the
        prior, of the static portfolio and of the winner on the subsample), each with ``_low`` and ``_high``;
        ``mean_regret``.
    """
    rows = []
    for setting, part in results.groupby("setting", sort=False):
        values = [f"regret_{k}" for k in TOP_K]
        means = part.groupby(["task", "method"])[values].mean()
        per_task = {k: means[f"regret_{k}"].unstack("method") for k in TOP_K}
        groups = JudgedGroups.of(part.groupby("task")["group"].first().loc[per_task[1].index])
        drawn = groups.draws()
        for average in AVERAGES:
            weights = groups.weights(average)
            for method, k in product([name for name in METHODS if name in per_task[1]], TOP_K):
                facts = {"average": average, "setting": setting, "method": method, "top_k": k}
                zero = per_task[1]["single_best"].to_numpy()
                rows.append({**facts, **_row(per_task[k], method, zero, weights, drawn)})
    return pd.DataFrame(rows)


def _row(
    per_task: pd.DataFrame, method: str, zero: FloatArray, weights: FloatArray, drawn: FloatArray
) -> dict[str, Any]:
    own = per_task[method].to_numpy()
    found: dict[str, Any] = {"n_tasks": len(per_task), "mean_regret": float(np.average(own, weights=weights))}
    others = {"over_portfolio": "static_portfolio", "over_prior": "prior", "over_subsample": "subsample"}
    compared = {"closed_gap": zero}
    compared |= {name: per_task[other].to_numpy() for name, other in others.items() if other in per_task}
    for name, reference in compared.items():
        difference = weights * (reference - own)
        gaps = (drawn @ difference) / np.maximum(drawn @ (weights * zero), 1e-12)
        found[name] = float(difference.sum() / max(float(weights @ zero), 1e-12))
        found[f"{name}_low"], found[f"{name}_high"] = map(float, percentile_ends(gaps))
    return found
