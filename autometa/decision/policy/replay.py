"""Replay: what evidence is worth, with the runs on subsamples read from the knowledge base instead of made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import Policy, Ranking
from autometa.decision.policy.baselines import SingleBestPolicy
from autometa.decision.policy.belief import Belief
from autometa.decision.policy.evaluation import group_folds, query_of, seeded, true_regrets
from autometa.decision.policy.evidence import RelativeEvidence, Run, least_loss
from autometa.decision.policy.experience import Experience
from autometa.decision.policy.posterior import Posterior
from autometa.decision.policy.report import AVERAGES
from autometa.decision.policy.weighted import WeightedPolicy
from autometa.foundation.errors import ParameterError, PolicyError
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["METHODS", "replay_evidence", "replay_table"]

METHODS = ("single_best", "prior", "subsample", "posterior")
_N_BOOTSTRAP = 2000
_ENDS = (0.025, 0.975)
# The knowledge base tests on three rows for every seven that it trains on, and on no more than this.
_TEST_SHARE = 3 / 7
_MOST_TEST = 2000


@dataclass(frozen=True, slots=True)
class _Setting:
    """Evidence of one kind: the rows that runs may be fitted on, and how many candidates are tried."""

    max_rows: int
    n_tried: int | None

    def __str__(self) -> str:
        tried = "all" if self.n_tried is None else f"first {self.n_tried}"
        return f"{tried}, up to {self.max_rows:,} rows"


def replay_evidence(
    meta_dataset: MetaDataset,
    policy: str | Policy = "proximity",
    seeds: Sequence[int] = (0,),
    *,
    max_rows: Sequence[int] = (256, 1024),
    n_tried: Sequence[int | None] = (None,),
    n_folds: int = 5,
    n_jobs: int = 1,
    runs: Mapping[str, Sequence[Run]] | None = None,
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
    policy : str or Policy
        The prior.
    seeds : sequence of int
        One round each.
    max_rows : sequence of int
        Greatest training size that evidence may have; one setting each.
    n_tried : sequence of int or None
        How many candidates have evidence, the first of the prior's list; None for all. One setting each.
    n_folds : int
    n_jobs : int
        Processes of joblib.
    runs : mapping of str to sequence of Run, optional
        Evidence by task, where it is kept apart: scored on other rows than those of the truth, and repeated.

    Returns
    -------
    DataFrame
        One row per (seed, task, setting, method): ``task``, ``group``, ``seed``, ``setting``, ``method`` (one of
        `METHODS`), ``regret`` of the choice, ``chosen`` (candidate id).

    Raises
    ------
    ParameterError
        If there is no seed or fewer than two folds.
    PolicyError
        If no task has evaluations at a smaller size.
    """
    if not seeds or n_folds < 2:
        raise ParameterError("replay_evidence needs a seed and at least two folds.", n_folds=n_folds)
    evidence = runs if runs is not None else _own_runs(meta_dataset)
    judged = _judged_rows(meta_dataset, evidence, min(max_rows))
    if not len(judged):
        raise PolicyError(
            "The knowledge base holds no task at a smaller training size as well as at its full one."
        )
    settings = [_Setting(rows, tried) for rows in max_rows for tried in n_tried]
    groups = meta_dataset.groups
    parts = joblib.Parallel(n_jobs=n_jobs)(
        joblib.delayed(_judge_fold)(meta_dataset, policy, held_out, judged, settings, seed, evidence)
        for seed in seeds
        for held_out in group_folds(np.unique(groups[judged]), n_folds, seed)
    )
    return pd.DataFrame([row for part in parts for row in part])


def _own_runs(meta_dataset: MetaDataset) -> dict[str, list[Run]]:
    """Return the evaluations at smaller sizes as runs, by task; a failed one has no loss."""
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


def _judged_rows(meta_dataset: MetaDataset, runs: Mapping[str, Sequence[Run]], max_rows: int) -> IntArray:
    """Return the rows at full size of tasks that have evidence on no more than so many rows."""
    measured = meta_dataset.full_size & np.isfinite(meta_dataset.loss).any(axis=1)
    told = {task for task, own in runs.items() if any(run.n_train <= max_rows for run in own)}
    return np.flatnonzero(measured & meta_dataset.tasks["task"].astype(str).isin(told).to_numpy())


