"""Whether adjusted labels and probabilities pay on rows that nothing was learned from.

    python benchmarks/adjustment.py FOLDER

FOLDER holds ``index.csv`` and ``parquet/`` (see the file formats in the documentation). Every dataset is cut to
1,000 rows, of which 30 % are held out, twice. Default configurations of three strategies are cross-validated on
the rest as the estimators do it; the adjustment is learned on these out-of-fold predictions for each metric, and
judged on the rows held out. Written is one row per dataset, split, strategy and metric: the loss as it was, with
the adjustment always, and with it only where out-of-fold says that it pays, as the estimators decide it; and the
mean gains with 95 % bootstrap intervals over datasets, beside it (``adjustment_summary.csv``).
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from autometa.components.leaderboard.resampling import draw_tasks, percentile_ends
from autometa.domain import Metric, Prediction, Task, evaluate, holdout_splits, nested_subsample
from autometa.engine.refinement.adjusting import LEAST_MARGINS, Adjustment, gain_in_errors, learned
from autometa.engine.refinement.folds import Folds
from autometa.engine.refinement.out_of_fold import Judge
from autometa.plugins import get_registry

MAX_ROWS = 1_000
N_SPLITS = 2
N_BOOTSTRAP = 10_000
STRATEGIES = ("linear", "svm", "extra_trees")
MEASURED = ("balanced_accuracy", "accuracy", "log_loss", "brier")


def load(folder: Path, dataset_id: int) -> Task:
    """Read a dataset, cut to 1,000 rows."""
    index = pd.read_csv(folder / "index.csv").set_index("did")
    facts = index.loc[dataset_id]
    frame = pd.read_parquet(folder / "parquet" / str(facts["file"]))
    target = str(facts["target"])
    task = Task.from_arrays(frame.drop(columns=target), frame[target], type="classification", name=facts["name"])
    return task.take(nested_subsample(task.y, np.arange(task.n_samples), MAX_ROWS))


def judged(task: Task, strategy_name: str, index: int) -> list[dict[str, object]]:
    """Return one row per metric: losses on the rows held out."""
    split = holdout_splits(task, N_SPLITS, random_state=0)[index]
    strategy = get_registry().strategy(strategy_name)
    candidate = strategy.candidates(task)[0]
    training = task.take(split.train)
    folds = Folds.of(training, max_repetitions=1)
    parts = [evaluate(folds.task, each, candidate, strategy, keep_prediction=True) for each in folds.task.splits]
    final = evaluate(task, split, candidate, strategy, keep_prediction=True)
    outcomes = [each.prediction for each in (*parts, final)]
    if any(each is None for each in outcomes):
        return []
    stacked = np.concatenate([part.prediction.probabilities for part in parts])
    rows = []
    for metric in MEASURED:
        measured = Task.from_arrays(training.X, training.y, type="classification", metric=metric)
        judge = Judge(replace(folds, task=replace(folds.task, metric=measured.metric, scorer=measured.scorer)))
        arranged = judge.arranged(stacked)
        errors = gain_in_errors(arranged, judge)
        always = learned(arranged, judge)
        chosen = always if errors > LEAST_MARGINS[str(judge.is_judged_by)] else None

        def loss(adjustment: Adjustment | None, measure: Metric = measured.measure) -> float:
            said = final.prediction.probabilities
            said = said if adjustment is None else adjustment(said)
            labels = task.classes[said.argmax(axis=1)]
            return measure.loss(measure.score(task.y[split.test], Prediction(labels, said, task.classes)))

        facts = {"dataset": task.name, "split": index, "strategy": strategy_name, "metric": metric}
        losses = {"plain": loss(None), "always": loss(always), "chosen": loss(chosen)}
        rows.append({**facts, **losses, "gain_in_errors": errors, "is_adjusted": chosen is not None})
    return rows


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per metric: how often it is adjusted, and the mean gain over datasets with its interval."""
    gains = rows.assign(gain=rows["plain"] - rows["chosen"], gain_if_always=rows["plain"] - rows["always"])
    found = []
    for metric, part in gains.groupby("metric", sort=False):
        means = part.groupby("dataset")[["gain", "gain_if_always"]].mean()
        drawn = draw_tasks(len(means), N_BOOTSTRAP, random_state=0)
        low, high = percentile_ends(means["gain"].to_numpy()[drawn].mean(axis=1))
        counts = {"n": len(part), "n_adjusted": int(part["is_adjusted"].sum()), "n_datasets": len(means)}
        found.append({"metric": metric, **counts, **means.mean().to_dict(), "low": low, "high": high})
    return pd.DataFrame(found)


def main() -> None:
    """Judge and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dataset", type=int, action="append", help="OpenML id; default: those of the table")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "adjustment.csv")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for dataset_id in arguments.dataset or DATASETS:
        task = load(arguments.folder, dataset_id)
        for name in STRATEGIES:
            for index in range(N_SPLITS):
                rows += judged(task, name, index)
        table = pd.DataFrame(rows)
        table.to_csv(arguments.output, index=False, float_format="%.5f")
        beside = arguments.output.with_stem(f"{arguments.output.stem}_summary")
        summary(table).to_csv(beside, index=False, float_format="%.5f")


# Balanced and not, two classes and several.
DATASETS = (31, 1464, 1489, 1067, 37, 1050, 188, 1487)

if __name__ == "__main__":
    main()
