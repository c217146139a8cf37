"""What fine-tuned encoders of every modality share: fitting, storing and applying encoder and head."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from autometa.components.neural.devices import resolve_device
from autometa.components.neural.inputs import held_out_rows
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import FloatArray, IntArray, LabelArray

if TYPE_CHECKING:
    from torch import nn

    from autometa.components.neural.encoders.rows import JoinedRows
    from autometa.components.neural.training import Rows, TrainingReport

__all__ = ["BaseFineTuned"]

_logger = logging.getLogger(__name__)

# With fewer rows a held-out part of them says nothing: all are learned from, for all epochs.
_MIN_ROWS_TO_HOLD_OUT: Final = 60
_TRAINING_SHARE: Final = 0.9  # of the seconds; the rest is for the last look at held-out rows
_READ_AHEAD: Final = 4  # batches that are only read are so many times larger


class BaseFineTuned(BaseEstimator):
    """Fine-tune an encoder with a linear head; subclasses say what it reads, and what targets are."""

    def __init__(
        self,
        backbone: str,
        learning_rate: float,
        weight_decay: float,
        max_epochs: int,
        patience: int,
        batch_size: int,
        validation_share: float,
        max_seconds: float,
        device: str,
        random_state: Any,
    ) -> None:
        self.backbone = backbone
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.patience = patience
        self.batch_size = batch_size
        self.validation_share = validation_share
        self.max_seconds = max_seconds
        self.device = device
        self.random_state = random_state

    @abstractmethod
    def _pretrained(self) -> nn.Module:
        """Return the pretrained encoder, free to be changed, and keep what `_empty` needs."""

    @abstractmethod
    def _empty(self) -> nn.Module:
        """Return the encoder again, its weights still to be loaded."""

    @abstractmethod
    def _read(self, X: Any, device: str) -> JoinedRows:
        """Turn a validated table into rows on a device."""

    @abstractmethod
    def _contents(self, rows: JoinedRows) -> list[Any]:
        """Return what the encoder reads of each row, as something that can be ordered."""

    def _order(self, rows: JoinedRows, y: LabelArray | None = None) -> IntArray:
        """Order rows by what they hold: for fits that do not depend on their order, and for batches alike."""
        contents, plain = self._contents(rows), rows.plain.cpu().numpy()
        last = np.zeros(len(contents)) if y is None else y
        keys = [(each, plain[i].tobytes(), last[i]) for i, each in enumerate(contents)]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)

    def _settler(self, rows: Rows) -> Callable[[nn.Module], None] | None:
        """Return what has to be done to averaged weights before they are judged."""
        return None

    def _fit_encoder(
        self, X: Any, y: LabelArray, sample_weight: FloatArray, *, n_outputs: int, classification: bool
    ) -> None:
        """Fit encoder and head to class codes or standardised targets."""
        import torch

        from autometa.components.neural import execution
        from autometa.components.neural.encoders.fine_tuning import fine_tune, fine_tuning_plan

        started = time.perf_counter()
        self._check_parameters()
        generator = check_random_state(self.random_state)
        seed = int(generator.randint(2**31 - 1))
        resolved = resolve_device(self.device)
        self.device_, self.device_reason_ = resolved.name, resolved.reason
        with execution.cpu_threads(), execution.seeded(seed, self.device_):
            encoder = self._pretrained().to(self.device_)
            joined = self._read(X, self.device_)
            order = self._order(joined, y)
            rows = self._rows(
                joined[torch.from_numpy(order)], y[order], sample_weight[order], generator, classification
            )
            plan = fine_tuning_plan(
                classification=classification,
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                max_epochs=self.max_epochs,
                patience=self.patience,
                batch_size=self.batch_size,
                max_seconds=_TRAINING_SHARE * self.max_seconds - (time.perf_counter() - started),
                seed=seed,
            )
            tuned = fine_tune(encoder, rows, n_outputs, plan, self._settler(rows))
        report = tuned.report
        self._weights, self._shape = report.weights, (tuned.network.head.in_features, n_outputs)
        self._after_training(report, tuned.judged)
        self.validation_losses_ = np.asarray(report.losses)
        self.best_epoch_, self.stopped_by_, self.batch_size_ = (
            report.best_epoch,
            report.stopped_by,
            report.batch_size,
        )
        self.fit_seconds_ = time.perf_counter() - started
        _logger.info("Fine-tuned in %.1f s on %s (%s).", self.fit_seconds_, self.device_, self.device_reason_)

    def _rows(
        self,
        joined: JoinedRows,
        y: LabelArray,
        sample_weight: FloatArray,
        generator: np.random.RandomState,
        classification: bool,
    ) -> Rows:
        import torch

        from autometa.components.neural.training import Rows

        held_out = np.zeros((len(y), 1), dtype=np.bool_)
        if len(y) >= _MIN_ROWS_TO_HOLD_OUT:
            held_out = held_out_rows(
                y, 1, self.validation_share, generator, classification=classification, crossed=False
            )
        weights = sample_weight.astype(np.float32)[:, None]
        return Rows(
            X=joined,
            y=torch.as_tensor(y, device=self.device_),
            weights=torch.as_tensor(weights * ~held_out, device=self.device_),
            held_out=torch.as_tensor(weights * held_out, device=self.device_),
        )

    def _after_training(self, report: TrainingReport, judged: Rows) -> None:
        """Use what the best network says of the rows that it was judged on."""

    def _outputs(self, X: Any) -> npt.NDArray[np.float32]:
        """Return what is said of each row of a validated table, (n_samples, 1, n_outputs)."""
        import torch

        from autometa.components.neural import execution
        from autometa.components.neural.encoders.fine_tuning import EncoderNetwork
        from autometa.components.neural.model import load_arrays

        check_is_fitted(self)
        device = resolve_device(self.device).name
        network = EncoderNetwork(self._empty(), *self._shape)
        load_arrays(network, self._weights)
        with execution.cpu_threads():
            rows = self._read(X, device)
            order = self._order(rows)
            outputs = execution.forward_in_batches(
                network.to(device), rows[torch.from_numpy(order)], _READ_AHEAD * self.batch_size_
            )
        found = np.empty(outputs.shape, dtype=np.float32)
        found[order] = outputs.cpu().numpy()
        return found

    def _check_parameters(self) -> None:
        for name in ("max_epochs", "patience", "batch_size"):
            self._check(name, getattr(self, name) >= 1, "at least 1")
        for name in ("learning_rate", "max_seconds"):
            self._check(name, getattr(self, name) > 0, "above 0")
        self._check("weight_decay", self.weight_decay >= 0, "at least 0")
        self._check("validation_share", 0 < self.validation_share <= 0.5, "in (0, 0.5]")

    def _check(self, name: str, is_allowed: bool, allowed: str) -> None:
        if not is_allowed:
            raise ParameterError(f"{name} must be {allowed}; got {getattr(self, name)!r}.", parameter=name)
