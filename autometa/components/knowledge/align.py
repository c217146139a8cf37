"""From the tables of a knowledge base to the aligned arrays of a MetaDataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autometa.components.knowledge.meta_dataset import TASK_COLUMNS, MetaDataset
from autometa.domain import Candidate, Configuration, get_metric
from autometa.foundation.errors import KnowledgeError
from autometa.foundation.typing import FloatArray, IntArray
from autometa.plugins.loading import SEPARATOR

if TYPE_CHECKING:
    from autometa.components.knowledge.base import KnowledgeBase

__all__ = ["align"]

# Sweeps of candidate and split effects; complete splits need one.
_N_SWEEPS = 20
# A plugin's meta-feature that fewer rows have would mostly tell who described a task.
_MIN_SHARE_KNOWN = 0.5


def align(
    base: KnowledgeBase,
    *,
    classification: bool,
    metric: str,
    strategies: tuple[str, ...] | None,
    brought: frozenset[str] = frozenset(),
) -> MetaDataset:
    """Build the MetaDataset of one kind of task and one metric (see `KnowledgeBase.meta_dataset`).

    Parameters
    ----------
    base : KnowledgeBase
    classification : bool
    metric : str
    strategies : tuple of str or None
    brought : frozenset of str
        Meta-features of plugins that are wanted.

    Returns
    -------
    MetaDataset

    Raises
    ------
    ParameterError, KnowledgeError
    """
    measure = get_metric(metric, classification=classification)
    kind = "classification" if classification else "regression"
    evaluations, tasks = _of_kind(base, classification=classification, strategies=strategies)
    if evaluations.empty:
        raise KnowledgeError(
            f"The knowledge base holds no evaluation of {strategies or 'any strategy'} on {kind} tasks. "
            "Extend it with `autometa kb extend`, or use another one."
        )
    candidates = base.candidates[base.candidates["candidate"].isin(evaluations["candidate"].unique())]
    rows, row = _rows(evaluations)
    places = pd.Series(np.arange(len(candidates)), index=candidates["candidate"].astype(str))
    column = places.loc[evaluations["candidate"]].to_numpy(dtype=np.int64)
    shape = (len(rows), len(candidates))
    values = evaluations[metric].to_numpy(dtype=np.float64)
    seconds = evaluations["fit_seconds"].to_numpy(dtype=np.float64)
    failures = np.asarray(evaluations["status"] != "ok", dtype=np.float64)
    split = evaluations["split"].to_numpy(dtype=np.int64)
    natural = _mean(row, column, values - _split_effects(row, column, split, values, shape), shape)
    names = _names(rows, base, kind, brought)
    return MetaDataset(
        tasks=_task_table(rows, tasks, base, evaluations),
        candidates=tuple(
            Candidate(str(strategy), Configuration.from_json(str(text)))
            for strategy, text in zip(candidates["strategy"], candidates["configuration"], strict=True)
        ),
        metafeature_names=names,
        metafeatures=_metafeatures(rows, base.metafeatures, names),
        loss=-natural if measure.greater_is_better else natural,
        failed=np.nan_to_num(_mean(row, column, failures, shape)) > 0,
        fit_seconds=_mean(row, column, seconds, shape),
        metric=metric,
    )


def _of_kind(
    base: KnowledgeBase, *, classification: bool, strategies: tuple[str, ...] | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the evaluations of one kind of task by some strategies, keys as plain strings, and those tasks."""
    tasks = base.tasks[(base.tasks["type"] != "regression") == classification]
    tasks = tasks.assign(task=tasks["task"].astype(str)).set_index("task")
    candidates = base.candidates
    if strategies is not None:
        candidates = candidates[candidates["strategy"].isin(strategies)]
    table = base.evaluations
    wanted = table["task"].isin(tasks.index) & table["candidate"].isin(candidates["candidate"].astype(str))
    chosen = table[wanted]
    plain = {name: chosen[name].astype(str) for name in ("task", "candidate", "status")}
    return chosen.assign(**plain).reset_index(drop=True), tasks


