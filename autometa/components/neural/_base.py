"""What the classifier and the regressor share: fitting, storing and applying the network."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from autometa.components.neural.devices import resolve_device
from autometa.components.neural.inputs import ColumnScaler, held_out_rows
from autometa.components.neural.specification import ACTIVATIONS, ARCHITECTURES, EMBEDDINGS, NetworkSpec
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import BoolArray, FloatArray, LabelArray

if TYPE_CHECKING:
    from torch import Tensor, nn

    from autometa.components.neural.training import Rows, TrainingPlan, TrainingReport

__all__ = ["BaseTabularNetwork"]

_logger = logging.getLogger(__name__)

# With fewer rows a held-out part of them says nothing: all are learned from, for all epochs.
_MIN_ROWS_TO_HOLD_OUT: Final = 30
_MAX_STEPS: Final = 700  # of the optimiser, unless that is fewer than _MIN_EPOCHS
_MIN_EPOCHS: Final = 25
# Multiplications of weights in the forward passes of a fit on a CPU: what ends a long fit after the same epochs
# everywhere. With backward passes one core of an AMD EPYC does 1.7e9 of them a second (1,400 rows of 16 columns,
# ended by the number of steps long before) to 5e9 (of 216 columns): 16 seconds of the widest networks.
_CPU_WORK: Final = 8e10
_TRAINING_SHARE: Final = 0.9  # of the seconds that are left; the rest is for the last look at held-out rows
_MAX_JUDGED: Final = 4_096  # held-out rows that are watched; more would say the same
_MAX_EMBEDDED: Final = 2_048  # inputs of the backbone that embedded columns may make up
# Five independent members hold out one fifth each; eight of them were no better at 1.6 times the time.
_MEMBERS: Final = {"packed": 5, "tabm": 8}
_CPU_BATCH, _GPU_BATCH = 512, 4_096  # largest automatic batches


class BaseTabularNetwork(BaseEstimator):
    """Fit and apply a network; subclasses say what targets and outputs are."""

    architecture: str
    embedding: str
    k: int | None
    width: int
    n_blocks: int
    dropout: float
    activation: str
    d_embedding: int
    n_bins: int
    frequency_scale: float
    learning_rate: float
    weight_decay: float
    max_epochs: int | None
    patience: int
    batch_size: int | None
    validation_share: float
    max_seconds: float
    device: str
    random_state: Any
    label_smoothing: float = 0.0

    def _fit_network(
        self, X: FloatArray, y: LabelArray, sample_weight: FloatArray, *, n_outputs: int, classification: bool
    ) -> None:
        """Fit scaler and network to class codes or standardised targets."""
        from autometa.components.neural import execution, training

        started = time.perf_counter()
        self._check_parameters()
        generator = check_random_state(self.random_state)
        seed = int(generator.randint(2**31 - 1))
        resolved = resolve_device(self.device)
        self.device_, self.device_reason_ = resolved.name, resolved.reason
        self.scaler_ = ColumnScaler().fit(X)
        matrix = self.scaler_.transform(X)
        held_out = self._held_out(y, generator, classification)
        with execution.cpu_threads(), execution.seeded(seed, self.device_):
            self._spec = self._make_spec(matrix, y, n_outputs, classification)
            network = self._network().to(self.device_)
            rows = self._rows(matrix, y, sample_weight, held_out)
            judged = rows.judged(_MAX_JUDGED)
            seconds = _TRAINING_SHARE * (self.max_seconds - (time.perf_counter() - started))
            plan = self._plan(len(X), seed, classification, seconds)
            report = training.fit_network(network, rows, judged, plan)
            self._weights = report.weights
            self._after_training(report, judged)
        self.validation_losses_ = np.asarray(report.losses)
        self.n_epochs_, self.best_epoch_ = len(report.losses), report.best_epoch
        self.stopped_by_, self.batch_size_ = report.stopped_by, report.batch_size
        self.fit_seconds_ = time.perf_counter() - started
        _logger.info(
            "%d epochs in %.1f s on %s (%s).", self.n_epochs_, self.fit_seconds_, self.device_, self.device_reason_
        )

    def _rows(
        self, matrix: npt.NDArray[np.float32], y: LabelArray, sample_weight: FloatArray, held_out: BoolArray
    ) -> Rows:
        import torch

        from autometa.components.neural.training import Rows

        weights = sample_weight.astype(np.float32)[:, None]
        return Rows(
            X=torch.as_tensor(matrix, device=self.device_),
            y=torch.as_tensor(y, device=self.device_),
            weights=torch.as_tensor(weights * ~held_out, device=self.device_),
            held_out=torch.as_tensor(weights * held_out, device=self.device_),
        )

    def _after_training(self, report: TrainingReport, judged: Rows) -> None:
        """Use what the best network says of the rows that it was judged on."""

    def _held_out(self, y: LabelArray, generator: np.random.RandomState, classification: bool) -> BoolArray:
        if len(y) < _MIN_ROWS_TO_HOLD_OUT:
            return np.zeros((len(y), self._members()), dtype=np.bool_)
        return held_out_rows(
            y,
            self._members(),
            self.validation_share,
            generator,
            classification=classification,
            crossed=self.architecture == "packed",
        )

    def _members(self) -> int:
        return 1 if self.architecture == "mlp" else int(self.k or _MEMBERS[self.architecture])

    def _make_spec(
        self, matrix: npt.NDArray[np.float32], y: LabelArray, n_outputs: int, classification: bool
    ) -> NetworkSpec:
        from autometa.components.neural.model import make_bins

        n_numeric = self.scaler_.n_numeric_
        bins: tuple[npt.NDArray[np.float32], ...] = ()
        if self.embedding == "piecewise" and n_numeric:
            bins = make_bins(matrix[:, :n_numeric], y, n_bins=self.n_bins, classification=classification)
        return NetworkSpec(
            n_numeric=n_numeric,
            n_plain=matrix.shape[1] - n_numeric,
            n_outputs=n_outputs,
            architecture=self.architecture,
            k=self._members(),
            width=self.width,
            n_blocks=self.n_blocks,
            dropout=self.dropout,
            activation=self.activation,
            embedding=self.embedding,
            d_embedding=int(np.clip(_MAX_EMBEDDED // max(n_numeric, 1), 1, self.d_embedding)),
            frequency_scale=self.frequency_scale,
            bins=bins,
        )

    def _plan(self, n_samples: int, seed: int, classification: bool, seconds: float) -> TrainingPlan:
        from autometa.components.neural.training import TrainingPlan

        batch_size = self.batch_size or _automatic_batch(n_samples, self.device_)
        steps = max(1, n_samples // batch_size)
        return TrainingPlan(
            classification=classification,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            label_smoothing=self.label_smoothing,
            max_epochs=self.max_epochs or min(max(_MIN_EPOCHS, _MAX_STEPS // steps), self._affordable(n_samples)),
            patience=self.patience,
            batch_size=batch_size,
            max_seconds=seconds,
            seed=seed,
        )

    def _affordable(self, n_samples: int) -> int:
        """Epochs that a CPU has the time for."""
        if not self.device_.startswith("cpu"):
            return sys.maxsize
        return max(1, int(_CPU_WORK / (n_samples * self._spec.n_multiplications)))

    def _network(self) -> nn.Module:
        from autometa.components.neural.model import TabularNetwork

        return TabularNetwork(self._spec)

    def _outputs(self, X: Any) -> npt.NDArray[np.float32]:
        """Return what each member says of each row, (n_samples, k, n_outputs)."""
        import torch

        from autometa.components.neural import execution
        from autometa.components.neural.model import load_arrays

        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        device = resolve_device(self.device).name
        network = self._network()
        load_arrays(network, self._weights)
        with execution.cpu_threads():
            matrix = torch.as_tensor(self.scaler_.transform(X), device=device)
            outputs: Tensor = execution.forward_in_batches(network.to(device), matrix, 4 * self.batch_size_)
        return outputs.cpu().numpy()

    def _check_parameters(self) -> None:
        for name, allowed in (
            ("architecture", ARCHITECTURES),
            ("embedding", EMBEDDINGS),
            ("activation", ACTIVATIONS),
        ):
            self._check(name, getattr(self, name) in allowed, f"one of {list(allowed)}")
        for name in ("width", "n_blocks", "d_embedding", "n_bins", "patience"):
            self._check(name, getattr(self, name) >= 1, "at least 1")
        for name in ("learning_rate", "frequency_scale", "max_seconds"):
            self._check(name, getattr(self, name) > 0, "above 0")
        for name in ("k", "max_epochs", "batch_size"):
            self._check(name, getattr(self, name) is None or getattr(self, name) >= 1, "None or at least 1")
        for name in ("dropout", "label_smoothing"):
            self._check(name, 0 <= getattr(self, name) < 1, "in [0, 1)")
        self._check("weight_decay", self.weight_decay >= 0, "at least 0")
        self._check("validation_share", 0 < self.validation_share <= 0.5, "in (0, 0.5]")

    def _check(self, name: str, is_allowed: bool, allowed: str) -> None:
        if not is_allowed:
            raise ParameterError(f"{name} must be {allowed}; got {getattr(self, name)!r}.", parameter=name)


def _automatic_batch(n_samples: int, device: str) -> int:
    """A power of two near a twelfth of the rows: about a dozen steps an epoch, until batches are large."""
    largest = _GPU_BATCH if device.startswith("cuda") else _CPU_BATCH
    return int(np.clip(2 ** round(np.log2(max(n_samples, 1) / 12)), 32, largest))
