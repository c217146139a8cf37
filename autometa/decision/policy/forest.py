"""A forest as plain arrays: what remains of an extra-trees fit is which training rows share a leaf with a query.

Without bootstrap every leaf predicts the mean of its training rows, so a whole forest predicts a weighted
mean of them; the weights are all that is needed afterwards, for any quantity known of the training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autometa.decision.policy.arrays import StoredFields
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["Forest", "Trees"]

NodeArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Trees(StoredFields):
    """Trees laid end to end.

    Attributes
    ----------
    feature : ndarray of int32, shape (n_nodes,)
        Column that a node asks about; 0 in leaves.
    threshold : ndarray of float64, shape (n_nodes,)
        ``x <= threshold`` goes left.
    left, right : ndarray of int32, shape (n_nodes,)
        Positions of the children; a leaf is its own child.
    roots : ndarray of int32, shape (n_trees,)
    depth : int
        Of the deepest tree.
    """

    feature: NodeArray
    threshold: FloatArray
    left: NodeArray
    right: NodeArray
    roots: NodeArray
    depth: int

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    def apply(self, X: FloatArray, trees: IntArray | None = None) -> NodeArray:
        """Return the leaf that every row falls into, all trees at once.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_features)
            Compared in single precision, as scikit-learn does.
        trees : ndarray of int64, shape (n_asked,), optional
            Positions of the trees that are asked; default: all.

        Returns
        -------
        ndarray of int32, shape (n_rows, n_asked)
            Positions in the node arrays.
        """
        single = np.ascontiguousarray(X, dtype=np.float32)
        roots = self.roots if trees is None else self.roots[trees]
        start = (np.arange(len(single)) * single.shape[1])[:, None]
        cells = single.ravel()
        node: NodeArray = np.repeat(roots[None], len(single), axis=0)
        for _ in range(self.depth):
            goes_left = cells.take(start + self.feature.take(node)) <= self.threshold.take(node)
            below = np.where(goes_left, self.left.take(node), self.right.take(node))
            if np.array_equal(below, node):
                break
            node = below
        return node

    @staticmethod
    def laid_out(trees: Sequence[Any]) -> dict[str, Any]:
        """Return the arrays of scikit-learn's trees laid end to end, by the names of the attributes.

        Parameters
        ----------
        trees : sequence of sklearn.tree._tree.Tree

        Returns
        -------
        dict of str to ndarray or int
        """
        starts = _starts(trees)
        nodes = [_nodes(tree, start) for tree, start in zip(trees, starts, strict=True)]
        return {
            **{name: np.concatenate([part[name] for part in nodes]) for name in nodes[0]},
            "roots": starts.astype(np.int32),
            "depth": max(tree.max_depth for tree in trees),
        }


@dataclass(frozen=True, eq=False)
class Forest(Trees):
    """Trees, and the leaf of every training row in each.

    Attributes
    ----------
    gain : ndarray of float32, shape (n_nodes,)
        Decrease of the training error by a node's question; 0 in leaves.
    leaves : ndarray of int32, shape (n_rows, n_trees)
        Leaf of every training row.
    counts : ndarray of float64, shape (n_rows,)
        What every training row counts in its leaf.

    References
    ----------
    .. [1] Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
    .. [2] Lin & Jeon, "Random forests and adaptive nearest neighbors", JASA 101, 2006.
    """

    gain: npt.NDArray[np.float32]
    leaves: NodeArray
    counts: FloatArray

    @classmethod
    def fit(
        cls,
        X: FloatArray,
        Y: FloatArray,
        *,
        n_trees: int = 300,
        min_samples_leaf: int = 1,
        max_features: float = 1.0,
        sample_weight: FloatArray | None = None,
        random_state: int = 0,
    ) -> Forest:
        """Grow extra-trees with scikit-learn and keep their arrays.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_features)
            Finite.
        Y : ndarray of float64, shape (n_rows,) or (n_rows, n_outputs)
        n_trees : int
        min_samples_leaf : int
        max_features : float
            Share of the columns tried at a split.
        sample_weight : ndarray of float64, shape (n_rows,), optional
            What a row counts; default 1.
        random_state : int

        Returns
        -------
        Forest
        """
        from sklearn.ensemble import ExtraTreesRegressor

        model = ExtraTreesRegressor(
            n_estimators=n_trees,
            min_samples_leaf=min_samples_leaf,
            max_features=max_features,
            bootstrap=False,
            random_state=random_state,
        ).fit(X, Y, sample_weight=sample_weight)
        trees = [estimator.tree_ for estimator in model.estimators_]
        arrays = cls.laid_out(trees)
        return cls(
            **arrays,
            gain=np.concatenate([_gains(tree) for tree in trees]),
            leaves=(model.apply(X) + arrays["roots"]).astype(np.int32),
            counts=np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64),
        )

    def weights(self, X: FloatArray) -> FloatArray:
        """Return the share of every training row in the forest's prediction.

        Parameters
        ----------
        X : ndarray of float64, shape (n_queries, n_features)

        Returns
        -------
        ndarray of float64, shape (n_queries, n_rows)
            Non-negative; every row sums to 1.
        """
        mass = self._leaf_mass()
        out = np.empty((len(X), len(self.leaves)))
        for i, leaf in enumerate(self.apply(X)):
            out[i] = (self.leaves == leaf) @ (1.0 / mass[leaf]) * self.counts
        return np.asarray(out / out.sum(axis=1, keepdims=True))

    def _leaf_mass(self) -> FloatArray:
        """Return the sum of `counts` over the training rows of every leaf, shape (n_nodes,)."""
        repeated = np.repeat(self.counts, self.n_trees)
        return np.asarray(np.bincount(self.leaves.ravel(), weights=repeated, minlength=len(self.feature)))

    def influence(self, x: FloatArray, n_features: int) -> FloatArray:
        """Return how much each feature had a say in where a query ended up.

        Parameters
        ----------
        x : ndarray of float64, shape (n_features,)
        n_features : int

        Returns
        -------
        ndarray of float64, shape (n_features,)
            Shares of the error decrease along the query's paths; they sum to 1 (all 0 if no tree asked
            anything).
        """
        single = np.asarray(x, dtype=np.float32)
        said: FloatArray = np.zeros(n_features)
        node: NodeArray = self.roots
        for _ in range(self.depth):
            said += np.bincount(self.feature[node], weights=self.gain[node], minlength=n_features)
            node = np.where(single[self.feature[node]] <= self.threshold[node], self.left[node], self.right[node])
        return said / said.sum() if said.sum() > 0 else said


def _starts(trees: Sequence[Any]) -> IntArray:
    return np.concatenate([[0], np.cumsum([tree.node_count for tree in trees])[:-1]]).astype(np.int64)


def _nodes(tree: Any, start: int) -> dict[str, np.ndarray[Any, Any]]:
    """Return one scikit-learn tree's nodes with positions counted from `start`."""
    own = np.arange(tree.node_count)
    is_leaf = tree.children_left < 0
    left = np.where(is_leaf, own, tree.children_left)
    right = np.where(is_leaf, own, tree.children_right)
    return {
        "feature": np.where(is_leaf, 0, tree.feature).astype(np.int32),
        "threshold": np.where(is_leaf, np.inf, tree.threshold),
        "left": (left + start).astype(np.int32),
        "right": (right + start).astype(np.int32),
    }


def _gains(tree: Any) -> npt.NDArray[np.float32]:
    is_leaf = tree.children_left < 0
    mass = tree.weighted_n_node_samples * tree.impurity
    below = mass[tree.children_left] + mass[tree.children_right]
    return np.asarray(np.where(is_leaf, 0.0, mass - below).clip(min=0.0), dtype=np.float32)
