"""Scaling and expansion of numeric matrices: what makes a linear model bend."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.foundation.typing import FloatArray, LabelArray, RandomState

__all__ = ["Interactions", "RankScaler", "StrongestExpanded", "WidthLimiter", "make_scaler", "relevance"]

# Columns that an expansion may add in all; the strongest original columns are expanded until it is used up.
EXPANDED_WIDTH = 400


class RankScaler(TransformerMixin, BaseEstimator):
    """Normal scores of the training ranks, clipped at 3 and brought to mean 0 and variance 1.

    Parameters
    ----------
    random_state : int or None
        Rows of tables above 10,000 rows are sampled for the quantiles.
    """

    def __init__(self, random_state: RandomState = None) -> None:
        self.random_state = random_state

    def fit(self, X: FloatArray, y: Any = None) -> Self:
        """Learn the quantiles.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        RankScaler
        """
        from sklearn.preprocessing import QuantileTransformer, StandardScaler

        self.quantiles_ = QuantileTransformer(
            n_quantiles=min(256, len(X)), output_distribution="normal", random_state=self.random_state
        ).fit(X)
        self.standard_ = StandardScaler().fit(self._scores(X))
        return self

    def _scores(self, X: FloatArray) -> FloatArray:
        # The extreme values, and both values of a binary column, would come out at +-5.2.
        return np.asarray(np.clip(self.quantiles_.transform(X), -3.0, 3.0))

    def transform(self, X: FloatArray) -> FloatArray:
        """Return the scores.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features)
        """
        check_is_fitted(self)
        return np.asarray(self.standard_.transform(self._scores(X)))


def make_scaler(scaling: str, random_state: RandomState = None) -> Any:
    """Return a scaler by name.

    Parameters
    ----------
    scaling : {"standard", "quantile", "squash"}
    random_state : int or None

    Returns
    -------
    transformer
    """
    if scaling == "quantile":
        return RankScaler(random_state)
    if scaling == "squash":
        from skrub import SquashingScaler

        return SquashingScaler()
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def relevance(X: FloatArray, y: LabelArray, *, classification: bool) -> FloatArray:
    """Score each column by how much of the target its value, or its distance from the mean, explains.

    Parameters
    ----------
    X : ndarray of float64, shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    classification : bool

    Returns
    -------
    ndarray of float64, shape (n_features,)
        Share of the target's variance (regression) or of the column's variance between classes, in [0, 1]: the
        larger one of the column and its absolute value; 0 for constant columns.
    """
    target = _indicators(y) if classification else _standardised(y)
    return np.maximum(_explained(X, target), _explained(np.abs(X), target))


def _standardised(y: FloatArray) -> FloatArray:
    small = y / max(float(np.abs(y).max()), np.finfo(np.float64).tiny)  # 1e200 squared would overflow
    return np.asarray((small - small.mean())[:, None] / max(float(small.std()), 1e-12))


def _indicators(y: LabelArray) -> FloatArray:
    """Class indicators, centred and scaled so that their inner products add up to shares of variance."""
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    columns = np.eye(len(counts))[codes]
    return np.asarray((columns - columns.mean(axis=0)) / np.sqrt(counts / len(y)))


def _explained(X: FloatArray, target: FloatArray) -> FloatArray:
    centred = X - X.mean(axis=0)
    scale = centred.std(axis=0)
    correlations = target.T @ (centred / np.where(scale > 1e-12, scale, np.inf)) / len(X)
    return np.asarray(np.minimum((correlations**2).sum(axis=0), 1.0))


class StrongestExpanded(TransformerMixin, BaseEstimator):
    """Splines or bins of the strongest columns, beside all columns as they are.

    Parameters
    ----------
    kind : {"splines", "bins"}
    n_knots : int
        Knots of the cubic B-splines (evenly spaced, constant outside), or number of quantile bins.
    classification : bool
    width : int
        Columns that may be added; columns are expanded in order of relevance until it is used up.
    """

    def __init__(
        self, kind: str = "splines", n_knots: int = 6, classification: bool = True, width: int = EXPANDED_WIDTH
    ) -> None:
        self.kind = kind
        self.n_knots = n_knots
        self.classification = classification
        self.width = width

    def fit(self, X: FloatArray, y: LabelArray) -> Self:
        """Choose the columns and place the knots.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)
            Finite, scaled.
        y : ndarray of shape (n_samples,)

        Returns
        -------
        StrongestExpanded
        """
        scores = relevance(X, y, classification=self.classification)
        n_expanded = max(1, self.width // (self.n_knots + 2))
        self.columns_ = np.sort(np.argsort(-scores, kind="stable")[:n_expanded])
        self.expander_ = self._expander().fit(X[:, self.columns_])
        return self

    def _expander(self) -> Any:
        from sklearn.preprocessing import KBinsDiscretizer, SplineTransformer

        if self.kind == "bins":
            return KBinsDiscretizer(self.n_knots, encode="onehot-dense", subsample=None)
        return SplineTransformer(self.n_knots, degree=3, extrapolation="constant")

    def transform(self, X: FloatArray) -> FloatArray:
        """Return all columns and the expansion.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features + n_added)
        """
        check_is_fitted(self)
        return np.hstack([X, self.expander_.transform(X[:, self.columns_])])


class Interactions(TransformerMixin, BaseEstimator):
    """All columns, and the standardised products (and squares) of the strongest ones.

    Parameters
    ----------
    n_interacting : int
        Columns that are multiplied: ``n (n + 1) / 2`` products.
    classification : bool
    """

    def __init__(self, n_interacting: int = 30, classification: bool = True) -> None:
        self.n_interacting = n_interacting
        self.classification = classification

    def fit(self, X: FloatArray, y: LabelArray) -> Self:
        """Choose the columns.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)

        Returns
        -------
        Interactions
        """
        from sklearn.preprocessing import StandardScaler

        scores = relevance(X, y, classification=self.classification)
        self.columns_ = np.sort(np.argsort(-scores, kind="stable")[: self.n_interacting])
        self.pairs_ = np.triu_indices(len(self.columns_))
        self.scaler_ = StandardScaler().fit(self._products(X))
        return self

    def _products(self, X: FloatArray) -> FloatArray:
        strongest = np.clip(X[:, self.columns_], -4.0, 4.0)  # one outlier must not rule a product
        return np.asarray(strongest[:, self.pairs_[0]] * strongest[:, self.pairs_[1]])

    def transform(self, X: FloatArray) -> FloatArray:
        """Return the columns and their products.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features + n_products)
        """
        check_is_fitted(self)
        return np.hstack([X, self.scaler_.transform(self._products(X))])


class WidthLimiter(TransformerMixin, BaseEstimator):
    """Principal components where the matrix is wider than a limit, the matrix itself where it is not.

    Parameters
    ----------
    width : int
    random_state : int or None
        Seed of the randomised decomposition.
    """

    def __init__(self, width: int = 150, random_state: RandomState = None) -> None:
        self.width = width
        self.random_state = random_state

    def fit(self, X: FloatArray, y: Any = None) -> Self:
        """Learn the components if there are too many columns.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        WidthLimiter
        """
        from sklearn.decomposition import PCA

        n_components = min(self.width, len(X))
        is_wide = X.shape[1] > self.width
        self.projection_ = PCA(n_components, random_state=self.random_state).fit(X) if is_wide else None
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: FloatArray) -> FloatArray:
        """Return the components, or the columns as they are.

        Parameters
        ----------
        X : ndarray of float64, shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, min(n_features, width))
        """
        check_is_fitted(self)
        return X if self.projection_ is None else np.asarray(self.projection_.transform(X))
