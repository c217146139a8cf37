"""What the policy's parts are worth: the same protocol with one of them changed; how alike a group's tasks are.

Usage: ``python benchmarks/policy_variants.py [--n-folds 10] [--only group_correlation|policy_variants]``

``results/policy_variants.csv`` has a row per metric, variant, policy, average and length of the list: closed gaps
on the shipped knowledge base, without plugins, in folds by dataset group, one seed, the same for all variants. The
zero of a gap is the single best candidate that the variant learned.
``results/group_correlation.csv`` has the intraclass correlation of regrets in dataset groups, centred per task and
candidate, by a one-way analysis of variance that is pooled over candidates.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from autometa import settings_context
from autometa.components.knowledge import KnowledgeBase
from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy import experience, proximity, trust
from autometa.decision.policy.evaluation import evaluate_policies
from autometa.decision.policy.performance import prepare_performance
from autometa.decision.policy.proximity import ProximityPolicy, standardised
from autometa.foundation.typing import FloatArray, IntArray

RESULTS = Path(__file__).parent / "results"
METRICS = {"log_loss": True, "nrmse": False}
Change = Callable[[], AbstractContextManager[object]]


def row_centred(regret: FloatArray) -> FloatArray:
    """Every row's regrets with mean 0."""
    return regret - regret.mean(axis=1, keepdims=True)


def tasks_alike() -> AbstractContextManager[object]:
    """Every task counts 1, however many are in its group."""
    return patch.object(experience, "task_shares", lambda tasks: np.ones(len(tasks)))


def caution_of(errors: float) -> AbstractContextManager[object]:
    """A candidate must beat the single best by so many standard errors to come first, whatever was learned."""
    return patch.multiple(trust, CAUTIONS=(errors,), USUAL_CAUTION=errors)


def centred_target() -> AbstractContextManager[object]:
    """The forest is grown on centred regrets that keep their spread."""
    return patch.object(proximity, "standardised", row_centred)


VARIANTS: Mapping[str, tuple[ProximityPolicy, Change]] = {
    "as shipped": (ProximityPolicy(), nullcontext),
    "every task counts alike": (ProximityPolicy(), tasks_alike),
    "no caution": (ProximityPolicy(), partial(caution_of, 0.0)),
    "centred target": (ProximityPolicy(), centred_target),
    "leaves of 8 tasks": (ProximityPolicy(min_samples_leaf=8), nullcontext),
}


def judged(meta: MetaDataset, n_folds: int) -> pd.DataFrame:
    """Return closed gaps of every variant, and of the portfolio that is learned from the same averages."""
    tables = []
    for name, (policy, change) in VARIANTS.items():
        with change():
            report = evaluate_policies(meta, [policy, "static_portfolio"], seeds=(0,), n_folds=n_folds)
        facts = {"n_folds": n_folds, "n_tasks": report.n_tasks, "n_groups": report.n_groups}
        tables.append(report.to_frame().assign(variant=name, **facts))
    table = pd.concat(tables, ignore_index=True)
    front = ["metric", "variant", "policy", "average", "top_k", *facts, "closed_gap", "low", "high"]
    return table.loc[table["policy"] != "single_best", front]


def group_correlations(meta: MetaDataset) -> pd.DataFrame:
    """Return the correlation of the regrets of two tasks of a group, as they are and standardised."""
    performance, rows = prepare_performance(meta)
    groups = pd.factorize(meta.take(rows).groups)[0]
    regret = performance.regret[:, performance.is_known]
    kinds = {"centred": row_centred(regret), "standardised": standardised(regret)}
    facts = {"metric": meta.metric, "n_tasks": len(groups), "n_groups": int(groups.max()) + 1}
    return pd.DataFrame(
        [{**facts, "rows": kind, "correlation": intraclass_correlation(of, groups)} for kind, of in kinds.items()]
    )


def intraclass_correlation(values: FloatArray, groups: IntArray) -> float:
    """Return ICC(1) of one-way analyses of variance, mean squares pooled over the columns."""
    values = values - values.mean(axis=0)
    sizes = np.bincount(groups)
    means = np.stack([np.bincount(groups, column) / sizes for column in values.T], axis=1)
    between = float((sizes[:, None] * np.square(means)).sum()) / (len(sizes) - 1)
    within = float(np.square(values - means[groups]).sum()) / (len(groups) - len(sizes))
    typical = (len(groups) - np.square(sizes).sum() / len(groups)) / (len(sizes) - 1)
    return (between - within) / (between + (typical - 1) * within)


def main() -> None:
    """Judge and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-folds", type=int, default=10)
    parser.add_argument("--only", choices=["group_correlation", "policy_variants"], help="default: both")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    tables = {
        "group_correlation": group_correlations,
        "policy_variants": partial(judged, n_folds=arguments.n_folds),
    }
    with settings_context(plugins=""):
        base = KnowledgeBase.open(None)
        metas = [base.meta_dataset(is_classification, metric) for metric, is_classification in METRICS.items()]
        for name in [arguments.only] if arguments.only else tables:
            table = pd.concat([tables[name](meta) for meta in metas], ignore_index=True)
            table.to_csv(RESULTS / f"{name}.csv", index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
