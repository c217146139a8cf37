"""OpenML-CC18 as the drivers run it: which datasets of a folder, cut to how many rows, split how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from autometa.components.openml.folder import OpenMLFolder
from autometa.domain import Split, Task, holdout_splits, nested_subsample
from autometa.foundation.typing import IntArray

MAX_ROWS = 10_000


def entries(folder: Path, *, max_rows: int | None = None) -> list:
    """The suite's datasets that lie in a folder, small ones first; `max_rows` leaves larger ones out."""
    index = pd.read_csv(folder / "index.csv")
    suite = {f"openml-{did}" for did in index.loc[index["suites"].fillna("").str.contains("CC18"), "did"]}
    found = [entry for key, entry in _opened(folder).entries.items() if key in suite]
    kept = [entry for entry in found if max_rows is None or entry.n_samples <= max_rows]
    return sorted(kept, key=lambda entry: min(entry.n_samples, MAX_ROWS) * entry.n_features)


@lru_cache(maxsize=1)
def _opened(folder: Path) -> OpenMLFolder:
    return OpenMLFolder(folder)


@dataclass(frozen=True)
class Suite:
    """A source of the suite's tasks with their splits, for an experiment's workers."""

    folder: Path
    n_splits: int

    def load(self, key: str) -> Task:
        task = cut(_opened(self.folder).load(key))
        return replace(task, splits=tuple(holdout_splits(task, self.n_splits)))


def rows_kept(task: Task) -> IntArray:
    """Positions of at most MAX_ROWS rows, stratified, in their order."""
    rows = np.arange(task.n_samples)
    return rows if len(rows) <= MAX_ROWS else np.sort(nested_subsample(task.y, rows, MAX_ROWS))


def cut(task: Task) -> Task:
    """At most MAX_ROWS rows, stratified."""
    return task if task.n_samples <= MAX_ROWS else task.take(rows_kept(task))


def load(folder: Path, key: str, index: int) -> tuple[Task, Split]:
    """A task, and one of its splits."""
    task = cut(_opened(folder).load(key))
    return task, holdout_splits(task, index + 1)[index]
