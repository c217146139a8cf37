"""What strategies build their pipelines from: public, for authors of plugins.

>>> from autometa.preprocessing import TablePreprocessor, make_recipe

`make_recipe` puts a preprocessor and a learner into a scikit-learn pipeline that takes the task's raw table.
`TablePreprocessor` makes a matrix of finite numbers, `NativeTable` keeps categories and missing values. For
boosting,
`EarlyStoppedClassifier` and `EarlyStoppedRegressor` find the number of rounds.
"""

from __future__ import annotations

from autometa.components.strategies.early_stopping import (
    BoostingDialect,
    EarlyStoppedClassifier,
    EarlyStoppedRegressor,
)
from autometa.components.strategies.native import NativeTable
from autometa.components.strategies.preprocessing import Recipe, TablePreprocessor, make_recipe

__all__ = [
    "BoostingDialect",
    "EarlyStoppedClassifier",
    "EarlyStoppedRegressor",
    "NativeTable",
    "Recipe",
    "TablePreprocessor",
    "make_recipe",
]
