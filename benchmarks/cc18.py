"""Compare the first recommendation, fitted without any search, with defaults and FLAML's zero-shot choices.

Usage::

    python benchmarks/cc18.py install
    python benchmarks/cc18.py run FOLDER --runs runs.csv [--n-splits 3] [--n-jobs 2]
    python benchmarks/cc18.py report --runs runs.csv --output benchmarks/results/cc18.csv
    python benchmarks/cc18.py candidates FOLDER --runs candidates.csv [--max-rows 2000] [--n-splits 3] [--n-jobs 2]
    python benchmarks/cc18.py gap --runs runs.csv --candidates candidates.csv --output gap.csv

`install` puts the peers and the plugins of this repository that are not there yet into the running environment.
`candidates` fits every candidate of the installed strategies' portfolios on the same splits (hours for all of
the suite: `--max-rows` leaves datasets with more rows out), and `gap` says which share of the gap between the
best peer and the best candidate, both chosen with hindsight, the recommendation closes.

FOLDER holds ``index.csv`` and ``parquet/`` (see the file formats in the documentation). Every dataset of the suite
OpenML-CC18 that lies there is cut to 10,000 rows (stratified) and split 70/30 three times, stratified. The
recommendation comes from a knowledge base without the dataset's group, so that nobody knows the answer. Peers
have scikit-learn's or their own defaults behind skrub's `tabular_pipeline`, which encodes and imputes as each of
them needs it. Losses are log-loss (probabilities clipped at 1e-15), lower is better; one that fails has the loss
of the classes' shares. Seconds of the recommendation include fitting the policy without the group. Runs are
stored as they end: the same command goes on where it was stopped, also with more splits.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import cc18_candidates
import cc18_suite as suite
import joblib
import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score

import autometa
from autometa.components.knowledge.leaving_out import DatasetIdentity, groups_of, without_groups
from autometa.components.leaderboard.resampling import draw_tasks, percentile_ends
from autometa.domain import Split, Task
from autometa.domain.evaluation import predict

# The versions that were run, up to the next one that may change defaults.
REQUIREMENTS = ("flaml>=2.7,<3", "lightgbm>=4.7,<5", "xgboost-cpu>=3.2,<4", "catboost>=1.2,<2")
PLUGINS = ("trees", "boosting", "neighbors")
MAX_FIT_SECONDS = 120.0
OURS = "autometa"
N_BOOTSTRAP = 10_000


def logistic(task: Task) -> BaseEstimator:
    from sklearn.linear_model import LogisticRegression

    return _behind_skrub(LogisticRegression(max_iter=1_000))


def svc(task: Task) -> BaseEstimator:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    return _behind_skrub(CalibratedClassifierCV(SVC(), ensemble=False), like=SVC())


def random_forest(task: Task) -> BaseEstimator:
    from sklearn.ensemble import RandomForestClassifier

    return _behind_skrub(RandomForestClassifier(random_state=0))


def histogram_boosting(task: Task) -> BaseEstimator:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return _behind_skrub(HistGradientBoostingClassifier(random_state=0))


def lightgbm(task: Task) -> BaseEstimator:
    from lightgbm import LGBMClassifier

    return _behind_skrub(LGBMClassifier(random_state=0, n_jobs=0, verbose=-1))


def flaml_lightgbm(task: Task) -> BaseEstimator:
    from flaml.default import LGBMClassifier

    return LGBMClassifier(random_state=0, verbose=-1, n_jobs=1)


def flaml_all(task: Task) -> BaseEstimator:
    """FLAML's zero-shot choice among its learners, made when it is fitted."""
    return _ZeroShot()


def recommended(task: Task) -> autometa.Recommendation:
    """The recommendation for training rows, by a policy that knows nothing of the dataset's group."""
    knowledge = knowledge_without(task)
    return autometa.recommend(task, knowledge=knowledge, max_fit_seconds=MAX_FIT_SECONDS, random_state=0)


PEERS: dict[str, Callable[[Task], BaseEstimator]] = {
    "logistic": logistic,
    "svc": svc,
    "random_forest": random_forest,
    "histogram_boosting": histogram_boosting,
    "lightgbm": lightgbm,
    "flaml_lightgbm": flaml_lightgbm,
    "flaml_all": flaml_all,
}


