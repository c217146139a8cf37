"""How many rows an ensemble is fitted to exactly, and what happens beyond."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from autometa.components.kernels.linalg import Backend

__all__ = ["Plan", "make_plan"]

_EXACT_ROWS: Final = {"cpu": 3_000, "cuda": 20_000}  # by kind of device
_MATRICES: Final = 5  # of n x n values alive at once in an exact fit
_MIN_LANDMARKS: Final = 300
_PROBE_ROWS: Final = 500
_OVERHEAD: Final = 2.0  # whole fit over its factorisations, at 500 to 3,000 rows


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be fitted.

    Attributes
    ----------
    approximation : {"exact", "nystroem"}
        Whether functions are spanned by all rows or by landmark rows only.
    basis_rows : int
        Number of rows that span them.
    reason : str
        Why, in a sentence without a full stop.
    """

    approximation: Literal["exact", "nystroem"]
    basis_rows: int
    reason: str


def make_plan(
    backend: Backend, n: int, n_members: int, max_exact_rows: int | None = None, seconds: float = math.inf
) -> Plan:
    """Decide between an exact fit and landmarks.

    An exact fit is made up to the smallest of three numbers of rows: `max_exact_rows` (by default 3,000 on a
    CPU and 20,000 on a GPU), what fits into free memory, and what can be factorised in the seconds left. For
    more rows there are as many landmarks m as cost the same arithmetic as an exact fit to that many rows: 4 n
    m^2 = exact_rows^3, but at least 300.

    Parameters
    ----------
    backend : Backend
        Where the fit will run.
    n : int
        Training rows.
    n_members : int
        Kernels to fit.
    max_exact_rows : int, optional
        Upper bound set by the user.
    seconds : float, default=inf
        Time left.

    Returns
    -------
    Plan
    """
    bounds = {
        "rows set as the limit of an exact fit": max_exact_rows or _EXACT_ROWS[backend.device.partition(":")[0]],
        "rows fit into free memory": _rows_in_memory(backend),
        "rows can be fitted in the time left": _rows_in_time(backend, n_members, seconds),
    }
    cause, exact_rows = min(bounds.items(), key=lambda item: item[1])
    if n <= exact_rows:
        return Plan("exact", n, f"{n} rows are within the {exact_rows} {cause}")
    landmarks = max(int(math.sqrt(exact_rows**3 / (4.0 * n))), min(_MIN_LANDMARKS, exact_rows))
    return Plan("nystroem", min(landmarks, n), f"{n} rows exceed the {exact_rows} {cause}")


def _rows_in_memory(backend: Backend) -> int:
    value = np.dtype(backend.precision).itemsize
    return max(1, int(math.sqrt(backend.free_memory() / (_MATRICES * value))))


def _rows_in_time(backend: Backend, n_members: int, seconds: float) -> int:
    """Rows whose exact fit takes the given time, from one timed factorisation of a small matrix; at least 300."""
    if math.isinf(seconds):
        return np.iinfo(np.int64).max
    matrix, right = backend.asarray(np.eye(_PROBE_ROWS)), backend.asarray(np.zeros((_PROBE_ROWS, 1)))
    for _ in range(2):  # the first one warms up
        begin = time.perf_counter()
        backend.to_numpy(backend.solve_ridge(matrix, 1.0, right)[0])
        probe = time.perf_counter() - begin
    share = max(seconds, 0.0) / (_OVERHEAD * n_members * probe)
    return max(_MIN_LANDMARKS, int(_PROBE_ROWS * share ** (1 / 3)))
