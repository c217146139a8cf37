"""Which rate and which ridge each kernel should have, by leave-one-out loss on at most a few hundred rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from autometa.components.kernels.kernels import KERNELS, Kernel, kernel_matrices
from autometa.components.kernels.leave_one_out import ridge_path
from autometa.components.kernels.linalg import Backend
from autometa.components.kernels.views import Views
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["PILOT_ROWS", "RIDGES", "Choice", "Loss", "Setting", "select", "spread_sample"]

Loss: TypeAlias = Callable[[FloatArray, IntArray], float]
"""(leave-one-out predictions (n_rows, k), the rows they are for) -> loss, lower is better."""

PILOT_ROWS: Final = 500
"""Rows on which rates and ridges are chosen: a ridge stands for the target's noise, which no n changes."""

RIDGES: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


_EVEN: Final = 1e-4  # relative difference of losses that counts as none


@dataclass(frozen=True, slots=True)
class Setting:
    """A kernel, by its name, with a rate."""

    kernel_name: str
    rate: float

    @property
    def kernel(self) -> Kernel:
        """The kernel."""
        return KERNELS[self.kernel_name]


@dataclass(frozen=True, slots=True)
class Choice(Setting):
    """A kernel with the rate and the ridge chosen for it, and the leave-one-out loss that chose them."""

    ridge: float
    loss: float


def select(
    backend: Backend,
    kernels: Sequence[Kernel],
    views: Views,
    targets: FloatArray,
    weights: FloatArray,
    rows: IntArray,
    loss: Loss,
) -> list[Choice]:
    """Choose rate and ridge of each kernel by leave-one-out loss on the given rows; best kernel first."""
    pilot, goal, mass = views.take(rows), targets[rows], weights[rows]
    settings = [Setting(kernel.name, rate) for kernel in kernels for rate in kernel.rates]
    tried: dict[str, list[Choice]] = {}
    for setting, gram in kernel_matrices(backend, settings, pilot, pilot):
        path = ridge_path(backend, gram, goal, RIDGES, mass)
        tried.setdefault(setting.kernel_name, []).extend(
            Choice(setting.kernel_name, setting.rate, ridge, loss(left_out, rows))
            for ridge, left_out in zip(RIDGES, path, strict=True)
        )
    return sorted((_best(choices) for choices in tried.values()), key=_loss)


def spread_sample(views: Views, groups: IntArray, size: int, generator: np.random.RandomState) -> IntArray:
    """Rows spread evenly over the groups and, within a group, along a random direction; ascending.

    Which rows are taken depends on what they hold, not on where they stand: reordering a table changes nothing.
    """
    n = len(groups)
    direction = generator.standard_normal(views.rank.shape[1])
    if n <= size:
        return np.arange(n)
    order = np.lexsort((views.rank @ direction, groups))
    return np.sort(order[((np.arange(size) + 0.5) * n / size).astype(np.int64)])


def _best(choices: Sequence[Choice]) -> Choice:
    """The choice of least loss; of several as good up to rounding, the one with the largest ridge."""
    least = min(map(_loss, choices))
    return max(
        (choice for choice in choices if choice.loss <= least * (1 + _EVEN)), key=lambda c: (c.ridge, -c.loss)
    )


def _loss(choice: Choice) -> float:
    return choice.loss
