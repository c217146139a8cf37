"""Running a network: threads, seeds, half precision, and batches that shrink when memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from autometa.foundation.errors import EvaluationError

__all__ = ["autocast", "cpu_threads", "forward_in_batches", "half_precision", "halved", "seeded"]

_logger = logging.getLogger(__name__)

_MAX_THREADS: Final = 4  # layers of 64 to 256 units gain nothing from more


@contextmanager
def cpu_threads() -> Iterator[None]:
    """Lower torch's number of threads to at most four for a while; never raise it, and put it back."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(before, _MAX_THREADS))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch for a while and put its generators back.

    Parameters
    ----------
    seed : int
    device : str
    """
    with torch.random.fork_rng(devices=[torch.device(device)] if device.startswith("cuda") else []):
        torch.manual_seed(seed)
        yield


@torch.inference_mode()
def forward_in_batches(network: nn.Module, X: Any, batch_size: int) -> Tensor:
    """Apply a network without gradients; halve the batch when memory runs out.

    Parameters
    ----------
    network : Module
        (B, n_columns) -> (B, k, n_outputs).
    X : Tensor of shape (n_samples, n_columns)
        At least one row. Or whatever else the network takes that has a device and a length and can be sliced.
    batch_size : int

    Returns
    -------
    Tensor of float32, shape (n_samples, k, n_outputs)

    Raises
    ------
    EvaluationError
        If one row does not fit.
    """
    network.eval()
    parts: list[Tensor] = []
    start = 0
    while start < len(X):
        try:
            with autocast(X.device):
                parts.append(network(X[start : start + batch_size]).float())
        except torch.cuda.OutOfMemoryError:
            batch_size = halved(batch_size, X.device)
            continue
        start += batch_size
    return torch.cat(parts)


def halved(batch_size: int, device: torch.device) -> int:
    """Halve a batch size after memory ran out, and log it.

    Parameters
    ----------
    batch_size : int
    device : torch.device

    Returns
    -------
    int

    Raises
    ------
    EvaluationError
        If it was 1.
    """
    if batch_size <= 1:
        raise EvaluationError(f"Not even one row fits into the memory of {device}; use a smaller network.")
    smaller = batch_size // 2
    _logger.warning("Out of memory on %s with batches of %d rows; going on with %d.", device, batch_size, smaller)
    torch.cuda.empty_cache()
    return smaller


def half_precision(device: torch.device) -> torch.dtype | None:
    """Return the 16-bit type that a GPU computes in, or None on a CPU, where float32 is as fast.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    torch.dtype or None
        bfloat16 where the GPU has it, float16 otherwise.
    """
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def autocast(device: torch.device) -> torch.autocast:
    """Return a context in which a GPU computes matrix products in 16 bits; without effect on a CPU.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    torch.autocast
    """
    dtype = half_precision(device)
    return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)
