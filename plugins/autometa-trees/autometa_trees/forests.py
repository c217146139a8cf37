"""Forests of independent trees on a matrix of numbers.

The portfolios vary what Probst, Boulesteix and Bischl (Tunability, JMLR 2019) found worth tuning, inside the
ranges of TabRepo (Salinas and Erickson, AutoML 2024): the share of columns tried at a split, the size of a leaf.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from autometa import Configuration, Strategy, Task

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

__all__ = ["ExtraTrees", "RandomForest"]

N_TREES = 250

_FOREST: tuple[dict[str, Any], ...] = (
    {"min_samples_leaf": 1, "max_features": 0.0},
    {"min_samples_leaf": 2, "max_features": 0.33},
    {"min_samples_leaf": 5, "max_features": 1.0},
    {"min_samples_leaf": 15, "max_features": 0.5},
)
_EXTRA: tuple[dict[str, Any], ...] = (
    {"min_samples_leaf": 2, "max_features": 0.0},
    {"min_samples_leaf": 1, "max_features": 0.33},
    {"min_samples_leaf": 2, "max_features": 0.6},
    {"min_samples_leaf": 2, "max_features": 1.0},
    {"min_samples_leaf": 5, "max_features": 1.0},
    {"min_samples_leaf": 5, "max_features": 0.0},
)


class _Forest(Strategy):
    """What both forests share: the space, and the recipe around the ensemble."""

    configurations: ClassVar[tuple[dict[str, Any], ...]]

    def portfolio(self, task: Task) -> Sequence[Configuration]:
        """Return the configurations that are measured.

        Parameters
        ----------
        task : Task

        Returns
        -------
        sequence of Configuration
        """
        return tuple(Configuration(values) for values in self.configurations)

    def search_space(self, task: Task) -> Mapping[str, BaseDistribution]:
        """Return what can be tuned.

        Parameters
        ----------
        task : Task

        Returns
        -------
        mapping of str to optuna distribution
            ``max_features`` is a share of the columns; 0 stands for their square root.
        """
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        space: dict[str, BaseDistribution] = {
            "min_samples_leaf": IntDistribution(1, 80, log=True),
            "max_features": FloatDistribution(0.0, 1.0),
        }
        if task.is_classification:
            space["class_weight"] = CategoricalDistribution(["none", "balanced"])
        return space

    def build(
        self,
        configuration: Configuration,
        task: Task,
        *,
        device: str = "auto",
        random_state: int | None = None,
    ) -> BaseEstimator:
        """Turn a configuration into an unfitted pipeline.

        Parameters
        ----------
        configuration : Configuration
        task : Task
        device : str
            Not used: forests run on the CPU, on all of its cores.
        random_state : int or None

        Returns
        -------
        Recipe
        """
        from autometa.preprocessing import TablePreprocessor, make_recipe

        values = {**self.configurations[0], **configuration}
        settings: dict[str, Any] = {
            "n_estimators": N_TREES,
            "min_samples_leaf": values["min_samples_leaf"],
            "max_features": values["max_features"] or "sqrt",
            "n_jobs": -1,
            "random_state": random_state,
        }
        if values.get("class_weight") == "balanced":
            settings["class_weight"] = "balanced"
        matrix = TablePreprocessor(
            classification=task.is_classification, scaling="none", random_state=random_state
        )
        return make_recipe(task, matrix, self._ensemble(task)(**settings))

    def _ensemble(self, task: Task) -> type[BaseEstimator]:
        raise NotImplementedError


class RandomForest(_Forest):
    """Bagged trees, each split the best of a random choice of columns (Breiman 2001)."""

    name: ClassVar[str] = "random_forest"
    description: ClassVar[str] = "Random forests of 250 trees."
    configurations = _FOREST

    def _ensemble(self, task: Task) -> type[BaseEstimator]:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        family: type[BaseEstimator] = RandomForestClassifier if task.is_classification else RandomForestRegressor
        return family


class ExtraTrees(_Forest):
    """Trees on all rows with random thresholds (Geurts, Ernst and Wehenkel 2006)."""

    name: ClassVar[str] = "extra_trees"
    description: ClassVar[str] = "Extremely randomised forests of 250 trees."
    configurations = _EXTRA

    def _ensemble(self, task: Task) -> type[BaseEstimator]:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        family: type[BaseEstimator] = ExtraTreesClassifier if task.is_classification else ExtraTreesRegressor
        return family
