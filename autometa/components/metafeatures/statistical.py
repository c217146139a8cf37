"""Statistical meta-features: moments, outliers, correlation spectrum, correlation with the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from autometa.components.metafeatures.encoding import CONSTANT, Encoded
from autometa.components.metafeatures.summary import summaries
from autometa.components.metafeatures.view import TaskView
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["Distribution", "distribution", "statistical"]

HIGH_CORRELATION = 0.5
WHISKER = 1.5
VARIANCE = 0.95
# What is this near to a threshold is on it but for rounding, so that units do not decide. Directions with a
# smaller share of the greatest eigenvalue are rounding, too.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Distribution:
    """What sorting tells about each column of numbers.

    Attributes
    ----------
    n_known : ndarray of int64, shape (n_columns,)
        Cells that are not missing.
    n_distinct : ndarray of int64, shape (n_columns,)
        Different values.
    mode_share : ndarray of float64, shape (n_columns,)
        Share of the most frequent value among the known.
    n_outliers : ndarray of int64, shape (n_columns,)
        Cells beyond 1.5 interquartile ranges from the quartiles.
    """

    n_known: IntArray
    n_distinct: IntArray
    mode_share: FloatArray
    n_outliers: IntArray


def distribution(numbers: FloatArray) -> Distribution:
    """Sort the columns and count.

    Parameters
    ----------
    numbers : ndarray of float64, shape (n_rows, n_columns)
        NaN where missing.

    Returns
    -------
    Distribution
    """
    ordered = np.sort(np.ascontiguousarray(numbers.T), axis=1)  # NaN comes last
    n_known = (~np.isnan(ordered)).sum(axis=1)
    runs = [_runs(row[:known]) for row, known in zip(ordered, n_known, strict=True)]
    low, high = _quantile(ordered, n_known, 0.25), _quantile(ordered, n_known, 0.75)
    reach = WHISKER * (high - low) * (1 + TOLERANCE)
    outside = (ordered < (low - reach)[:, None]) | (ordered > (high + reach)[:, None])
    return Distribution(
        n_known=n_known,
        n_distinct=np.array([len(run) for run in runs], dtype=np.int64),
        mode_share=np.array([run.max() / run.sum() if len(run) else np.nan for run in runs]),
        n_outliers=outside.sum(axis=1),
    )


def _runs(ordered: FloatArray) -> IntArray:
    """Return the lengths of the runs of equal values."""
    if not ordered.size:
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return np.diff(np.concatenate([[0], starts, [len(ordered)]]))


def _quantile(ordered: FloatArray, n_known: IntArray, share: float) -> FloatArray:
    """Return the linearly interpolated quantile of the known part of each row."""
    place = share * np.maximum(n_known - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(n_known - 1, 0))
    rows = np.arange(len(ordered))
    return ordered[rows, below] + (place - below) * (ordered[rows, above] - ordered[rows, below])


def statistical(view: TaskView, encoded: Encoded, columns: Distribution, distinct: list[int]) -> dict[str, float]:
    """Compute the group.

    Parameters
    ----------
    view : TaskView
    encoded : Encoded
    columns : Distribution
        Of the numeric columns.
    distinct : list of int
        Number of different values of each numeric and categorical column.

    Returns
    -------
    dict of str to float
    """
    skewness, kurtosis = _moments(view.numeric)
    n_values = np.array(distinct, dtype=np.float64)
    sparsity = (view.n_rows / np.where(n_values > 0, n_values, np.nan) - 1) / (view.n_rows - 1)
    n_known = columns.n_known.sum()
    return {
        **summaries("sparsity", sparsity, "mean"),
        **summaries("mode_share", columns.mode_share, "mean"),
        **summaries("skewness", skewness, "mean", "sd"),
        **summaries("kurtosis", kurtosis, "mean", "median"),
        "outlier_share": columns.n_outliers.sum() / n_known if n_known else np.nan,
        "outlier_attr_share": (columns.n_outliers > 0).mean() if n_known else np.nan,
        **_relations(view, encoded),
        **({} if view.is_classification else _target_shape(view.target)),
    }


def _moments(numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return skewness and excess kurtosis of each column (type 3: standard deviation with n - 1)."""
    n_known = (~np.isnan(numbers)).sum(axis=0).astype(np.float64)
    centred = numbers - np.nansum(numbers, axis=0) / n_known
    centred[np.isnan(centred)] = 0.0
    square = centred**2
    variance = square.sum(axis=0) / (n_known - 1)
    greatest = np.fmax.reduce(np.abs(numbers), axis=0, initial=0.0)
    variance = np.where(variance > (CONSTANT * greatest) ** 2, variance, np.nan)
    skewness = (square * centred).sum(axis=0) / n_known / variance**1.5
    kurtosis = (square**2).sum(axis=0) / n_known / variance**2 - 3
    return skewness, kurtosis


