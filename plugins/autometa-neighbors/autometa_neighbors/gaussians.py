"""Regularised discriminant analysis (Friedman, JASA 84, 1989)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.linalg import cho_solve, cholesky
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["RegularizedDiscriminant"]


class RegularizedDiscriminant(ClassifierMixin, BaseEstimator):
    """One Gaussian a class, its covariance between its own, the common one and a multiple of the identity.

    Unlike scikit-learn's quadratic discriminant it takes classes with a single row: theirs is the common one.

    Parameters
    ----------
    pooling : float
        0 for covariances of their own, 1 for the common one.
    shrinkage : float
        Share of the identity, scaled to the mean variance.
    max_components : int
        Wider tables are projected on that many principal components first.
    """

    def __init__(self, pooling: float = 0.1, shrinkage: float = 0.1, max_components: int = 200) -> None:
        self.pooling = pooling
        self.shrinkage = shrinkage
        self.max_components = max_components

    def fit(self, X: Any, y: Any) -> Self:
        """Estimate means and covariances.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.projection_ = None
        if X.shape[1] > self.max_components:
            width = min(self.max_components, len(X))
            self.projection_ = PCA(width, svd_solver="covariance_eigh", random_state=0).fit(X)
            X = self.projection_.transform(X)
        self.classes_, place, counts = np.unique(y, return_inverse=True, return_counts=True)
        self.log_shares_ = np.log(counts / len(X))
        self.means_ = np.stack([X[place == k].mean(axis=0) for k in range(len(counts))])
        centred = X - self.means_[place]
        common = centred.T @ centred
        self.factors_ = [self._factor(centred[place == k], common, len(X)) for k in range(len(counts))]
        return self

    def _factor(self, own: Any, common: Any, n_samples: int) -> Any:
        """Return the Cholesky factor of a class's covariance."""
        rows = (1 - self.pooling) * len(own) + self.pooling * n_samples
        covariance = ((1 - self.pooling) * own.T @ own + self.pooling * common) / rows
        identity = np.eye(len(covariance))
        level = max(np.trace(covariance) / len(covariance), 1e-9)
        # A millionth of the identity in any case: a column may not vary within a class.
        return cholesky((1 - self.shrinkage) * covariance + (self.shrinkage + 1e-6) * level * identity, lower=True)

    def predict_log_proba(self, X: Any) -> Any:
        """Predict log-probabilities, unnormalised.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        X = X if self.projection_ is None else self.projection_.transform(X)
        scores = np.empty((len(X), len(self.classes_)))
        for k, factor in enumerate(self.factors_):
            away = (X - self.means_[k]).T
            distance = (away * cho_solve((factor, True), away)).sum(axis=0)
            scores[:, k] = self.log_shares_[k] - 0.5 * distance - np.log(np.diag(factor)).sum()
        return scores - scores.max(axis=1, keepdims=True)

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
        """
        return softmax(self.predict_log_proba(X), axis=1)

    def predict(self, X: Any) -> Any:
        """Predict the most probable class.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        scores = self.predict_log_proba(X)
        return self.classes_[scores.argmax(axis=1)]
