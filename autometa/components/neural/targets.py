"""Targets of networks: classes as codes and a temperature found on held-out rows, numbers on a standard scale."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from autometa.components.neural.calibration import best_temperature, mean_probabilities
from autometa.foundation.errors import TargetError
from autometa.foundation.typing import FloatArray, IntArray, LabelArray

if TYPE_CHECKING:
    from autometa.components.neural.training import Rows, TrainingReport

__all__ = ["ClassTarget", "NumberTarget"]

_MARGIN: Final = 0.25  # of the training range, by which predictions may leave it


class ClassTarget(ClassifierMixin):
    """What classifiers make of their target and of a network's logits.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    temperature_ : float
        Logits are divided by it.
    """

    class_weight: dict[Any, float] | str | None
    calibrate: bool

    @abstractmethod
    def predict_proba(self, X: Any) -> FloatArray:
        """Return probabilities, columns in the order of ``classes_``."""

    def predict(self, X: Any) -> LabelArray:
        """Return the most probable classes.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _class_weighted(self, sample_weight: FloatArray, y: LabelArray) -> FloatArray:
        """Return weights of rows, those of their classes among them."""
        if self.class_weight is None:
            return sample_weight
        return np.asarray(sample_weight * compute_sample_weight(self.class_weight, y))

    def _codes(self, y: LabelArray) -> IntArray:
        """Learn the classes; return the place of each row's."""
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            found = f"one class, {self.classes_[0]!r}, only" if len(self.classes_) else "no row of any weight"
            raise TargetError(f"A classifier needs at least two classes; the target has {found}.")
        return np.asarray(codes, dtype=np.int64)

    def _after_training(self, report: TrainingReport, judged: Rows) -> None:
        """Find the temperature on the rows that the best network was judged on."""
        self.temperature_ = 1.0
        if self.calibrate and report.held_out is not None:
            logits, codes, weights = (t.cpu().numpy() for t in (report.held_out, judged.y, judged.held_out))
            self.temperature_ = best_temperature(logits, codes, weights)

    def _probabilities(self, logits: npt.NDArray[Any]) -> FloatArray:
        """Turn logits, (n_samples, k, n_classes), into mean probabilities, (n_samples, n_classes)."""
        return mean_probabilities(logits, self.temperature_)


class NumberTarget(RegressorMixin):
    """What regressors make of their target and of a network's outputs.

    Attributes
    ----------
    target_mean_, target_scale_ : float
    target_range_ : tuple of float
        That of training, widened by a quarter of it on either side.
    """

    def _standardised(self, y: FloatArray, sample_weight: FloatArray) -> npt.NDArray[np.float32]:
        """Learn mean, scale and range; return the target with mean 0 and standard deviation 1."""
        self.target_mean_ = float(np.average(y, weights=sample_weight))
        spread = np.average((y - self.target_mean_) ** 2, weights=sample_weight)
        self.target_scale_ = float(np.sqrt(spread)) or 1.0
        margin = _MARGIN * float(np.ptp(y))
        self.target_range_ = (float(y.min()) - margin, float(y.max()) + margin)
        return np.asarray((y - self.target_mean_) / self.target_scale_, dtype=np.float32)

    def _on_target_scale(self, outputs: npt.NDArray[Any]) -> FloatArray:
        """Turn outputs, (n_samples, k, 1), into their mean on the target's scale, (n_samples,), clipped."""
        mean = outputs.astype(np.float64).mean(axis=(1, 2))
        return np.asarray(np.clip(mean * self.target_scale_ + self.target_mean_, *self.target_range_))
