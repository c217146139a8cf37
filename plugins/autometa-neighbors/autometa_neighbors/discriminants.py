"""Gaussian discriminants, tempered: quadratic ones are too sure where rows are few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from autometa import Task
from autometa_neighbors._base import SCALINGS, ScaledStrategy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

__all__ = ["Discriminant"]


class Discriminant(ScaledStrategy):
    """One Gaussian a class, with its own covariance or a common one (Friedman, JASA 1989)."""

    name: ClassVar[str] = "discriminant"
    description: ClassVar[str] = "Regularised discriminants, quadratic to linear, tempered."
    only_classification: ClassVar[bool] = True
    configurations: ClassVar[tuple[dict[str, Any], ...]] = (
        {"scaling": "squash", "pooling": 0.1, "shrinkage": 0.05},
        {"scaling": "quantile", "pooling": 0.02, "shrinkage": 0.01},
        {"scaling": "standard", "pooling": 0.3, "shrinkage": 0.2},
        {"scaling": "quantile", "pooling": 1.0, "shrinkage": 0.05},
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
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        return {
            "scaling": CategoricalDistribution(SCALINGS),
            "pooling": FloatDistribution(1e-3, 1.0, log=True),
            "shrinkage": FloatDistribution(1e-4, 1.0, log=True),
        }

    def learner(self, values: Mapping[str, Any], task: Task) -> BaseEstimator:
        """Return the learner.

        Parameters
        ----------
        values : mapping of str to scalar
        task : Task

        Returns
        -------
        estimator
        """
        from autometa_neighbors.gaussians import RegularizedDiscriminant
        from autometa_neighbors.tempering import TemperedClassifier

        return TemperedClassifier(RegularizedDiscriminant(values["pooling"], values["shrinkage"]))
