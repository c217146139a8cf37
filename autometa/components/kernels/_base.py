"""What the classifier and the regressor share: from a table and targets to experts and their predictions."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from autometa.components.kernels.backends import open_backend, reopen_backend
from autometa.components.kernels.ensemble import Member, fit_members, predict_members
from autometa.components.kernels.kernels import DEFAULT_KERNELS, KERNELS, Kernel
from autometa.components.kernels.landmarks import fit_landmark_members
from autometa.components.kernels.linalg import Backend, NumpyBackend
from autometa.components.kernels.plan import Plan, make_plan
from autometa.components.kernels.selection import PILOT_ROWS, Loss, select, spread_sample
from autometa.components.kernels.trees import TreeExperts
from autometa.components.kernels.views import ColumnViews, Views
from autometa.foundation.errors import InputError, ParameterError
from autometa.foundation.typing import FloatArray, IntArray, LabelArray

__all__ = ["BaseKernelEnsemble", "TrainingData"]

_logger = logging.getLogger(__name__)

_MAX_SCORED_ROWS: Final = (
    20_000  # leave-one-out predictions made for stacking when rows are too many for an exact fit
)
_TREES_START: Final = 0.5  # share of the time limit after which no forest is begun


class TrainingData(NamedTuple):
    """Rows that count, in arrays.

    Attributes
    ----------
    X : ndarray of shape (n, n_features), float64
    y : ndarray of shape (n,)
    weights : ndarray of shape (n,), float64
        Positive, mean 1.
    """

    X: FloatArray
    y: LabelArray
    weights: FloatArray

    def weighted(self, factors: FloatArray) -> TrainingData:
        """Multiply the weights; rows that count nothing then are left out.

        Parameters
        ----------
        factors : ndarray of shape (n,), float64
            Not negative.

        Returns
        -------
        TrainingData

        Raises
        ------
        InputError
            Every row counts nothing.
        """
        weights = self.weights * factors
        kept = weights > 0
        if not kept.any():
            raise InputError("No row is left to learn from: every sample or class weight is zero.")
        return TrainingData(self.X[kept], self.y[kept], weights[kept] / weights[kept].mean())


class BaseKernelEnsemble(BaseEstimator):
    """Fits the experts; subclasses say what the targets are and how the experts are stacked."""

    kernels: str | tuple[str, ...]
    include_trees: bool
    stacking_ridge: float
    device: str
    max_exact_rows: int | None
    time_limit: float | None
    random_state: int | np.random.RandomState | None
    stacking_weights_: FloatArray
    device_: str
    approximation_: str
    n_basis_rows_: int
    _columns: ColumnViews
    _basis: Views
    _linalg: Backend
    _members: list[Member]
    _trees: TreeExperts | None
    _tree_features: ClassVar[float | str]

    def __sklearn_tags__(self) -> Tags:
        """Declare that NaN is allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    def expert_names_(self) -> list[str]:
        """What each entry of ``stacking_weights_`` belongs to."""
        check_is_fitted(self)
        names = [f"{m.choice.kernel_name}(rate={m.rate:g}, ridge={m.choice.ridge:g})" for m in self._members]
        return names + (["random_forest", "extra_trees"] if self._trees is not None else [])

    def _training_data(self, X: Any, y: Any, sample_weight: Any, **checks: Any) -> TrainingData:
        """Validate what `fit` was given; rows of weight 0 are left out."""
        self._check_parameters()
        if sample_weight is not None and not np.asarray(sample_weight).any():
            raise InputError("sample_weight must have a positive entry; every weight is zero.")
        X, y = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2, **checks
        )
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return TrainingData(X, y, np.ones(len(X))).weighted(weights)

    def _check_parameters(self) -> None:
        names = DEFAULT_KERNELS if self.kernels == "default" else self.kernels
        if isinstance(names, str) or not names or any(name not in KERNELS for name in names):
            known = ", ".join(KERNELS)
            raise ParameterError(
                f"kernels must be 'default' or a tuple of names among {known}; got {self.kernels!r}."
            )
        for name, least in (("stacking_ridge", 0), ("max_exact_rows", 1), ("time_limit", 0)):
            value = getattr(self, name)
            if value is not None and not value > least:
                raise ParameterError(f"{name} must be more than {least}; got {value!r}.")

    def _chosen_kernels(self) -> list[Kernel]:
        names = DEFAULT_KERNELS if self.kernels == "default" else self.kernels
        return [KERNELS[name] for name in dict.fromkeys(names)]

    def _fit_experts(
        self, data: TrainingData, groups: IntArray, targets: FloatArray, loss: Loss
    ) -> tuple[FloatArray, IntArray]:
        """Fit the experts.

        Parameters
        ----------
        data : TrainingData
        groups : ndarray of shape (n,), int64
            Class of each row or bin of its target.
        targets : ndarray of shape (n, k), float64
            Centred.
        loss : Loss
            By which rates and ridges are chosen.

        Returns
        -------
        left_out : ndarray of shape (n_experts, n_scored, k), float64
            What each expert says of a training row that it has not seen.
        scored : ndarray of shape (n_scored,), int64
            Those rows.
        """
        limit = math.inf if self.time_limit is None else self.time_limit
        begin, generator = time.monotonic(), check_random_state(self.random_state)
        self._columns = ColumnViews(data.X, groups, data.weights)
        views = self._columns.transform(data.X)
        pilot = spread_sample(views, groups, PILOT_ROWS, generator)
        # float32 is exact enough to choose by, and takes half the time.
        small = NumpyBackend("float32")
        choices = select(small, self._chosen_kernels(), views, targets, data.weights, pilot, loss)
        plan = self._make_plan(len(data.X), len(choices), begin + limit - time.monotonic())
        landmarks = spread_sample(views, groups, plan.basis_rows, generator)
        scored = spread_sample(views, groups, _MAX_SCORED_ROWS, generator)
        self._basis = views.take(landmarks)
        if plan.approximation == "exact":
            scored = landmarks  # all rows
            fitted = fit_members(self._linalg, choices, views, targets, data.weights, begin + limit)
        else:
            fitted = fit_landmark_members(self._linalg, choices, self._basis, views, targets, data.weights, scored)
        self._members, left_out = fitted
        self._trees = None
        if self.include_trees and self._time_for_trees(time.monotonic() - begin):
            self._trees = TreeExperts(self._tree_features, generator.randint(2**31 - 1))
            out_of_bag = self._trees.fit(data.X, targets, data.weights)
            left_out = np.concatenate([left_out, out_of_bag[:, scored]])
        return left_out, scored

    def _make_plan(self, n: int, n_members: int, seconds: float) -> Plan:
        """Choose device and approximation, and say so."""
        self._linalg, reason = open_backend(self.device, n)
        plan = make_plan(self._linalg, n, n_members, self.max_exact_rows, seconds)
        self.device_, self.approximation_, self.n_basis_rows_ = (
            self._linalg.device,
            plan.approximation,
            plan.basis_rows,
        )
        _logger.info("On %s, because %s.", self.device_, reason)
        level = logging.INFO if plan.approximation == "exact" else logging.WARNING
        _logger.log(level, "%s fit with %d basis rows: %s.", plan.approximation, plan.basis_rows, plan.reason)
        return plan

    def _time_for_trees(self, elapsed: float) -> bool:
        if self.time_limit is None or elapsed < _TREES_START * self.time_limit:
            return True
        _logger.warning("No forests: %.1f of %.1f seconds have gone to the kernels.", elapsed, self.time_limit)
        return False

    def _expert_predictions(self, X: Any) -> Iterator[FloatArray]:
        """What each expert says of new rows, (n_experts, n_batch, k), a batch at a time."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        backend = reopen_backend(self._linalg)
        for rows, predictions in predict_members(backend, self._members, self._basis, self._columns.transform(X)):
            if self._trees is None:
                yield predictions
            else:
                yield np.concatenate([predictions, self._trees.predict(X[rows], predictions.shape[2])])
