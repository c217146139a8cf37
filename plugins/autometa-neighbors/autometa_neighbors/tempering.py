"""Probabilities that are as sure as held-out rows allow."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import CategoricalNB
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["BinnedBayes", "TemperedClassifier"]

# Log-probabilities are cut here: what two learners think of the impossible says nothing.
_FLOOR = -50.0


class BinnedBayes(ClassifierMixin, BaseEstimator):
    """Naive Bayes on quantile bins of every column.

    Parameters
    ----------
    n_bins : int
    alpha : float
        Rows that every bin has before any is seen (Lidstone's smoothing).
    """

    def __init__(self, n_bins: int = 8, alpha: float = 1.0) -> None:
        self.n_bins = n_bins
        self.alpha = alpha

    def fit(self, X: Any, y: Any) -> Self:
        """Learn the bins and the counts.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        X, y = validate_data(self, X, y)
        shares = np.linspace(0, 1, self.n_bins + 1)[1:-1]
        self.edges_ = [np.unique(np.quantile(column, shares)) for column in X.T]
        self.bayes_ = CategoricalNB(alpha=self.alpha, min_categories=[len(edges) + 1 for edges in self.edges_])
        self.bayes_.fit(self._binned(X), y)
        self.classes_ = self.bayes_.classes_
        return self

    def _binned(self, X: Any) -> Any:
        bins = [
            np.searchsorted(edges, column, side="right") for edges, column in zip(self.edges_, X.T, strict=True)
        ]
        return np.column_stack(bins)

    def predict_log_proba(self, X: Any) -> Any:
        """Predict log-probabilities.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        return self.bayes_.predict_log_proba(self._binned(validate_data(self, X, reset=False)))

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

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


class TemperedClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier whose log-probabilities are divided by a temperature found on held-out rows.

    One number for all classes (Guo et al., ICML 2017) cannot overfit as isotonic calibration does, and the
    classifier itself learns from all rows.

    Parameters
    ----------
    learner : classifier with predict_log_proba
    n_folds : int

    Attributes
    ----------
    temperature_ : float
    """

    def __init__(self, learner: Any, n_folds: int = 4) -> None:
        self.learner = learner
        self.n_folds = n_folds

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the classifier on folds for the temperature, then on all rows.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        y = np.asarray(y)
        varied = (np.asarray(X) != np.asarray(X)[0]).any()
        self.learner_ = (clone(self.learner) if varied else DummyClassifier()).fit(X, y)
        self.classes_ = self.learner_.classes_
        self.n_features_in_ = self.learner_.n_features_in_
        self.temperature_ = self._temperature(np.asarray(X), y) if varied else 1.0
        return self

    def _temperature(self, X: Any, y: Any) -> float:
        """Return the best temperature on held-out rows; a class with few rows is learned, never held out."""
        classes, place, counts = np.unique(y, return_inverse=True, return_counts=True)
        judged = np.flatnonzero(counts[place] >= self.n_folds)
        if len(np.unique(place[judged])) < 2:
            return 1.0
        scores = np.empty((len(judged), len(classes)))
        folds = StratifiedKFold(self.n_folds, shuffle=True, random_state=0)
        for _, held_out in folds.split(X[judged], y[judged]):
            kept = np.setdiff1d(np.arange(len(y)), judged[held_out])
            scores[held_out] = _scores(clone(self.learner).fit(X[kept], y[kept]), X[judged[held_out]])

        def loss(log_temperature: float) -> float:
            tempered = log_softmax(scores / np.exp(log_temperature), axis=1)
            return -float(tempered[np.arange(len(judged)), place[judged]].mean())

        return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 4.0), method="bounded").x))

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
        """
        check_is_fitted(self, "temperature_")
        return softmax(_scores(self.learner_, X) / self.temperature_, axis=1)

    def predict(self, X: Any) -> Any:
        """Predict the most probable class.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _scores(learner: Any, X: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.maximum(learner.predict_log_proba(X), _FLOOR)
