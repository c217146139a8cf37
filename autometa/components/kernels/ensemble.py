"""The kernel ridge regressions of an ensemble, which share one set of basis rows: fitting and applying them."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from autometa.components.kernels.kernels import Kernel, kernel_matrices
from autometa.components.kernels.leave_one_out import fit_ridge
from autometa.components.kernels.linalg import Backend
from autometa.components.kernels.selection import Choice
from autometa.components.kernels.views import Views
from autometa.foundation.typing import FloatArray

__all__ = ["Member", "fit_members", "predict_members"]

_logger = logging.getLogger(__name__)

_BATCH_VALUES: Final = 8_000_000  # kernel values held at once while predicting: 64 MB in float64


@dataclass(frozen=True, slots=True)
class Member:
    """One kernel ridge regression.

    Attributes
    ----------
    choice : Choice
        Its kernel, rate and ridge.
    coefficients : ndarray of shape (n_basis, k), float64
        A row's predictions are its kernel values to the basis rows times these.
    """

    choice: Choice
    coefficients: FloatArray

    @property
    def kernel(self) -> Kernel:
        """The kernel."""
        return self.choice.kernel

    @property
    def rate(self) -> float:
        """Its rate."""
        return self.choice.rate


def fit_members(
    backend: Backend,
    choices: Sequence[Choice],
    views: Views,
    targets: FloatArray,
    weights: FloatArray,
    deadline: float = math.inf,
) -> tuple[list[Member], FloatArray]:
    """Fit each chosen kernel to all rows, exactly.

    Parameters
    ----------
    backend : Backend
    choices : sequence of Choice
        In the order of fitting, but for kernels that share a shape; those that the deadline cuts off are left
        out.
    views : Views of n rows
    targets : ndarray of shape (n, k), float64
    weights : ndarray of shape (n,), float64
        Positive row weights.
    deadline : float, default=inf
        Value of ``time.monotonic()`` after which no further kernel is begun; the first is always fitted.

    Returns
    -------
    members : list of Member
    left_out : ndarray of shape (n_members, n, k), float64
        Leave-one-out predictions.
    """
    members: list[Member] = []
    left_out: list[FloatArray] = []
    for choice, gram in kernel_matrices(backend, choices, views, views):
        if members and time.monotonic() > deadline:
            _logger.warning("Time is up after %d of %d kernels.", len(members), len(choices))
            break
        fit = fit_ridge(backend, gram, targets, choice.ridge, weights)
        members.append(Member(choice, fit.coefficients))
        left_out.append(fit.left_out)
    return members, np.stack(left_out)


def predict_members(
    backend: Backend, members: Sequence[Member], basis: Views, views: Views
) -> Iterator[tuple[slice, FloatArray]]:
    """Apply the members to new rows, a batch at a time.

    Yields
    ------
    rows : slice
        Rows of the batch.
    predictions : ndarray of shape (n_members, n_batch, k), float64
    """
    size = max(1, _BATCH_VALUES // len(basis))
    coefficients = [backend.asarray(member.coefficients) for member in members]
    for start in range(0, len(views), size):
        rows = slice(start, start + size)
        matrices = kernel_matrices(backend, members, views.take(rows), basis)
        parts = [values @ weights for (_, values), weights in zip(matrices, coefficients, strict=True)]
        yield rows, np.stack([backend.to_numpy(part) for part in parts])
