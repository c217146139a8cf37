"""Tasks as a benchmark poses them: the whole table, the position of each row at its origin, and the splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from autometa.components.openml import OpenMLClient, OpenMLTable
from autometa.components.openml.folder import OpenMLFolder
from autometa.domain import Split, Task, holdout_splits
from autometa.engine.benchmark.patience import PATIENCE_SECONDS, patiently
from autometa.engine.benchmark.suites import FOLDER, OPENML, Suite
from autometa.foundation.errors import BenchmarkError
from autometa.foundation.settings import get_settings
from autometa.foundation.typing import IntArray

__all__ = ["BenchmarkSource", "Fold", "PosedTask"]


@dataclass(frozen=True, slots=True)
class Fold:
    """One split of a task, with the numbers that its origin gives it.

    Attributes
    ----------
    repeat, fold, sample : int
    train, test : ndarray of int64
        Positions in the posed task.
    """

    repeat: int
    fold: int
    sample: int
    train: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True)
class PosedTask:
    """A task with its splits.

    Attributes
    ----------
    task : Task
        Only rows that have a target.
    row_ids : ndarray of int64, shape (n_samples,)
        Where each row stands in the dataset as it was published.
    folds : tuple of Fold
    split_source : {"official", "own"}
    """

    task: Task
    row_ids: IntArray
    folds: tuple[Fold, ...]
    split_source: Literal["official", "own"]


@dataclass(frozen=True)
class BenchmarkSource:
    """Loads the tasks of a suite, in any process.

    Attributes
    ----------
    folder : Path or None
        Of a suite of datasets in a folder.
    server : str
        Address of the OpenML server.
    cache_directory : Path
    offline : bool
    own_splits : int
        Own 70/30 splits to make where there are no official ones; 0 refuses such tasks.
    patience : float
        Seconds to go on asking an OpenML server that gives no answer.
    """

    folder: Path | None
    server: str
    cache_directory: Path
    offline: bool = False
    own_splits: int = 0
    patience: float = PATIENCE_SECONDS

    @classmethod
    def of(cls, suite: Suite, client: OpenMLClient, cache_directory: Path, **options: object) -> BenchmarkSource:
        """Return the source of a suite's tasks, from the same server as the suite.

        Parameters
        ----------
        suite : Suite
        client : OpenMLClient
        cache_directory : Path
        **options : object
            Further attributes.

        Returns
        -------
        BenchmarkSource
        """
        return cls(suite.folder, client.server, cache_directory, client.offline, **options)  # type: ignore[arg-type]

    def load(self, key: str) -> PosedTask:
        """Return a task with its splits.

        Parameters
        ----------
        key : str

        Returns
        -------
        PosedTask

        Raises
        ------
        BenchmarkError
            If it has no official splits and own ones were not asked for.
        OpenMLError, InputError
            If it cannot be read.
        """
        if key.startswith(FOLDER) and self.folder is not None:
            task = OpenMLFolder(self.folder).load(key.removeprefix(FOLDER))
            return self._posed(key, task, np.arange(task.n_samples), ())
        table = self._table(key.removeprefix(OPENML))
        known = np.flatnonzero(table.frame[table.target].notna().to_numpy())
        frame = table.frame.iloc[known].reset_index(drop=True)
        task = Task.from_arrays(
            frame.drop(columns=table.target),
            frame[table.target],
            type=table.task_type,
            name=table.name,
            target=table.target,
            dataset_id=table.dataset_id,
            task_id=table.task_id,
        )
        return self._posed(key, task, known, tuple(_official(table, known)))

    def content(self, key: str) -> str | None:
        """Return a hash of the data of a folder's dataset; None for an OpenML task, whose id stands for its data.

        Parameters
        ----------
        key : str

        Returns
        -------
        str or None

        Raises
        ------
        FileFormatError
            If the file cannot be read.
        """
        if key.startswith(FOLDER) and self.folder is not None:
            return OpenMLFolder(self.folder).content(key.removeprefix(FOLDER))
        return None

    def _table(self, task_id: str) -> OpenMLTable:
        client = OpenMLClient(self.server, self._cache(), self.offline)
        return patiently(lambda: client.task(task_id), self.patience)

    def _cache(self) -> Path:
        """Return the coordinator's cache folder where this process can write there, else its own."""
        try:
            self.cache_directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            return Path(get_settings().cache_directory)
        return self.cache_directory

    def _posed(self, key: str, task: Task, row_ids: IntArray, official: tuple[Fold, ...]) -> PosedTask:
        if official:
            return PosedTask(task, row_ids, official, "official")
        if not self.own_splits:
            raise BenchmarkError(
                f"{key} ({task.name}) has no official splits. Ask for own ones with --own-splits N; such results "
                "are marked, and are never put into one leaderboard with official ones.",
                task=key,
            )
        made = holdout_splits(task, self.own_splits)
        return PosedTask(task, row_ids, tuple(_own(split) for split in made), "own")


def _own(split: Split) -> Fold:
    return Fold(split.index, 0, 0, split.train, split.test)


def _official(table: OpenMLTable, known: IntArray) -> Iterator[Fold]:
    """Yield the official splits by positions among the rows that have a target."""
    position = np.full(len(table.frame), -1, dtype=np.int64)
    position[known] = np.arange(len(known))
    for (repeat, fold), rows in zip(table.split_numbers, table.splits or (), strict=True):
        train, test = (place[place >= 0] for place in (position[part] for part in rows))
        yield Fold(repeat, fold, 0, train, test)
