"""Fine-tuning an encoder of any modality: a linear probe of what it says first, then all of it.

References
----------
Kumar, Raghunathan, Jones, Ma, Liang (2022). Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution. ICLR.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from autometa.components.neural.encoders.affording import affordable_rows
from autometa.components.neural.encoders.probe import linear_probe
from autometa.components.neural.encoders.rows import JoinedRows
from autometa.components.neural.execution import forward_in_batches
from autometa.components.neural.training import Rows, TrainingPlan, TrainingReport, fit_network

__all__ = ["EncoderNetwork", "FineTuned", "Reader", "fine_tune", "fine_tuning_plan"]

_MAX_JUDGED: Final = 2_048  # held-out rows that are watched; more would say the same
# Epochs of an encoder are few and long, and on a CPU the clock usually ends them: the speed is believed early.
_TIMING_SHARE: Final = 0.1
_READ_AHEAD: Final = 4  # batches of rows that are only read are so many times larger


class EncoderNetwork(nn.Module):
    """An encoder and a linear head on what it says of a row and on the row's plain columns.

    Letters in shapes: B rows of a batch, D numbers that the encoder says of a row, P plain columns, C outputs.

    Parameters
    ----------
    encoder : Module
        What `JoinedRows.encoded` holds -> (B, D).
    n_inputs : int
        D + P.
    n_outputs : int
        C.
    """

    def __init__(self, encoder: nn.Module, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(n_inputs, n_outputs)

    def forward(self, rows: JoinedRows) -> Tensor:
        """Return logits or standardised targets.

        Parameters
        ----------
        rows : JoinedRows of B rows

        Returns
        -------
        Tensor of float, shape (B, 1, C)
            As of an ensemble of one.
        """
        inputs = torch.cat([self.encoder(rows.encoded), rows.plain], dim=1)  # (B, D), (B, P) -> (B, D + P)
        outputs: Tensor = self.head(inputs)  # (B, D + P) -> (B, C)
        return outputs[:, None]


class Reader(nn.Module):
    """What the head is given.

    Parameters
    ----------
    encoder : Module
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, rows: JoinedRows) -> Tensor:
        """Return what the encoder says, and the plain columns.

        Parameters
        ----------
        rows : JoinedRows of B rows

        Returns
        -------
        Tensor of float, shape (B, 1, D + P)
        """
        return torch.cat([self.encoder(rows.encoded), rows.plain], dim=1)[:, None]


@dataclass(frozen=True)
class FineTuned:
    """What fine-tuning came to.

    Attributes
    ----------
    network : EncoderNetwork
        Its weights are those at the end; those to be used are in `report`.
    report : TrainingReport
        ``losses[0]`` is the held-out loss of the probe, if rows were held out; epoch 0 is the probe.
    judged : Rows
        The held-out rows that were watched, which ``report.held_out`` speaks of.
    """

    network: EncoderNetwork
    report: TrainingReport
    judged: Rows


def fine_tuning_plan(
    *,
    classification: bool,
    learning_rate: float = 5e-5,
    weight_decay: float = 0.01,
    max_epochs: int = 4,
    patience: int = 2,
    batch_size: int = 16,
    max_seconds: float = 120.0,
    seed: int = 0,
) -> TrainingPlan:
    """Return a training plan as it suits an encoder: few epochs, no averaging of weights, the probe judged too.

    Parameters
    ----------
    classification : bool
    learning_rate, weight_decay : float
    max_epochs, patience, batch_size : int
    max_seconds : float
        Of everything, the probe and the last look at held-out rows included.
    seed : int

    Returns
    -------
    TrainingPlan
    """
    return TrainingPlan(
        classification=classification,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        label_smoothing=0.0,
        max_epochs=max_epochs,
        patience=patience,
        batch_size=batch_size,
        max_seconds=max_seconds,
        seed=seed,
        averaging=0.0,
        timing_share=_TIMING_SHARE,
        judges_all=True,
    )


def fine_tune(
    encoder: nn.Module,
    rows: Rows,
    n_outputs: int,
    plan: TrainingPlan,
    settle: Callable[[nn.Module], None] | None = None,
) -> FineTuned:
    """Fine-tune an encoder in place, starting from a linear probe.

    The head begins as the linear model of what the frozen encoder says, so that fine-tuning never has to undo a
    random head; and since the probe is judged like an epoch, fine-tuned weights are kept only where they are
    better on held-out rows. Rows that could not be read in time are left out (`affordable_rows`).

    Parameters
    ----------
    encoder : Module
        What ``rows.X.encoded`` holds -> (B, D); on the rows' device. Parameters without ``requires_grad`` stay.
    rows : Rows
        `X` is a `JoinedRows`; weights and held-out weights have one column.
    n_outputs : int
        Classes, or 1 for regression of a standardised target.
    plan : TrainingPlan
    settle : callable, optional
        As of `fit_network`; called with the `EncoderNetwork` that is judged, and before that with the encoder.

    Returns
    -------
    FineTuned
    """
    started = time.perf_counter()
    if settle is not None:  # the probe has to see features as training and judging will see them
        settle(Reader(encoder))
    batch_size = _READ_AHEAD * plan.batch_size
    rows = affordable_rows(Reader(encoder), rows, batch_size, plan.max_seconds)
    features = forward_in_batches(Reader(encoder), rows.X, batch_size).squeeze(1)
    network = EncoderNetwork(encoder, features.shape[1], n_outputs).to(features.device)
    slope, bias = linear_probe(features, rows, n_outputs, classification=plan.classification)
    with torch.no_grad():
        network.head.weight.copy_(slope)
        network.head.bias.copy_(bias)
    left = replace(plan, max_seconds=plan.max_seconds - (time.perf_counter() - started))
    judged = rows.judged(_MAX_JUDGED)
    return FineTuned(network, fit_network(network, rows, judged, left, settle), judged)
