"""Kernel ridge regressions for many rows: functions spanned by landmark rows (Nystroem).

With landmarks Z, K_zz = U diag(e) U' and features phi(x) = diag(e)^-1/2 U' k(Z, x), ridge regression on phi
is kernel ridge regression restricted to functions sum_z c_z k(z, .). Leaving a row out stays exact and in
closed form: with A = sum_i s_i phi_i phi_i' + l I, fitted values f_i and leverages h_i = s_i phi_i' A^-1
phi_i, the fit to all other rows predicts (f_i - h_i R_i) / (1 - h_i).

Rows pass by in chunks, twice: once to collect A, once to predict.

References
----------
.. [1] C. Williams, M. Seeger (2001). Using the Nystroem method to speed up kernel machines. NIPS 13.
.. [2] A. Rudi, R. Camoriano, L. Rosasco (2015). Less is more: Nystroem computational regularization. NIPS 28.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from autometa.components.kernels.ensemble import Member
from autometa.components.kernels.kernels import Kernel, kernel_matrices
from autometa.components.kernels.linalg import Array, Backend
from autometa.components.kernels.selection import Choice
from autometa.components.kernels.views import Views
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["fit_landmark_members"]

_CHUNK_VALUES: Final = 8_000_000  # kernel values held at once
_EIGENVALUE_FLOOR: Final = 1e-6  # relative to the largest; what lies below is rounding in float32
_MAX_LEVERAGE: Final = 0.999


def fit_landmark_members(
    backend: Backend,
    choices: Sequence[Choice],
    basis: Views,
    views: Views,
    targets: FloatArray,
    weights: FloatArray,
    scored: IntArray,
) -> tuple[list[Member], FloatArray]:
    """Fit each chosen kernel to all rows, in the span of the basis rows.

    Parameters
    ----------
    backend : Backend
    choices : sequence of Choice
    basis : Views of m rows
        The landmarks.
    views : Views of n rows
    targets : ndarray of shape (n, k), float64
    weights : ndarray of shape (n,), float64
        Positive row weights.
    scored : ndarray of shape (n_scored,), int64
        Rows for which leave-one-out predictions are wanted.

    Returns
    -------
    members : list of Member
    left_out : ndarray of shape (n_members, n_scored, k), float64
        Leave-one-out predictions.
    """
    matrices = kernel_matrices(backend, choices, basis, basis)
    fits = [_LandmarkFit(backend, choice, gram, targets.shape[1]) for choice, gram in matrices]
    for rows in _chunks(np.arange(len(views)), len(basis)):
        for fit, values in kernel_matrices(backend, fits, views.take(rows), basis):
            fit.collect(values, targets[rows], weights[rows])
    members = [Member(fit.choice, fit.solve()) for fit in fits]
    left_out = []
    for rows in _chunks(scored, len(basis)):
        passing = kernel_matrices(backend, fits, views.take(rows), basis)
        left_out.append(np.stack([fit.left_out(values, targets[rows], weights[rows]) for fit, values in passing]))
    return members, np.concatenate(left_out, axis=1)


class _LandmarkFit:
    """Ridge regression of one kernel in the span of the landmarks, while rows pass by."""

    def __init__(self, backend: Backend, choice: Choice, gram: Array, n_targets: int) -> None:
        self.backend, self.choice = backend, choice
        eigenvalues, vectors = (backend.to_numpy(part) for part in backend.eigh(gram))
        kept = eigenvalues > _EIGENVALUE_FLOOR * max(eigenvalues[-1], np.finfo(np.float64).tiny)
        self.whiten = backend.asarray(vectors[:, kept] / np.sqrt(eigenvalues[kept]))
        rank = int(kept.sum())
        self.moments = backend.asarray(np.zeros((rank, rank)))
        self.right = backend.asarray(np.zeros((rank, n_targets)))

    @property
    def kernel(self) -> Kernel:
        return self.choice.kernel

    @property
    def rate(self) -> float:
        return self.choice.rate

    def collect(self, values: Array, targets: FloatArray, weights: FloatArray) -> None:
        """Add rows, given by their kernel values to the landmarks, to the moments."""
        features = values @ self.whiten
        weighted = (features * self.backend.asarray(weights[:, None])).T
        self.moments += weighted @ features
        self.right += weighted @ self.backend.asarray(targets)

    def solve(self) -> FloatArray:
        """Coefficients of the landmarks, (m, k)."""
        eigenvalues, vectors = self.backend.eigh(self.moments)
        shrink = 1.0 / (np.maximum(self.backend.to_numpy(eigenvalues), 0.0) + self.choice.ridge)
        half = vectors * self.backend.asarray(np.sqrt(shrink)[None, :])
        self.project = self.whiten @ half  # a row's projection has the leverage as its squared length
        self.response = half.T @ self.right
        return self.backend.to_numpy(self.project @ self.response)

    def left_out(self, values: Array, targets: FloatArray, weights: FloatArray) -> FloatArray:
        """Leave-one-out predictions of rows that were collected, (n_rows, k)."""
        projected = values @ self.project
        fitted = self.backend.to_numpy(projected @ self.response)
        leverage = weights * self.backend.to_numpy((projected**2).sum(1))
        leverage = np.clip(leverage, 0.0, _MAX_LEVERAGE)[:, None]
        return np.asarray((fitted - leverage * targets) / (1.0 - leverage))


def _chunks(rows: IntArray, n_landmarks: int) -> Iterator[IntArray]:
    size = max(1, _CHUNK_VALUES // n_landmarks)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
