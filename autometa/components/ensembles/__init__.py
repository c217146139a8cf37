"""Weighted ensembles: which candidates take part and with which weights, and the estimators that hold them."""

from __future__ import annotations

from autometa.components.ensembles.selection import select_weights
from autometa.components.ensembles.weighted import WeightedEnsembleClassifier, WeightedEnsembleRegressor

__all__ = ["WeightedEnsembleClassifier", "WeightedEnsembleRegressor", "select_weights"]
