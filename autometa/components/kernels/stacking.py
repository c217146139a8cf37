"""One weight per member of the ensemble, fitted on leave-one-out predictions."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls
from scipy.special import log_softmax

from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["stack_classifiers", "stack_regressors"]

_EQUAL_TOTAL = (
    1.5  # weights are shrunk towards this over the number of members: log-probabilities of ridge fits are timid
)
_MAX_STEPS = 30
_MAX_HALVINGS = 12
_TOLERANCE = 1e-8


def stack_classifiers(
    log_probabilities: FloatArray, labels: IntArray, row_weights: FloatArray, ridge: float
) -> FloatArray:
    """Weights for the softmax of weighted log-probabilities, by Newton's method.

    Parameters
    ----------
    log_probabilities : ndarray of shape (n_members, n, k), float64
        Leave-one-out log-probabilities.
    labels : ndarray of shape (n,), int64
        Class of each row, 0 to k - 1.
    row_weights : ndarray of shape (n,), float64
    ridge : float
        Strength of the pull, in rows, towards equal weights of 1.5 / n_members.

    Returns
    -------
    ndarray of shape (n_members,), float64
    """
    members = len(log_probabilities)
    prior = np.full(members, _EQUAL_TOTAL / members)
    weights = prior.copy()
    loss, gradient, curvature = _derivatives(weights, log_probabilities, labels, row_weights, prior, ridge)
    for _ in range(_MAX_STEPS):
        step = np.linalg.solve(curvature, gradient)
        for _ in range(_MAX_HALVINGS):
            proposal = _derivatives(weights - step, log_probabilities, labels, row_weights, prior, ridge)
            if proposal[0] <= loss:
                break
            step = step / 2
        else:
            return weights
        weights = weights - step
        gain, (loss, gradient, curvature) = loss - proposal[0], proposal
        if gain <= _TOLERANCE * max(1.0, abs(loss)):
            break
    return weights


def _derivatives(
    weights: FloatArray,
    log_probabilities: FloatArray,
    labels: IntArray,
    row_weights: FloatArray,
    prior: FloatArray,
    ridge: float,
) -> tuple[float, FloatArray, FloatArray]:
    """Penalised loss, its gradient (n_members,) and its Hessian (n_members, n_members)."""
    members = len(log_probabilities)
    rows = np.arange(len(labels))
    logs = log_softmax(np.tensordot(weights, log_probabilities, axes=1), axis=1)
    mass = np.exp(logs) * row_weights[:, None]
    expected = np.einsum("mnk,nk->mn", log_probabilities, mass)
    away = weights - prior
    loss = -float(row_weights @ logs[rows, labels]) + 0.5 * ridge * float(away @ away)
    observed = log_probabilities[:, rows, labels] @ row_weights
    gradient = expected.sum(axis=1) - observed + ridge * away
    flat = log_probabilities.reshape(members, -1)
    second = (flat * mass.ravel()) @ flat.T - (expected / row_weights) @ expected.T
    return loss, gradient, second + ridge * np.eye(members)


def stack_regressors(
    predictions: FloatArray, targets: FloatArray, row_weights: FloatArray, ridge: float
) -> FloatArray:
    """Nonnegative weights for the sum of the members' predictions, by least squares.

    Parameters
    ----------
    predictions : ndarray of shape (n_members, n), float64
        Leave-one-out predictions.
    targets : ndarray of shape (n,), float64
        On the scale of one standard deviation, so that `ridge` means the same in every task.
    row_weights : ndarray of shape (n,), float64
    ridge : float
        Strength of the pull, in rows, towards equal weights of 1 / n_members.

    Returns
    -------
    ndarray of shape (n_members,), float64
        Not negative.
    """
    members = len(predictions)
    root, pull = np.sqrt(row_weights), np.sqrt(ridge)
    design = np.vstack([(predictions * root).T, pull * np.eye(members)])
    response = np.concatenate([targets * root, np.full(members, pull / members)])
    # The normal equations keep the search in members dimensions: same optimum, no n x members pass in each step.
    triangular = np.linalg.cholesky(design.T @ design + 1e-12 * np.eye(members))
    weights, _ = nnls(triangular.T, np.linalg.solve(triangular, design.T @ response))
    return np.asarray(weights)
