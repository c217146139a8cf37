"""Which rate and which ridge a kernel should have, by leave-one-out loss on at most a few hundred rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from autometa.components.kernels.kernels import Kernel, kernel_matrices
from autometa.components.kernels.leave_one_out import ridge_path
from autometa.components.kernels.linalg import Backend
from autometa.components.kernels.views import Views
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["PILOT_ROWS", "RIDGES", "Choice", "Loss", "Setting", "select", "spread_sample"]

Loss = Callable[[FloatArray, IntArray], float]
"""(leave-one-out predictions of some rows, those rows) -> loss, lower is better."""

PILOT_ROWS: Final = 600
"""Rows on which rates and ridges are chosen. The ridge stands for the noise of the target, so it does not depend on n."""

RIDGES: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


@dataclass(frozen=True, slots=True)
class Setting:
    """A kernel with a rate."""

    kernel: Kernel
    rate: float


@dataclass(frozen=True, slots=True)
class Choice(Setting):
    """A kernel with the rate and ridge chosen for it, and the leave-one-out loss that chose them."""

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
    settings = [Setting(kernel, rate) for kernel in kernels for rate in kernel.rates]
    best: dict[str, Choice] = {}
    for setting, gram in kernel_matrices(backend, settings, pilot, pilot):
        name = setting.kernel.name
        for ridge, left_out in zip(RIDGES, ridge_path(backend, gram, goal, RIDGES, mass), strict=True):
            value = loss(left_out, rows)
            if name not in best or value < best[name].loss:
                best[name] = Choice(setting.kernel, setting.rate, ridge, value)
    return sorted(best.values(), key=lambda choice: choice.loss)


def spread_sample(views: Views, groups: IntArray, size: int, generator: np.random.Generator) -> IntArray:
    """Rows spread evenly over the groups and, within a group, along a random direction; ascending.

    Which rows are taken depends on what they hold, not on where they stand, so that reordering a table changes nothing.
    """
    n = len(groups)
    if n <= size:
        return np.arange(n)
    position = views.rank @ generator.standard_normal(views.rank.shape[1])
    order = np.lexsort((position, groups))
    return np.sort(order[((np.arange(size) + 0.5) * n / size).astype(np.int64)])
