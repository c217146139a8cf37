"""The leave-one-out kernel ensemble for classification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from autometa.components.kernels._base import BaseKernelEnsemble
from autometa.components.kernels.stacking import stack_classifiers
from autometa.foundation.typing import FloatArray, IntArray, LabelArray

__all__ = ["KernelEnsembleClassifier"]

_FLOOR: Final = 0.03  # least probability an expert may state; .01 to .05 differ by .001 of log-loss


class KernelEnsembleClassifier(ClassifierMixin, BaseKernelEnsemble):
    """Kernel ridge regressions on class indicators, stacked on what each says of rows left out.

    Every kernel chooses its rate and its ridge by leave-one-out loss, which costs no refits; so do the
    weights with which the kernels' log-probabilities enter a softmax. There is nothing to tune and nothing is
    pretrained.

    Parameters
    ----------
    kernels : "default" or tuple of str, default="default"
        Names of kernels, among the keys of ``autometa.components.kernels.KERNELS``.
    include_trees : bool, default=False
        Add a random forest and extremely randomised trees to the experts, by their out-of-bag predictions.
    stacking_ridge : float, default=3.0
        Pull of the stacking weights towards equality, in rows.
    class_weight : None, "balanced" or dict, default=None
        Weights of the classes, multiplied with `sample_weight`. As in scikit-learn.
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
    classes_ : ndarray of shape (k,)
        Labels, sorted.
    class_prior_ : ndarray of shape (k,), float64
        Smoothed weighted frequencies of the classes.
    stacking_weights_ : ndarray of shape (n_experts,), float64
    expert_names_ : list of str
        What each of those weights belongs to.
    loo_score_ : float
        Leave-one-out log-loss of the ensemble in nats; at least 0, lower is better. Slightly optimistic: the
        weights of columns and experts have seen all labels.
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
    .. [2] D. H. Wolpert (1992). Stacked generalization. Neural Networks 5.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True)
    >>> model = KernelEnsembleClassifier().fit(X, y)
    >>> model.approximation_
    'exact'
    """

    _tree_features: ClassVar[float | str] = "sqrt"

    def __init__(
        self,
        kernels: str | tuple[str, ...] = "default",
        *,
        include_trees: bool = False,
        stacking_ridge: float = 3.0,
        class_weight: Mapping[Any, float] | str | None = None,
        device: str = "auto",
        max_exact_rows: int | None = None,
        time_limit: float | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.kernels = kernels
        self.include_trees = include_trees
        self.stacking_ridge = stacking_ridge
        self.class_weight = class_weight
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
            Labels of any type that sorts.
        sample_weight : array-like of shape (n,), optional
            Not negative; only ratios matter. Rows of weight 0 are left out.

        Returns
        -------
        KernelEnsembleClassifier
            Itself.

        Raises
        ------
        ParameterError
            A parameter is outside its allowed set, or a GPU is demanded that is not there.
        InputError
            All sample weights are 0.
        """
        data = self._training_data(X, y, sample_weight)
        check_classification_targets(data.y)
        data = data.weighted(compute_sample_weight(self.class_weight, data.y))
        self.classes_, labels = np.unique(data.y, return_inverse=True)
        counts = np.bincount(labels, weights=data.weights)
        self.class_prior_ = (counts + 1.0) / (counts + 1.0).sum()
        targets = np.eye(len(counts))[labels] - self.class_prior_

        def squared_error(left_out: FloatArray, rows: IntArray) -> float:
            return float(data.weights[rows] @ ((left_out - targets[rows]) ** 2).sum(axis=1))

        left_out, scored = self._fit_experts(data, labels, targets, squared_error)
        logs, labels, weights = self._log_probabilities(left_out), labels[scored], data.weights[scored]
        self.stacking_weights_ = stack_classifiers(logs, labels, weights, self.stacking_ridge)
        likelihood = self._combine(logs)[np.arange(len(labels)), labels]
        self.loo_score_ = -float(np.average(np.log(likelihood), weights=weights))
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities for each row of X, ndarray of shape (n, k), columns in the order of ``classes_``."""
        batches = self._expert_predictions(X)
        return np.vstack([self._combine(self._log_probabilities(batch)) for batch in batches])

    def predict(self, X: Any) -> LabelArray:
        """Most probable class of each row of X, ndarray of shape (n,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _log_probabilities(self, predictions: FloatArray) -> FloatArray:
        """Experts' predictions of centred indicators as log-probabilities, same shape (n_experts, n, k)."""
        check_is_fitted(self)
        probabilities = np.clip(predictions + self.class_prior_, _FLOOR, 1.0)
        return np.asarray(np.log(probabilities / probabilities.sum(axis=-1, keepdims=True)))

    def _combine(self, logs: FloatArray) -> FloatArray:
        """Stacked probabilities, (n, k), from the experts' log-probabilities, (n_experts, n, k)."""
        return np.asarray(softmax(np.tensordot(self.stacking_weights_, logs, axes=1), axis=1))
