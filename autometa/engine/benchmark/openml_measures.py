"""OpenML's evaluation measures beside ours: which correspond, how they differ, and ours by their definition.

OpenML computes a run's figure over the test rows of all folds at once, where a results table has one a fold. The
definitions below were checked against published runs, by computing the server's figures from their predictions.
There is no counterpart of ``log_loss`` and ``spearman``, and none of ``r2``: the server relates errors to those of
a prediction from the training target.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from autometa.components.openml.uploads import CONFIDENCE
from autometa.foundation.typing import FloatArray

__all__ = ["MEASURES", "Measure", "measures_of", "pooled_values"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure that can be compared.

    Attributes
    ----------
    name : str
        Of the metric of ours that it is, or is closest to.
    function : str
        OpenML's measure, of which published values are read.
    classification : bool
        Which tasks have it.
    greater_is_better : bool
    own : callable
        ``own(predictions, classes) -> float``: the figure of a run of ours by this definition.
    published : callable
        ``published(value, array_data, n_classes) -> float``: the figure of a published evaluation.
    difference : str
        What is other than in the column of that name in a results table.
    """

    name: str
    function: str
    classification: bool
    greater_is_better: bool
    own: Callable[[pd.DataFrame, Sequence[str]], float]
    published: Callable[[float, str | None, int], float]
    difference: str


def measures_of(task_type: str) -> tuple[Measure, ...]:
    """Return the measures that tasks of a type have.

    Parameters
    ----------
    task_type : {"binary", "multiclass", "regression"}

    Returns
    -------
    tuple of Measure
    """
    return tuple(measure for measure in MEASURES if measure.classification is (task_type != "regression"))


def pooled_values(predictions: pd.DataFrame, task_type: str, classes: Sequence[str]) -> dict[str, float]:
    """Return every measure of a run, over the test rows of all splits.

    Parameters
    ----------
    predictions : DataFrame
        ``truth``, ``prediction`` and, for classification, ``confidence.<class>``.
    task_type : {"binary", "multiclass", "regression"}
    classes : sequence of str
        All that the task declares; empty for regression.

    Returns
    -------
    dict of str to float
        By `Measure.name`.
    """
    return {measure.name: measure.own(predictions, classes) for measure in measures_of(task_type)}


def _accuracy(predictions: pd.DataFrame, classes: Sequence[str]) -> float:
    return float((predictions["truth"].astype(str) == predictions["prediction"].astype(str)).mean())


def _weighted_auc(predictions: pd.DataFrame, classes: Sequence[str]) -> float:
    onehot, confidence = _onehot(predictions, classes), _confidence(predictions, classes)
    counts = onehot.sum(axis=0)
    present = np.flatnonzero((counts > 0) & (counts < len(onehot)))
    if not len(present):
        return float("nan")
    ranks = rankdata(confidence[:, present], axis=0)
    positive = counts[present]
    sums = (ranks * onehot[:, present]).sum(axis=0) - positive * (positive + 1) / 2
    return float(np.average(sums / (positive * (len(onehot) - positive)), weights=positive))


def _balanced_accuracy(predictions: pd.DataFrame, classes: Sequence[str]) -> float:
    hit = predictions["truth"].astype(str) == predictions["prediction"].astype(str)
    return float(hit.groupby(predictions["truth"].astype(str).to_numpy()).mean().mean())


def _brier(predictions: pd.DataFrame, classes: Sequence[str]) -> float:
    squares = (_confidence(predictions, classes) - _onehot(predictions, classes)) ** 2
    return float(squares.sum(axis=1).mean())


def _rmse(predictions: pd.DataFrame, classes: Sequence[str]) -> float:
    return float(np.sqrt(np.mean(_errors(predictions) ** 2)))


def _mae(predictions: pd.DataFrame, classes: Sequence[str]) -> float:
    return float(np.abs(_errors(predictions)).mean())


def _onehot(predictions: pd.DataFrame, classes: Sequence[str]) -> FloatArray:
    truth = predictions["truth"].astype(str).to_numpy()
    return np.stack([truth == label for label in classes], axis=1).astype(np.float64)


def _confidence(predictions: pd.DataFrame, classes: Sequence[str]) -> FloatArray:
    names = [CONFIDENCE + label for label in classes]
    return predictions.reindex(columns=names).fillna(0.0).to_numpy(dtype=np.float64)


def _errors(predictions: pd.DataFrame) -> FloatArray:
    pair = predictions[["prediction", "truth"]].to_numpy(dtype=np.float64)
    return np.asarray(pair[:, 0] - pair[:, 1])


def _as_it_is(value: float, array_data: str | None, n_classes: int) -> float:
    return value


def _mean_of_classes(value: float, array_data: str | None, n_classes: int) -> float:
    """Return the mean of the figures of the classes; a class without test rows has ``?``."""
    try:
        given = json.loads((array_data or "").replace("?", "null"))
    except ValueError:
        return float("nan")
    figures = [float(each) for each in given if each is not None] if isinstance(given, list) else []
    return float(np.mean(figures)) if figures else float("nan")


def _summed_squares(value: float, array_data: str | None, n_classes: int) -> float:
    return value**2 * n_classes


_POOLED = "over the test rows of all folds at once, not the mean of the folds"
MEASURES: tuple[Measure, ...] = (
    Measure("accuracy", "predictive_accuracy", True, True, _accuracy, _as_it_is, _POOLED),
    Measure(
        "roc_auc",
        "area_under_roc_curve",
        True,
        True,
        _weighted_auc,
        _as_it_is,
        f"classes weighted by their size, not equally; {_POOLED}",
    ),
    Measure(
        "balanced_accuracy",
        "recall",
        True,
        True,
        _balanced_accuracy,
        _mean_of_classes,
        f"the mean of the classes' recalls, which the server lists; {_POOLED}",
    ),
    Measure(
        "brier",
        "root_mean_squared_error",
        True,
        False,
        _brier,
        _summed_squares,
        f"the server's error of the probabilities, squared, times the number of classes; {_POOLED}",
    ),
    Measure(
        "rmse",
        "root_mean_squared_error",
        False,
        False,
        _rmse,
        _as_it_is,
        f"in the target's unit, not divided by its deviation as nrmse is; {_POOLED}",
    ),
    Measure(
        "mae",
        "mean_absolute_error",
        False,
        False,
        _mae,
        _as_it_is,
        f"in the target's unit, not divided by its deviation as nmae is; {_POOLED}",
    ),
)
