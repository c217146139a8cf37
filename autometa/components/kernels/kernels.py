"""The kernels of the ensemble: ways to say how alike two rows are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np

from autometa.components.kernels.linalg import Array, Backend
from autometa.components.kernels.views import Views
from autometa.foundation.typing import FloatArray

__all__ = ["KERNELS", "Kernel", "Shape", "Tuned", "kernel_matrices"]

Prepare = Callable[[Views], FloatArray]
Compare = Callable[[Backend, Array, Array], Array]
Finish = Callable[[Backend, Array, float], Array]


@dataclass(frozen=True, slots=True)
class Shape:
    """A comparison of rows that kernels of different rates share, because it is the expensive part.

    Attributes
    ----------
    name : str
        Unique among the shapes.
    prepare : callable
        Views of n rows -> ndarray of shape (n, d), float64: the coordinates that are compared. The number of columns is
        divided out here, so that one rate suits narrow and wide tables.
    compare : callable
        (backend, left, right) -> (n_left, n_right): distances or inner products.
    finish : callable
        (backend, comparison, rate) -> (n_left, n_right): values of the kernel.
    """

    name: str
    prepare: Prepare
    compare: Compare
    finish: Finish


@dataclass(frozen=True, slots=True)
class Kernel:
    """A member of the ensemble before it has seen data.

    Attributes
    ----------
    name : str
        As used in the parameter ``kernels`` of the estimators.
    shape : Shape
        What is compared.
    rates : tuple of float
        Candidates for how fast likeness falls with distance; leave-one-out loss decides.
    """

    name: str
    shape: Shape
    rates: tuple[float, ...] = (1.0,)


class Tuned(Protocol):
    """Anything that knows its kernel and rate."""

    @property
    def kernel(self) -> Kernel: ...

    @property
    def rate(self) -> float: ...


T = TypeVar("T", bound=Tuned)


def kernel_matrices(backend: Backend, tuned: Sequence[T], left: Views, right: Views) -> Iterator[tuple[T, Array]]:
    """Kernel matrices between the rows of two tables, (n_left, n_right), grouped by shape.

    Each comparison is made once for all kernels of its shape, and only one comparison is in memory. Shapes come in the order of
    their first kernel, so kernels that came from here go through here in the same order again.
    """
    groups: dict[str, list[T]] = {}
    for item in tuned:
        groups.setdefault(item.kernel.shape.name, []).append(item)
    for items in groups.values():
        shape = items[0].kernel.shape
        comparison = shape.compare(backend, *(backend.asarray(shape.prepare(views)) for views in (left, right)))
        for item in items:
            yield item, shape.finish(backend, comparison, item.rate)


def _inner(backend: Backend, left: Array, right: Array) -> Array:
    return left @ right.T


def _squared(backend: Backend, left: Array, right: Array) -> Array:
    return backend.squared_distances(left, right)


def _absolute(backend: Backend, left: Array, right: Array) -> Array:
    return backend.absolute_distances(left, right)


def _additive(backend: Backend, left: Array, right: Array) -> Array:
    """Sum over columns of exp(-|a - b|), given exp(a) in the first half of the coordinates and exp(-a) in the second.

    exp(-|a - b|) is the smaller of exp(a) exp(-b) and exp(-a) exp(b): no exponential in the n x n loop.
    """
    columns = left.shape[1] // 2
    total = 0.0 * (left[:, :1] @ right[:, :1].T)
    for j in range(columns):
        rising, falling = left[:, j : j + 1], left[:, columns + j : columns + j + 1]
        total += backend.minimum(rising * right[:, columns + j], falling * right[:, j])
    return total


def _as_is(backend: Backend, comparison: Array, rate: float) -> Array:
    return comparison


def _decay(backend: Backend, comparison: Array, rate: float) -> Array:
    return backend.exp(-rate * comparison)


def _square(backend: Backend, comparison: Array, rate: float) -> Array:
    return (0.5 * (1.0 + comparison)) ** 2


def _share(views: Views) -> float:
    """One column's part of the sum over columns."""
    return 1.0 / max(len(views.relevance), 1)


def _standard(views: Views) -> FloatArray:
    return views.standard * np.sqrt(_share(views))


def _relevant_standard(views: Views) -> FloatArray:
    return views.standard * np.sqrt(_share(views) * views.relevance)


def _rank(views: Views) -> FloatArray:
    return views.rank * _share(views)


def _relevant_rank(views: Views) -> FloatArray:
    return views.rank * (_share(views) * views.relevance)


def _exponentials(views: Views) -> FloatArray:
    size = np.sqrt(_share(views) * views.relevance)
    return np.hstack([size * np.exp(_ADDITIVE_RATE * views.rank), size * np.exp(-_ADDITIVE_RATE * views.rank)])


_ADDITIVE_RATE: Final = 3.0  # per unit of rank

_LINEAR = Shape("linear", _standard, _inner, _as_is)
_QUADRATIC = Shape("quadratic", _relevant_standard, _inner, _square)
_GAUSSIAN = Shape("gaussian", _standard, _squared, _decay)
_RELEVANT_GAUSSIAN = Shape("gaussian_relevant", _relevant_standard, _squared, _decay)
_LAPLACE = Shape("laplace", _rank, _absolute, _decay)
_RELEVANT_LAPLACE = Shape("laplace_relevant", _relevant_rank, _absolute, _decay)
_ADDITIVE = Shape("additive", _exponentials, _additive, _as_is)

KERNELS: Final[dict[str, Kernel]] = {
    kernel.name: kernel
    for kernel in (
        Kernel("linear", _LINEAR),
        Kernel("quadratic", _QUADRATIC),
        Kernel("gaussian_wide", _GAUSSIAN, (0.5,)),
        Kernel("gaussian", _GAUSSIAN, (3.0,)),
        Kernel("gaussian_relevant", _RELEVANT_GAUSSIAN, (1.0,)),
        Kernel("laplace_wide", _LAPLACE, (0.7,)),
        Kernel("laplace", _LAPLACE, (2.0,)),
        Kernel("laplace_relevant", _RELEVANT_LAPLACE, (4.0,)),
        Kernel("laplace_relevant_narrow", _RELEVANT_LAPLACE, (8.0,)),
        Kernel("additive", _ADDITIVE),
    )
}
"""All kernels, by name."""
