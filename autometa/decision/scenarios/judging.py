"""The protocol on a scenario: prior, evidence and baselines on groups of datasets that they have not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import pandas as pd

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy.catalogue import POLICIES
from autometa.decision.policy.evaluation import evaluate_policies
from autometa.decision.policy.replay import Setting, Variant, replay_evidence, replay_table
from autometa.decision.policy.report import EvaluationReport
from autometa.decision.scenarios._base import Scenario

__all__ = [
    "ABLATIONS",
    "EVIDENCE",
    "NO_EVIDENCE",
    "judge_ablations",
    "judge_scenario",
    "own_scenario",
    "replayed",
    "settings_of",
]

# What evidence a scenario is judged with: that of a knowledge base is one run, that of LCDB repeated, that of Oboe
# five probes of the whole table.
EVIDENCE: Mapping[str, tuple[Setting, ...]] = MappingProxyType(
    {
        "own": (Setting(256), Setting(1024), Setting(1024, 8)),
        "lcdb": (Setting(256, None, 1), Setting(256, None, 5), Setting(1024, None, 1), Setting(1024, None, 5)),
        "oboe": (Setting(None, 5),),
        "aslib": (),
    }
)
ABLATIONS: Mapping[str, Variant] = MappingProxyType(
    {
        "everything": Variant(),
        "without meta-features": Variant("static_portfolio"),
        "without pooling": Variant(pooled=False),
        "without complementarity": Variant(complementary=False),
    }
)
NO_EVIDENCE = Setting(n_tried=0)
_EVERYTHING = Variant()
_N_FOLDS = 5


def settings_of(scenario: Scenario) -> tuple[Setting, ...]:
    """Return the kinds of evidence that a scenario is judged with.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    tuple of Setting
        Of a scenario without a name of its own: one run of all candidates at its smallest and its greatest size
        of evidence. Empty if it has no evidence.
    """
    if scenario.name in EVIDENCE:
        return EVIDENCE[scenario.name]
    meta = scenario.meta_dataset
    sizes = sorted({run.n_train for runs in scenario.runs.values() for run in runs})
    sizes = sizes or sorted({int(size) for size in meta.numbers("train_size") if size})
    return tuple(Setting(size) for size in dict.fromkeys([sizes[0], sizes[-1]])) if sizes else ()


def judge_scenario(
    scenario: Scenario,
    *,
    policies: Sequence[str] = tuple(POLICIES),
    seeds: Sequence[int] = (0, 1, 2),
    n_folds: int | None = _N_FOLDS,
    n_jobs: int = 1,
    evidence: bool = True,
) -> pd.DataFrame:
    """Judge policies, and choices after evidence, on a scenario.

    Parameters
    ----------
    scenario : Scenario
        Its official folds are used if it has any.
    policies : sequence of str
    seeds : sequence of int
    n_folds : int or None
        Folds of dataset groups; None leaves one group out.
    n_jobs : int
    evidence : bool
        False judges the lists alone, which takes a fraction of the time.

    Returns
    -------
    DataFrame
        One row per (average, evidence, method, length of the list): ``scenario``, ``metric``, ``evidence``
        ("none", or what was shown), ``average``, ``method``, ``top_k``, ``n_tasks``, ``n_groups``, ``n_seeds``,
        ``closed_gap`` with ``low`` and ``high``, and how much it lies above the static portfolio, the prior and
        the winner on the subsample, each with its interval; ``fold_average`` (mean of the closed gaps of official
        folds). 95 % intervals: paired bootstrap over groups.
    """
    meta = scenario.meta_dataset
    report = evaluate_policies(
        meta, policies, seeds, n_folds=n_folds, folds=scenario.official_folds(), n_jobs=n_jobs
    )
    prior = report.to_frame().rename(columns={"policy": "method"}).assign(evidence="none")
    prior = prior.assign(n_tasks=report.n_tasks, n_groups=report.n_groups)
    if scenario.folds:
        prior["fold_average"] = [
            _fold_average(report, scenario.folds, method, k)
            for method, k in zip(prior["method"], prior["top_k"], strict=True)
        ]
    tables = [prior]
    if evidence and settings_of(scenario):
        after = _replayed(scenario, Variant(), seeds, n_folds, n_jobs)
        tables.append(after[after["evidence"] != str(NO_EVIDENCE)])
    table = pd.concat(tables, ignore_index=True)
    return _front(table.assign(scenario=scenario.name, metric=meta.metric, n_seeds=len(seeds)))


def judge_ablations(
    scenario: Scenario, *, seeds: Sequence[int] = (0, 1, 2), n_folds: int | None = _N_FOLDS, n_jobs: int = 1
) -> pd.DataFrame:
    """Judge the policy with one part after another left out.

    Parameters
    ----------
    scenario : Scenario
    seeds, n_folds, n_jobs
        As in `judge_scenario`.

    Returns
    -------
    DataFrame
        One row per (average, variant, evidence, length of the list), columns as in `judge_scenario` and
        ``variant``: what was left out. "without evidence" is the prior on the tasks that have evidence. "without
        pooling" the Gaussian belief stands alone.
    """
    kinds = [str(setting) for setting in settings_of(scenario)] or [str(NO_EVIDENCE)]
    tables = []
    for name, variant in ABLATIONS.items():
        table = _replayed(scenario, variant, seeds, n_folds, n_jobs)
        table = table[table["evidence"].isin(kinds)]
        last = "posterior" if "posterior" in set(table["method"]) else "prior"
        tables.append(table[table["method"] == last].assign(variant=name))
        if name == "everything" and last == "posterior":
            prior = table[(table["method"] == "prior") & (table["evidence"] == kinds[-1])]
            tables.append(prior.assign(variant="without evidence", evidence="none"))
    table = pd.concat(tables, ignore_index=True)
    found = _front(table.assign(scenario=scenario.name, metric=scenario.meta_dataset.metric, n_seeds=len(seeds)))
    return found[["variant", *found.columns.drop("variant")]]


def replayed(
    scenario: Scenario,
    variant: Variant = _EVERYTHING,
    *,
    seeds: Sequence[int] = (0,),
    n_folds: int | None = _N_FOLDS,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Judge choices without evidence and with each kind that a scenario has; see `replay_evidence`.

    Parameters
    ----------
    scenario : Scenario
    variant : Variant
    seeds, n_folds, n_jobs
        As in `judge_scenario`; the last answer for the same ones is kept.

    Returns
    -------
    DataFrame
    """
    return _remembered(scenario, variant, tuple(seeds), n_folds, n_jobs).copy()


