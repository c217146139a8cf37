"""The one training loop: AdamW, averaged weights, early stopping on held-out rows, a limit of seconds that is kept."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from autometa.components.neural.model import to_arrays
from autometa.components.neural.specification import WeightArrays
from autometa.foundation.errors import EvaluationError

__all__ = ["Rows", "TrainingPlan", "TrainingReport", "cpu_threads", "fit_network", "forward_in_batches", "seeded"]

_logger = logging.getLogger(__name__)

_MAX_THREADS: Final = 4  # layers of 64 to 256 units gain nothing from more
_CLIP_NORM: Final = 1.0
_AVERAGING: Final = 0.98  # share that the average of the weights keeps at each step
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


@dataclass(frozen=True)
class Rows:
    """Training rows on the device; which of them each member learns from, and which it is judged on.

    Attributes
    ----------
    X : Tensor of float32, shape (n_samples, n_columns)
    y : Tensor of int64 or float32, shape (n_samples,)
    weights : Tensor of float32, shape (n_samples, k)
        Zero where a member must not learn from a row.
    held_out : Tensor of float32, shape (n_samples, k)
        Weight of a row in the held-out loss of a member; zero where the member learned from it.
    """

    X: Tensor
    y: Tensor
    weights: Tensor
    held_out: Tensor


@dataclass(frozen=True)
class TrainingReport:
    """What training came to.

    Attributes
    ----------
    weights : dict of str to ndarray
        Those with the least held-out loss, or the last ones if no rows were held out.
    losses : tuple of float
        Held-out loss after each epoch (log loss in nats, or mean squared error of standardised targets); lower is
        better; NaN without held-out rows.
    best_epoch : int
        Epoch of `weights`, from 1.
    stopped_by : {"epochs", "patience", "time"}
    batch_size : int
        At the end; smaller than planned if memory ran out.
    """

    weights: WeightArrays
    losses: tuple[float, ...]
    best_epoch: int
    stopped_by: str
    batch_size: int


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


def fit_network(network: nn.Module, rows: Rows, plan: TrainingPlan) -> TrainingReport:
    """Train a network in place.

    Parameters
    ----------
    network : Module
        (B, n_columns) -> (B, k, n_outputs), on the rows' device.
    rows : Rows
    plan : TrainingPlan

    Returns
    -------
    TrainingReport
    """
    return _Trainer(network, rows, plan).run()


class _Trainer:
    def __init__(self, network: nn.Module, rows: Rows, plan: TrainingPlan) -> None:
        self.network, self.rows, self.plan = network, rows, plan
        self.deadline = time.perf_counter() + plan.max_seconds
        self.device = rows.X.device
        self.average = copy.deepcopy(network)
        # Listed once: walking over the modules at every step took a fifth of the time of a small network's step.
        self.parameters = list(network.parameters())
        self.averaged = list(self.average.parameters())
        self.move_average = get_ema_multi_avg_fn(_AVERAGING)
        self.optimizer = torch.optim.AdamW(_parameter_groups(network, plan), lr=plan.learning_rate, fused=True)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=_half_precision(self.device) == torch.float16)
        self.learned = torch.nonzero(rows.weights.sum(dim=1) > 0).squeeze(1)
        self.judged = torch.nonzero(rows.held_out.sum(dim=1) > 0).squeeze(1)
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.batch_size = plan.batch_size
        self.step = 0

    def run(self) -> TrainingReport:
        best, best_epoch, losses, stopped_by = math.inf, 0, [], "epochs"
        weights: WeightArrays | None = None
        for epoch in range(1, self.plan.max_epochs + 1):
            in_time = self._epoch()
            # An epoch cut short is judged only when there is nothing else to return.
            if not in_time and weights is not None:
                stopped_by = "time"
                break
            losses.append(self._held_out_loss())
            if losses[-1] < best or weights is None or not len(self.judged):
                best, best_epoch, weights = losses[-1], epoch, to_arrays(self.average)
            if not in_time or time.perf_counter() > self.deadline:
                stopped_by = "time"
                break
            if epoch - best_epoch >= self.plan.patience:
                stopped_by = "patience"
                break
        if weights is None:
            weights = to_arrays(self.average)
        return TrainingReport(weights, tuple(losses), best_epoch, stopped_by, self.batch_size)

    def _epoch(self) -> bool:
        """Pass once over the rows; return whether it ended in time."""
        self.network.train()
        order = self.learned[torch.randperm(len(self.learned), generator=self.generator).to(self.device)]
        start = 0
        while start < len(order):
            if time.perf_counter() > self.deadline:
                return False
            try:
                self._update(order[start : start + self.batch_size])
            except torch.OutOfMemoryError:
                self.batch_size = halved(self.batch_size, self.device)
                continue
            start += self.batch_size
        return True

    def _update(self, batch: Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * self._schedule()
        self.optimizer.zero_grad(set_to_none=True)
        with _autocast(self.device):
            outputs = self.network(self.rows.X[batch])
        loss = _training_loss(outputs.float(), self.rows.y[batch], self.rows.weights[batch], self.plan)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.parameters, _CLIP_NORM)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.move_average(self.averaged, self.parameters, self.step)
        self.step += 1

    def _schedule(self) -> float:
        """Factor of the learning rate: a linear warm-up, then half a cosine."""
        steps = self.plan.max_epochs * math.ceil(len(self.learned) / self.plan.batch_size)
        share = self.step / max(steps, 1)
        if share < _WARM_UP:
            return (share + 1 / steps) / (_WARM_UP + 1 / steps)
        return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))

    def _held_out_loss(self) -> float:
        if not len(self.judged):
            return math.nan
        outputs = forward_in_batches(self.average, self.rows.X[self.judged], 4 * self.batch_size)
        return held_out_loss(
            outputs, self.rows.y[self.judged], self.rows.held_out[self.judged], self.plan.classification
        )


def _parameter_groups(network: nn.Module, plan: TrainingPlan) -> list[dict[str, Any]]:
    """Decay matrices only: biases and per-member scalings are free."""
    decayed = [p for name, p in network.named_parameters() if p.ndim >= 2 and name.endswith("weight")]
    chosen = {id(p) for p in decayed}
    free = [p for p in network.parameters() if id(p) not in chosen]
    return [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": free, "weight_decay": 0.0}]


def _training_loss(outputs: Tensor, y: Tensor, weights: Tensor, plan: TrainingPlan) -> Tensor:
    """Mean of the members' own losses: (B, K, C), (B,), (B, K) -> ()."""
    if plan.classification:
        losses = functional.cross_entropy(
            outputs.flatten(0, 1),
            y.repeat_interleave(outputs.shape[1]),
            reduction="none",
            label_smoothing=plan.label_smoothing,
        ).view(weights.shape)
    else:
        losses = (outputs.squeeze(2) - y[:, None]).square()
    return (losses * weights).sum() / weights.sum().clamp_min(1e-12)


