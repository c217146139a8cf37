"""What is minimised on the rows learned from, and what is watched on those held out."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["held_out_loss", "training_loss"]


def training_loss(
    outputs: Tensor, y: Tensor, weights: Tensor, *, classification: bool, label_smoothing: float = 0.0
) -> Tensor:
    """Return the mean of the members' own losses: each member learns by itself, not the ensemble's mean.

    Parameters
    ----------
    outputs : Tensor of shape (B, K, C)
        Logits or standardised targets.
    y : Tensor of shape (B,)
    weights : Tensor of shape (B, K)
    classification : bool
        Cross-entropy or squared error.
    label_smoothing : float

    Returns
    -------
    Tensor of shape ()
    """
    if classification:
        losses = functional.cross_entropy(
            outputs.flatten(0, 1),  # (B, K, C) -> (B * K, C)
            y.repeat_interleave(outputs.shape[1]),
            reduction="none",
            label_smoothing=label_smoothing,
        ).view(weights.shape)
    else:
        losses = (outputs.squeeze(2) - y[:, None]).square()
    return (losses * weights).sum() / weights.sum().clamp_min(1e-12)


def held_out_loss(outputs: Tensor, y: Tensor, weights: Tensor, *, classification: bool) -> float:
    """Return the loss of the averaged members, each on the rows that it is judged on.

    Parameters
    ----------
    outputs : Tensor of shape (B, K, C)
    y : Tensor of shape (B,)
    weights : Tensor of shape (B, K)
        No row is zero throughout.
    classification : bool

    Returns
    -------
    float
        Log loss of the mean probabilities in nats, or mean squared error of the mean; lower is better.
    """
    row_weights = weights.sum(dim=1)  # (B,)
    share = (weights / row_weights[:, None]).unsqueeze(2)  # (B, K, 1)
    if classification:
        probabilities = (outputs.softmax(dim=2) * share).sum(dim=1)  # (B, C)
        losses = -probabilities.gather(1, y[:, None]).squeeze(1).clamp_min(1e-7).log()
    else:
        losses = ((outputs * share).sum(dim=1).squeeze(1) - y).square()
    return float((losses * row_weights).sum() / row_weights.sum())
