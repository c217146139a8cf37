"""Support vector machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from autometa.components.strategies._base import ListedStrategy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

    from autometa.domain import Configuration, Task
    from autometa.foundation.typing import RandomState

__all__ = ["SupportVectorMachine"]

_CLASSIFICATION: tuple[dict[str, Any], ...] = (
    {"kernel": "rbf", "C": 2.0, "width": 1.0, "scaling": "standard", "weighting": "none"},
    {"kernel": "rbf", "C": 100.0, "width": 0.1, "scaling": "standard", "weighting": "none"},
    {"kernel": "rbf", "C": 3.0, "width": 4.0, "scaling": "standard", "weighting": "none"},
    {"kernel": "rbf", "C": 1.0, "width": 0.3, "scaling": "quantile", "weighting": "none"},
    {"kernel": "rbf", "C": 5.0, "width": 1.0, "scaling": "quantile", "weighting": "trees"},
    {"kernel": "rbf", "C": 5.0, "width": 0.5, "scaling": "squash", "weighting": "relevance"},
    {"kernel": "laplacian", "C": 3.0, "width": 0.5, "scaling": "quantile", "weighting": "none"},
    {"kernel": "laplacian", "C": 10.0, "width": 1.0, "scaling": "quantile", "weighting": "trees"},
    {"kernel": "laplacian", "C": 5.0, "width": 3.0, "scaling": "quantile", "weighting": "trees"},
    {"kernel": "polynomial", "C": 0.3, "width": 1.0, "degree": 2, "scaling": "squash", "weighting": "none"},
    {"kernel": "polynomial", "C": 0.3, "width": 1.0, "degree": 3, "scaling": "quantile", "weighting": "none"},
    {"kernel": "linear", "C": 0.03, "scaling": "standard", "weighting": "none"},
)
_REGRESSION: tuple[dict[str, Any], ...] = (
    {"kernel": "rbf", "C": 2.0, "width": 1.0, "scaling": "standard", "weighting": "none", "target": "identity"},
    {"kernel": "rbf", "C": 100.0, "width": 0.1, "scaling": "standard", "weighting": "none", "target": "identity"},
    {"kernel": "rbf", "C": 10.0, "width": 3.0, "scaling": "standard", "weighting": "none", "target": "identity"},
    {"kernel": "rbf", "C": 1.0, "width": 0.3, "scaling": "quantile", "weighting": "none", "target": "log"},
    {"kernel": "rbf", "C": 5.0, "width": 1.0, "scaling": "quantile", "weighting": "trees", "target": "identity"},
    {"kernel": "rbf", "C": 50.0, "width": 0.5, "scaling": "standard", "weighting": "trees", "target": "identity"},
    {
        "kernel": "laplacian",
        "C": 3.0,
        "width": 0.5,
        "scaling": "quantile",
        "weighting": "none",
        "target": "identity",
    },
    {
        "kernel": "laplacian",
        "C": 10.0,
        "width": 0.5,
        "scaling": "quantile",
        "weighting": "trees",
        "target": "identity",
    },
    {
        "kernel": "laplacian",
        "C": 5.0,
        "width": 3.0,
        "scaling": "quantile",
        "weighting": "trees",
        "target": "identity",
    },
    {"kernel": "laplacian", "C": 5.0, "width": 0.5, "scaling": "quantile", "weighting": "trees", "target": "log"},
    {
        "kernel": "polynomial",
        "C": 0.3,
        "width": 1.0,
        "degree": 2,
        "scaling": "squash",
        "weighting": "none",
        "target": "identity",
    },
    {
        "kernel": "polynomial",
        "C": 0.3,
        "width": 1.0,
        "degree": 3,
        "scaling": "quantile",
        "weighting": "relevance",
        "target": "identity",
    },
)


class SupportVectorMachine(ListedStrategy):
    """Support vector machines with radial, Laplace, polynomial and linear kernels.

    Exact up to 4,000 training rows and 40 classes; beyond, the kernel is approximated with 800 landmarks
    (Nystroem) and the machine is a logistic or a ridge regression on them. ``weighting`` multiplies the columns by
    what they are worth.
    """

    name: ClassVar[str] = "svm"
    reads_images: ClassVar[bool] = True
    description: ClassVar[str] = "Calibrated support vector machines; Nystroem approximation beyond 4,000 rows."
    classification = _CLASSIFICATION
    regression = _REGRESSION

    def search_space(self, task: Task) -> Mapping[str, BaseDistribution]:
        """Return what can be tuned.

        Parameters
        ----------
        task : Task

        Returns
        -------
        mapping of str to optuna distribution
        """
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        space: dict[str, BaseDistribution] = {
            "kernel": CategoricalDistribution(["rbf", "laplacian", "polynomial", "linear"]),
            "C": FloatDistribution(1e-3, 1e3, log=True),
            "width": FloatDistribution(1e-2, 30.0, log=True),
            "degree": IntDistribution(2, 3),
            "scaling": CategoricalDistribution(["standard", "quantile", "squash"]),
            "weighting": CategoricalDistribution(["none", "relevance", "trees"]),
        }
        if task.is_classification:
            return space | {"class_weight": CategoricalDistribution(["none", "balanced"])}
        return space | {
            "epsilon": FloatDistribution(1e-3, 0.5, log=True),
            "target": CategoricalDistribution(["identity", "log", "normal"]),
        }

    def build(
        self,
        configuration: Configuration,
        task: Task,
        *,
        device: str = "auto",
        random_state: RandomState = None,
    ) -> BaseEstimator:
        """Turn a configuration into an unfitted pipeline.

        Parameters
        ----------
        configuration : Configuration
        task : Task
        device : str
            Not used: support vector machines run on the CPU.
        random_state : int or None

        Returns
        -------
        Recipe
        """
        from autometa.components.strategies.preprocessing import TablePreprocessor, make_recipe
        from autometa.components.strategies.support_vectors import SupportVectorClassifier, SupportVectorRegressor
        from autometa.components.strategies.targets import with_target

        values = self.filled(configuration, task)
        preprocessor = TablePreprocessor(
            classification=task.is_classification, scaling=values.pop("scaling"), random_state=random_state
        )
        if task.is_classification:
            weight = "balanced" if values.pop("class_weight", "none") == "balanced" else None
            learner = SupportVectorClassifier(**values, class_weight=weight, random_state=random_state)
            return make_recipe(task, preprocessor, learner)
        target = values.pop("target", "identity")
        return make_recipe(
            task, preprocessor, with_target(SupportVectorRegressor(**values, random_state=random_state), target)
        )
