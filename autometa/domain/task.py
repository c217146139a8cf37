"""Task: a table, a target, a type, a metric, and perhaps official splits."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from autometa.domain.frames import as_frame
from autometa.domain.images import hash_images
from autometa.domain.metrics import Metric, get_metric
from autometa.domain.roles import ColumnRole, check_role_overrides, infer_roles
from autometa.domain.scorers import ScoredBy, measured_by
from autometa.domain.target import (
    TaskType,
    as_labels,
    as_target,
    as_target_numbers,
    infer_task_type,
    resolve_task_type,
)
from autometa.domain.weights import as_weights
from autometa.foundation.errors import TableError
from autometa.foundation.typing import FloatArray, IntArray, LabelArray

__all__ = ["Split", "Task", "TaskType", "infer_task_type"]

MIN_ROWS = 2
# Cells of a table that are brought into canonical form at once when it is hashed: 16 MB of numbers.
MAX_CELLS_HELD = 2_000_000


@dataclass(frozen=True, slots=True)
class Split:
    """Row positions of one train/test split.

    Attributes
    ----------
    index : int
        Number of the split within its task.
    train, test : ndarray of int64
        Row positions; disjoint.
    """

    index: int
    train: IntArray
    test: IntArray


@dataclass(frozen=True, eq=False)
class Task:
    """A supervised problem.

    Build one with `Task.from_arrays`, or from anything that `autometa.recommend` takes with ``autometa.as_task``.

    Attributes
    ----------
    X : DataFrame of shape (n_samples, n_features)
        The table as it came, with unique string column names.
    y : ndarray of shape (n_samples,)
        Class labels as they came, or float64 for regression; never missing.
    type : TaskType
    roles : mapping of column name to ColumnRole
    metric : str
        Name of the metric that is optimised.
    name : str
    target : str
    dataset_id, task_id : int or None
        OpenML ids where they are known.
    group : str
        What must stay together when policies are judged: copies, siblings, one generator.
    splits : sequence of Split
        Official splits; empty where there are none.
    scorer : ScoredBy or None
        A scorer of scikit-learn that is optimised in place of `metric`, which stands for it in the prior.
    sample_weight : ndarray of float64, shape (n_samples,), or None
        Weights of the rows, in fits and in scores.
    """

    X: pd.DataFrame = field(repr=False)
    y: LabelArray = field(repr=False)
    type: TaskType
    roles: Mapping[str, ColumnRole] = field(repr=False)
    metric: str
    name: str = "table"
    target: str = "target"
    dataset_id: int | None = None
    task_id: int | None = None
    group: str = ""
    splits: Sequence[Split] = field(default=(), repr=False)
    scorer: ScoredBy | None = field(default=None, repr=False)
    sample_weight: FloatArray | None = field(default=None, repr=False)

    @classmethod
    def from_arrays(
        cls,
        X: Any,
        y: Any,
        *,
        type: TaskType | str | None = None,
        roles: Mapping[str, ColumnRole | str] | None = None,
        metric: Any = None,
        sample_weight: Any = None,
        **facts: Any,
    ) -> Self:
        """Check a table and a target and describe them.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        type : {"binary", "multiclass", "classification", "regression"}, optional
            Inferred from `y` if not given.
        roles : mapping of column name to role, optional
            Overrides of the inferred roles.
        metric : str or scorer, optional
            Name of a metric, or of a scorer of scikit-learn, or what ``make_scorer`` returns. Default:
            ``log_loss`` or ``nrmse``.
        sample_weight : array-like of shape (n_samples,), optional
        **facts : Any
            Further fields: name, target, dataset_id, task_id, group, splits.

        Returns
        -------
        Task

        Raises
        ------
        TableError, TargetError, ParameterError
            If the table, the target or an argument cannot be used.
        """
        frame = as_frame(X)
        _check_table(frame)
        target = as_target(y, n_rows=len(frame), name=facts.get("target", "target"))
        kind = resolve_task_type(type, target)
        values = as_labels(target) if kind.is_classification else as_target_numbers(target)
        weights = as_weights(sample_weight, len(frame))
        name, scorer = measured_by(metric, values, classification=kind.is_classification, sample_weight=weights)
        check_role_overrides(frame, roles)
        return cls(
            X=frame,
            y=values,
            type=kind,
            roles=infer_roles(frame, roles),
            metric=name,
            scorer=scorer,
            sample_weight=weights,
            **facts,
        )

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return len(self.X)

    @property
    def n_features(self) -> int:
        """Number of columns, the target not counted."""
        return self.X.shape[1]

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class label."""
        return self.type.is_classification

    @property
    def measure(self) -> Metric:
        """What is optimised: the scorer if there is one, else the metric."""
        return (
            self.scorer.metric if self.scorer else get_metric(self.metric, classification=self.is_classification)
        )

    def shown(self, loss: float) -> float:
        """Turn a loss on the scale of `metric`, as policies have it, into a value of what is optimised.

        Parameters
        ----------
        loss : float

        Returns
        -------
        float
        """
        own = loss if self.scorer is None else self.scorer.from_closest(loss)
        return float(self.measure.loss(own))  # a loss's loss is the natural value again

    @cached_property
    def classes(self) -> LabelArray:
        """Sorted class labels, shape (n_classes,); empty for regression."""
        return np.sort(pd.unique(self.y)) if self.is_classification else np.empty(0)

    def columns(self, role: ColumnRole | str) -> list[str]:
        """Return the names of the columns that have a role.

        Parameters
        ----------
        role : ColumnRole or str

        Returns
        -------
        list of str
        """
        return [name for name, found in self.roles.items() if found == role]

    def take(self, rows: IntArray) -> Task:
        """Return the task on some rows, in the given order; its official splits are dropped.

        Parameters
        ----------
        rows : ndarray of int64
            Row positions.

        Returns
        -------
        Task
        """
        weights = None if self.sample_weight is None else self.sample_weight[rows]
        return replace(self, X=self.X.iloc[rows], y=self.y[rows], splits=(), sample_weight=weights)

    def lent(self) -> Task:
        """Return the task for code that must not change it: writing to the copy does not reach the original.

        Costs nothing: the table is copied when it is written to, and the target is read-only.

        Returns
        -------
        Task
        """
        target = self.y.view()
        target.flags.writeable = False
        lent = copy.copy(self)  # with what is cached
        for name, value in (("X", self.X.copy(deep=False)), ("y", target), ("roles", dict(self.roles))):
            object.__setattr__(lent, name, value)
        return lent

    def canonical(self) -> pd.DataFrame:
        """Return the table with every column in its role's canonical form (see `ColumnCanonicalizer`).

        Returns
        -------
        DataFrame of shape (n_samples, n_features)
        """
        from autometa.domain.columns import ColumnCanonicalizer

        return ColumnCanonicalizer(self.roles).fit(self.X).transform(self.X)

    def fingerprint(self) -> str:
        """Return a hash of the content that does not depend on the order of rows and columns or on names.

        Two tables with the same cells and the same target have the same fingerprint, so a copy of a known dataset
        is recognised whatever it is called. Reads every cell, and every file of an image, a few columns at a time:
        about a second per 50 million cells.

        Returns
        -------
        str
            32 hexadecimal digits.
        """
        per_column = sorted(self._column_contents())
        facts = repr((self.X.shape, per_column, self._target_content()))
        return hashlib.sha256(facts.encode()).hexdigest()[:32]

    def _column_contents(self) -> Iterator[int]:
        from autometa.domain.columns import ColumnCanonicalizer

        names = list(self.X.columns)
        width = max(1, MAX_CELLS_HELD // len(self.X))
        for start in range(0, len(names), width):
            part = names[start : start + width]
            canonicalizer = ColumnCanonicalizer({name: self.roles[name] for name in part})
            table = canonicalizer.fit(self.X[part]).transform(self.X[part])
            for name in part:
                is_image = self.roles[name] == ColumnRole.IMAGE
                yield hash_images(table[name]) if is_image else _content(table[name])

    def _target_content(self) -> int:
        if not self.is_classification:
            return _content(pd.Series(self.y))
        codes, values = pd.factorize(self.y)
        names = pd.Index([str(value) for value in values], dtype=object)
        return _content(pd.Series(pd.Categorical.from_codes(codes, categories=names)))


def _content(column: pd.Series) -> int:
    """Return the sum of the cells' hashes modulo 2**64: the same for every order of rows and of categories."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return int(pd.util.hash_pandas_object(column, index=False).to_numpy().sum(dtype=np.uint64))
    names = pd.Series(column.cat.categories.to_numpy(dtype=object), dtype=object)
    of_missing = np.iinfo(np.uint64).max  # as pandas hashes the missing cells of a categorical; their code is -1
    hashes = np.append(np.uint64(of_missing), pd.util.hash_pandas_object(names, index=False).to_numpy())
    counts = np.bincount(column.cat.codes.to_numpy().astype(np.int64) + 1, minlength=len(hashes))
    return int((hashes * counts.astype(np.uint64)).sum(dtype=np.uint64))


def _check_table(frame: pd.DataFrame) -> None:
    if frame.shape[1] == 0:
        raise TableError(
            f"0 feature(s) (shape={frame.shape}) while a minimum of 1 is required: the table has no feature "
            "columns. Add at least one besides the target.",
            shape=frame.shape,
        )
    if len(frame) < MIN_ROWS:
        raise TableError(
            f"The table has {len(frame)} row(s) (n_samples = {len(frame)}, shape={frame.shape}); a minimum of "
            f"{MIN_ROWS} is required, and a useful answer needs some dozens.",
            shape=frame.shape,
        )
