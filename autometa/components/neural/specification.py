"""What a network is made of, as plain values: no torch, so that a fitted model can be read without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "ACTIVATIONS",
    "ARCHITECTURES",
    "EMBEDDINGS",
    "NetworkSpec",
    "WeightArrays",
]

WeightArrays: TypeAlias = dict[str, npt.NDArray[Any]]

ARCHITECTURES: Final = ("mlp", "packed", "tabm")
EMBEDDINGS: Final = ("none", "piecewise", "periodic")
ACTIVATIONS: Final = ("ReLU", "SiLU", "Mish", "SELU", "GELU")


@dataclass(frozen=True)
class NetworkSpec:
    """Everything that is needed to build a network before its weights are loaded.

    Attributes
    ----------
    n_numeric : int
        Leading input columns, embedded if `embedding` is not "none".
    n_plain : int
        Trailing input columns (two-valued ones), taken as they are.
    n_outputs : int
        Classes, or 1 for regression.
    architecture : {"mlp", "packed", "tabm"}
        One network, `k` independent ones, or `k` that share all weights but scalings and biases.
    k : int
        Ensemble members; 1 for "mlp".
    width, n_blocks : int
        Units of a hidden layer, number of hidden layers.
    dropout : float
    activation : str
        Name in ``torch.nn``.
    embedding : {"none", "piecewise", "periodic"}
    d_embedding : int
        Numbers that a numeric column becomes.
    n_frequencies : int
        Of a periodic embedding.
    frequency_scale : float
        Standard deviation of the initial frequencies.
    bins : tuple of ndarray of float32
        Ascending bin edges of each numeric column, for "piecewise"; empty otherwise.
    """

    n_numeric: int
    n_plain: int
    n_outputs: int
    architecture: str = "tabm"
    k: int = 8
    width: int = 128
    n_blocks: int = 2
    dropout: float = 0.1
    activation: str = "ReLU"
    embedding: str = "none"
    d_embedding: int = 8
    n_frequencies: int = 16
    frequency_scale: float = 0.1
    bins: tuple[npt.NDArray[np.float32], ...] = ()

    @property
    def is_embedded(self) -> bool:
        """Whether there are numeric columns that are embedded."""
        return self.embedding != "none" and self.n_numeric > 0

    @property
    def n_multiplications(self) -> int:
        """Multiplications of weights in a forward pass of one row; embeddings, which are small, are left out."""
        d_in = self.n_plain + self.n_numeric * (self.d_embedding if self.is_embedded else 1)
        layers = d_in * self.width + (self.n_blocks - 1) * self.width**2 + self.width * self.n_outputs
        return self.k * layers
