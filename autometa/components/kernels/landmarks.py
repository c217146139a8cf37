"""Kernel ridge fits to more rows than a kernel matrix can hold: functions spanned by a few landmark rows (Nystroem).

With landmarks Z, K_zz = U diag(e) U' and features phi(x) = diag(e)^-1/2 U' k(Z, x), a ridge fit in phi equals the kernel ridge
fit restricted to functions sum_z c_z k(z, .). Leave-one-out predictions stay in closed form: with A = sum_i s_i phi_i phi_i' + l I,
prediction f_i and leverage h_i = s_i phi_i' A^-1 phi_i, the fit to all other rows predicts (f_i - h_i R_i) / (1 - h_i).

Rows pass in chunks, twice: once to collect A, once to predict.

References
----------
.. [1] C. Williams, M. Seeger (2001). Using the Nystroem method to speed up kernel machines. NIPS 13.
.. [2] A. Rudi, R. Camoriano, L. Rosasco (2015). Less is more: Nystroem computational regularization. NIPS 28.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from autometa.components.kernels.ensemble import Member
from autometa.components.kernels.kernels import Kernel, kernel_matrices
from autometa.components.kernels.linalg import Array, Backend
from autometa.components.kernels.selection import Choice
from autometa.components.kernels.views import Views
from autometa.foundation.typing import FloatArray

__all__ = ["fit_landmark_members"]

_CHUNK_CELLS: Final = 8_000_000  # kernel values held at once
_EIGENVALUE_FLOOR: Final = 1e-6  # relative to the largest; directions below are noise in float32
_MAX_LEVERAGE: Final = 0.999


def fit_landmark_members(
    backend: Backend,
    choices: Sequence[Choice],
    basis: Views,
    views: Views,
    targets: FloatArray,
    weights: FloatArray,
) -> tuple[list[Member], FloatArray]:
    """Fit every chosen kernel to all rows in the span of the basis rows.

    Parameters
    ----------
    backend : Backend
    choices : sequence of Choice
    basis : Views of shape (m, f)
        The landmarks.
    views : Views of shape (n, f)
        All training rows.
    targets : ndarray of shape (n, k), float64
    weights : ndarray of shape (n,), float64
        Positive row weights.

    Returns
    -------
    members : list of Member
    left_out : ndarray of shape (n_members, n, k), float64
        Leave-one-out predictions.
    """
    fits = [
        _LandmarkFit(backend, choice, gram, targets.shape[1])
        for choice, gram in kernel_matrices(backend, choices, basis, basis)
    ]
    chunks = _chunks(len(targets), len(basis.rank))
    for rows in chunks:
        for fit, values in kernel_matrices(backend, fits, views.take(rows), basis):
            fit.collect(values, targets[rows], weights[rows])
    for fit in fits:
        fit.solve()
    left_out = np.empty((len(fits), *targets.shape))
    place = {fit.choice: i for i, fit in enumerate(fits)}
    for rows in chunks:
        for fit, values in kernel_matrices(backend, fits, views.take(rows), basis):
            left_out[place[fit.choice], rows] = fit.left_out(values, targets[rows], weights[rows])
    return [Member(fit.choice, fit.coefficients) for fit in fits], left_out


class _LandmarkFit:
    """One kernel's ridge regression in the span of the landmarks, while rows pass by."""

    def __init__(self, backend: Backend, choice: Choice, gram: Array, n_targets: int) -> None:
        self.backend, self.choice = backend, choice
        self.kernel: Kernel = choice.kernel
        self.rate: float = choice.rate
        self.whiten = self._whitening(gram)
        self.moments = 0.0 * (self.whiten.T @ self.whiten)
        self.right = backend.asarray(np.zeros((self.whiten.shape[1], n_targets)))
        self.coefficients: FloatArray = np.empty((0, n_targets))

    def _whitening(self, gram: Array) -> Array:
        eigenvalues, vectors = (self.backend.to_numpy(part) for part in self.backend.eigh(gram))
        kept = eigenvalues > _EIGENVALUE_FLOOR * eigenvalues[-1]
        return self.backend.asarray(vectors[:, kept] / np.sqrt(eigenvalues[kept]))

    def collect(self, values: Array, targets: FloatArray, weights: FloatArray) -> None:
        features = values @ self.whiten
        weighted = (features * self.backend.asarray(weights[:, None])).T
        self.moments = self.moments + weighted @ features
        self.right = self.right + weighted @ self.backend.asarray(targets)

    def solve(self) -> None:
        eigenvalues, vectors = self.backend.eigh(self.moments)
        shrink = 1.0 / (np.maximum(self.backend.to_numpy(eigenvalues), 0.0) + self.choice.ridge)
        root = self.backend.asarray(np.sqrt(shrink)[None, :])
        self.project = self.whiten @ (vectors * root)  # |values @ project|^2 by row is the leverage
        self.response = (vectors * root).T @ self.right
        self.coefficients = self.backend.to_numpy(self.project @ self.response)

    def left_out(self, values: Array, targets: FloatArray, weights: FloatArray) -> FloatArray:
        projected = values @ self.project
        fitted = self.backend.to_numpy(projected @ self.response)
        leverage = weights * self.backend.to_numpy((projected**2).sum(1))
        leverage = np.clip(leverage, 0.0, _MAX_LEVERAGE)[:, None]
        return np.asarray((fitted - leverage * targets) / (1.0 - leverage))


def _chunks(n: int, m: int) -> list[slice]:
    size = max(1, _CHUNK_CELLS // max(1, m))
    return [slice(start, start + size) for start in range(0, n, size)]
