"""What bounds any choice on LCDB: how far one half of a learner's evaluations tells which is best by the other.

Usage: ``python benchmarks/evaluation_noise.py --data FOLDER``

FOLDER holds the tables of LCDB (see ``scenarios.py``). The truth of the scenario is a learner's mean test error
over five outer splits, at its greatest training size. Here it is taken apart: of each way to split the outer
splits in two and three, the learner that is best by one part is judged by the other, with the closed gap of the
scenario (1 = the best of the judging part, 0 = the learner that is best on average over all tasks). Such an
oracle saw full fits of every learner on the whole table; what it does not close is noise of the evaluations,
somewhat more of it than in the truth, which is a mean over all five. Written is
``results/evaluation_noise.csv``: closed gap over tasks and over groups, 95 % bootstrap intervals over dataset
groups.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from autometa.components.leaderboard.resampling import percentile_ends
from autometa.decision.policy.averages import AVERAGES, JudgedGroups
from autometa.decision.policy.performance import REGRET_CLIP
from autometa.decision.scenarios import load_scenario

RESULTS = Path(__file__).parent / "results"
TOP_K = (1, 3, 5)


def errors_by_split(folder: Path, tasks: list[str], learners: list[str]) -> np.ndarray:
    """Mean test error at the greatest training size, shape (n_splits, n_tasks, n_learners); NaN = not measured."""
    curves = pd.read_parquet(folder / "curves_accuracy.parquet")
    curves = curves.assign(task=curves["openmlid"].astype(str), learner=curves["learner"].astype(str))
    curves = curves[curves["task"].isin(tasks) & curves["learner"].isin(learners)]
    greatest = curves.groupby(["task", "learner"])["size_train"].transform("max")
    last = curves[curves["size_train"] == greatest]
    means = last.groupby(["outer_seed", "task", "learner"])["score_test"].mean()
    splits = means.index.unique("outer_seed")
    tables = [means[split].unstack("learner").reindex(index=tasks, columns=learners) for split in splits]
    return 1.0 - np.stack([table.to_numpy() for table in tables])


def regrets(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Regret of the best of the first k, and of the single best, means over the ways to take the splits apart.

    Returns arrays of shape (len(TOP_K), n_tasks) and (n_tasks,).
    """
    n_splits = len(errors)
    found, zero = [], []
    for size in (n_splits // 2, n_splits - n_splits // 2):
        for part in combinations(range(n_splits), size):
            rest = [split for split in range(n_splits) if split not in part]
            known, judging = _means(errors[list(part)]), _means(errors[rest])
            regret = np.minimum(judging - np.nanmin(judging, axis=1, keepdims=True), REGRET_CLIP)
            known = np.where(np.isfinite(regret), known, np.nan)
            order = np.argsort(np.where(np.isnan(known), np.inf, known), axis=1, kind="stable")
            listed = np.take_along_axis(regret, order, axis=1)
            found.append([np.nanmin(listed[:, :k], axis=1) for k in TOP_K])
            worst = np.nanmax(regret, axis=1, keepdims=True)
            complete = np.where(np.isnan(regret), worst, regret)
            zero.append(complete[:, complete.mean(axis=0).argmin()])
    return np.mean(found, axis=0), np.mean(zero, axis=0)


def _means(errors: np.ndarray) -> np.ndarray:
    """Means over splits of what was measured; NaN where nothing was."""
    present = np.isfinite(errors)
    with np.errstate(invalid="ignore"):
        return np.where(present, errors, 0.0).sum(axis=0) / present.sum(axis=0)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    meta = load_scenario("lcdb", folder).meta_dataset
    facts = meta.tasks[meta.full_size]
    learners = [str(candidate.configuration["learner"]) for candidate in meta.candidates]
    errors = errors_by_split(folder, facts["task"].astype(str).tolist(), learners)
    # A task with one split tells nothing of the others.
    told = np.isfinite(errors).any(axis=2).all(axis=0)
    own, zero = regrets(errors[:, told])
    judged = JudgedGroups.of(facts["group"][told])
    rows = []
    for average in AVERAGES:
        weights, draws = judged.weights(average), judged.draws()
        for k, regret in zip(TOP_K, own, strict=True):
            drawn = 1.0 - (draws @ (weights * regret)) / (draws @ (weights * zero))
            low, high = percentile_ends(drawn)
            value = 1.0 - (weights @ regret) / (weights @ zero)
            rows.append((average, k, int(told.sum()), judged.n_groups, len(errors), value, low, high))
    columns = ["average", "top_k", "n_tasks", "n_groups", "n_splits", "closed_gap", "low", "high"]
    table = pd.DataFrame(rows, columns=columns).assign(scenario="lcdb", metric=meta.metric)
    table.to_csv(RESULTS / "evaluation_noise.csv", index=False, float_format="%.4f")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
