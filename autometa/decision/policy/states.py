"""States of knowledge: known tasks as they were before all was run, to learn from what showed then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy.evidence import RelativeEvidence, Run
from autometa.decision.policy.long_format import Situation, long_format
from autometa.decision.policy.pooled import LongTable, Records
from autometa.decision.policy.rehearsal import rows_scored
from autometa.decision.policy.shares import task_shares
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["KnownTask", "draw_examples", "known_tasks"]

# Rows in long format that are enough, and states of one task that are drawn at most for them.
_ENOUGH_ROWS = 20_000
_MOST_STATES = 8
# Share of the states in which only some candidates were run, and in which one repetition was made.
_PARTIAL = 0.5
_SINGLE = 0.5
# How far the candidates that were run are the first of the prior's order: standard deviations of what is added to
# the forecasts before the first are taken.
_WANDERING = (0.0, 0.5, 2.0)
# Share of the states in which no candidate's history is hidden, and in which all are; else a share drawn evenly.
_OPEN, _BARE = 0.5, 0.1


@dataclass(frozen=True, eq=False)
class KnownTask:
    """A task whose truth is known.

    Attributes
    ----------
    situation : Situation
        With forecasts and records that its group had no part in.
    runs : sequence of Run
        None of them failed.
    standing : ndarray of float64, shape (n_candidates,)
        At full size; NaN = not measured.
    weight : float
        What the task counts.
    group : int
    n_test : int
        Rows that a run was scored on.
    """

    situation: Situation
    runs: Sequence[Run]
    standing: FloatArray
    weight: float
    group: int
    n_test: int


def known_tasks(
    meta_dataset: MetaDataset,
    rows: IntArray,
    forecast: FloatArray,
    standing: FloatArray,
    records: Records,
    *,
    runs: Mapping[str, Sequence[Run]],
    n_scored: Mapping[str, int],
) -> list[KnownTask]:
    """Return the known tasks that have runs.

    Parameters
    ----------
    meta_dataset : MetaDataset
    rows : ndarray of int64, shape (n_rows,)
        Rows at full size.
    forecast, standing : ndarray of float64, shape (n_rows, n_candidates)
        The prior's, without the row's group; and what came true, NaN where it was not measured.
    records : Records
        Of these rows.
    runs : mapping of str to sequence of Run
        By task.
    n_scored : mapping of str to int
        Rows that the runs of a task were scored on, where that is not as the knowledge base tests.

    Returns
    -------
    list of KnownTask
    """
    facts = meta_dataset.tasks.iloc[rows]
    strategy = pd.factorize(np.asarray([candidate.strategy for candidate in meta_dataset.candidates]))[0]
    numbers = zip(facts["task"].astype(str), facts["n_train"], facts["n_features"], strict=True)
    groups = meta_dataset.groups[rows].tolist()
    found = []
    for place, ((name, n_full, n_features), weight) in enumerate(zip(numbers, task_shares(facts), strict=True)):
        ended_well = [run for run in runs.get(name, ()) if np.isfinite(run.loss)]
        if not ended_well:
            continue
        record, has_history = records.without({groups[place]})
        situation = Situation(forecast[place], record, has_history, strategy, int(n_full), int(n_features))
        found.append(
            KnownTask(
                situation=situation.masked(~has_history),
                runs=ended_well,
                standing=standing[place],
                weight=float(weight),
                group=groups[place],
                n_test=n_scored.get(name, rows_scored(int(n_full))),
            )
        )
    return found


def draw_examples(tasks: Sequence[KnownTask], *, unit: float, perfect: float, random_state: int = 0) -> LongTable:
    """Draw states of knowledge of every task and describe its candidates in each.

    Parameters
    ----------
    tasks : sequence of KnownTask
        Each with runs.
    unit : float
        See `compressed`.
    perfect : float
        The least loss that the metric can have.
    random_state : int

    Returns
    -------
    LongTable
        Empty of no task.
    """
    rng = np.random.default_rng(random_state)
    n_cells = sum(int(np.isfinite(task.standing).sum()) for task in tasks)
    n_states = int(np.clip(round(_ENOUGH_ROWS / max(n_cells, 1)), 1, _MOST_STATES))
    parts: dict[str, list[FloatArray]] = {"X": [], "standing": [], "weight": []}
    groups: list[IntArray] = []
    for task in tasks:
        known = np.isfinite(task.standing)
        for runs in _states(task, n_states, rng):
            evidence = RelativeEvidence.of(runs, unit=unit, n_test=task.n_test, perfect=perfect)
            described = long_format(task.situation.masked(_hidden(len(known), rng)), evidence)
            parts["X"].append(described[known])
            parts["standing"].append(task.standing[known])
            parts["weight"].append(np.full(known.sum(), task.weight / known.sum()))
            groups.append(np.full(known.sum(), task.group, dtype=np.int64))
    if not groups:
        return LongTable(np.empty((0, 0)), np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))
    return LongTable(**{name: np.concatenate(part) for name, part in parts.items()}, group=np.concatenate(groups))


def _states(task: KnownTask, n_states: int, rng: np.random.Generator) -> Iterator[list[Run]]:
    """Yield the runs that had been made: up to a size, of all candidates or some, one repetition or all."""
    sizes = sorted({run.n_train for run in task.runs})
    repetitions = sorted({run.repetition for run in task.runs})
    tried = np.unique([run.candidate for run in task.runs])
    for state in range(n_states):
        top = sizes[int(rng.integers(len(sizes)))] if state else sizes[-1]
        last = repetitions[0] if rng.random() < _SINGLE else repetitions[-1]
        chosen = tried
        if rng.random() < _PARTIAL:
            n_tried = int(np.exp(rng.uniform(0.0, np.log(len(tried) + 1))))
            wandering = rng.choice(_WANDERING) * rng.normal(size=len(tried))
            chosen = tried[np.argsort(task.situation.forecast[tried] + wandering)[:n_tried]]
        kept = frozenset(chosen.tolist())
        shown = [run for run in task.runs if run.candidate in kept and run.repetition <= last]
        shown = [run for run in shown if run.n_train <= top]
        if shown:
            yield shown


def _hidden(n_candidates: int, rng: np.random.Generator) -> BoolArray:
    """Draw the candidates that are described as if they had no history."""
    kind, share = rng.random(), rng.random()
    if kind < _OPEN:
        return np.zeros(n_candidates, dtype=bool)
    return np.asarray(rng.random(n_candidates) < (1.0 if kind < _OPEN + _BARE else share))
