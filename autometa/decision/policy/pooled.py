"""The pooled model: one forest for all candidates, from what a candidate showed to where it stands at full size.

It speaks of candidates in long format (`long_format`), so that what it learned of those with history holds for one
without. Every tree is grown on some of the dataset groups, so that a known task can be judged by the trees that
saw none of its group.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from autometa.decision.policy._base import Arrays
from autometa.decision.policy.arrays import StoredFields
from autometa.decision.policy.evidence import RelativeEvidence
from autometa.decision.policy.forest import Trees
from autometa.decision.policy.long_format import COLUMNS, Situation, long_format
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["LongTable", "Opinion", "PooledModel", "Records"]

_N_TREES = 100
_LEAF = 5
_MAX_FEATURES = 0.5
# Share of the dataset groups that a tree is grown on.
_GROUP_SHARE = 2 / 3
# Fewer trees than this that saw none of a group say nothing about it.
_LEAST_TREES = 10
# Tasks that a record is weighed against: few tasks are no record.
_RECORD_RIDGE = 1.0
# So many dataset groups must have been as far from their full size for a distance to count as known.
_GROUPS_IN_REACH = 10


@dataclass(frozen=True, eq=False)
class LongTable:
    """Candidates of known tasks in long format, at several states of knowledge of each task.

    Attributes
    ----------
    X : ndarray of float64, shape (n_rows, n_columns)
        See `long_format`.
    standing : ndarray of float64, shape (n_rows,)
        At full size; lower is better.
    weight : ndarray of float64, shape (n_rows,)
        What a row counts.
    group : ndarray of int64, shape (n_rows,)
        Codes of the dataset groups.
    """

    X: FloatArray
    standing: FloatArray
    weight: FloatArray
    group: IntArray


@dataclass(frozen=True, eq=False)
class Records(StoredFields):
    """How candidates stood on known tasks, kept by dataset group so that any group can be taken out.

    Attributes
    ----------
    groups : ndarray of int64, shape (n_groups,)
        Codes, ascending.
    total, count : ndarray of float64, shape (n_groups, n_candidates)
        Sum of standings, and what the tasks behind it count.
    """

    groups: IntArray
    total: FloatArray
    count: FloatArray

    @classmethod
    def of(cls, standing: FloatArray, weights: FloatArray, groups: IntArray) -> Self:
        """Collect standings.

        Parameters
        ----------
        standing : ndarray of float64, shape (n_rows, n_candidates)
            NaN = not measured.
        weights : ndarray of float64, shape (n_rows,)
            What a task counts.
        groups : ndarray of int64, shape (n_rows,)

        Returns
        -------
        Records
        """
        codes, place = np.unique(groups, return_inverse=True)
        present = np.isfinite(standing)
        member = (place[None] == np.arange(len(codes))[:, None]) * weights[None]
        return cls(codes, member @ np.where(present, standing, 0.0), member @ present)

    def without(self, groups: Collection[int]) -> tuple[FloatArray, BoolArray]:
        """Return every candidate's mean standing on tasks of other groups.

        Parameters
        ----------
        groups : collection of int

        Returns
        -------
        record : ndarray of float64, shape (n_candidates,)
            Shrunk to 0 by one task.
        has_history : ndarray of bool, shape (n_candidates,)
        """
        kept = ~np.isin(self.groups, list(groups))
        count = self.count[kept].sum(axis=0)
        return self.total[kept].sum(axis=0) / (count + _RECORD_RIDGE), count > 0


@dataclass(frozen=True, eq=False)
class PooledModel:
    """Extra-trees over candidates in long format.

    Attributes
    ----------
    trees : Trees
    value : ndarray of float64, shape (n_nodes,)
        Mean standing of the training rows in a leaf.
    groups : ndarray of int64, shape (n_groups,)
        Codes of the dataset groups that it was grown on, ascending.
    sees : ndarray of bool, shape (n_trees, n_groups)
        Which groups each tree was grown on.
    records : Records
    reach : float
        Halvings between the full size and that of the runs up to which known tasks teach.

    References
    ----------
    .. [1] Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
    """

    trees: Trees
    value: FloatArray
    groups: IntArray
    sees: BoolArray
    records: Records
    reach: float

    @classmethod
    def fit(cls, examples: LongTable, records: Records, *, n_trees: int = _N_TREES, random_state: int = 0) -> Self:
        """Grow the trees.

        Parameters
        ----------
        examples : LongTable
        records : Records
        n_trees : int
        random_state : int

        Returns
        -------
        PooledModel
        """
        from sklearn.tree import ExtraTreeRegressor

        groups, place = np.unique(examples.group, return_inverse=True)
        rng = np.random.default_rng(random_state)
        n_seen = max(1, round(_GROUP_SHARE * len(groups)))
        sees = np.stack([rng.permutation(len(groups)) < n_seen for _ in range(n_trees)])
        X, weight = examples.X.astype(np.float32), examples.weight / examples.weight.mean()
        grown = []
        for row in sees:
            inside = row[place]
            tree = ExtraTreeRegressor(
                min_samples_leaf=_LEAF, max_features=_MAX_FEATURES, random_state=int(rng.integers(2**31))
            )
            grown.append(tree.fit(X[inside], examples.standing[inside], sample_weight=weight[inside]).tree_)
        value = np.concatenate([tree.value[:, 0, 0] for tree in grown])
        return cls(Trees(**Trees.laid_out(grown)), value, groups, sees, records, _reach(examples, groups))

    def blind_to(self, groups: Collection[int]) -> BoolArray:
        """Return which trees saw none of some groups, shape (n_trees,)."""
        return np.asarray(~self.sees[:, np.isin(self.groups, list(groups))].any(axis=1))

    def opinion(
        self,
        forecast: FloatArray,
        strategy: IntArray,
        *,
        n_full: int,
        n_features: int,
        unseen: Collection[int] = (),
    ) -> Opinion | None:
        """Prepare for what runs of one task will show.

        Parameters
        ----------
        forecast : ndarray of float64, shape (n_candidates,)
            The prior's standings of the known candidates, then 0 for those without history.
        strategy : ndarray of int64, shape (n_candidates,)
            Codes.
        n_full, n_features : int
            Rows of a fit at full size, and columns.
        unseen : collection of int
            Groups that must have no say.

        Returns
        -------
        Opinion or None
            None if too few trees have seen none of these groups.
        """
        trees = np.flatnonzero(self.blind_to(unseen))
        if len(trees) < _LEAST_TREES:
            return None
        known, has_history = self.records.without(unseen)
        n_new = len(forecast) - len(known)
        situation = Situation(
            forecast=forecast,
            record=np.append(known, np.zeros(n_new)),
            has_history=np.append(has_history, np.zeros(n_new, dtype=bool)),
            strategy=strategy,
            n_full=n_full,
            n_features=n_features,
        )
        return Opinion(self, situation.masked(~situation.has_history), trees)

    def to_arrays(self, prefix: str) -> dict[str, np.ndarray[Any, Any]]:
        """Return everything as arrays."""
        own = {prefix + name: np.asarray(getattr(self, name)) for name in ("value", "groups", "sees", "reach")}
        return {**own, **self.records.to_arrays(prefix + "records."), **self.trees.to_arrays(prefix + "trees.")}

    @classmethod
    def from_arrays(cls, arrays: Arrays, prefix: str) -> Self:
        """Read what `to_arrays` returned.

        Raises
        ------
        KeyError
            If an array is missing.
        """
        return cls(
            trees=Trees.from_arrays(arrays, prefix + "trees."),
            records=Records.from_arrays(arrays, prefix + "records."),
            reach=float(arrays[prefix + "reach"]),
            **{name: arrays[prefix + name] for name in ("value", "groups", "sees")},
        )


@dataclass(frozen=True, eq=False)
class Opinion:
    """What the pooled model will say of one task.

    Attributes
    ----------
    model : PooledModel
    situation : Situation
    trees : ndarray of int64, shape (n_trees,)
        Those that are asked.
    """

    model: PooledModel
    situation: Situation
    trees: IntArray

    def standings(self, evidence: RelativeEvidence) -> FloatArray:
        """Return the expected standing of every candidate at full size.

        Parameters
        ----------
        evidence : RelativeEvidence

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
            Lower is better.
        """
        leaves = self.model.trees.apply(long_format(self.situation, evidence), self.trees)
        return np.asarray(self.model.value[leaves].mean(axis=1))

    def trust(self, evidence: RelativeEvidence) -> float:
        """Return how far the opinion is to be trusted: half as far with every halving beyond what is known.

        Trees do not extrapolate: beyond the smallest known share of the rows evidence counts as if it were there.

        Parameters
        ----------
        evidence : RelativeEvidence
            Not empty.

        Returns
        -------
        float
            In (0, 1].
        """
        halvings = float(np.log2(max(self.situation.n_full, 1) / evidence.n_train.max()))
        return float(np.exp2(-max(halvings - self.model.reach, 0.0)))


def _reach(examples: LongTable, groups: IntArray) -> float:
    """Return the halvings that enough groups had."""
    halvings = examples.X[:, COLUMNS.index("halvings")]
    farthest = np.sort([halvings[examples.group == group].max() for group in groups])
    return float(farthest[-min(_GROUPS_IN_REACH, len(farthest))])
