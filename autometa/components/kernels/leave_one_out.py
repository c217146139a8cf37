"""Kernel ridge regression, and what it would have said of each training row without having seen it.

For targets R, kernel matrix K and ridge l, the fit is alpha = C R with C = (K + l I)^-1. The fit to all rows
but i predicts R_i - alpha_i / C_ii for row i: exact, and already paid for by the one fit to all rows.

With row weights s, l I becomes l diag(1 / s). All of this module works on the symmetric form (S K S + l I)^-1
with S = diag(sqrt(s)), whose eigenvectors are the same for every l.

References
----------
.. [1] G. Wahba (1990). Spline models for observational data. SIAM.
.. [2] R. M. Rifkin, R. A. Lippert (2007). Notes on regularized least squares. MIT-CSAIL-TR-2007-025.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from autometa.components.kernels.linalg import Array, Backend
from autometa.foundation.typing import FloatArray

__all__ = ["RidgeFit", "fit_ridge", "ridge_path"]

_logger = logging.getLogger(__name__)

_MAX_TENFOLDS: Final = 6
_ROUNDING: Final = 4.0


class RidgeFit(NamedTuple):
    """A kernel ridge regression.

    Attributes
    ----------
    coefficients : ndarray of shape (n_basis, k), float64
        A new row's predictions are its kernel values to the basis rows times these.
    left_out : ndarray of shape (n, k), float64
        Predictions for each training row by the fit to all others.
    """

    coefficients: FloatArray
    left_out: FloatArray


def fit_ridge(backend: Backend, gram: Array, targets: FloatArray, ridge: float, weights: FloatArray) -> RidgeFit:
    """Fit to all rows by one Cholesky factorisation, some n^3 / 2 multiply-adds.

    Parameters
    ----------
    backend : Backend
        Does the work.
    gram : array of shape (n, n)
        Kernel matrix of the training rows.
    targets : ndarray of shape (n, k), float64
    ridge : float
        Positive.
    weights : ndarray of shape (n,), float64
        Positive row weights; a row counts 1 in an unweighted fit.
    """
    root = np.sqrt(weights)[:, None]
    scale = backend.asarray(root)
    right = backend.asarray(root * targets)
    solution, diagonal = _solve(backend, gram * scale * scale.T, ridge, right)
    return RidgeFit(root * solution, targets - solution / diagonal[:, None] / root)


def ridge_path(
    backend: Backend, gram: Array, targets: FloatArray, ridges: Sequence[float], weights: FloatArray
) -> Iterator[FloatArray]:
    """Leave-one-out predictions, (n, k), for each ridge in turn, all from one eigendecomposition."""
    root = np.sqrt(weights)[:, None]
    scale = backend.asarray(root)
    eigenvalues, vectors = (backend.to_numpy(part) for part in backend.eigh(gram * scale * scale.T))
    # Kernels of low rank (linear) have zeros here, which rounding turns into small numbers of any sign.
    eigenvalues[eigenvalues < _ROUNDING * np.finfo(backend.precision).eps * eigenvalues[-1]] = 0.0
    projected = vectors.T @ (root * targets)
    squares = vectors**2
    for ridge in ridges:
        shrink = 1.0 / (eigenvalues + ridge)
        solution = vectors @ (shrink[:, None] * projected)
        yield targets - solution / (squares @ shrink)[:, None] / root


def _solve(backend: Backend, gram: Array, ridge: float, right: Array) -> tuple[FloatArray, FloatArray]:
    for _ in range(_MAX_TENFOLDS):
        try:
            solution, diagonal = backend.solve_ridge(gram, ridge, right)
            return backend.to_numpy(solution), backend.to_numpy(diagonal)
        except np.linalg.LinAlgError:
            _logger.warning(
                "Not positive definite in %s at ridge %g; trying ten times that.", backend.precision, ridge
            )
            ridge *= 10.0
    raise np.linalg.LinAlgError("the kernel matrix is far from positive definite")
