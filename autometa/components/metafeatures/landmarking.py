"""Landmarking meta-features: how well very cheap learners do on at most 600 rows.

One matrix of inner products of the rows serves ridge regression, both kernels and the neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve
from scipy.stats import rankdata

from autometa.components.metafeatures.encoding import CONSTANT, Encoded
from autometa.components.metafeatures.view import TaskView
from autometa.domain.splits import nested_subsample
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["landmarking"]

MAX_ROWS = 600
MIN_ROWS = 10
# Rows of each class that come into the sample before it is filled up.
MIN_PER_CLASS = 30
# Below this, a quarter of one half of the rows is too little to learn anything from.
MIN_ROWS_SLOPE = 64
N_NEIGHBOURS = 10
MIN_LEAF = 5
# Ridge penalty, as a share of the mean diagonal of the kernel matrix.
PENALTY = 0.1

_SCORES = ("ridge", "1nn", "knn", "rbf", "stump", "tree")
_GAPS = (("knn", "1nn"), ("knn", "ridge"), ("rbf", "ridge"), ("tree", "ridge"), ("quadratic", "ridge"))

# Training rows, test rows -> scores of the test rows, shape (n_test, n_outputs)
Learner = Callable[[IntArray, IntArray], FloatArray]


@dataclass(frozen=True, slots=True)
class _Sample:
    """Rows of the landmarkers: features, class codes, outputs to regress on with weights, half of each row."""

    values: FloatArray
    n_numeric: int
    codes: IntArray
    outputs: FloatArray
    half: IntArray
    weights: FloatArray
    is_classification: bool


def landmarking(view: TaskView, encoded: Encoded, *, random_state: int) -> dict[str, float]:
    """Compute the group by two-fold cross-validation.

    The score is, for classes, 2 AUC - 1 (one class against the rest, weighted by the classes' shares), for numbers
    R^2 but not below -1: 1 is perfect, 0 is guessing.

    Parameters
    ----------
    view : TaskView
    encoded : Encoded
    random_state : int
        Seed of the sample and of the halves.

    Returns
    -------
    dict of str to float
        All NaN with fewer than 10 rows, without usable columns, or where the target does not vary.
    """
    scores = _all_scores(_sample(view, encoded, random_state), random_state)
    ridge = scores["ridge"]
    found = {f"landmark_{name}": scores[name] for name in _SCORES}
    found |= {f"gap_{name}_{other}": scores[name] - scores[other] for name, other in _GAPS}
    found["gap_rank_ridge"] = scores["rank"] - ridge
    found |= {"slope_ridge": ridge - scores["ridge_quarter"], "slope_knn": scores["knn"] - scores["knn_quarter"]}
    return found | {"landmark_naive_bayes": scores["naive_bayes"]} if view.is_classification else found


def _sample(view: TaskView, encoded: Encoded, random_state: int) -> _Sample:
    rows = _enriched_rows(view.codes, random_state)
    present, codes = np.unique(view.codes[rows], return_inverse=True)
    # Alternating within each class, in random order, gives two stratified halves.
    shuffled = np.random.default_rng(random_state).permutation(len(rows))
    half = np.empty(len(rows), dtype=np.int64)
    half[shuffled[np.argsort(codes[shuffled], kind="stable")]] = np.arange(len(rows)) % 2
    outputs, weights = view.target[rows, None] if not view.is_classification else None, np.ones(1)
    if outputs is None:
        chosen = np.arange(len(present))[-1:] if len(present) == 2 else np.arange(len(present))
        outputs = (codes[:, None] == chosen).astype(np.float64)
        weights = view.class_counts[present[chosen]].astype(np.float64)
    return _Sample(encoded.values[rows], encoded.n_numeric, codes, outputs, half, weights, view.is_classification)


def _enriched_rows(codes: IntArray, random_state: int) -> IntArray:
    """Sample rows, first some of every class, the rest stratified.

    The score does not depend on the classes' shares, but with two or three rows of a rare class it is noise.
    """
    if len(codes) <= MAX_ROWS:
        return np.arange(len(codes))
    quota = min(MIN_PER_CLASS, MAX_ROWS // (2 * (int(codes.max()) + 1)))
    shuffled = np.random.default_rng(random_state).permutation(len(codes))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    starts = np.searchsorted(codes[by_class], codes[by_class], side="left")
    is_first = np.arange(len(codes)) - starts < quota
    others = np.sort(by_class[~is_first])
    n_others = MAX_ROWS - int(is_first.sum())
    filled = nested_subsample(codes, others, n_others, random_state=random_state)
    return np.sort(np.concatenate([by_class[is_first], filled]))


def _all_scores(sample: _Sample, random_state: int) -> dict[str, float]:
    learners = _learners(sample)
    if len(sample.codes) < MIN_ROWS or not sample.values.shape[1] or _is_constant(sample.outputs):
        return dict.fromkeys([*learners, "ridge_quarter", "knn_quarter"], np.nan)
    scores = {name: _cross_validated(sample, learner) for name, learner in learners.items()}
    for name in ("ridge", "knn"):
        scores[f"{name}_quarter"] = np.nan
        if len(sample.codes) >= MIN_ROWS_SLOPE:
            quarter = _on_quarter(learners[name], sample.codes, random_state)
            scores[f"{name}_quarter"] = _cross_validated(sample, quarter)
    return scores


def _is_constant(outputs: FloatArray) -> bool:
    return bool(np.ptp(outputs, axis=0).max() <= CONSTANT * np.abs(outputs).max())


def _on_quarter(learner: Learner, codes: IntArray, random_state: int) -> Learner:
    def predict(train: IntArray, test: IntArray) -> FloatArray:
        return learner(nested_subsample(codes, train, len(train) // 4, random_state=random_state), test)

    return predict


def _learners(sample: _Sample) -> dict[str, Learner]:
    values = sample.values
    if not values.shape[1]:
        values = np.zeros((len(values), 1))
    linear = _inner_products(values)
    norms = np.diagonal(linear)
    distance = np.maximum(norms[:, None] + norms - 2 * linear, 0.0)
    width = np.median(distance) or 1.0
    ranks = values.copy()
    ranks[:, : sample.n_numeric] = _standard_ranks(values[:, : sample.n_numeric])
    learners = {
        "ridge": _kernel_ridge(sample, linear),
        "rank": _kernel_ridge(sample, _inner_products(ranks)),
        "quadratic": _kernel_ridge(sample, (1 + linear) ** 2),
        "rbf": _kernel_ridge(sample, np.exp(-distance / width)),
        "1nn": _neighbours(sample, distance, 1),
        "knn": _neighbours(sample, distance, N_NEIGHBOURS),
        "stump": _tree(sample, max_depth=1),
        "tree": _tree(sample, min_samples_leaf=MIN_LEAF),
    }
    return learners | ({"naive_bayes": _naive_bayes(sample)} if sample.is_classification else {})


def _inner_products(values: FloatArray) -> FloatArray:
    products = values @ values.T
    return products / (np.diagonal(products).mean() or 1.0)


def _standard_ranks(numbers: FloatArray) -> FloatArray:
    ranks = rankdata(numbers, axis=0) if numbers.size else numbers
    spread = ranks.std(axis=0)
    standard: FloatArray = (ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return standard


def _kernel_ridge(sample: _Sample, kernel: FloatArray) -> Learner:
    penalty = PENALTY * float(np.diagonal(kernel).mean() or 1.0)

    def predict(train: IntArray, test: IntArray) -> FloatArray:
        centre = sample.outputs[train].mean(axis=0)
        system = kernel[np.ix_(train, train)] + penalty * np.eye(len(train))
        weights = solve(system, sample.outputs[train] - centre, assume_a="pos")
        return np.asarray(kernel[np.ix_(test, train)] @ weights + centre, dtype=np.float64)

    return predict


def _neighbours(sample: _Sample, distance: FloatArray, n_neighbours: int) -> Learner:
    def predict(train: IntArray, test: IntArray) -> FloatArray:
        k = min(n_neighbours, len(train))
        nearest = np.argpartition(distance[np.ix_(test, train)], k - 1, axis=1)[:, :k]
        return np.asarray(sample.outputs[train][nearest].mean(axis=1), dtype=np.float64)

    return predict


def _tree(sample: _Sample, **options: int) -> Learner:
    from sklearn.tree import DecisionTreeRegressor

    def predict(train: IntArray, test: IntArray) -> FloatArray:
        # On class indicators, squared error is the Gini index.
        tree = DecisionTreeRegressor(random_state=0, **options)
        found = tree.fit(sample.values[train], sample.outputs[train]).predict(sample.values[test])
        return np.asarray(found, dtype=np.float64).reshape(len(test), -1)

    return predict


def _naive_bayes(sample: _Sample) -> Learner:
    from sklearn.naive_bayes import GaussianNB

    def predict(train: IntArray, test: IntArray) -> FloatArray:
        model = GaussianNB().fit(sample.values[train], sample.codes[train])
        scores = np.zeros((len(test), sample.codes.max() + 1))
        scores[:, model.classes_] = model.predict_proba(sample.values[test])
        return scores[:, 1:] if sample.outputs.shape[1] == 1 else scores

    return predict


def _cross_validated(sample: _Sample, learner: Learner) -> float:
    first, second = np.flatnonzero(sample.half == 0), np.flatnonzero(sample.half == 1)
    folds = [(test, learner(train, test)) for train, test in ((first, second), (second, first))]
    if sample.is_classification:
        # Each half by itself: scores of two models do not compare, least of all with few rows of a class.
        ginis = [_gini(sample.outputs[test], predicted, sample.weights) for test, predicted in folds]
        return float(np.mean(ginis))
    errors = sum(float(((sample.outputs[test] - predicted) ** 2).sum()) for test, predicted in folds)
    spread = float(((sample.outputs - sample.outputs.mean()) ** 2).sum())
    return max(-1.0, 1 - errors / spread)


def _gini(outputs: FloatArray, predicted: FloatArray, weights: FloatArray) -> float:
    """Return 2 AUC - 1 of each class against the rest, weighted by the share of the class."""
    n_in = outputs.sum(axis=0)
    n_out = len(outputs) - n_in
    # Rounding keeps scores tied that are equal but for the order of a sum.
    rank_sum = (rankdata(np.round(predicted, 9), axis=0) * outputs).sum(axis=0)
    found = (n_in > 0) & (n_out > 0)
    auc = ((rank_sum - n_in * (n_in + 1) / 2) / (n_in * n_out))[found]
    return float((2 * auc - 1) @ weights[found] / weights[found].sum())
