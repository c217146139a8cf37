"""The few array operations that the ensemble needs, on NumPy and SciPy.

Kernel code is written once: with operators (``+ * / @``) on opaque arrays, and a `Backend` for the rest.
`NumpyBackend` serves the CPU; ``autometa.components.neural.linalg.TorchBackend`` is its twin for CUDA.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
import psutil
from scipy.linalg import eigh
from scipy.linalg.lapack import get_lapack_funcs
from scipy.spatial.distance import cdist

from autometa.foundation.typing import FloatArray

__all__ = ["Array", "Backend", "NumpyBackend", "Precision"]

Array: TypeAlias = Any  # numpy.ndarray or torch.Tensor, in the backend's precision and on its device
Precision: TypeAlias = Literal["float32", "float64"]

# Blocks that fit a core's cache make the sum of minima 5 times faster than whole matrices of 2,000 rows.
_BLOCK_VALUES: Final = 100_000


class Backend(Protocol):
    """What a source of linear algebra has to offer.

    Attributes
    ----------
    device : str
        ``"cpu"`` or ``"cuda..."``.
    precision : {"float32", "float64"}
        Of every array.
    """

    device: str
    precision: Precision

    def asarray(self, values: FloatArray) -> Array:
        """Bring a NumPy array into the backend's precision and onto its device."""
        ...

    def to_numpy(self, array: Array) -> FloatArray:
        """Bring an array back as float64."""
        ...

    def free_memory(self) -> int:
        """Bytes that are free for arrays."""
        ...

    def exp(self, array: Array) -> Array:
        """Exponential of each element."""
        ...

    def squared_distances(self, left: Array, right: Array) -> Array:
        """Squared Euclidean distances between rows, (n_left, n_right), never negative."""
        ...

    def absolute_distances(self, left: Array, right: Array) -> Array:
        """City-block distances between rows, (n_left, n_right)."""
        ...

    def crossed_minima(self, left: tuple[Array, Array], right: tuple[Array, Array]) -> Array:
        """Sum over columns j of min(a_ij d_kj, b_ij c_kj) for left (a, b) and right (c, d), (n_left, n_right)."""
        ...

    def eigh(self, matrix: Array) -> tuple[Array, Array]:
        """Eigenvalues, ascending, (n,), and eigenvectors in columns, (n, n), of a symmetric matrix."""
        ...

    def solve_ridge(self, gram: Array, ridge: float, right: Array) -> tuple[Array, Array]:
        """Solve ``(gram + ridge I) x = right`` and give the diagonal of the inverse.

        Returns
        -------
        solution : array of shape (n, k)
        diagonal : array of shape (n,)

        Raises
        ------
        numpy.linalg.LinAlgError
            The matrix is not positive definite in the backend's precision.
        """
        ...


class NumpyBackend:
    """`Backend` on NumPy, SciPy and LAPACK."""

    device: str = "cpu"

    def __init__(self, precision: Precision = "float64") -> None:
        self.precision: Precision = precision

    def asarray(self, values: FloatArray) -> Array:
        """Bring a NumPy array into the backend's precision."""
        return np.ascontiguousarray(values, dtype=self.precision)

    def to_numpy(self, array: Array) -> FloatArray:
        """Bring an array back as float64."""
        return np.asarray(array, dtype=np.float64)

    def free_memory(self) -> int:
        """Bytes of main memory that are free."""
        return int(psutil.virtual_memory().available)

    def exp(self, array: Array) -> Array:
        """Exponential of each element."""
        return np.exp(array)

    def squared_distances(self, left: Array, right: Array) -> Array:
        """Squared Euclidean distances between rows, (n_left, n_right), never negative."""
        # |a|^2 + |b|^2 - 2 <a, b> runs at the speed of a matrix product; rounding can leave tiny negatives.
        squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :]
        squares -= 2.0 * (left @ right.T)
        return np.maximum(squares, 0.0, out=squares)

    def absolute_distances(self, left: Array, right: Array) -> Array:
        """City-block distances between rows, (n_left, n_right)."""
        return cdist(left, right, "cityblock").astype(self.precision, copy=False)

    def crossed_minima(self, left: tuple[Array, Array], right: tuple[Array, Array]) -> Array:
        """Sum over columns j of min(a_ij d_kj, b_ij c_kj) for left (a, b) and right (c, d), (n_left, n_right)."""
        c, d = (np.ascontiguousarray(part.T) for part in right)
        total = np.zeros((len(left[0]), c.shape[1]), dtype=self.precision)
        size = max(1, _BLOCK_VALUES // max(1, c.shape[1]))
        for start in range(0, len(total), size):
            a, b = (part[start : start + size, :, None] for part in left)
            for j in range(len(c)):
                total[start : start + size] += np.minimum(a[:, j] * d[j], b[:, j] * c[j])
        return total

    def eigh(self, matrix: Array) -> tuple[Array, Array]:
        """Eigenvalues, ascending, (n,), and eigenvectors in columns, (n, n), of a symmetric matrix."""
        eigenvalues, vectors = eigh(matrix, driver="evd", check_finite=False)
        return eigenvalues, vectors

    def solve_ridge(self, gram: Array, ridge: float, right: Array) -> tuple[Array, Array]:
        """Solve ``(gram + ridge I) x = right`` and give the diagonal of the inverse; see `Backend`."""
        factorise, solve, invert = get_lapack_funcs(("potrf", "potrs", "trtri"), (gram,))
        # The transpose of a C-ordered symmetric matrix is the same matrix in LAPACK's order: it can work in place.
        shifted = gram.copy().T
        shifted[np.diag_indices_from(shifted)] += ridge
        factor, info = factorise(shifted, lower=True, overwrite_a=True)
        if info != 0:
            raise np.linalg.LinAlgError("the matrix is not positive definite")
        solution, _ = solve(factor, right, lower=True)
        # With the factor's inverse J, the inverse is J' J: its diagonal costs a third of the whole inverse.
        inverse, _ = invert(factor, lower=True, overwrite_c=True)
        return solution, np.einsum("ij,ij->j", inverse, inverse)