def _rows(evaluations: pd.DataFrame) -> tuple[pd.DataFrame, IntArray]:
    """Return the pairs (task, train_size), full size first in a task, and each evaluation's place among them."""
    pairs = pd.MultiIndex.from_frame(evaluations[["task", "train_size"]])
    rows = pairs.unique().to_frame(index=False)
    rank = rows["train_size"].where(rows["train_size"] > 0, np.iinfo(np.int32).max)
    rows = rows.assign(rank=-rank).sort_values(["task", "rank"])[["task", "train_size"]].reset_index(drop=True)
    place = pd.MultiIndex.from_frame(rows).get_indexer(pairs)
    return rows, np.asarray(place, dtype=np.int64)


def _split_effects(
    row: IntArray, column: IntArray, split: IntArray, values: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    """Return how much higher than on a row's average split the figures of each evaluation's split are.

    A candidate that was run on the hardest of a task's splits only would look worse than it is by all of the
    split's hardness (losses of small tasks differ by several tenths from split to split).
    """
    pairs, pair = np.unique(np.stack([row, split]), axis=1, return_inverse=True)
    there = np.isfinite(values)
    if pairs.shape[1] == len(np.unique(row)) or not there.any():
        return np.zeros(len(values))
    effect = np.zeros(pairs.shape[1])
    for _ in range(_N_SWEEPS):
        level = _mean(row, column, values - effect[pair], shape)[row, column]
        total = np.bincount(pair[there], weights=(values - level)[there], minlength=len(effect))
        effect = total / np.maximum(np.bincount(pair[there], minlength=len(effect)), 1)
        effect -= (np.bincount(pairs[0], weights=effect) / np.maximum(np.bincount(pairs[0]), 1))[pairs[0]]
    return np.asarray(effect[pair])


def _mean(row: IntArray, column: IntArray, values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Mean over splits of what is there; NaN where nothing is."""
    there = np.flatnonzero(np.isfinite(values))
    flat = row[there] * shape[1] + column[there]
    size = shape[0] * shape[1]
    counts = np.bincount(flat, minlength=size)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(flat, weights=values[there], minlength=size) / counts).reshape(shape)


def _task_table(
    rows: pd.DataFrame, tasks: pd.DataFrame, base: KnowledgeBase, evaluations: pd.DataFrame
) -> pd.DataFrame:
    facts = tasks.loc[rows["task"]].reset_index(drop=True)
    full = facts["n_train"].to_numpy(dtype=np.int64)
    asked = rows["train_size"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "task": rows["task"],
            "train_size": asked,
            "name": facts["name"].astype(str),
            "group": facts["group"].astype(str),
            "dataset_id": facts["dataset_id"],
            "n_train": np.where(asked > 0, np.minimum(asked, full), full),
            "n_features": facts["n_features"].to_numpy(dtype=np.int64),
            "n_classes": facts["n_classes"].to_numpy(dtype=np.int64),
        },
        columns=list(TASK_COLUMNS),
    )


def _names(rows: pd.DataFrame, base: KnowledgeBase, kind: str, brought: frozenset[str]) -> tuple[str, ...]:
    """Return the meta-features to use: the built-in ones, and those of plugins that most rows have a value for."""
    stated = tuple(base.manifest.metafeature_names[kind])
    of_plugins = tuple(name for name in stated if SEPARATOR in name)
    if not of_plugins:
        return stated
    known = np.isfinite(_metafeatures(rows, base.metafeatures, of_plugins)).mean(axis=0)
    shares = dict(zip(of_plugins, known, strict=True))
    return tuple(
        name for name in stated if name not in shares or (name in brought and shares[name] >= _MIN_SHARE_KNOWN)
    )


def _metafeatures(rows: pd.DataFrame, table: pd.DataFrame, names: tuple[str, ...]) -> FloatArray:
    """Return the vectors of `rows`; all NaN where the extraction failed."""
    keyed = table.assign(task=table["task"].astype(str)).set_index(["task", "train_size"])
    found = keyed.reindex(columns=list(names)).reindex(pd.MultiIndex.from_frame(rows))
    return np.asarray(found.to_numpy(dtype=np.float64))
