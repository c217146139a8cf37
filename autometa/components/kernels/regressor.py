"""The leave-one-out kernel ensemble for regression."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Self

import numpy as np
from sklearn.base import RegressorMixin

from autometa.components.kernels._base import BaseKernelEnsemble
from autometa.components.kernels.stacking import stack_regressors
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["KernelEnsembleRegressor"]

_MAX_BINS: Final = 10  # of the target, by which columns are weighed
_ROWS_PER_BIN: Final = 15


class KernelEnsembleRegressor(RegressorMixin, BaseKernelEnsemble):
    """Kernel ridge regressions, stacked by nonnegative least squares on what each says of rows left out.

    Every kernel chooses its rate and its ridge by leave-one-out squared error, which costs no refits. There
    is nothing to tune and nothing is pretrained.

    Parameters
    ----------
    kernels : "default" or tuple of str, default="default"
        Names of kernels, among the keys of ``autometa.components.kernels.KERNELS``.
    include_trees : bool, default=False
        Add a random forest and extremely randomised trees to the experts, by their out-of-bag predictions.
    stacking_ridge : float, default=3.0
        Pull of the stacking weights towards equality, in rows.
    device : {"auto", "cpu", "cuda"} or "cuda:N", default="auto"
        Where the linear algebra runs. ``"auto"`` uses a GPU from 1,500 rows on.
    max_exact_rows : int, optional
        Rows up to which the fit is exact; by default 3,000 on a CPU and 20,000 on a GPU. Beyond, functions
        are spanned by landmark rows (Nystroem), as many as cost the same arithmetic.
    time_limit : float, optional
        Seconds for `fit`. It lowers the number of rows fitted exactly and leaves out the weakest kernels if
        need be; one kernel is always fitted.
    random_state : int, RandomState or None, default=0
        Decides which rows the kernels are tuned on, which are landmarks, and the forests.

    Attributes
    ----------
    mean_, scale_ : float
        Weighted mean and standard deviation of the target.
    stacking_weights_ : ndarray of shape (n_experts,), float64
        Not negative.
    expert_names_ : list of str
        What each of those weights belongs to.
    loo_score_ : float
        Leave-one-out root mean squared error of the ensemble over the standard deviation of the target; at
        least 0, lower is better, 1 is as good as the mean. Slightly optimistic: the weights of columns and
        experts have seen all targets.
    residuals_ : ndarray of shape (n_scored,), float64
        Target less leave-one-out prediction, in units of the target.
    approximation_ : {"exact", "nystroem"}
    n_basis_rows_ : int
        Rows that span the functions: all of them, or the landmarks.
    device_ : str
        Where it was fitted.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only when `X` had names.

    References
    ----------
    .. [1] R. M. Rifkin, R. A. Lippert (2007). Notes on regularized least squares. MIT-CSAIL-TR-2007-025.
    .. [2] L. Breiman (1996). Stacked regressions. Machine Learning 24.
    .. [3] R. F. Barber, E. J. Candes, A. Ramdas, R. J. Tibshirani (2021). Predictive inference with the
       jackknife+. Annals of Statistics 49.
    """

    _tree_features: ClassVar[float | str] = 1 / 3

    def __init__(
        self,
        kernels: str | tuple[str, ...] = "default",
        *,
        include_trees: bool = False,
        stacking_ridge: float = 3.0,
        device: str = "auto",
        max_exact_rows: int | None = None,
        time_limit: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.kernels = kernels
        self.include_trees = include_trees
        self.stacking_ridge = stacking_ridge
        self.device = device
        self.max_exact_rows = max_exact_rows
        self.time_limit = time_limit
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the ensemble.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Numbers; NaN means missing.
        y : array-like of shape (n,)
            Finite numbers.
        sample_weight : array-like of shape (n,), optional
            Not negative; only ratios matter. Rows of weight 0 are left out.

        Returns
        -------
        KernelEnsembleRegressor
            Itself.

        Raises
        ------
        ParameterError
            A parameter is outside its allowed set, or a GPU is demanded that is not there.
        InputError
            All sample weights are 0.
        """
        data = self._training_data(X, y, sample_weight, y_numeric=True)
        y = data.y.astype(np.float64)
        self.mean_ = float(np.average(y, weights=data.weights))
        self.scale_ = float(np.sqrt(np.average((y - self.mean_) ** 2, weights=data.weights))) or 1.0
        targets = ((y - self.mean_) / self.scale_)[:, None]

        def squared_error(left_out: FloatArray, rows: IntArray) -> float:
            return float(data.weights[rows] @ (left_out - targets[rows])[:, 0] ** 2)

        left_out, scored = self._fit_experts(data, _bins(y), targets, squared_error)
        left_out, goal, weights = left_out[:, :, 0], targets[scored, 0], data.weights[scored]
        self.stacking_weights_ = stack_regressors(left_out, goal, weights, self.stacking_ridge)
        residuals = goal - self.stacking_weights_ @ left_out
        self.loo_score_ = float(np.sqrt(np.average(residuals**2, weights=weights)))
        self.residuals_, self._residual_weights = residuals * self.scale_, weights
        return self

    def predict(self, X: Any) -> FloatArray:
        """Predictions for the rows of X, ndarray of shape (n,), float64."""
        parts = [
            np.tensordot(self.stacking_weights_, batch, axes=1)[:, 0] for batch in self._expert_predictions(X)
        ]
        return np.asarray(self.mean_ + self.scale_ * np.concatenate(parts))

    def predict_interval(self, X: Any, coverage: float = 0.9) -> FloatArray:
        """Interval that should hold the target of each row with the given probability.

        It adds quantiles of the leave-one-out residuals to the prediction (the jackknife), so it is as wide
        for every row.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
        coverage : float, default=0.9
            Between 0 and 1.

        Returns
        -------
        ndarray of shape (n, 2), float64
            Lower and upper ends.

        Raises
        ------
        ParameterError
            `coverage` is not between 0 and 1.
        """
        if not 0.0 < coverage < 1.0:
            raise ParameterError(f"coverage must lie between 0 and 1; got {coverage!r}.")
        centre = self.predict(X)
        ends = np.array([0.5 - coverage / 2, 0.5 + coverage / 2])
        offsets = np.quantile(self.residuals_, ends, weights=self._residual_weights, method="inverted_cdf")
        return np.asarray(centre[:, None] + offsets)


def _bins(y: FloatArray) -> IntArray:
    """Bin of each target value, by quantiles, (n,), without empty bins."""
    n_bins = int(np.clip(len(y) // _ROWS_PER_BIN, 2, _MAX_BINS))
    edges = np.unique(np.quantile(y, np.arange(1, n_bins) / n_bins))
    _, bins = np.unique(np.searchsorted(edges, y), return_inverse=True)
    return bins
