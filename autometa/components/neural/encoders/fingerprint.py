"""Which weights a network has, so that no stored model is applied to what another one says."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["weights_fingerprint"]


def weights_fingerprint(network: nn.Module) -> str:
    """Return a hash of a network's weights.

    Parameters
    ----------
    network : Module
        On the CPU.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
