"""The leave-one-out kernel ensemble: strong on small tables, nothing to tune, nothing pretrained.

From the outside in: `classifier` and `regressor` state targets and stacking; `_base` runs a fit; `plan` and
`backends` decide its size and its device; `views` prepares columns, `kernels` compares rows, `selection` tunes,
`ensemble` (exact) and `landmarks` (Nystroem) fit, by the formulas of `leave_one_out`; `trees` adds forests;
`stacking` weighs the experts; `linalg` does the arithmetic.
"""

from __future__ import annotations

from autometa.components.kernels.classifier import KernelEnsembleClassifier
from autometa.components.kernels.kernels import DEFAULT_KERNELS, KERNELS
from autometa.components.kernels.regressor import KernelEnsembleRegressor

__all__ = ["DEFAULT_KERNELS", "KERNELS", "KernelEnsembleClassifier", "KernelEnsembleRegressor"]