def _judge_fold(
    meta_dataset: MetaDataset,
    policy: str | Policy,
    held_out: IntArray,
    judged: IntArray,
    settings: Sequence[_Setting],
    seed: int,
    runs: Mapping[str, Sequence[Run]],
) -> list[dict[str, Any]]:
    outside = np.isin(meta_dataset.groups, held_out)
    training = meta_dataset.take(~outside)
    past = Experience.fit(training, random_state=seed)
    fresh = seeded(policy, seed)
    prior = fresh.learn(past) if isinstance(fresh, WeightedPolicy) else fresh.fit(training)
    posterior = Posterior(prior, random_state=seed).fit(training)
    single_best = SingleBestPolicy().learn(past)
    found = []
    for row in judged[outside[judged]].tolist():
        query = query_of(meta_dataset, row)
        ranking = prior.rank(query)
        regret = true_regrets(meta_dataset.loss[row], meta_dataset.failed[row])
        facts = meta_dataset.tasks.iloc[row]
        names = {"task": facts["task"], "group": facts["group"], "seed": seed}
        first = single_best.rank(query).order
        for setting in settings:
            choices = {
                "single_best": _first_measured(first, regret),
                "prior": _first_measured(ranking.order, regret),
                **_with_evidence(
                    meta_dataset, row, setting, ranking, posterior, np.isfinite(regret), runs[facts["task"]]
                ),
            }
            for method, choice in choices.items():
                chosen = meta_dataset.candidates[choice].id
                outcome = {"method": method, "regret": float(regret[choice]), "chosen": chosen}
                found.append({**names, "setting": str(setting), **outcome})
    return found


def _first_measured(order: IntArray, regret: FloatArray) -> int:
    return int(order[np.isfinite(regret[order])][0])


def _with_evidence(
    meta_dataset: MetaDataset,
    row: int,
    setting: _Setting,
    ranking: Ranking,
    posterior: Posterior,
    measured: BoolArray,
    runs: Sequence[Run],
) -> dict[str, int]:
    """Return what the winner on the most rows is, and what the posterior chooses."""
    tried = ranking.order[measured[ranking.order]][: setting.n_tried]
    shown = [run for run in runs if run.n_train <= setting.max_rows and run.candidate in set(tried.tolist())]
    query = query_of(meta_dataset, row)
    assumptions = posterior.assumptions(ranking, query)
    n_test = int(min(_MOST_TEST, max(1.0, _TEST_SHARE * query.n_train)))
    perfect = least_loss(meta_dataset.metric)
    evidence = RelativeEvidence.of(shown, unit=assumptions.unit, n_test=n_test, perfect=perfect)
    belief = Belief.given(assumptions, evidence)
    failed = [run.candidate for run in shown if np.isnan(run.loss)]
    excluded = ~measured | np.isin(np.arange(len(measured)), failed)
    last = evidence.n_train == evidence.n_train.max(initial=0)
    prior = _first_measured(ranking.order, np.where(measured, 0.0, np.nan))
    winner = int(evidence.candidate[last][np.argmin(evidence.loss[last])]) if last.any() else prior
    return {"subsample": winner, "posterior": int(np.argmin(np.where(excluded, np.inf, belief.risk)))}


def replay_table(results: pd.DataFrame) -> pd.DataFrame:
    """Return closed gaps with paired bootstrap intervals over dataset groups.

    Parameters
    ----------
    results : DataFrame
        Of `replay_evidence`.

    Returns
    -------
    DataFrame
        One row per (average, setting, method): ``average`` as in `EvaluationReport.to_frame`; ``n_tasks``;
        ``closed_gap``, ``over_prior`` and ``over_subsample`` (closed gap above that of the prior, and of the
        winner on the subsample), each with ``_low`` and ``_high``; ``mean_regret``.
    """
    rows = []
    for setting, part in results.groupby("setting", sort=False):
        per_task = part.groupby(["task", "method"])["regret"].mean().unstack("method")
        groups = part.groupby("task")["group"].first().loc[per_task.index].astype(str)
        codes, names = pd.factorize(groups)
        even = np.full(len(names), 1 / len(names))
        drawn = np.random.default_rng(0).multinomial(len(names), even, _N_BOOTSTRAP)
        members = groups.groupby(groups).transform("size").to_numpy(dtype=np.float64)
        for average in AVERAGES:
            weights = 1.0 / members if average == "groups" else np.ones(len(members))
            for method in METHODS:
                facts = {"average": average, "setting": setting, "method": method}
                rows.append({**facts, **_row(per_task, method, weights, drawn[:, codes])})
    return pd.DataFrame(rows)


def _row(per_task: pd.DataFrame, method: str, weights: FloatArray, drawn: IntArray) -> dict[str, Any]:
    zero, own = per_task["single_best"].to_numpy(), per_task[method].to_numpy()
    found: dict[str, Any] = {"n_tasks": len(per_task), "mean_regret": float(np.average(own, weights=weights))}
    references = {"closed_gap": "single_best", "over_prior": "prior", "over_subsample": "subsample"}
    for name, reference in references.items():
        difference = weights * (per_task[reference].to_numpy() - own)
        gaps = (drawn @ difference) / np.maximum(drawn @ (weights * zero), 1e-12)
        found[name] = float(difference.sum() / max(float(weights @ zero), 1e-12))
        found[f"{name}_low"], found[f"{name}_high"] = (float(end) for end in np.quantile(gaps, _ENDS))
    return found
