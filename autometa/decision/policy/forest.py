"""A forest as plain arrays: what remains of an extra-trees fit is which training rows share a leaf with a query.

Without bootstrap every leaf predicts the mean of its training rows, so a whole forest predicts a weighted
mean of them; the weights are all that is needed afterwards, for any quantity known of the training rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autometa.foundation.typing import FloatArray

__all__ = ["Forest"]

Arrays = Mapping[str, np.ndarray[Any, Any]]
NodeArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees laid end to end, and the leaf of every training row in each.

    Attributes
    ----------
    feature : ndarray of int32, shape (n_nodes,)
        Column that a node asks about; 0 in leaves.
    threshold : ndarray of float64, shape (n_nodes,)
        ``x <= threshold`` goes left.
    left, right : ndarray of int32, shape (n_nodes,)
        Positions of the children; a leaf is its own child.
    gain : ndarray of float32, shape (n_nodes,)
        Decrease of the training error by a node's question; 0 in leaves.
    roots : ndarray of int32, shape (n_trees,)
    depth : int
        Of the deepest tree.
    leaves : ndarray of int32, shape (n_rows, n_trees)
        Leaf of every training row.
    counts : ndarray of float64, shape (n_rows,)
        What every training row counts in its leaf.

    References
    ----------
    .. [1] Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
    .. [2] Lin & Jeon, "Random forests and adaptive nearest neighbors", JASA 101, 2006.
    """

    feature: NodeArray
    threshold: FloatArray
    left: NodeArray
    right: NodeArray
    gain: npt.NDArray[np.float32]
    roots: NodeArray
    depth: int
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
        starts = np.concatenate([[0], np.cumsum([tree.node_count for tree in trees])[:-1]])
        nodes = [_nodes(tree, start) for tree, start in zip(trees, starts, strict=True)]
        joined = {name: np.concatenate([part[name] for part in nodes]) for name in nodes[0]}
        return cls(
            **joined,
            roots=starts.astype(np.int32),
            depth=max(tree.max_depth for tree in trees),
            leaves=(model.apply(X) + starts).astype(np.int32),
            counts=np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64),
        )

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    def apply(self, X: FloatArray) -> NodeArray:
        """Return the leaf that every row falls into, all trees at once.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_features)
            Compared in single precision, as scikit-learn does.

        Returns
        -------
        ndarray of int32, shape (n_rows, n_trees)
            Positions in the node arrays.
        """
        single = np.asarray(X, dtype=np.float32)
        rows = np.arange(len(single))[:, None]
        node: NodeArray = np.broadcast_to(self.roots, (len(single), self.n_trees))
        for _ in range(self.depth):
            goes_left = single[rows, self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        return node

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

    def to_arrays(self, prefix: str = "") -> dict[str, np.ndarray[Any, Any]]:
        """Return everything as arrays, for an ``.npz`` file."""
        return {prefix + name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Arrays, prefix: str = "") -> Forest:
        """Read what `to_arrays` returned.

        Raises
        ------
        KeyError
            If an array is missing.
        """
        found: dict[str, Any] = {name: arrays[prefix + name] for name in cls.__dataclass_fields__}
        return cls(**{**found, "depth": int(found["depth"])})


def _nodes(tree: Any, start: int) -> dict[str, np.ndarray[Any, Any]]:
    """Return one scikit-learn tree's nodes with positions counted from `start`."""
    own = np.arange(tree.node_count)
    is_leaf = tree.children_left < 0
    left = np.where(is_leaf, own, tree.children_left)
    right = np.where(is_leaf, own, tree.children_right)
    mass = tree.weighted_n_node_samples * tree.impurity
    return {
        "feature": np.where(is_leaf, 0, tree.feature).astype(np.int32),
        "threshold": np.where(is_leaf, np.inf, tree.threshold),
        "left": (left + start).astype(np.int32),
        "right": (right + start).astype(np.int32),
        "gain": np.where(is_leaf, 0.0, mass - mass[left] - mass[right]).clip(min=0.0).astype(np.float32),
    }
