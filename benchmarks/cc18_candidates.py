"""Every candidate of the installed portfolios on OpenML-CC18, and how near to the best of them the pick comes.

AUTOMETA_PLUGINS says which plugins count as installed, as everywhere.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cc18_suite as suite
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss

from autometa.components.experiments import Cell, EvaluationWork, Limits, TaskCache, as_evaluation, run_jobs
from autometa.components.leaderboard.resampling import draw_tasks, percentile_ends
from autometa.domain import Evaluation, Task
from autometa.plugins import get_registry
from autometa.plugins.isolation import portfolio, unsupported

# A difference below this is chance: log-loss, nats.
MIN_GAP = 0.01
KEY = ["dataset", "split", "candidate"]
N_BOOTSTRAP = 10_000


def run(folder: Path, path: Path, *, n_splits: int, n_jobs: int, max_rows: int | None, seconds: float) -> None:
    """Fit every candidate that is not in `path` yet, small datasets first, each in a sandbox with limits."""
    done = set(pd.read_csv(path)[KEY].itertuples(index=False, name=None)) if path.exists() else set()
    source = suite.Suite(folder, n_splits)
    entries = suite.entries(folder, max_rows=max_rows)
    tasks = {entry.key: source.load(entry.key) for entry in entries}
    offered = list(_cells(tasks, n_splits))
    counts = Counter((cell.task, cell.split) for cell in offered)
    cells = [cell for cell in offered if (cell.task, cell.split, cell.candidate.id) not in done]
    strategies = dict(get_registry().strategies)
    work = EvaluationWork(TaskCache(source), strategies, random_state=0, keep_predictions=True)
    outcomes = run_jobs(work, cells, limits=Limits(seconds=seconds), n_jobs=n_jobs)
    for number, (cell, outcome) in enumerate(outcomes, start=1):
        task = tasks[cell.task]
        row = {**_row(cell, task, as_evaluation(cell, outcome)), "n_offered": counts[cell.task, cell.split]}
        pd.DataFrame([row]).to_csv(path, mode="a", header=not path.exists(), index=False)
        facts = f"{row['status']} {row['log_loss']:.4f} {row['fit_seconds']:.1f} s"
        print(f"{number}/{len(cells)} {task.name} split {cell.split} {cell.candidate.id}: {facts}", flush=True)


def _cells(tasks: dict[str, Task], n_splits: int) -> Iterator[Cell]:
    strategies = get_registry().strategies
    for split in range(n_splits):
        for key, task in tasks.items():
            # Of the training rows, as `recommend` asks: a strategy may take these and refuse the whole table.
            refused = unsupported(strategies, task.take(task.splits[split].train))
            for name in (name for name in strategies if name not in refused):
                yield from (Cell(key, split, 0, each) for each in portfolio(name, strategies[name], task))


def _row(cell: Cell, task: Task, found: Evaluation) -> dict[str, Any]:
    loss = float("nan")
    if found.prediction is not None:
        truth = task.y[task.splits[cell.split].test]
        loss = clipped_log_loss(truth, found.prediction.probabilities, task.classes)
    return {
        "dataset": cell.task,
        "name": task.name,
        "split": cell.split,
        "candidate": cell.candidate.id,
        "strategy": cell.candidate.strategy,
        "status": found.status,
        "log_loss": loss,
        "fit_seconds": round(found.fit_seconds, 3),
        "message": found.message[:300],
    }


def clipped_log_loss(truth: np.ndarray, probabilities: np.ndarray, classes: np.ndarray) -> float:
    """Log-loss with probabilities clipped at 1e-15, for everybody."""
    clipped = np.clip(probabilities, 1e-15, 1)
    return float(log_loss(truth, clipped / clipped.sum(axis=1, keepdims=True), labels=classes))


def gaps(runs: pd.DataFrame, candidates: pd.DataFrame, ours: str) -> pd.DataFrame:
    """One row a dataset: the best peer, the pick and the best candidate, by their means over the same splits.

    Peers and candidates are chosen with hindsight. Splits count that all systems and all candidates of the dataset
    were run on, and of the candidates those that succeeded on every one of them.
    """
    rows = []
    wide = runs.pivot_table(index=["dataset", "split"], columns="system", values="log_loss").dropna()
    tried = candidates.assign(log_loss=candidates["log_loss"].where(candidates["status"] == "ok"))
    for dataset, mine in tried.groupby("dataset"):
        counts = mine.groupby("split").agg(n_run=("candidate", "nunique"), n_offered=("n_offered", "max"))
        known = wide[wide.index.get_level_values("dataset") == dataset].droplevel("dataset")
        splits = known.index.intersection(counts.index[counts["n_run"] == counts["n_offered"]])
        losses = mine[mine["split"].isin(splits)].pivot(index="split", columns="candidate", values="log_loss")
        of_candidates, of_systems = losses.mean(skipna=False).dropna(), known.loc[splits].mean()
        if of_candidates.empty:
            continue
        peers = of_systems.drop(ours)
        row = {"dataset": dataset, "name": mine["name"].iloc[0], "n_splits": len(splits)}
        row |= {"n_candidates": len(of_candidates), "best_candidate": of_candidates.idxmin()}
        row |= {"best_peer": peers.idxmin(), "peer": peers.min(), "pick": of_systems[ours]}
        rows.append(row | {"candidate": of_candidates.min(), "gap": peers.min() - of_candidates.min()})
    if not rows:
        raise SystemExit("No dataset has all systems and all candidates on a split: run both on the same ones.")
    table = pd.DataFrame(rows)
    return table.assign(closed=(table["peer"] - table["pick"]) / table["gap"].where(table["gap"] > MIN_GAP))


def closed_share(table: pd.DataFrame) -> dict[str, float]:
    """The closed share of all gaps above MIN_GAP together, with a 95 % bootstrap interval over datasets."""
    wide = table[table["gap"] > MIN_GAP]
    facts = {"n_datasets": len(table), "n_with_gap": len(wide), "min_gap": MIN_GAP}
    if wide.empty:
        return facts
    won, gap = (wide["peer"] - wide["pick"]).to_numpy(), wide["gap"].to_numpy()
    draws = draw_tasks(len(wide), N_BOOTSTRAP, random_state=0)
    low, high = percentile_ends(won[draws].sum(axis=1) / gap[draws].sum(axis=1))
    shares = {"closed": won.sum() / gap.sum(), "closed_low": low, "closed_high": high}
    return facts | shares | {"median_closed": wide["closed"].median()}


def add_command(commands: Any) -> None:
    """Add the arguments of `candidates` to a command line."""
    parser = commands.add_parser("candidates", help="fit every candidate of the installed portfolios")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--n-splits", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--max-rows", type=int, help="leave datasets with more rows out")
    parser.add_argument("--seconds", type=float, default=120.0, help="limit of a fit with its predictions")


def run_command(options: Any) -> None:
    """Do what `candidates` was asked for."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    run(
        options.folder,
        options.runs,
        n_splits=options.n_splits,
        n_jobs=options.n_jobs,
        max_rows=options.max_rows,
        seconds=options.seconds,
    )
