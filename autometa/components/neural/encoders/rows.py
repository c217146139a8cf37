"""What an encoder is fed: rows of one modality with the table's other columns beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autometa.foundation.typing import IntArray

__all__ = ["JoinedRows", "TokenRows"]


@dataclass(frozen=True)
class TokenRows:
    """Rows of tokens of different lengths, padded only when a batch of them is asked for.

    Attributes
    ----------
    ids : tuple of ndarray of int64
        Tokens of each row; at least one.
    padding : int
        Token that fills a row up.
    device : torch.device
        Where batches are put.
    """

    ids: tuple[IntArray, ...]
    padding: int
    device: torch.device

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: Tensor | slice) -> TokenRows:
        if isinstance(index, slice):
            return replace(self, ids=self.ids[index])
        return replace(self, ids=tuple(self.ids[place] for place in index.tolist()))

    def padded(self) -> tuple[Tensor, Tensor]:
        """Return the tokens of all rows and which of them are there.

        Returns
        -------
        tuple of (Tensor of int64, Tensor of int64)
            Both of shape (n_rows, length of the longest row), on the device.
        """
        lengths = np.array([len(row) for row in self.ids])
        there = np.arange(lengths.max())[None, :] < lengths[:, None]
        tokens = np.full(there.shape, self.padding, dtype=np.int64)
        tokens[there] = np.concatenate(self.ids)
        return torch.from_numpy(tokens).to(self.device), torch.from_numpy(there.astype(np.int64)).to(self.device)


@dataclass(frozen=True)
class JoinedRows:
    """Rows that an encoder reads, and numbers that its head is given beside what the encoder says.

    Attributes
    ----------
    encoded : Tensor or TokenRows
        What the encoder takes: has a length and a device, and is indexed by slices and by tensors of int64.
    plain : Tensor of float32, shape (n_rows, n_plain)
        On the same device; `n_plain` may be 0.
    """

    encoded: Any
    plain: Tensor

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.plain.device

    def __len__(self) -> int:
        return len(self.plain)

    def __getitem__(self, index: Tensor | slice) -> JoinedRows:
        return JoinedRows(self.encoded[index], self.plain[index])
