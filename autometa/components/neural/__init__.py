"""Tabular neural networks; the only room that imports torch, and only when something is fitted or applied."""

from __future__ import annotations

from autometa.components.neural.estimators import TabularNetworkClassifier, TabularNetworkRegressor

__all__ = ["TabularNetworkClassifier", "TabularNetworkRegressor"]