def held_out_loss(outputs: Tensor, y: Tensor, weights: Tensor, classification: bool) -> float:
    """Return the loss of the averaged members, each on the rows that it is judged on.

    Parameters
    ----------
    outputs : Tensor of shape (n_samples, k, n_outputs)
    y : Tensor of shape (n_samples,)
    weights : Tensor of shape (n_samples, k)
    classification : bool

    Returns
    -------
    float
        Log loss in nats or mean squared error; lower is better.
    """
    row_weights = weights.sum(dim=1)  # (B,)
    share = (weights / row_weights[:, None]).unsqueeze(2)  # (B, K, 1)
    if classification:
        probabilities = (outputs.softmax(dim=2) * share).sum(dim=1)  # (B, C)
        losses = -probabilities.gather(1, y[:, None]).squeeze(1).clamp_min(1e-7).log()
    else:
        losses = ((outputs * share).sum(dim=1).squeeze(1) - y).square()
    return float((losses * row_weights).sum() / row_weights.sum())


@torch.inference_mode()
def forward_in_batches(network: nn.Module, X: Tensor, batch_size: int) -> Tensor:
    """Apply a network without gradients; halve the batch when memory runs out.

    Parameters
    ----------
    network : Module
    X : Tensor of shape (n_samples, n_columns)
    batch_size : int

    Returns
    -------
    Tensor of float32, shape (n_samples, k, n_outputs)
    """
    network.eval()
    parts, start = [], 0
    while start < len(X):
        try:
            with _autocast(X.device):
                parts.append(network(X[start : start + batch_size]).float())
        except torch.OutOfMemoryError:
            batch_size = halved(batch_size, X.device)
            continue
        start += batch_size
    return torch.cat(parts)


def halved(batch_size: int, device: torch.device) -> int:
    """Halve a batch size after memory ran out, and log it; a single row that does not fit is an error."""
    if batch_size <= 1:
        raise EvaluationError(
            f"Not even one row fits into the memory of {device}; use a smaller width, k or d_embedding."
        )
    _logger.warning(
        "Out of memory on %s with batches of %d rows; going on with %d.", device, batch_size, batch_size // 2
    )
    torch.cuda.empty_cache()
    return batch_size // 2


def _half_precision(device: torch.device) -> torch.dtype | None:
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _autocast(device: torch.device) -> torch.autocast:
    dtype = _half_precision(device)
    return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)
