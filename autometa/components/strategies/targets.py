"""Transformations of a regression target that can be undone safely."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.foundation.typing import FloatArray

__all__ = ["TargetTransformer", "with_target"]


class TargetTransformer(TransformerMixin, BaseEstimator):
    """Bring a target to mean 0 and variance 1, perhaps after a logarithm or normal scores.

    The inverse is clipped to the range seen in training, widened by a margin: an exponential or a product that
    extrapolates must not predict a thousand times the largest value.

    Parameters
    ----------
    kind : {"identity", "log", "normal"}
        ``log`` is log(1 + (y - min) / median(y - min)): defined for every target, bent where the bulk lies.
    margin : float
        Share of the training range that a prediction may lie outside of it, on the transformed scale.
    """

    def __init__(self, kind: str = "identity", margin: float = 0.25) -> None:
        self.kind = kind
        self.margin = margin

    def fit(self, y: FloatArray, _: Any = None) -> Self:
        """Learn the transformation.

        Parameters
        ----------
        y : ndarray of float64, shape (n_samples, 1)

        Returns
        -------
        TargetTransformer
        """
        from sklearn.preprocessing import QuantileTransformer

        # Squares of targets near the ends of the range of floats would overflow or vanish.
        self.size_ = float(np.abs(y).max()) or 1.0
        self.low_ = float(np.min(y))
        above = y[y > self.low_] - self.low_
        self.unit_ = float(np.median(above)) if above.size else 1.0
        self.quantiles_ = None
        if self.kind == "normal":
            self.quantiles_ = QuantileTransformer(
                n_quantiles=min(256, len(y)), output_distribution="normal", subsample=None
            ).fit(y / self.size_)
        bent = self._bend(y)
        self.mean_, self.scale_ = float(bent.mean()), float(bent.std()) or 1.0
        spread = self.margin * float(np.ptp(bent))
        self.range_ = (float(bent.min()) - spread, float(bent.max()) + spread)
        return self

    def _bend(self, y: FloatArray) -> FloatArray:
        if self.quantiles_ is not None:
            return np.asarray(np.clip(self.quantiles_.transform(y / self.size_), -3.0, 3.0))
        if self.kind == "log":
            return np.asarray(np.log1p(np.maximum(y - self.low_, 0.0) / self.unit_))
        return y / self.size_

    def transform(self, y: FloatArray) -> FloatArray:
        """Return the transformed target.

        Parameters
        ----------
        y : ndarray of float64, shape (n_samples, 1)

        Returns
        -------
        ndarray of float64, shape (n_samples, 1)
        """
        check_is_fitted(self)
        return np.asarray((self._bend(y) - self.mean_) / self.scale_)

    def inverse_transform(self, z: FloatArray) -> FloatArray:
        """Return predictions on the target's own scale.

        Parameters
        ----------
        z : ndarray of float64, shape (n_samples, 1)

        Returns
        -------
        ndarray of float64, shape (n_samples, 1)
        """
        check_is_fitted(self)
        bent = np.clip(z * self.scale_ + self.mean_, *self.range_)
        if self.quantiles_ is not None:
            return np.asarray(self.quantiles_.inverse_transform(bent) * self.size_)
        if self.kind == "log":
            return np.asarray(np.expm1(bent) * self.unit_ + self.low_)
        return np.asarray(bent * self.size_)


def with_target(regressor: BaseEstimator, kind: str = "identity") -> BaseEstimator:
    """Wrap a regressor so that it is fitted on the transformed target.

    Parameters
    ----------
    regressor : regressor
    kind : {"identity", "log", "normal"}

    Returns
    -------
    TransformedTargetRegressor
    """
    from sklearn.compose import TransformedTargetRegressor

    return TransformedTargetRegressor(regressor, transformer=TargetTransformer(kind), check_inverse=False)
