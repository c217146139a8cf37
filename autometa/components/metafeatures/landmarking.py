"""Landmarking meta-features: how well very cheap learners do on at most 600 rows.

One matrix of inner products of the rows serves ridge regression, both kernels and the neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve
from scipy.stats import rankdata

from autometa.components.metafeatures.encoding import Encoded
from autometa.components.metafeatures.view import TaskView
from autometa.domain.splits import nested_subsample
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["landmarking"]

MAX_ROWS = 600
MIN_ROWS = 10
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
    """Rows of the landmarkers: features, class codes, outputs to regress on, and the half each row lies in."""

    values: FloatArray
    n_numeric: int
    codes: IntArray
    outputs: FloatArray
    half: IntArray
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
        All NaN with fewer than 10 rows or without usable columns.
    """
    scores = _all_scores(_sample(view, encoded, random_state), random_state)
    ridge = scores["ridge"]
    found = {f"landmark_{name}": scores[name] for name in _SCORES}
    found |= {f"gap_{name}_{other}": scores[name] - scores[other] for name, other in _GAPS}
    found["gap_rank_ridge"] = scores["rank"] - ridge
    found |= {"slope_ridge": ridge - scores["ridge_quarter"], "slope_knn": scores["knn"] - scores["knn_quarter"]}
    return found | {"landmark_naive_bayes": scores["naive_bayes"]} if view.is_classification else found


def _sample(view: TaskView, encoded: Encoded, random_state: int) -> _Sample:
    rows = nested_subsample(view.codes, np.arange(view.n_rows), MAX_ROWS, random_state=random_state)
    codes = np.unique(view.codes[rows], return_inverse=True)[1]
    if view.is_classification:
        outputs = (codes[:, None] == np.arange(codes.max() + 1)).astype(np.float64)
        outputs = outputs[:, 1:] if outputs.shape[1] == 2 else outputs
    else:
        outputs = view.target[rows, None]
    # Alternating within each class, in random order, gives two stratified halves.
    shuffled = np.random.default_rng(random_state).permutation(len(rows))
    half = np.empty(len(rows), dtype=np.int64)
    half[shuffled[np.argsort(codes[shuffled], kind="stable")]] = np.arange(len(rows)) % 2
    return _Sample(encoded.values[rows], encoded.n_numeric, codes, outputs, half, view.is_classification)


def _all_scores(sample: _Sample, random_state: int) -> dict[str, float]:
    learners = _learners(sample)
    if len(sample.codes) < MIN_ROWS or not sample.values.shape[1]:
        return dict.fromkeys([*learners, "ridge_quarter", "knn_quarter"], np.nan)
    scores = {name: _cross_validated(sample, learner) for name, learner in learners.items()}
    for name in ("ridge", "knn"):
        scores[f"{name}_quarter"] = np.nan
        if len(sample.codes) >= MIN_ROWS_SLOPE:
            quarter = _on_quarter(learners[name], sample.codes, random_state)
            scores[f"{name}_quarter"] = _cross_validated(sample, quarter)
    return scores


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
    return (ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


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
    predicted = np.empty_like(sample.outputs)
    predicted[second], predicted[first] = learner(first, second), learner(second, first)
    return _gini(sample.outputs, predicted) if sample.is_classification else _r2(sample.outputs, predicted)


def _gini(outputs: FloatArray, predicted: FloatArray) -> float:
    """Return 2 AUC - 1 of each class against the rest, weighted by the share of the class."""
    n_in = outputs.sum(axis=0)
    n_out = len(outputs) - n_in
    # Rounding keeps scores that are equal but for the order of a sum tied.
    rank_sum = (rankdata(np.round(predicted, 9), axis=0) * outputs).sum(axis=0)
    auc = (rank_sum - n_in * (n_in + 1) / 2) / (n_in * n_out)
    return float((2 * auc - 1) @ n_in / n_in.sum())


def _r2(outputs: FloatArray, predicted: FloatArray) -> float:
    """Return the share of variance explained, not below -1."""
    centred = outputs - outputs.mean()
    return float(max(-1.0, 1 - ((outputs - predicted) ** 2).sum() / (centred**2).sum()))