def _target_shape(target: FloatArray) -> dict[str, float]:
    skewness, kurtosis = _moments(target[:, None])
    shape = distribution(target[:, None])
    return {
        "target_skewness": skewness[0],
        "target_kurtosis": kurtosis[0],
        "target_outlier_share": shape.n_outliers[0] / len(target),
        "target_distinct_share": shape.n_distinct[0] / len(target),
        "target_mode_share": shape.mode_share[0],
    }


def _relations(view: TaskView, encoded: Encoded) -> dict[str, float]:
    """Compute what rests on the correlation matrix of the encoded columns."""
    values = encoded.standardised()
    n_rows, n_encoded = values.shape
    correlation = values.T @ values / n_rows
    pairs = np.abs(correlation[np.tril_indices(n_encoded, k=-1)])
    eigenvalues, directions = np.linalg.eigh(correlation)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    kept = eigenvalues > TOLERANCE * eigenvalues.max(initial=0.0)
    whiten = directions[:, kept] / np.sqrt(eigenvalues[kept])
    linked = _with_classes if view.is_classification else _with_number
    return {
        **summaries("cor", pairs, "mean", "sd"),
        "nr_cor_attr": (pairs >= HIGH_CORRELATION - TOLERANCE).mean() if pairs.size else np.nan,
        **_spectrum(eigenvalues),
        **linked(view, values, whiten),
    }


def _spectrum(eigenvalues: FloatArray) -> dict[str, float]:
    if not eigenvalues.size:
        return {"pca_first": np.nan, "pca_95_share": np.nan}
    explained = np.cumsum(eigenvalues[::-1]) / eigenvalues.sum()
    n_needed = int((explained < VARIANCE - TOLERANCE).sum()) + 1
    return {"pca_first": float(explained[0]), "pca_95_share": n_needed / len(eigenvalues)}


def _with_classes(view: TaskView, values: FloatArray, whiten: FloatArray) -> dict[str, float]:
    n_rows, n_classes = view.n_rows, view.n_classes
    member = csr_array((np.ones(n_rows), (view.codes, np.arange(n_rows))), shape=(n_classes, n_rows))
    counts = np.bincount(view.codes, minlength=n_classes)
    # Rows: the class's mean, weighted so that the squares add up to the share of variance between the classes.
    means = (member @ values) / np.sqrt(n_rows * np.maximum(counts, 1))[:, None]
    eta2 = (means**2).sum(axis=0)
    canonical = np.linalg.svd(means @ whiten, compute_uv=False)[: n_classes - 1]
    return {
        **summaries("target_cor", _adjusted_root(eta2, n_rows, n_classes), "mean", "max", "sd"),
        **summaries("can_cor", np.minimum(canonical, 1.0), "mean", "max"),
    }


def _with_number(view: TaskView, values: FloatArray, whiten: FloatArray) -> dict[str, float]:
    target = view.target - view.target.mean()
    scale = target.std()
    n_rows = view.n_rows
    if not scale > CONSTANT * np.abs(view.target).max():
        return summaries("target_cor", np.empty(0), "mean", "max", "sd") | {"linear_r2": np.nan}
    correlation = values.T @ (target / scale) / n_rows
    explained, freedom = ((correlation @ whiten) ** 2).sum(), n_rows - whiten.shape[1] - 1
    linear_r2 = max(-1.0, 1 - (1 - explained) * (n_rows - 1) / freedom) if freedom > 0 and whiten.size else np.nan
    return {
        **summaries("target_cor", _adjusted_root(correlation**2, n_rows, 2), "mean", "max", "sd"),
        "linear_r2": float(linear_r2),
    }


def _adjusted_root(share: FloatArray, n_rows: int, n_parameters: int) -> FloatArray:
    if n_rows <= n_parameters:
        return np.full(len(share), np.nan)
    return np.sqrt(np.clip(1 - (1 - share) * (n_rows - 1) / (n_rows - n_parameters), 0.0, 1.0))
