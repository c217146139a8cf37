"""How many rows an encoder can learn from in the time that it is given."""

from __future__ import annotations

import logging
import time
from typing import Final

import torch
from torch import Tensor, nn

from autometa.components.neural.execution import forward_in_batches
from autometa.components.neural.training import Rows

__all__ = ["affordable_rows"]

_logger = logging.getLogger(__name__)

_ALWAYS_READ: Final = 1_000  # rows: fewer are never left out
_TIMED: Final = 64  # rows on which the speed is measured
_READING_SHARE: Final = 0.2  # of the seconds; an epoch takes about three times as long as reading its rows once


def affordable_rows(reader: nn.Module, rows: Rows, batch_size: int, seconds: float) -> Rows:
    """Leave out the rows that could not even be read in the time there is.

    Parameters
    ----------
    reader : Module
        What `rows` hold -> (B, 1, D), on their device.
    rows : Rows
    batch_size : int
        Of rows that are only read.
    seconds : float

    Returns
    -------
    Rows
        All, wherever they can be read in a fifth of the time or are at most 1,000; else a sample, logged as a
        warning, with a row of every class and with classes (or a numeric target's range) and held-out rows in
        their shares.
    """
    if len(rows) <= _ALWAYS_READ:
        return rows
    sample = rows.X[torch.arange(_TIMED, device=rows.y.device) * (len(rows) // _TIMED)]
    forward_in_batches(
        reader, sample[: _TIMED // 8], batch_size
    )  # what starts up on the first call is not counted
    started = time.perf_counter()
    forward_in_batches(reader, sample, batch_size)
    rate = _TIMED / (time.perf_counter() - started)
    n_rows = max(_ALWAYS_READ, int(_READING_SHARE * seconds * rate))
    if n_rows >= len(rows):
        return rows
    _logger.warning(
        "%d of %d rows are learned from: %.0f rows can be read in a second, and there are %.0f seconds.",
        n_rows,
        len(rows),
        rate,
        seconds,
    )
    chosen = _spread(rows, n_rows)
    return Rows(rows.X[chosen], rows.y[chosen], rows.weights[chosen], rows.held_out[chosen])


def _spread(rows: Rows, n_rows: int) -> Tensor:
    """Places of rows spread over targets and parts, ascending; of each class at least one that is learned from."""
    is_held_out = (rows.held_out[:, 0] > 0).to(rows.y.dtype)
    by_part = torch.argsort(is_held_out, stable=True)
    order = by_part[torch.argsort(rows.y[by_part], stable=True)]
    evenly = torch.linspace(0, len(rows) - 1, n_rows, device=order.device, dtype=torch.float64).long()
    chosen = [order[evenly]]
    if not rows.y.is_floating_point():
        y = rows.y[order]
        first = torch.nonzero(torch.cat([torch.ones_like(y[:1]), y[1:] - y[:-1]])).squeeze(1)
        chosen.append(order[first])  # rows that are learned from come first in a class
    places: Tensor = torch.unique(torch.cat(chosen))
    return places
