"""A classifier whose labels and probabilities are adjusted by what was learned on out-of-fold predictions.

scikit-learn's `FixedThresholdClassifier` is for two classes and passes no sample weights on without metadata
routing; weights of the classes are the same for two classes and go on to several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from autometa.components.adjustment.learning import tempered, weighed
from autometa.domain.table_checks import TableChecks
from autometa.domain.weights import as_weights, fit_estimator
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import FloatArray, LabelArray

__all__ = ["AdjustedClassifier"]


class AdjustedClassifier(TableChecks, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Predict the class whose weighted probability is greatest; probabilities are tempered.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``.
    class_weights : sequence of float, optional
        One per class, in the order of the sorted classes, positive: `predict` names the class with the greatest
        product of weight and probability. For two classes with weights (a, b) the threshold of the second class's
        probability is ``a / (a + b)``. Default: all alike. `predict_proba` does not depend on them.
    temperature : float
        Probabilities are raised to the power ``1 / temperature`` and scaled to sum one: above 1 they become less
        sure.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    estimator_ : fitted classifier
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features,)

    References
    ----------
    .. [1] Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        class_weights: Sequence[float] | None = None,
        temperature: float = 1.0,
    ) -> None:
        self.estimator = estimator
        self.class_weights = class_weights
        self.temperature = temperature

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the classifier on all rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            If there is not one positive weight per class, or the temperature is not positive.
        """
        X, y = self._checked_table(X, y)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        self.weights_ = self._checked_weights()
        if not 0 < self.temperature < np.inf:
            raise ParameterError(f"temperature must be positive and finite; got {self.temperature!r}.")
        self.estimator_ = fit_estimator(clone(self.estimator), X, y, as_weights(sample_weight, len(y)))
        return self

    def _checked_weights(self) -> FloatArray:
        if self.class_weights is None:
            return np.ones(len(self.classes_))
        weights = np.asarray(self.class_weights, dtype=np.float64)
        if weights.shape != self.classes_.shape or not ((weights > 0) & (weights < np.inf)).all():
            raise ParameterError(
                f"class_weights must be {len(self.classes_)} positive numbers, one per class; "
                f"got {self.class_weights!r}."
            )
        return weights

    def predict_proba(self, X: Any) -> FloatArray:
        """Predict tempered class probabilities.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to one.
        """
        X = self._checked(X)
        said = np.asarray(self.estimator_.predict_proba(X), dtype=np.float64)
        return said if self.temperature == 1.0 else tempered(said, self.temperature)

    def predict(self, X: Any) -> LabelArray:
        """Predict the class with the greatest weighted probability.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        best = weighed(self.predict_proba(X), self.weights_).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        member = get_tags(self.estimator)
        for name in ("allow_nan", "string", "categorical", "sparse"):
            setattr(tags.input_tags, name, getattr(member.input_tags, name))
        return tags
