"""Weighted moments over known tasks: rows are tasks, columns candidates, NaN is what was not measured."""

from __future__ import annotations

import numpy as np

from autometa.foundation.typing import FloatArray

__all__ = ["equal_levels", "mean_of_rows", "root_mean_square", "slope_between"]

_LEVELS = tuple((q + 0.5) / 9 for q in range(9))


def root_mean_square(values: FloatArray) -> FloatArray:
    """Return every row's root mean square.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rows, n_candidates)

    Returns
    -------
    ndarray of float64, shape (n_rows,)
    """
    return np.asarray(np.sqrt(np.nanmean(np.square(values), axis=1)))


def mean_of_rows(values: FloatArray, weights: FloatArray) -> float:
    """Return the weighted mean over rows of each row's mean.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rows, n_candidates)
    weights : ndarray of float64, shape (n_rows,)

    Returns
    -------
    float
    """
    return float(np.average(np.nanmean(values, axis=1), weights=weights))


def slope_between(forecast: FloatArray, standing: FloatArray, weights: FloatArray) -> float:
    """Return how much of a forecast difference comes true, between 0 and 1.

    Parameters
    ----------
    forecast, standing : ndarray of float64, shape (n_rows, n_candidates)
    weights : ndarray of float64, shape (n_rows,)

    Returns
    -------
    float
    """
    total = np.nansum(weights[:, None] * np.square(forecast))
    return float(np.clip(np.nansum(weights[:, None] * forecast * standing) / max(total, 1e-12), 0.0, 1.0))


def equal_levels(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return nine equally likely values under weights, ascending.

    Parameters
    ----------
    values, weights : ndarray of float64, shape (n_rows,)

    Returns
    -------
    ndarray of float64, shape (9,)
    """
    order = np.argsort(values)
    reached = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    return np.interp(_LEVELS, reached, values[order])