def _behind_skrub(learner: BaseEstimator, like: BaseEstimator | None = None) -> BaseEstimator:
    from skrub import tabular_pipeline

    pipeline = tabular_pipeline(learner if like is None else like)
    return pipeline if like is None else pipeline.set_params(**{pipeline.steps[-1][0]: learner})


class _ZeroShot(BaseEstimator):
    def fit(self, X: pd.DataFrame, y: np.ndarray) -> _ZeroShot:
        from flaml.default import preprocess_and_suggest_hyperparams, suggest_learner

        name = suggest_learner("classification", X, pd.Series(y, index=X.index), "all")
        settings, kind, table, target, self.features, self.labels = preprocess_and_suggest_hyperparams(
            "classification", X, pd.Series(y, index=X.index), name
        )
        self.pick = f"{name}{settings}"
        self.learner = kind(**settings).fit(table, target)
        self.classes_ = self.labels.inverse_transform(self.learner.classes_.astype(int)) if self.labels else None
        if self.classes_ is None:
            self.classes_ = self.learner.classes_
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return self.learner.predict_proba(self.features.transform(X))


@cache
def _knowledge() -> autometa.KnowledgeBase:
    return autometa.KnowledgeBase.shipped()


def knowledge_without(task: Task) -> autometa.KnowledgeBase:
    """The shipped knowledge base without every group that may hold the dataset: by its group, id or name."""
    identity = DatasetIdentity(task.name, task.dataset_id, task.group, task.fingerprint())
    return without_groups(_knowledge(), groups_of(_knowledge(), identity))


def _run(folder: Path, key: str, index: int, systems: tuple[str, ...]) -> list[dict[str, Any]]:
    """Run systems on one split of one dataset."""
    warnings.simplefilter("ignore")
    task, split = suite.load(folder, key, index)
    return [_one(task, split, key, system) for system in systems]


def _one(task: Task, split: Split, key: str, system: str) -> dict[str, Any]:
    training = task.take(split.train)
    found: dict[str, Any] = {"dataset": key, "name": task.name, "split": split.index, "system": system}
    found |= {"n_train": len(split.train), "n_features": task.n_features, "n_classes": len(task.classes)}
    np.random.seed(0)  # where skrub's encoder of strings takes its numbers from
    started = time.perf_counter()
    try:
        model, pick = _fitted(system, training)
        found |= {"pick": pick, "fit_seconds": round(time.perf_counter() - started, 3), "message": ""}
        probabilities = predict(model, task.X.iloc[split.test], task).probabilities
    except Exception as error:  # a peer that fails on a table is a result, too
        shares = np.array([(training.y == label).mean() for label in task.classes])
        probabilities = np.tile(shares, (len(split.test), 1))
        found |= {"pick": "", "fit_seconds": np.nan, "message": f"{type(error).__name__}: {error}"[:300]}
    truth = task.y[split.test]
    found["log_loss"] = cc18_candidates.clipped_log_loss(truth, probabilities, task.classes)
    found["accuracy"] = accuracy_score(truth, task.classes[probabilities.argmax(axis=1)])
    return found


def _fitted(system: str, training: Task) -> tuple[Any, str]:
    if system != OURS:
        model = PEERS[system](training).fit(training.X, training.y)
        return model, getattr(model, "pick", "")
    recommendation = recommended(training)
    return recommendation.fit(), str(recommendation.best.candidate)


def run(folder: Path, path: Path, *, n_splits: int, n_jobs: int, systems: tuple[str, ...]) -> None:
    """Run what is not in `path` yet, small datasets first."""
    entries = suite.entries(folder)
    done = set()
    if path.exists():
        table = pd.read_csv(path)
        done = set(zip(table["dataset"], table["split"], table["system"], strict=True))
    work = []
    for index in range(n_splits):
        for entry in entries:
            left = tuple(s for s in systems if (entry.key, index, s) not in done)
            if left:
                work.append(joblib.delayed(_run)(folder, entry.key, index, left))
    results: Iterator[Any] = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch=n_jobs)(
        work
    )
    for number, rows in enumerate(results, start=1):
        pd.DataFrame(rows).to_csv(path, mode="a", header=not path.exists(), index=False)
        losses = {row["system"]: round(row["log_loss"], 4) for row in rows}
        print(f"{number}/{len(work)} {rows[0]['name']} split {rows[0]['split']}: {losses}", flush=True)