@lru_cache(maxsize=1)
def _remembered(
    scenario: Scenario, variant: Variant, seeds: tuple[int, ...], n_folds: int | None, n_jobs: int
) -> pd.DataFrame:
    return replay_evidence(
        scenario.meta_dataset,
        variant,
        seeds,
        settings=(NO_EVIDENCE, *settings_of(scenario)),
        n_folds=n_folds,
        folds=scenario.official_folds(),
        n_jobs=n_jobs,
        runs=scenario.runs or None,
        n_scored=scenario.n_scored,
    )


def _replayed(
    scenario: Scenario, variant: Variant, seeds: Sequence[int], n_folds: int | None, n_jobs: int
) -> pd.DataFrame:
    results = replayed(scenario, variant, seeds=seeds, n_folds=n_folds, n_jobs=n_jobs)
    n_groups = results.groupby("setting")["group"].nunique()
    table = replay_table(results).rename(columns={"setting": "evidence"})
    table = table.rename(columns={"closed_gap_low": "low", "closed_gap_high": "high"})
    return table.assign(n_groups=table["evidence"].map(n_groups))


def _fold_average(report: EvaluationReport, folds: Mapping[str, int], method: str, k: int) -> float:
    """Return the mean over official folds of the closed gap within each."""
    results = report.results.assign(fold=report.results["task"].astype(str).map(dict(folds)))
    own, zero = results[results["policy"] == method], results[results["policy"] == "single_best"]
    regret = own.groupby("fold")[f"regret_{k}"].mean().sort_index().to_numpy(dtype=np.float64)
    whole = zero.groupby("fold")["regret_1"].mean().sort_index().to_numpy(dtype=np.float64)
    return float(np.mean(1.0 - regret[whole > 0] / whole[whole > 0]))


_FRONT = ["scenario", "metric", "evidence", "average", "method", "top_k", "n_tasks", "n_groups", "n_seeds"]


def _front(table: pd.DataFrame) -> pd.DataFrame:
    return table[_FRONT + [name for name in table.columns if name not in _FRONT]]


def own_scenario(meta_dataset: MetaDataset) -> Scenario:
    """Return the knowledge base's own figures as a scenario; evidence are its rows at smaller sizes."""
    return Scenario("own", meta_dataset, source="the knowledge base of autometa")
