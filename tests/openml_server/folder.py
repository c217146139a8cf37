"""The folder that is served: its index, tables, suites, and the files made of them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tests.openml_server.arff_files import splits_text, write_arff

SYNTHETIC_TASK_ID = 900_000  # + did: the task id of a dataset whose own is not in the index
SYNTHETIC_SUITE_ID = 900_000
KNOWN_SUITES = {"CC18": (99, "OpenML-CC18")}  # name in the index -> OpenML's id and alias
N_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Dataset:
    """One row of the index."""

    did: int
    task_id: int
    name: str
    task_type: str
    target: str
    suites: tuple[str, ...]
    license: str
    file: Path
    ignore: tuple[str, ...] = ()
    row_id: str | None = None
    n_folds: int = N_FOLDS

    def frame(self) -> pd.DataFrame:
        """Read the table."""
        return pd.read_parquet(self.file)


@dataclass(frozen=True, slots=True)
class Suite:
    """A list of datasets' tasks under one id and alias; only those that the folder holds."""

    id: int
    alias: str
    datasets: tuple[Dataset, ...]


class Folder:
    """A folder with ``index.csv`` and ``parquet/``, read lazily; ARFF files are made once, in a scratch place.

    Parameters
    ----------
    path : Path
    n_folds : int, default=10
        Folds of every task; 1 makes each a holdout of a third.
    """

    def __init__(self, path: Path, n_folds: int = N_FOLDS) -> None:
        self.path = Path(path)
        self.datasets = {dataset.did: dataset for dataset in _read_index(self.path, n_folds)}
        self.tasks = {dataset.task_id: dataset for dataset in self.datasets.values()}
        self._locks = {did: threading.Lock() for did in self.datasets}
        self._scratch: Path | None = None
        self._scratch_lock = threading.Lock()
        self._is_closed = False

    @cached_property
    def suites(self) -> dict[str, Suite]:
        """Suites by id (as text) and by alias."""
        names = sorted({name for dataset in self.datasets.values() for name in dataset.suites})
        found: dict[str, Suite] = {}
        for number, name in enumerate(["all", *names]):
            members = [d for d in self.datasets.values() if name == "all" or name in d.suites]
            suite_id, alias = KNOWN_SUITES.get(name, (SYNTHETIC_SUITE_ID + number, name))
            suite = Suite(suite_id, alias, tuple(sorted(members, key=lambda d: d.task_id)))
            found[str(suite_id)] = found[alias] = suite
        return found

    def arff(self, did: int) -> Path:
        """Path of the dataset's ARFF file."""
        with self._locks[did]:
            path = self._scratch_directory() / f"{did}.arff"
            if not path.exists():
                dataset = self.datasets[did]
                write_arff(path, dataset.name, dataset.frame())
            return path

    def md5(self, did: int) -> str:
        """MD5 of the dataset's ARFF file, in hexadecimal."""
        return hashlib.md5(self.arff(did).read_bytes()).hexdigest()

    def splits(self, task_id: int) -> str:
        """Text of the ARFF file with the splits of a task."""
        dataset = self.tasks[task_id]
        return splits_text(dataset.name, folds(dataset))

    def close(self) -> None:
        """Remove the temporary files."""
        with self._scratch_lock:
            self._is_closed = True
            if self._scratch is not None:
                shutil.rmtree(self._scratch, ignore_errors=True)
                self._scratch = None

    def _scratch_directory(self) -> Path:
        with self._scratch_lock:
            if self._is_closed:  # a thread that still answers must not leave files behind
                raise RuntimeError("the folder is closed")
            if self._scratch is None:
                self._scratch = Path(tempfile.mkdtemp(prefix="openml-server-"))
            return self._scratch


def folds(dataset: Dataset) -> np.ndarray:
    """Return the fold of each row, int64 of shape (n_samples,): stratified for classification, deterministic.

    A row that no fold tests has -1: two thirds of them in a holdout.
    """
    y = dataset.frame()[dataset.target]
    order = np.random.default_rng(dataset.did).permutation(len(y))
    if dataset.task_type == "classification":
        codes = pd.Categorical(y).codes[order]
        order = order[np.argsort(codes, kind="stable")]
    fold = np.empty(len(y), dtype=np.int64)
    if dataset.n_folds == 1:
        fold[order] = np.where(np.arange(len(y)) % 3 == 2, 0, -1)
        return fold
    fold[order] = np.arange(len(y)) % min(dataset.n_folds, len(y))
    return fold


def _read_index(path: Path, n_folds: int) -> list[Dataset]:
    index = pd.read_csv(path / "index.csv", dtype=str, keep_default_na=False)
    rows = index.to_dict("records")
    return [_dataset(path, {str(k): str(v) for k, v in row.items()}, n_folds) for row in rows]


def _dataset(path: Path, row: dict[str, str], n_folds: int) -> Dataset:
    did = int(row["did"])
    return Dataset(
        did=did,
        task_id=int(float(row["task_id"])) if row["task_id"] else SYNTHETIC_TASK_ID + did,
        name=row["name"],
        task_type=row["task_type"],
        target=row["target"],
        suites=tuple(filter(None, row["suites"].split(";"))),
        license=row.get("license", ""),
        file=path / "parquet" / row["file"],
        ignore=tuple(filter(None, row.get("ignore_attribute", "").split(";"))),
        row_id=row.get("row_id_attribute") or None,
        n_folds=n_folds,
    )