def report(path: Path) -> pd.DataFrame:
    """Mean rank and log-loss of each system with 95 % intervals over datasets, and ours less theirs, paired."""
    runs = pd.read_csv(path)
    counts = runs.groupby(["dataset", "split"])["system"].transform("nunique")
    runs = runs[counts == runs["system"].nunique()]
    losses = runs.pivot_table(index="dataset", columns="system", values="log_loss")
    ranks = pd.DataFrame(rankdata(losses, axis=1), losses.index, losses.columns)
    failures = runs.assign(failed=runs["message"].fillna("") != "").groupby("system")["failed"].sum()
    # As in the leaderboard: a dataset's seconds are the mean over its splits.
    seconds = runs.groupby(["system", "dataset"])["fit_seconds"].mean().groupby("system").median()
    draws = draw_tasks(len(losses), N_BOOTSTRAP, random_state=0)
    rows = []
    for system in losses.columns[np.argsort(losses.mean().to_numpy())]:
        less = (losses[OURS] - losses[system]).to_numpy()
        row = {"system": system, "n_datasets": len(losses), "n_splits": runs["split"].nunique()}
        for name, values in (
            ("log_loss", losses[system].to_numpy()),
            ("rank", ranks[system].to_numpy()),
            ("ours_less", less),
        ):
            low, high = percentile_ends(values[draws].mean(axis=1))
            row |= {name: values.mean(), f"{name}_low": low, f"{name}_high": high}
        row |= {"wins": int((losses[system] == losses.min(axis=1)).sum()), "failures": int(failures[system])}
        rows.append(row | {"median_fit_seconds": seconds[system]})
    return pd.DataFrame(rows).round(4)


def gap(runs: Path, candidates: Path) -> pd.DataFrame:
    """One row a dataset, and what all of them say together in a last one called "all"."""
    table = cc18_candidates.gaps(pd.read_csv(runs), pd.read_csv(candidates), OURS)
    together = {"dataset": "all", **cc18_candidates.closed_share(table)}
    return pd.concat([table, pd.DataFrame([together])], ignore_index=True).round(4)


def install() -> None:
    """Install the peers, and the plugins that are missing, with the pip of this interpreter."""
    root = Path(__file__).parents[1]
    missing = [name for name in PLUGINS if not _is_installed(f"autometa-{name}")]
    folders = [str(root / "plugins" / f"autometa-{name}") for name in missing]
    subprocess.run([sys.executable, "-m", "pip", "install", *REQUIREMENTS, *folders], check=True)


def _is_installed(name: str) -> bool:
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        return False


def main() -> None:
    """Do what the command line says."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", help="install the peers and the missing plugins")
    cc18_candidates.add_command(commands)
    running, reporting, closing = (commands.add_parser(name) for name in ("run", "report", "gap"))
    running.add_argument("folder", type=Path)
    running.add_argument("--n-splits", type=int, default=3)
    running.add_argument("--n-jobs", type=int, default=1)
    running.add_argument("--systems", nargs="+", default=[OURS, *PEERS])
    closing.add_argument("--candidates", type=Path, required=True)
    for each in (reporting, closing):
        each.add_argument("--output", type=Path)
    for each in (running, reporting, closing):
        each.add_argument("--runs", type=Path, required=True)
    options = parser.parse_args()
    if options.command == "install":
        install()
        return
    if options.command == "candidates":
        cc18_candidates.run_command(options)
        return
    if options.command == "run":
        chosen = tuple(options.systems)
        run(options.folder, options.runs, n_splits=options.n_splits, n_jobs=options.n_jobs, systems=chosen)
        return
    table = report(options.runs) if options.command == "report" else gap(options.runs, options.candidates)
    print(table.to_string(index=False))
    if options.output:
        table.to_csv(options.output, index=False)


if __name__ == "__main__":
    import cc18  # under its own name, so that worker processes find what they are sent

    cc18.main()
