"""The leave-one-out kernel ensemble."""

from __future__ import annotations

from autometa.components.kernels.classifier import KernelEnsembleClassifier
from autometa.components.kernels.regressor import KernelEnsembleRegressor

__all__ = ["KernelEnsembleClassifier", "KernelEnsembleRegressor"]
