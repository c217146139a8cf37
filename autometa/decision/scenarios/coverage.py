"""How often intervals held: measured coverage of prior and posterior on groups that they have not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from autometa.components.leaderboard.resampling import percentile_ends
from autometa.decision.policy import INTERVAL_LEVEL
from autometa.decision.policy._base import NEAR_BEST
from autometa.decision.policy.averages import AVERAGES, JudgedGroups
from autometa.decision.scenarios._base import Scenario
from autometa.decision.scenarios.judging import NO_EVIDENCE, replayed

__all__ = ["judge_coverage"]


def judge_coverage(
    scenario: Scenario, *, seeds: Sequence[int] = (0, 1, 2), n_folds: int | None = 5, n_jobs: int = 1
) -> pd.DataFrame:
    """Measure how often the truth lies in its interval.

    Parameters
    ----------
    scenario : Scenario
    seeds, n_folds, n_jobs
        As in `judge_scenario`.

    Returns
    -------
    DataFrame
        One row per (average, evidence, method, of): ``nominal``; ``of``: "first" (the first of the list) or "all"
        (all measured candidates of a task), with the nominal coverage of the interval; "near best": whether the
        first is within `NEAR_BEST` of the best, ``nominal`` being the mean probability that was given;
        ``coverage`` with its 95 % bootstrap interval over groups ``low`` and ``high``; ``width``: median width of
        the first candidate's interval.
    """
    results = replayed(scenario, seeds=seeds, n_folds=n_folds, n_jobs=n_jobs)
    is_prior = results["setting"] == str(NO_EVIDENCE)
    wanted = results[(results["method"] == "posterior") | ((results["method"] == "prior") & is_prior)]
    rows = [
        {"evidence": evidence, "method": method, "of": of, "average": average, **_coverage(part, of, average)}
        for (evidence, method), part in wanted.groupby(["setting", "method"], sort=False)
        for of in ("first", "all", "near best")
        for average in AVERAGES
    ]
    facts = {"scenario": scenario.name, "metric": scenario.meta_dataset.metric}
    table = pd.DataFrame(rows).assign(**facts, n_seeds=len(seeds))
    front = [*facts, "evidence", "method", "of", "average", "nominal"]
    return table[[*front, *table.columns.drop(front)]]


def _coverage(part: pd.DataFrame, of: str, average: str) -> dict[str, float]:
    part = part.assign(near_best_inside=(part["regret_1"] <= NEAR_BEST).astype(float), given=INTERVAL_LEVEL)
    if of == "near best":
        part = part.assign(given=part["near"])
    inside = f"{of.replace(' ', '_')}_inside"
    per_task = part.groupby("task").agg(held=(inside, "mean"), given=("given", "mean"), group=("group", "first"))
    per_task = per_task.dropna()
    groups = JudgedGroups.of(per_task["group"])
    weights = groups.weights(average)
    held = per_task["held"].to_numpy(dtype=np.float64)
    draws = groups.draws() * weights
    low, high = percentile_ends((draws @ held) / draws.sum(axis=1))
    return {
        "nominal": float(np.average(per_task["given"], weights=weights)),
        "coverage": float(np.average(held, weights=weights)),
        "low": float(low),
        "high": float(high),
        "width": float(part["width"].median()),
        "n_tasks": len(per_task),
        "n_groups": groups.n_groups,
    }
