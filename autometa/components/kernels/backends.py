"""Choosing where the linear algebra runs."""

from __future__ import annotations

import logging
from typing import Final

from autometa.components.kernels.linalg import Backend, NumpyBackend, Precision

__all__ = ["open_backend", "reopen_backend"]

_logger = logging.getLogger(__name__)

_DOUBLE_ROWS: Final = 1_500  # exact fits up to here are in float64, beyond in float32 at half the time
_GPU_ROWS: Final = 1_500  # below, a fit on a CPU core takes a second: no longer than importing torch


def open_backend(requested: str, n: int) -> tuple[Backend, str]:
    """Choose device and precision for a fit to n rows.

    Parameters
    ----------
    requested : {"auto", "cpu", "cuda"} or "cuda:N"
    n : int
        Training rows.

    Returns
    -------
    backend : Backend
    reason : str
        Why this device, in a sentence without a full stop.

    Raises
    ------
    ParameterError
        The request is none of the above, or a GPU is demanded that is not there.
    """
    precision: Precision = "float64" if n <= _DOUBLE_ROWS else "float32"
    if requested == "cpu":
        return NumpyBackend(precision), "the CPU was asked for"
    if requested == "auto" and n <= _GPU_ROWS:
        return NumpyBackend(precision), f"a GPU gains nothing on {n} rows"
    from autometa.components.neural.devices import resolve_device

    resolved = resolve_device(requested)
    if resolved.name == "cpu":
        return NumpyBackend(precision), resolved.reason
    from autometa.components.neural.linalg import TorchBackend

    return TorchBackend(resolved.name, precision), resolved.reason


def reopen_backend(backend: Backend) -> Backend:
    """The backend of a fit, or the CPU when its GPU is not there (a model that was moved to another machine)."""
    if backend.device == "cpu":
        return backend
    from autometa.components.neural.devices import resolve_device

    resolved = resolve_device("auto")
    if resolved.name != "cpu":
        return backend
    _logger.info("Fitted on %s, predicting on the CPU: %s.", backend.device, resolved.reason)
    return NumpyBackend(backend.precision)
