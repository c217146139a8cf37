"""What the classifier and the regressor share: views, selection, fit and prediction of the experts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from autometa.components.kernels.ensemble import fit_members, predict_members
from autometa.components.kernels.kernels import KERNELS, Kernel
from autometa.components.kernels.landmarks import fit_landmark_members
from autometa.components.kernels.linalg import NumpyBackend
from autometa.components.kernels.selection import PILOT_ROWS, Loss, select, spread_sample
from autometa.components.kernels.trees import TreeExperts
from autometa.components.kernels.views import ColumnViews
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["BaseKernelEnsemble"]

_logger = logging.getLogger(__name__)

_DOUBLE_ROWS: Final = 1_500  # exact fits up to here are in float64, above in float32 at half the time
_EXACT_ROWS: Final = 3_000
_MIN_LANDMARKS: Final = 300


class BaseKernelEnsemble(BaseEstimator):
    """Fit and prediction of the experts; subclasses say what the targets are and how experts are stacked."""

    kernels: str | tuple[str, ...]
    include_trees: bool
    stacking_ridge: float
    device: str
    max_exact_rows: int | None
    time_limit: float | None
    random_state: Any
    _tree_features: float | str

    def __sklearn_tags__(self) -> Tags:
        """Declare that NaN is allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _fit_experts(
        self, X: FloatArray, groups: IntArray, targets: FloatArray, weights: FloatArray, loss: Loss
    ) -> FloatArray:
        """Fit the experts; return what each says of each training row left out, (n_experts, n, k)."""
        generator = check_random_state(self.random_state)
        columns = ColumnViews(X, groups, weights)
        views = columns.transform(X)
        pilot = spread_sample(views, groups, PILOT_ROWS, generator)
        choices = select(NumpyBackend(), self._kernels(), views, targets, weights, pilot, loss)
        backend = NumpyBackend("float64" if len(X) <= _DOUBLE_ROWS else "float32")
        limit = _EXACT_ROWS if self.max_exact_rows is None else self.max_exact_rows
        if len(X) <= limit:
            basis, self.approximation_ = views, "exact"
            members, left_out = fit_members(backend, choices, views, targets, weights)
        else:
            size = n_landmarks(len(X), limit)
            basis, self.approximation_ = (
                views.take(spread_sample(views, groups, size, generator)),
                f"nystroem({size})",
            )
            _logger.info("%d rows are more than %d: Nystroem with %d landmarks.", len(X), limit, size)
            members, left_out = fit_landmark_members(backend, choices, basis, views, targets, weights)
        self._columns, self._basis, self._linalg, self._members = columns, basis, backend, members
        self._trees = None
        if self.include_trees:
            self._trees = TreeExperts(self._tree_features, generator.randint(2**31 - 1))
            left_out = np.concatenate([left_out, self._trees.fit(X, targets, weights)])
        return left_out

    def _kernels(self) -> list[Kernel]:
        names = tuple(KERNELS) if self.kernels == "default" else self.kernels
        if isinstance(names, str) or not names or any(name not in KERNELS for name in names):
            raise ParameterError(
                f"kernels must be 'default' or a non-empty tuple of names among {', '.join(KERNELS)}; got {self.kernels!r}."
            )
        return [KERNELS[name] for name in dict.fromkeys(names)]

    def _expert_predictions(self, X: Any) -> Iterator[FloatArray]:
        """What each expert says of new rows, (n_experts, n_batch, k), a batch at a time."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        for rows, predictions in predict_members(
            self._linalg, self._members, self._basis, self._columns.transform(X)
        ):
            if self._trees is None:
                yield predictions
            else:
                yield np.concatenate([predictions, self._trees.predict(X[rows], predictions.shape[2])])


def n_landmarks(n: int, exact_rows: int) -> int:
    """As many landmarks as cost what an exact fit to `exact_rows` rows costs: 4 n m^2 = exact_rows^3 multiply-adds.

    Not below 300 (or `exact_rows`, when that is less) and not above `exact_rows`.
    """
    affordable = int(np.sqrt(exact_rows**3 / (4.0 * n)))
    return min(max(affordable, _MIN_LANDMARKS), exact_rows)
