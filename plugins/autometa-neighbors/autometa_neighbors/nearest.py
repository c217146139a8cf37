"""k nearest neighbours: number, weights and distance as in auto-sklearn's space (Feurer et al., JMLR 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from autometa import Task
from autometa_neighbors._base import SCALINGS, ScaledStrategy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

__all__ = ["NearestNeighbors"]


class NearestNeighbors(ScaledStrategy):
    """The votes, or the mean, of the nearest training rows."""

    name: ClassVar[str] = "nearest_neighbors"
    description: ClassVar[str] = "k nearest neighbours on scaled columns."
    configurations: ClassVar[tuple[dict[str, Any], ...]] = (
        {"scaling": "standard", "n_neighbors": 15, "weights": "distance", "p": 2},
        {"scaling": "standard", "n_neighbors": 3, "weights": "distance", "p": 2},
        {"scaling": "quantile", "n_neighbors": 15, "weights": "distance", "p": 1},
        {"scaling": "quantile", "n_neighbors": 50, "weights": "distance", "p": 2},
        {"scaling": "squash", "n_neighbors": 7, "weights": "distance", "p": 1},
        {"scaling": "squash", "n_neighbors": 30, "weights": "uniform", "p": 2},
    )

    def search_space(self, task: Task) -> Mapping[str, BaseDistribution]:
        """Return what can be tuned.

        Parameters
        ----------
        task : Task

        Returns
        -------
        mapping of str to optuna distribution
        """
        from optuna.distributions import CategoricalDistribution, IntDistribution

        return {
            "scaling": CategoricalDistribution(SCALINGS),
            "n_neighbors": IntDistribution(1, 200, log=True),
            "weights": CategoricalDistribution(["uniform", "distance"]),
            "p": IntDistribution(1, 2),
        }

    def learner(self, values: Mapping[str, Any], task: Task) -> BaseEstimator:
        """Return the neighbours.

        Parameters
        ----------
        values : mapping of str to scalar
        task : Task

        Returns
        -------
        estimator
        """
        from autometa_neighbors.estimators import SmoothedNeighborsClassifier, SmoothedNeighborsRegressor

        kind = SmoothedNeighborsClassifier if task.is_classification else SmoothedNeighborsRegressor
        return kind(n_neighbors=values["n_neighbors"], weights=values["weights"], p=values["p"], n_jobs=-1)
