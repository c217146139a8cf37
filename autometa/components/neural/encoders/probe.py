"""A linear probe: the head of an encoder, fitted to what the frozen encoder says."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor

from autometa.components.neural.losses import held_out_loss
from autometa.components.neural.training import Rows
from autometa.foundation.typing import FloatArray, LabelArray

__all__ = ["linear_probe"]

# Inverse strengths of the penalty on standardised features: the best on held-out rows is taken, and where none are
# held out the middle one.
_STRENGTHS: Final = (1e-3, 1e-2, 1e-1)
_ITERATIONS: Final = 300
_CONSTANT: Final = 1e-6  # standard deviations, of the mean's size, below which a feature is taken for constant


def linear_probe(features: Tensor, rows: Rows, n_outputs: int, *, classification: bool) -> tuple[Tensor, Tensor]:
    """Fit logistic or ridge regression to features.

    Parameters
    ----------
    features : Tensor of float32, shape (n_samples, n_features)
    rows : Rows
        Targets, and which rows are learned from and which are held out; weights have one column.
    n_outputs : int
        Classes, each of which is learned from; or 1.
    classification : bool

    Returns
    -------
    tuple of (Tensor of shape (n_outputs, n_features), Tensor of shape (n_outputs,))
        Slopes and intercepts on the features as they came, on their device.
    """
    learned, held_out = rows.weights[:, 0] > 0, rows.held_out[:, 0] > 0
    mean, scale = features[learned].mean(dim=0), features[learned].std(dim=0, correction=0)
    scale = torch.where(scale > _CONSTANT * (1 + mean.abs()), scale, torch.inf)
    X = ((features[learned] - mean) / scale).double().cpu().numpy()
    y, weights = rows.y[learned].cpu().numpy(), rows.weights[learned, 0].double().cpu().numpy()
    fit = _logistic if classification else _ridge
    heads = []
    for strength in _STRENGTHS if bool(held_out.any()) else _STRENGTHS[1:2]:
        slope, bias = (
            torch.as_tensor(array).to(features) for array in fit(X, y, weights / weights.mean(), strength)
        )
        heads.append((slope / scale, bias - (slope / scale) @ mean))
    if len(heads) == 1:
        return heads[0]

    def loss(head: tuple[Tensor, Tensor]) -> float:
        outputs = (features[held_out] @ head[0].T + head[1])[:, None]
        return held_out_loss(outputs, rows.y[held_out], rows.held_out[held_out], classification=classification)

    return min(heads, key=loss)


def _logistic(X: FloatArray, y: LabelArray, weights: FloatArray, strength: float) -> tuple[FloatArray, FloatArray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=strength, max_iter=_ITERATIONS, tol=1e-3).fit(X, y, weights)
    slope, bias = model.coef_, model.intercept_
    if len(slope) == 1:  # of two classes: as logits of both
        slope, bias = np.vstack([-slope / 2, slope / 2]), np.concatenate([-bias / 2, bias / 2])
    return slope, bias


def _ridge(X: FloatArray, y: LabelArray, weights: FloatArray, strength: float) -> tuple[FloatArray, FloatArray]:
    # The penalty of logistic regression, 1 / C, is against a curvature of a quarter a row at most.
    model = Ridge(alpha=0.25 / strength).fit(X, y, weights)
    return np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
