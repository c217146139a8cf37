"""What evidence from subsamples is worth: the choice of the prior, the winner on the subsample, the posterior's.

Runs are read instead of made (see `autometa.decision.policy.replay`). Two scenarios:

``own``   the knowledge base: evidence of one run, scored on the rows that the truth was scored on, too.
``lcdb``  LCDB 1.0 (Mohr et al., 2022): accuracy of 19 learners on OpenML data. Evidence are validation scores of
          one or five repetitions; the truth is the mean test score at full size.

Usage: ``python benchmarks/evidence.py [--lcdb FOLDER] [--knowledge FOLDER] [--output FILE]``. The folder of LCDB
holds ``curves_accuracy.parquet``, ``final_error_matrix.parquet`` and ``datasets_qualities.parquet``. Some minutes.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from autometa.components.knowledge import KnowledgeBase, MetaDataset
from autometa.decision.policy.evidence import Run
from autometa.decision.policy.replay import replay_evidence, replay_table
from autometa.domain import Candidate, Configuration
from autometa.domain.metrics import CLASSIFICATION_METRICS

FAMILIES = {
    "SVC": "svm",
    "linear_model": "linear",
    "discriminant": "discriminant",
    "naive_bayes": "bayes",
    "neighbors": "neighbors",
    "neural": "neural",
    "tree": "tree",
    "ensemble": "ensemble",
}
SIZES = (256, 1024)
LEAST_LEARNERS = 15


def own(knowledge: Path | None, seeds: range) -> list[pd.DataFrame]:
    """Replay the knowledge base, for the default metrics."""
    base = KnowledgeBase.open(knowledge)
    found = []
    for metric in ("log_loss", "nrmse"):
        meta = base.meta_dataset(metric in CLASSIFICATION_METRICS, metric)
        table = replay_table(replay_evidence(meta, seeds=seeds, max_rows=SIZES, n_tried=(None, 8)))
        found.append(table.assign(scenario="own", metric=metric, repetitions=1))
    return found


def lcdb(folder: Path, seeds: range) -> list[pd.DataFrame]:
    """Replay LCDB with one and with five repetitions."""
    truth = pd.read_parquet(folder / "final_error_matrix.parquet")
    truth = truth.drop(columns="sklearn.naive_bayes.MultinomialNB")
    qualities = pd.read_parquet(folder / "datasets_qualities.parquet").set_index("openmlid")
    curves = pd.read_parquet(folder / "curves_accuracy.parquet")
    truth = truth.loc[truth.index.isin(qualities.index) & (truth.notna().sum(axis=1) >= LEAST_LEARNERS)]
    curves = curves[curves["openmlid"].isin(truth.index) & curves["learner"].isin(truth.columns)]
    meta = lcdb_meta_dataset(truth, qualities, curves)
    found = []
    for repetitions in (1, 5):
        table = replay_table(
            replay_evidence(
                meta, seeds=seeds, max_rows=SIZES, n_folds=5, runs=lcdb_runs(truth, curves, repetitions)
            )
        )
        found.append(table.assign(scenario="lcdb", metric="accuracy", repetitions=repetitions))
    return found


def lcdb_meta_dataset(truth: pd.DataFrame, qualities: pd.DataFrame, curves: pd.DataFrame) -> MetaDataset:
    """Return errors at full size, and mean validation errors at the smaller sizes."""
    learners = list(truth.columns)
    largest = curves.groupby("openmlid")["size_train"].max()
    parts = [(0, truth)]
    for size in SIZES:
        at = curves[curves["size_train"] == size]
        score = at.groupby(["openmlid", "learner"])["score_valid"].mean().unstack("learner")
        parts.append((size, 1.0 - score.reindex(columns=learners)))
    rows, loss = [], []
    for size, errors in parts:
        for key, error in errors.iterrows():
            n_train = int(largest[key])
            if size >= n_train:
                continue
            quality = qualities.loc[key]
            facts = {"n_features": quality["NumberOfFeatures"], "n_classes": quality["NumberOfClasses"]}
            names = {"task": str(key), "name": quality["Name"], "group": str(quality["Name"]), "dataset_id": key}
            rows.append({**names, **facts, "train_size": size, "n_train": size or n_train})
            loss.append(error.to_numpy(dtype=np.float64))
    tasks = pd.DataFrame(rows).astype({"n_features": int, "n_classes": int})
    values = qualities.drop(columns="Name").loc[tasks["dataset_id"]].to_numpy(dtype=np.float64)
    return MetaDataset(
        tasks=tasks,
        candidates=tuple(Candidate(_family(name), Configuration(learner=name)) for name in learners),
        metafeature_names=tuple(qualities.columns.drop("Name")),
        metafeatures=values,
        loss=np.asarray(loss) - 1.0,  # autometa's loss of an accuracy is its negative
        failed=np.zeros((len(loss), len(learners)), dtype=bool),
        fit_seconds=np.full((len(loss), len(learners)), np.nan),
        metric="accuracy",
    )


def _family(learner: str) -> str:
    return next(family for part, family in FAMILIES.items() if part in learner)


def lcdb_runs(truth: pd.DataFrame, curves: pd.DataFrame, repetitions: int) -> dict[str, list[Run]]:
    """Return validation scores on 256, 512 and 1,024 rows as runs."""
    position = {name: place for place, name in enumerate(truth.columns)}
    wanted = curves["size_train"].isin((256, 512, 1024)) & (curves["inner_seed"] == 0)
    chosen = curves[wanted & (curves["outer_seed"] < repetitions)]
    runs: dict[str, list[Run]] = {}
    columns = ["openmlid", "learner", "size_train", "outer_seed", "score_valid"]
    for key, learner, size, seed, score in chosen[columns].itertuples(index=False):
        runs.setdefault(str(key), []).append(Run(position[learner], int(size), int(seed), -float(score)))
    return runs


def main() -> None:
    """Run the scenarios and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lcdb", type=Path, help="folder of LCDB tables; without it the scenario is left out")
    parser.add_argument("--knowledge", type=Path, help="knowledge base; default: the shipped one")
    parser.add_argument("--n-seeds", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "evidence.csv")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    seeds = range(arguments.n_seeds)
    tables = own(arguments.knowledge, seeds)
    if arguments.lcdb is not None:
        tables += lcdb(arguments.lcdb, seeds)
    table = pd.concat(tables, ignore_index=True)
    front = ["scenario", "metric", "repetitions", "average", "setting", "method", "n_tasks"]
    table = table[front + [name for name in table.columns if name not in front]]
    table.to_csv(arguments.output, index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
