"""The one training loop: AdamW, averaged weights, early stopping, a limit of seconds that is kept."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from autometa.components.neural.execution import autocast, forward_in_batches, half_precision, halved
from autometa.components.neural.losses import held_out_loss, training_loss
from autometa.components.neural.model import to_arrays
from autometa.components.neural.specification import WeightArrays

__all__ = ["Rows", "TrainingPlan", "TrainingReport", "fit_network"]

_CLIP_NORM: Final = 1.0
_WARM_UP: Final = 0.05  # share of the planned steps


@dataclass(frozen=True)
class TrainingPlan:
    """How to train.

    Attributes
    ----------
    classification : bool
        Cross-entropy of class codes, or squared error of standardised targets.
    learning_rate, weight_decay, label_smoothing : float
    max_epochs, patience : int
        Epochs at most, and epochs without a better held-out loss after which to stop.
    batch_size : int
    max_seconds : float
        Checked before every batch.
    seed : int
    averaging : float
        Share that the average of the weights keeps at each step; 0 for the weights themselves.
    timing_share : float
        Share of `max_seconds` before which the clock has no say. From then on the learning rate comes down by the
        steps that fit into the rest, where these are fewer than planned; a fit that takes less than this share is
        the same however fast the machine is.
    judges_all : bool
        Whether the weights that training begins with, and those after an epoch that was cut short, are judged too:
        where epochs are few and long. The former are kept if none are better.
    """

    classification: bool
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    max_epochs: int
    patience: int
    batch_size: int
    max_seconds: float
    seed: int
    averaging: float = 0.98
    timing_share: float = 0.5
    judges_all: bool = False


@dataclass(frozen=True)
class Rows:
    """Training rows on the device; which of them each member learns from, and which it is judged on.

    Attributes
    ----------
    X : Tensor of float32, shape (n_samples, n_columns)
        Or whatever else the network takes that has a device and a length and can be indexed as a tensor can.
    y : Tensor of int64 or float32, shape (n_samples,)
    weights : Tensor of float32, shape (n_samples, k)
        Zero where a member must not learn from a row.
    held_out : Tensor of float32, shape (n_samples, k)
        Weight of a row in the held-out loss of a member; zero where the member learns from it.
    """

    X: Any
    y: Tensor
    weights: Tensor
    held_out: Tensor

    def judged(self, at_most: int) -> Rows:
        """Return rows that some member is judged on, evenly spaced ones if there are more than `at_most`.

        Parameters
        ----------
        at_most : int

        Returns
        -------
        Rows
        """
        found = torch.nonzero(self.held_out.sum(dim=1) > 0).squeeze(1)
        chosen = found[:: max(1, math.ceil(len(found) / at_most))]
        return Rows(self.X[chosen], self.y[chosen], self.weights[chosen], self.held_out[chosen])

    def __len__(self) -> int:
        return len(self.X)


@dataclass(frozen=True)
class TrainingReport:
    """What training came to.

    Attributes
    ----------
    weights : dict of str to ndarray
        Those with the least held-out loss, or the last ones if no rows were held out.
    losses : tuple of float
        Held-out loss after each epoch (log loss in nats, or mean squared error of standardised targets); lower is
        better; NaN without held-out rows. The start's comes first where the plan judges it.
    held_out : Tensor or None
        Outputs of `weights` for the rows that were watched, (n_judged, k, n_outputs).
    best_epoch : int
        Epoch of `weights`, from 1; 0 for those that training began with.
    stopped_by : {"epochs", "patience", "time"}
    batch_size : int
        At the end; smaller than planned if memory ran out.
    """

    weights: WeightArrays
    losses: tuple[float, ...]
    held_out: Tensor | None
    best_epoch: int
    stopped_by: str
    batch_size: int


def fit_network(
    network: nn.Module,
    rows: Rows,
    judged: Rows,
    plan: TrainingPlan,
    settle: Callable[[nn.Module], None] | None = None,
) -> TrainingReport:
    """Train a network in place.

    Parameters
    ----------
    network : Module
        (B, n_columns) -> (B, k, n_outputs), on the rows' device.
    rows : Rows
        Learned from where their weights are not zero.
    judged : Rows
        Those whose held-out loss is watched; may be empty.
    plan : TrainingPlan
    settle : callable, optional
        Called with the network of averaged weights after each epoch, before it is judged: for what an average of
        weights leaves out of date, such as the statistics of batch normalisation.

    Returns
    -------
    TrainingReport
    """
    return _Trainer(network, rows, judged, plan, settle).run()


class _Trainer:
    def __init__(
        self,
        network: nn.Module,
        rows: Rows,
        judged: Rows,
        plan: TrainingPlan,
        settle: Callable[[nn.Module], None] | None,
    ) -> None:
        self.started = time.perf_counter()
        self.network, self.rows, self.judged, self.plan, self.settle = network, rows, judged, plan, settle
        self.device = rows.X.device
        self.learned = torch.nonzero(rows.weights.sum(dim=1) > 0).squeeze(1)
        self.average = copy.deepcopy(network)
        # Listed once: walking over the modules at every step took a fifth of a small network's time.
        self.parameters = list(network.parameters())
        self.averaged = list(self.average.parameters())
        self.move_average = get_ema_multi_avg_fn(plan.averaging)  # type: ignore[no-untyped-call]
        self.optimizer = torch.optim.AdamW(
            _parameter_groups(network, plan.weight_decay), lr=plan.learning_rate, fused=True
        )
        # float16 gradients underflow without scaling; bfloat16 and float32 ones do not.
        scaled = half_precision(self.device) == torch.float16
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.batch_size = plan.batch_size
        self.step = 0
        self.planned_steps: float = plan.max_epochs * math.ceil(len(self.learned) / plan.batch_size)

    def run(self) -> TrainingReport:
        best, best_epoch, losses, stopped_by = math.inf, 0, [], "epochs"
        weights: WeightArrays = {}
        held_out: Tensor | None = None
        if self.plan.judges_all and len(self.judged):
            weights, held_out = to_arrays(self.average), self._watch()
            best = self._held_out_loss(held_out)
            losses.append(best)
        for epoch in range(1, self.plan.max_epochs + 1):
            complete = self._epoch()
            # An epoch cut short is judged only when there is nothing else to return.
            if not complete and epoch > 1 and not self.plan.judges_all:
                stopped_by = "time"
                break
            if self.settle is not None:
                self.settle(self.average)
            outputs = self._watch()
            losses.append(self._held_out_loss(outputs))
            if not weights or not len(self.judged) or losses[-1] < best:
                best, best_epoch = losses[-1], epoch
                weights, held_out = to_arrays(self.average), outputs
            if not complete:
                stopped_by = "time"
                break
            if epoch - best_epoch >= self.plan.patience:
                stopped_by = "patience"
                break
        return TrainingReport(weights, tuple(losses), held_out, best_epoch, stopped_by, self.batch_size)

    def _epoch(self) -> bool:
        """Pass once over the rows; return whether that ended in time."""
        self.network.train()
        order = self.learned[torch.randperm(len(self.learned), generator=self.generator).to(self.device)]
        start = 0
        while start < len(order):
            if time.perf_counter() - self.started > self.plan.max_seconds:
                return False
            try:
                self._update(order[start : start + self.batch_size])
            except torch.cuda.OutOfMemoryError:
                self.batch_size = halved(self.batch_size, self.device)
                continue
            start += self.batch_size
        return True

    def _update(self, batch: Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * self._rate()
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.device):
            outputs = self.network(self.rows.X[batch])
        loss = training_loss(
            outputs.float(),
            self.rows.y[batch],
            self.rows.weights[batch],
            classification=self.plan.classification,
            label_smoothing=self.plan.label_smoothing,
        )
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.parameters, _CLIP_NORM)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.move_average(self.averaged, self.parameters, self.step)
        self.step += 1

    def _rate(self) -> float:
        """Factor of the learning rate: a linear warm-up, then half a cosine."""
        steps = self._affordable_steps()
        share = self.step / steps
        if share < _WARM_UP:
            return (self.step + 1) / (_WARM_UP * steps + 1)
        return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))

    def _affordable_steps(self) -> float:
        """Steps that fit into the time limit, so that the rate has come down when it strikes."""
        elapsed = time.perf_counter() - self.started
        if elapsed < self.plan.timing_share * self.plan.max_seconds or not self.step:
            return self.planned_steps
        return min(self.planned_steps, max(self.step * self.plan.max_seconds / elapsed, self.step + 1))

    def _watch(self) -> Tensor | None:
        if not len(self.judged):
            return None
        return forward_in_batches(self.average, self.judged.X, 4 * self.batch_size)

    def _held_out_loss(self, outputs: Tensor | None) -> float:
        if outputs is None:
            return math.nan
        return held_out_loss(outputs, self.judged.y, self.judged.held_out, classification=self.plan.classification)


def _parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices only: biases and the members' scalings are free."""
    decayed = [p for name, p in network.named_parameters() if p.ndim >= 2 and name.endswith("weight")]
    chosen = {id(p) for p in decayed}
    free = [p for p in network.parameters() if id(p) not in chosen]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
