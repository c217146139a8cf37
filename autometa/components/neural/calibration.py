"""One temperature for all logits, found on held-out rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["best_temperature", "mean_probabilities"]

_LOG_RANGE: Final = 1.5
# Weight of (log temperature)^2 against the summed log loss: as strong as a few rows, so few rows change little.
_PRIOR: Final = 2.0


def mean_probabilities(
    logits: npt.NDArray[Any], temperature: float = 1.0, weights: npt.NDArray[Any] | None = None
) -> FloatArray:
    """Average the members' probabilities.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, k, n_classes)
    temperature : float
        Logits are divided by it.
    weights : ndarray of shape (n_samples, k), optional
        Of the members for each row; equal by default.

    Returns
    -------
    ndarray of float64, shape (n_samples, n_classes)
        Rows sum to 1.
    """
    scaled = logits.astype(np.float64) / temperature
    odds = np.exp(scaled - scaled.max(axis=2, keepdims=True))
    probabilities = odds / odds.sum(axis=2, keepdims=True)
    mean = (
        np.average(probabilities, axis=1) if weights is None else np.einsum("nk,nkc->nc", weights, probabilities)
    )
    return np.asarray(mean / mean.sum(axis=1, keepdims=True))


def best_temperature(logits: npt.NDArray[Any], codes: IntArray, weights: npt.NDArray[Any]) -> float:
    """Return the temperature with the least log loss of the averaged members, drawn to 1 where rows are few.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, k, n_classes)
    codes : ndarray of int64, shape (n_samples,)
    weights : ndarray of shape (n_samples, k)
        Of each row for each member; zero where the member learned from the row. No row is zero throughout.

    Returns
    -------
    float
        In [0.22, 4.5].
    """
    row_weights = weights.sum(axis=1)
    row_weights = row_weights / row_weights.mean()

    def penalised(log_temperature: float) -> float:
        probabilities = mean_probabilities(logits, float(np.exp(log_temperature)), weights)
        likelihood = np.log(np.maximum(probabilities[np.arange(len(codes)), codes], 1e-12))
        return float(-(row_weights * likelihood).sum() + _PRIOR * log_temperature**2)

    found = minimize_scalar(penalised, bounds=(-_LOG_RANGE, _LOG_RANGE), method="bounded", options={"xatol": 0.01})
    return float(np.exp(found.x))
