"""Neighbours with probabilities that are never zero, and in any number of rows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

__all__ = ["SmoothedNeighborsClassifier", "SmoothedNeighborsRegressor"]


class SmoothedNeighborsClassifier(KNeighborsClassifier):
    """k nearest neighbours whose votes are smoothed towards the classes' shares.

    Parameters
    ----------
    n_neighbors : int
        Lowered to the number of rows where they are fewer.
    weights : {"uniform", "distance"}
    p : float
        Of the Minkowski distance.
    smoothing : float
        Votes that the classes' shares have: with few neighbours, plain votes give probabilities of zero and
        an unbounded log-loss.
    n_jobs : int or None
    """

    def __init__(
        self,
        n_neighbors: int = 10,
        weights: str = "distance",
        p: float = 2,
        smoothing: float = 1.0,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__(n_neighbors=n_neighbors, weights=weights, p=p, n_jobs=n_jobs)
        self.smoothing = smoothing

    def fit(self, X: Any, y: Any) -> Self:
        """Remember the rows and the classes' shares.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        self
        """
        self.shares_ = np.unique(np.asarray(y), return_counts=True)[1] / len(X)
        super().fit(X, y)
        return self

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Find neighbours, at most as many as there are rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), optional
        n_neighbors : int, optional
        return_distance : bool

        Returns
        -------
        ndarray or tuple of ndarray, shape (n_samples, n_neighbors)
        """
        return super().kneighbors(X, _at_most(self, X, n_neighbors), return_distance)

    def predict_proba(self, X: Any) -> Any:
        """Predict smoothed probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
        """
        votes = min(self.n_neighbors, self.n_samples_fit_)
        return (votes * super().predict_proba(X) + self.smoothing * self.shares_) / (votes + self.smoothing)

    def predict(self, X: Any) -> Any:
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class SmoothedNeighborsRegressor(KNeighborsRegressor):
    """k nearest neighbours, fewer where there are fewer rows.

    Parameters
    ----------
    n_neighbors : int
    weights : {"uniform", "distance"}
    p : float
    n_jobs : int or None
    """

    def __init__(
        self, n_neighbors: int = 10, weights: str = "distance", p: float = 2, n_jobs: int | None = None
    ) -> None:
        super().__init__(n_neighbors=n_neighbors, weights=weights, p=p, n_jobs=n_jobs)

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Find neighbours, at most as many as there are rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), optional
        n_neighbors : int, optional
        return_distance : bool

        Returns
        -------
        ndarray or tuple of ndarray, shape (n_samples, n_neighbors)
        """
        return super().kneighbors(X, _at_most(self, X, n_neighbors), return_distance)


def _at_most(learner: Any, X: Any, n_neighbors: int | None) -> int:
    wanted: int = learner.n_neighbors if n_neighbors is None else n_neighbors
    there: int = learner.n_samples_fit_ - (X is None)  # a row is no neighbour of itself
    return min(wanted, there)
