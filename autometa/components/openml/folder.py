"""A folder of OpenML data: ``index.csv`` and ``parquet/``, read without the ``openml`` client."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from autometa.domain import Task
from autometa.foundation.errors import FileFormatError

__all__ = ["FolderEntry", "OpenMLFolder"]

INDEX_FILE = "index.csv"
TABLE_FOLDER = "parquet"
REQUIRED_COLUMNS = ("did", "name", "task_type", "target", "n_rows", "n_features", "file")
TASK_TYPES = ("classification", "regression")


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """One row of the index.

    Attributes
    ----------
    key : str
        ``openml-<dataset id>``.
    dataset_id : int
    task_id : int or None
        The OpenML task, where it is known.
    name : str
    group : str
        What must stay together when policies are judged; the name where the index does not say.
    task_type : {"classification", "regression"}
    target : str
    n_samples, n_features : int
    file : str
        Name in the folder ``parquet``.
    """

    key: str
    dataset_id: int
    task_id: int | None
    name: str
    group: str
    task_type: str
    target: str
    n_samples: int
    n_features: int
    file: str


@dataclass(frozen=True)
class OpenMLFolder:
    """Datasets in a folder.

    Attributes
    ----------
    path : Path
        Holds ``index.csv`` (columns did, name, task_type, target, n_rows, n_features, file; optionally task_id and
        group) and ``parquet/``.
    """

    path: Path

    @cached_property
    def entries(self) -> dict[str, FolderEntry]:
        """The index by key, in its own order.

        Raises
        ------
        FileFormatError
            If there is no index, or it lacks columns or says something that is not allowed.
        """
        index_file = Path(self.path) / INDEX_FILE
        try:
            index = pd.read_csv(index_file, dtype=str, keep_default_na=False)
        except (OSError, ValueError) as error:
            raise FileFormatError(
                f"{self.path} is not a folder of OpenML data: {INDEX_FILE} cannot be read ({error}).",
                path=str(self.path),
            ) from error
        missing = [name for name in REQUIRED_COLUMNS if name not in index.columns]
        if missing:
            raise FileFormatError(
                f"{index_file} lacks the columns {missing}; it must have {list(REQUIRED_COLUMNS)}.",
                path=str(index_file),
            )
        rows = index.to_dict("records")
        entries = [_entry(row, index_file, number) for number, row in enumerate(rows, start=2)]
        return {entry.key: entry for entry in entries}

    def load(self, key: str) -> Task:
        """Read a dataset as a task.

        Parameters
        ----------
        key : str

        Returns
        -------
        Task
            Rows without a target are left out; there are no splits.

        Raises
        ------
        FileFormatError
            If the file cannot be read or lacks the target.
        TableError, TargetError
            If the data cannot be used.
        """
        entry = self.entries[key]
        file = Path(self.path) / TABLE_FOLDER / entry.file
        try:
            frame = pd.read_parquet(file)
        except (OSError, ValueError) as error:
            raise FileFormatError(f"{file} cannot be read as Parquet: {error}.", path=str(file)) from error
        if entry.target not in frame.columns:
            raise FileFormatError(
                f"{file} has no column {entry.target!r}, the target that the index names; "
                f"its columns: {list(frame.columns)[:20]}.",
                path=str(file),
            )
        frame = frame.dropna(subset=[entry.target]).reset_index(drop=True)
        return Task.from_arrays(
            frame.drop(columns=entry.target),
            frame[entry.target],
            type=entry.task_type,
            name=entry.name,
            target=entry.target,
            dataset_id=entry.dataset_id,
            task_id=entry.task_id,
            group=entry.group,
        )

    def content(self, key: str) -> str:
        """Return a hash of what a dataset is made from: its file, and what the index says of it.

        Parameters
        ----------
        key : str

        Returns
        -------
        str
            SHA-256, hexadecimal.

        Raises
        ------
        FileFormatError
            If the index has no such dataset, or its file cannot be read.
        """
        if key not in self.entries:
            raise FileFormatError(f"{self.path} has no dataset {key!r}.", path=str(self.path))
        entry = self.entries[key]
        file = Path(self.path) / TABLE_FOLDER / entry.file
        try:
            with file.open("rb") as opened:
                found = hashlib.file_digest(opened, "sha256")
        except OSError as error:
            raise FileFormatError(f"{file} cannot be read: {error}.", path=str(file)) from error
        found.update(json.dumps(asdict(entry), sort_keys=True).encode())
        return found.hexdigest()


def _entry(row: dict[Any, str], index_file: Path, line: int) -> FolderEntry:
    if row["task_type"] not in TASK_TYPES:
        raise FileFormatError(
            f"Line {line} of {index_file}: task_type must be one of {list(TASK_TYPES)}; got {row['task_type']!r}.",
            path=str(index_file),
        )
    try:
        return FolderEntry(
            key=f"openml-{int(row['did'])}",
            dataset_id=int(row["did"]),
            task_id=int(float(row["task_id"])) if row.get("task_id") else None,
            name=row["name"],
            group=row.get("group") or row["name"],
            task_type=row["task_type"],
            target=row["target"],
            n_samples=int(row["n_rows"]),
            n_features=int(row["n_features"]),
            file=row["file"],
        )
    except ValueError as error:
        raise FileFormatError(
            f"Line {line} of {index_file} holds a number that cannot be read: {error}.", path=str(index_file)
        ) from error
