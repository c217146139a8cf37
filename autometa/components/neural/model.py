"""The network: embeddings of numeric columns, then an MLP or an ensemble of MLPs.

Letters in shapes: B rows of a batch, N numeric columns, P plain columns, E numbers per embedded column,
D = N * E + P inputs of the backbone, K ensemble members, W units, C outputs.

References
----------
Gorishniy, Kotelnikov, Babenko (2025). TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling.
ICLR.
Gorishniy, Rubachev, Babenko (2022). On Embeddings for Numerical Features in Tabular Deep Learning. NeurIPS.
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from rtdl_num_embeddings import PeriodicEmbeddings, PiecewiseLinearEmbeddings, compute_bins
from tabm import EnsembleView, LinearEnsemble, make_tabm_backbone
from torch import Tensor, nn

from autometa.components.neural.specification import NetworkSpec, WeightArrays
from autometa.foundation.typing import LabelArray

__all__ = ["TabularNetwork", "load_arrays", "make_bins", "to_arrays"]


_BINNED_ROWS: Final = 10_000
# Fewer rows than this in a bin on average, and bins follow the noise.
_ROWS_PER_BIN: Final = 16


class TabularNetwork(nn.Module):
    """Embeddings, a backbone of `k` MLPs, and a head per member.

    Parameters
    ----------
    spec : NetworkSpec
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.n_numeric = spec.n_numeric
        self.embedding = _make_embedding(spec) if spec.is_embedded else None
        d_numeric = spec.d_embedding if spec.is_embedded else 1
        d_features = [d_numeric] * spec.n_numeric + [1] * spec.n_plain
        # Members that share weights differ by the random scaling of their inputs: signs where an input is a
        # number, normal where several inputs stand for one column (and are scaled alike).
        scaling = "normal" if spec.is_embedded else "random-signs"
        is_shared = spec.architecture == "tabm"
        self.view = EnsembleView(k=spec.k)
        self.backbone = make_tabm_backbone(
            d_in=sum(d_features),
            n_blocks=spec.n_blocks,
            d_block=spec.width,
            dropout=spec.dropout,
            activation=spec.activation,
            k=spec.k,
            arch_type="tabm" if is_shared else "tabm-packed",
            start_scaling_init=scaling if is_shared else None,
            start_scaling_init_chunks=d_features if is_shared else None,
        )
        self.head = LinearEnsemble(spec.width, spec.n_outputs, k=spec.k)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows to what each member says.

        Parameters
        ----------
        x : Tensor of float32, shape (B, N + P)

        Returns
        -------
        Tensor of float, shape (B, K, C)
            Logits, or standardised targets.
        """
        if self.embedding is not None:
            embedded = self.embedding(x[:, : self.n_numeric])  # (B, N) -> (B, N, E)
            x = torch.cat([embedded.flatten(1), x[:, self.n_numeric :]], dim=1)  # (B, D)
        hidden = self.backbone(self.view(x))  # (B, D) -> (B, K, D) -> (B, K, W)
        outputs: Tensor = self.head(hidden)  # (B, K, W) -> (B, K, C)
        return outputs


def _make_embedding(spec: NetworkSpec) -> Any:
    """Return a module (B, N) -> (B, N, E)."""
    if spec.embedding == "periodic":
        return PeriodicEmbeddings(
            spec.n_numeric,
            spec.d_embedding,
            n_frequencies=spec.n_frequencies,
            frequency_init_scale=spec.frequency_scale,
            lite=False,
        )
    with warnings.catch_warnings():
        # A column that no tree would cut has one bin.
        warnings.filterwarnings("ignore", message=".*just two bin edges.*")
        return PiecewiseLinearEmbeddings(
            [torch.as_tensor(edges) for edges in spec.bins], spec.d_embedding, activation=False, version="B"
        )


def make_bins(
    X: npt.NDArray[np.float32], y: LabelArray, *, n_bins: int, classification: bool
) -> tuple[npt.NDArray[np.float32], ...]:
    """Cut each column where a decision tree on it alone would, so that bins are narrow where the target changes.

    Parameters
    ----------
    X : ndarray of float32, shape (n_samples, n_columns)
        No column is constant. At most 10,000 evenly spaced rows are looked at.
    y : ndarray of shape (n_samples,)
        Class codes or numbers.
    n_bins : int
        Leaves of a tree at most.
    classification : bool

    Returns
    -------
    tuple of ndarray of float32
        Ascending edges of each column, from its least to its largest value.
    """
    step = max(1, len(X) // _BINNED_ROWS)
    sample, target = torch.as_tensor(X[::step]), torch.as_tensor(y[::step])
    n_bins = max(2, min(n_bins, len(sample) // _ROWS_PER_BIN))
    edges = [np.array([column.min(), column.max()]) for column in X.T]
    varied = np.flatnonzero((sample != sample[0]).any(dim=0).numpy())
    if len(varied) and len(sample) > n_bins:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*just two bin edges.*")
            cut = compute_bins(
                sample[:, varied],
                n_bins,
                y=target,
                regression=not classification,
                tree_kwargs={"min_samples_leaf": max(2, min(len(sample) // (4 * n_bins), 64)), "random_state": 0},
            )
        for j, column in zip(varied, cut, strict=True):
            edges[j] = column.numpy()
    return tuple(edges)


def to_arrays(network: nn.Module) -> WeightArrays:
    """Copy the weights to NumPy, so that they can be stored and read without a device.

    Parameters
    ----------
    network : Module

    Returns
    -------
    dict of str to ndarray
    """
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}


def load_arrays(network: nn.Module, arrays: WeightArrays) -> None:
    """Put stored weights into a network of the same specification.

    Parameters
    ----------
    network : Module
    arrays : dict of str to ndarray
    """
    network.load_state_dict({name: torch.as_tensor(array) for name, array in arrays.items()})
