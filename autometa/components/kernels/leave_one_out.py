"""Ridge regression in a kernel's space, and what it would have said about each training row without having seen it.

For targets R (n, k), kernel matrix K and ridge l, the fit is alpha = C R with C = (K + l I)^-1, and the prediction for row i by the fit
to all other rows is R_i - alpha_i / C_ii: exact, from the one fit to all rows.

With row weights s, l I becomes l diag(1 / s). Everything here works on the symmetric form, S = diag(sqrt(s)):
(S K S + l I)^-1, which keeps its eigenvectors for every l.

References
----------
.. [1] R. M. Rifkin, R. A. Lippert (2007). Notes on regularized least squares. MIT-CSAIL-TR-2007-025.
.. [2] G. Wahba (1990). Spline models for observational data. SIAM. (The leave-one-out identity.)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from autometa.components.kernels.linalg import Array, Backend
from autometa.foundation.typing import FloatArray

__all__ = ["RidgeFit", "fit_ridge", "ridge_path"]

_logger = logging.getLogger(__name__)

_RIDGE_STEPS = 6  # tenfold increases tried when rounding leaves a matrix that is not positive definite


class RidgeFit(NamedTuple):
    """A kernel ridge regression.

    Attributes
    ----------
    coefficients : ndarray of shape (n_basis, k), float64
        A new row's prediction is its kernel values to the basis rows times these.
    left_out : ndarray of shape (n, k), float64
        Prediction for each training row by the fit to all others.
    """

    coefficients: FloatArray
    left_out: FloatArray


def fit_ridge(backend: Backend, gram: Array, targets: FloatArray, ridge: float, weights: FloatArray) -> RidgeFit:
    """Fit to all rows by one Cholesky factorisation, about n^3 multiply-adds.

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
        Positive row weights; 1 is the weight of a row in an unweighted fit.
    """
    root = np.sqrt(weights)[:, None]
    scale = backend.asarray(root)
    solution, diagonal = _solve(backend, gram * scale * scale.T, ridge, backend.asarray(root * targets))
    return RidgeFit(root * solution, targets - solution / diagonal / root)


def ridge_path(
    backend: Backend, gram: Array, targets: FloatArray, ridges: Sequence[float], weights: FloatArray
) -> Iterator[FloatArray]:
    """Leave-one-out predictions, (n, k), for each ridge in turn, all from one eigendecomposition."""
    root = np.sqrt(weights)[:, None]
    scale = backend.asarray(root)
    eigenvalues, vectors = (backend.to_numpy(part) for part in backend.eigh(gram * scale * scale.T))
    projected = vectors.T @ (root * targets)
    squares = vectors**2
    for ridge in ridges:
        shrink = 1.0 / (np.maximum(eigenvalues, 0.0) + ridge)
        solution = vectors @ (shrink[:, None] * projected)
        yield targets - solution / (squares @ shrink)[:, None] / root


def _solve(backend: Backend, gram: Array, ridge: float, right: Array) -> tuple[FloatArray, FloatArray]:
    for _ in range(_RIDGE_STEPS):
        try:
            solution, diagonal = backend.solve_ridge(gram, ridge, right)
            return backend.to_numpy(solution), backend.to_numpy(diagonal)[:, None]
        except np.linalg.LinAlgError:
            _logger.warning(
                "Rounding leaves no positive definite matrix at ridge %g; trying ten times that.", ridge
            )
            ridge *= 10.0
    raise np.linalg.LinAlgError("kernel matrix far from positive definite")
