"""Ensembles that average what their members predict, as ordinary scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from autometa.domain.table_checks import TableChecks
from autometa.domain.weights import as_weights, fit_estimator
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import FloatArray, LabelArray

__all__ = ["WeightedEnsembleClassifier", "WeightedEnsembleRegressor"]


class _WeightedEnsemble(TableChecks, _BaseComposition):
    """What the classifier and the regressor share; the table goes to the members as it came."""

    def __init__(
        self, estimators: Sequence[tuple[str, BaseEstimator]], *, weights: Sequence[float] | None = None
    ) -> None:
        self.estimators = estimators
        self.weights = weights

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, those of the members as ``name__parameter``.

        Parameters
        ----------
        deep : bool

        Returns
        -------
        dict
        """
        return dict(self._get_params("estimators", deep=deep))

    def set_params(self, **params: Any) -> Self:
        """Set parameters; a member's as ``name__parameter``, a whole member by its name.

        Parameters
        ----------
        **params : Any

        Returns
        -------
        self
        """
        self._set_params("estimators", **params)
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit every member on all rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Every member must take weights then.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            If the weights do not fit the members.
        """
        self.weights_ = self._checked_weights()
        X, y = self._checked_table(X, y)
        y = self._checked_target(y)
        weights = as_weights(sample_weight, len(y))
        self.estimators_ = [fit_estimator(clone(member), X, y, weights) for _, member in self.estimators]
        return self

    def _checked_target(self, y: Any) -> Any:
        return column_or_1d(y, warn=True)

    def _checked_weights(self) -> FloatArray:
        names = [name for name, _ in self.estimators]
        if not names or len(set(names)) < len(names):
            raise ParameterError(f"estimators must be at least one, each with a name of its own; got {names}.")
        if self.weights is None:
            return np.full(len(names), 1.0 / len(names))
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.shape != (len(names),) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
            raise ParameterError(
                f"weights must be {len(names)} numbers that are not negative and not all zero, one per estimator; "
                f"got {self.weights!r}."
            )
        return np.asarray(weights / weights.sum())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        members = [get_tags(estimator) for _, estimator in self.estimators]
        for name in ("allow_nan", "string", "categorical", "sparse"):
            setattr(tags.input_tags, name, all(getattr(member.input_tags, name) for member in members))
        return tags


class WeightedEnsembleClassifier(ClassifierMixin, _WeightedEnsemble):
    """Predicts the weighted mean of its members' class probabilities.

    Parameters
    ----------
    estimators : sequence of (str, classifier)
        Members with ``predict_proba``, each under a name of its own.
    weights : sequence of float, optional
        Not negative; they are scaled to sum one. Default: equal.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    estimators_ : list of fitted classifiers
    weights_ : ndarray of float64, shape (n_estimators,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features,)

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from autometa.components.ensembles import WeightedEnsembleClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> members = [("bayes", GaussianNB()), ("tree", DecisionTreeClassifier(random_state=0))]
    >>> WeightedEnsembleClassifier(members, weights=[3, 1]).fit(X, y).predict_proba(X).shape
    (178, 3)
    """

    def _checked_target(self, y: Any) -> Any:
        target = super()._checked_target(y)
        check_classification_targets(target)
        self.classes_ = np.unique(target)
        return target

    def predict_proba(self, X: Any) -> FloatArray:
        """Predict class probabilities.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to one.
        """
        X = self._checked(X)
        total: FloatArray | float = 0.0
        for weight, member in zip(self.weights_, self.estimators_, strict=True):
            total = total + weight * np.asarray(member.predict_proba(X), dtype=np.float64)
        summed = np.asarray(total)
        return np.asarray(summed / summed.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> LabelArray:
        """Predict the most probable class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])


class WeightedEnsembleRegressor(RegressorMixin, _WeightedEnsemble):
    """Predicts the weighted mean of what its members predict.

    Parameters
    ----------
    estimators : sequence of (str, regressor)
        Each under a name of its own.
    weights : sequence of float, optional
        Not negative; they are scaled to sum one. Default: equal.

    Attributes
    ----------
    estimators_ : list of fitted regressors
    weights_ : ndarray of float64, shape (n_estimators,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features,)
    """

    def predict(self, X: Any) -> FloatArray:
        """Predict numbers.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples,)
        """
        X = self._checked(X)
        said = [np.asarray(member.predict(X), dtype=np.float64) for member in self.estimators_]
        return np.asarray(np.average(said, axis=0, weights=self.weights_))
