"""The trained members of an ensemble: kernel ridge fits that share one set of basis rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autometa.components.kernels.kernels import Kernel, kernel_matrices
from autometa.components.kernels.leave_one_out import fit_ridge
from autometa.components.kernels.linalg import Backend
from autometa.components.kernels.selection import Choice
from autometa.components.kernels.views import Views
from autometa.foundation.typing import FloatArray

__all__ = ["Member", "fit_members", "predict_members"]

_logger = logging.getLogger(__name__)

_BATCH_CELLS = 8_000_000  # kernel values held at once while predicting: 64 MB in float64


@dataclass(frozen=True, slots=True)
class Member:
    """One kernel ridge regression of the ensemble.

    Attributes
    ----------
    choice : Choice
        Kernel, rate and ridge.
    coefficients : ndarray of shape (n_basis, k), float64
    """

    choice: Choice
    coefficients: FloatArray

    @property
    def kernel(self) -> Kernel:
        return self.choice.kernel

    @property
    def rate(self) -> float:
        return self.choice.rate


def fit_members(
    backend: Backend, choices: Sequence[Choice], views: Views, targets: FloatArray, weights: FloatArray
) -> tuple[list[Member], FloatArray]:
    """Fit every chosen kernel to all rows, exactly.

    Returns
    -------
    members : list of Member
    left_out : ndarray of shape (n_members, n, k), float64
        Leave-one-out predictions.
    """
    members, left_out = [], []
    for choice, gram in kernel_matrices(backend, choices, views, views):
        fit = fit_ridge(backend, gram, targets, choice.ridge, weights)
        members.append(Member(choice, fit.coefficients))
        left_out.append(fit.left_out)
    return members, np.stack(left_out)


def predict_members(
    backend: Backend, members: Sequence[Member], basis: Views, views: Views
) -> Iterator[tuple[slice, FloatArray]]:
    """Predictions for new rows, a batch at a time.

    Yields
    ------
    rows : slice
        Rows of the batch.
    predictions : ndarray of shape (n_members, n_batch, k), float64
        In the order of `members`.
    """
    size = max(1, _BATCH_CELLS // max(1, len(basis.rank)))
    for start in range(0, len(views.rank), size):
        rows = slice(start, start + size)
        matrices = kernel_matrices(backend, members, views.take(rows), basis)
        yield (
            rows,
            np.stack(
                [backend.to_numpy(values @ backend.asarray(member.coefficients)) for member, values in matrices]
            ),
        )
