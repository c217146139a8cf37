"""MetaDataset: the aligned arrays of one task family and one metric that a policy learns from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from autometa.domain.strategy import Candidate
from autometa.foundation.errors import KnowledgeError
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["TASK_COLUMNS", "MetaDataset"]

TASK_COLUMNS = ("task", "train_size", "name", "group", "dataset_id", "n_train", "n_features", "n_classes")
_NUMBER_COLUMNS = ("train_size", "n_train", "n_features", "n_classes")


@dataclass(frozen=True, eq=False)
class MetaDataset:
    """Meta-features and past performance, one row per (task, training size), one column per candidate.

    Attributes
    ----------
    tasks : DataFrame of n_rows rows
        Columns: ``task`` (key), ``train_size`` (rows asked for, 0 = all), ``name``, ``group`` (rows of one group
        never judge each other), ``dataset_id`` (OpenML id or missing), ``n_train`` (rows fitted on),
        ``n_features``, ``n_classes`` (0 for regression). Index 0, 1, ...
    candidates : tuple of Candidate
    metafeature_names : tuple of str
    metafeatures : ndarray of float64, shape (n_rows, n_metafeatures)
        NaN where a meta-feature is not defined.
    loss : ndarray of float64, shape (n_rows, n_candidates)
        Mean over splits, lower is better (`Metric.loss`); NaN = not measured, or failed everywhere.
    failed : ndarray of bool, shape (n_rows, n_candidates)
        Whether a fit ended in a timeout, out of memory, an error or a crash.
    fit_seconds : ndarray of float64, shape (n_rows, n_candidates)
        Mean seconds of a fit on one core; NaN = not measured. Where no fit succeeded it is a lower bound, the
        limit that was run past (see `timed_out`).
    metric : str
        Name of the metric that `loss` comes from.

    Raises
    ------
    KnowledgeError
        If the arrays do not fit together.
    """

    tasks: pd.DataFrame
    candidates: tuple[Candidate, ...]
    metafeature_names: tuple[str, ...]
    metafeatures: FloatArray
    loss: FloatArray
    failed: BoolArray
    fit_seconds: FloatArray
    metric: str

    def __post_init__(self) -> None:
        missing = [name for name in TASK_COLUMNS if name not in self.tasks.columns]
        if missing:
            raise KnowledgeError(f"The tasks of a MetaDataset lack the columns {missing}; needed: {TASK_COLUMNS}.")
        shapes = {
            "metafeatures": (self.n_rows, len(self.metafeature_names)),
            "loss": (self.n_rows, self.n_candidates),
            "failed": (self.n_rows, self.n_candidates),
            "fit_seconds": (self.n_rows, self.n_candidates),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise KnowledgeError(
                    f"{name} of a MetaDataset must have shape {shape} (rows of tasks, columns); "
                    f"got {getattr(self, name).shape}."
                )
        if len({candidate.id for candidate in self.candidates}) != self.n_candidates:
            raise KnowledgeError("The candidates of a MetaDataset must be different; one is there twice.")
        if not np.array_equal(self.tasks.index, np.arange(self.n_rows)):
            object.__setattr__(self, "tasks", self.tasks.reset_index(drop=True))

    @property
    def n_rows(self) -> int:
        """Number of (task, training size) pairs."""
        return len(self.tasks)

    @property
    def n_candidates(self) -> int:
        """Number of candidates."""
        return len(self.candidates)

    @property
    def full_size(self) -> BoolArray:
        """Which rows are fits on all training rows, shape (n_rows,)."""
        return np.asarray(self.tasks["train_size"].to_numpy(dtype=np.int64) == 0)

    @property
    def groups(self) -> IntArray:
        """Codes of the dataset groups in order of first appearance, shape (n_rows,)."""
        return pd.factorize(self.tasks["group"].astype(str))[0].astype(np.int64)

    @property
    def timed_out(self) -> BoolArray:
        """Which `fit_seconds` are lower bounds, shape (n_rows, n_candidates)."""
        return np.asarray(self.failed & np.isnan(self.loss) & np.isfinite(self.fit_seconds))

    def numbers(self, column: str) -> FloatArray:
        """Return a numeric column of `tasks`.

        Parameters
        ----------
        column : {"train_size", "n_train", "n_features", "n_classes"}

        Returns
        -------
        ndarray of float64, shape (n_rows,)
        """
        return self.tasks[column].to_numpy(dtype=np.float64)

    def take(self, rows: IntArray | BoolArray) -> MetaDataset:
        """Return some rows, in the given order.

        Parameters
        ----------
        rows : ndarray of int64 (positions) or bool of shape (n_rows,)

        Returns
        -------
        MetaDataset
        """
        positions = (
            np.flatnonzero(rows) if np.asarray(rows).dtype == np.bool_ else np.asarray(rows, dtype=np.int64)
        )
        return replace(
            self,
            tasks=self.tasks.iloc[positions].reset_index(drop=True),
            metafeatures=self.metafeatures[positions],
            loss=self.loss[positions],
            failed=self.failed[positions],
            fit_seconds=self.fit_seconds[positions],
        )

    def select_candidates(self, ids: Iterable[str]) -> MetaDataset:
        """Return some candidates, in the given order.

        Parameters
        ----------
        ids : iterable of str
            Candidate ids.

        Returns
        -------
        MetaDataset

        Raises
        ------
        KnowledgeError
            If an id is not among the candidates.
        """
        places = {candidate.id: place for place, candidate in enumerate(self.candidates)}
        wanted = list(ids)
        unknown = [name for name in wanted if name not in places]
        if unknown:
            raise KnowledgeError(f"The MetaDataset has no candidates {unknown[:5]}; it has {len(places)}.")
        columns = np.asarray([places[name] for name in wanted], dtype=np.int64)
        return replace(
            self,
            candidates=tuple(self.candidates[column] for column in columns),
            loss=self.loss[:, columns],
            failed=self.failed[:, columns],
            fit_seconds=self.fit_seconds[:, columns],
        )

    def content_hash(self) -> str:
        """Return a hash of everything in it; the same in every process.

        Returns
        -------
        str
            32 hexadecimal digits.
        """
        digest = hashlib.sha256()
        names = [self.metric, list(self.metafeature_names), [candidate.id for candidate in self.candidates]]
        digest.update(json.dumps(names).encode())
        for column in TASK_COLUMNS:
            values = self.tasks[column]
            plain = (
                values.astype(np.int64)
                if column in _NUMBER_COLUMNS
                else values.astype(object).where(values.notna(), "")
            )
            digest.update(json.dumps([str(value) for value in plain]).encode())
        for array in (self.metafeatures, self.loss, self.fit_seconds):
            # Adding zero makes -0.0 and 0.0 one number; every NaN becomes the same one.
            digest.update(np.where(np.isnan(array), np.nan, array + 0.0).astype("<f8").tobytes())
        digest.update(np.ascontiguousarray(self.failed, dtype=np.uint8).tobytes())
        return digest.hexdigest()[:32]
