"""The few array operations that the ensemble needs, on NumPy and SciPy.

Kernel code is written once, with operators (``+ * / @``) on opaque arrays and the functions of a `Backend` for everything else.
`NumpyBackend` is the one used on a CPU; ``autometa.components.neural.linalg.TorchBackend`` is its twin for CUDA.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from scipy.linalg import eigh
from scipy.linalg.lapack import get_lapack_funcs
from scipy.spatial.distance import cdist

from autometa.foundation.typing import FloatArray

__all__ = ["Array", "Backend", "NumpyBackend", "Precision"]

Array: TypeAlias = Any  # numpy.ndarray or torch.Tensor, of the backend's precision and on its device
Precision: TypeAlias = Literal["float32", "float64"]


class Backend(Protocol):
    """What a source of linear algebra has to offer. All arrays are two-dimensional unless said otherwise."""

    device: str

    def asarray(self, values: FloatArray) -> Array:
        """Bring a NumPy array into the backend's precision and onto its device."""
        ...

    def to_numpy(self, array: Array) -> FloatArray:
        """Bring an array back as float64."""
        ...

    def exp(self, array: Array) -> Array:
        """Exponential of each element."""
        ...

    def minimum(self, left: Array, right: Array) -> Array:
        """Smaller of two elements."""
        ...

    def squared_distances(self, left: Array, right: Array) -> Array:
        """Squared Euclidean distances, (n_left, n_right), never negative."""
        ...

    def absolute_distances(self, left: Array, right: Array) -> Array:
        """City-block distances, (n_left, n_right)."""
        ...

    def eigh(self, matrix: Array) -> tuple[Array, Array]:
        """Eigenvalues, ascending, (n,), and eigenvectors in columns, (n, n), of a symmetric matrix."""
        ...

    def solve_ridge(self, gram: Array, ridge: float, right: Array) -> tuple[Array, Array]:
        """Solution, (n, k), of ``(gram + ridge I) @ x = right``, and the diagonal, (n,), of the inverse of that matrix.

        Raises
        ------
        numpy.linalg.LinAlgError
            The matrix is not positive definite in the backend's precision.
        """
        ...


class NumpyBackend:
    """`Backend` on NumPy, SciPy and LAPACK, on the CPU."""

    device = "cpu"

    def __init__(self, precision: Precision = "float64") -> None:
        self.dtype = np.dtype(precision)

    def asarray(self, values: FloatArray) -> Array:
        return np.ascontiguousarray(values, dtype=self.dtype)

    def to_numpy(self, array: Array) -> FloatArray:
        return np.asarray(array, dtype=np.float64)

    def exp(self, array: Array) -> Array:
        return np.exp(array)

    def minimum(self, left: Array, right: Array) -> Array:
        return np.minimum(left, right)

    def squared_distances(self, left: Array, right: Array) -> Array:
        # |a|^2 + |b|^2 - 2 <a, b> runs at the speed of a matrix product; rounding can leave tiny negatives.
        squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :]
        squares -= 2.0 * (left @ right.T)
        return np.maximum(squares, 0.0, out=squares)

    def absolute_distances(self, left: Array, right: Array) -> Array:
        return cdist(left, right, "cityblock").astype(self.dtype, copy=False)

    def eigh(self, matrix: Array) -> tuple[Array, Array]:
        return eigh(matrix, driver="evd", check_finite=False)

    def solve_ridge(self, gram: Array, ridge: float, right: Array) -> tuple[Array, Array]:
        factorise, solve, invert = get_lapack_funcs(("potrf", "potrs", "potri"), (gram,))
        # The transpose of a C-ordered symmetric matrix is the same matrix in LAPACK's order, so LAPACK can work in place.
        shifted = gram.copy().T
        shifted[np.diag_indices_from(shifted)] += ridge
        factor, info = factorise(shifted, lower=True, overwrite_a=True, clean=False)
        if info != 0:
            raise np.linalg.LinAlgError("the matrix is not positive definite")
        solution, _ = solve(factor, right, lower=True)
        inverse, _ = invert(factor, lower=True, overwrite_c=True)
        return solution, np.diagonal(inverse).copy()
