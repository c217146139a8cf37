"""The leave-one-out kernel ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from autometa.components.strategies._base import ListedStrategy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

    from autometa.domain import Configuration, Task
    from autometa.foundation.typing import RandomState

__all__ = ["KernelEnsemble"]

_WEIGHTED = (
    "linear",
    "quadratic",
    "gaussian_relevant",
    "laplace_relevant",
    "laplace_relevant_narrow",
    "additive",
)
_LOCAL = ("gaussian", "gaussian_relevant", "laplace", "laplace_relevant", "laplace_relevant_narrow")
_SMOOTH = ("linear", "quadratic", "gaussian_wide", "laplace_wide", "additive")
# Named sets of kernels: everything, those that weigh columns by relevance, the narrow ones, the wide ones.
_MEMBERS: dict[str, str | tuple[str, ...]] = {
    "all": "default",
    "weighted": _WEIGHTED,
    "local": _LOCAL,
    "smooth": _SMOOTH,
}

_CLASSIFICATION: tuple[dict[str, Any], ...] = (
    {"members": "all", "trees": False},
    {"members": "all", "trees": True},
    {"members": "weighted", "trees": False},
    {"members": "local", "trees": False},
)
_REGRESSION: tuple[dict[str, Any], ...] = (
    {"members": "all", "trees": False, "target": "identity"},
    {"members": "all", "trees": True, "target": "identity"},
    {"members": "weighted", "trees": False, "target": "identity"},
    {"members": "all", "trees": False, "target": "log"},
)


class KernelEnsemble(ListedStrategy):
    """Many kernel ridge regressions, stacked on their leave-one-out predictions.

    It chooses regularisation and kernel widths itself and handles missing values itself. ``trees`` adds two
    forests by their out-of-bag predictions: a little better where the truth has steps, for about twice the time.
    """

    name: ClassVar[str] = "kernel"
    description: ClassVar[str] = "Leave-one-out stacked ensemble of kernel ridge regressions."
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
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        space: dict[str, BaseDistribution] = {
            "members": CategoricalDistribution(list(_MEMBERS)),
            "trees": CategoricalDistribution([False, True]),
            "stacking_ridge": FloatDistribution(0.1, 30.0, log=True),
        }
        if task.is_classification:
            return space
        return space | {"target": CategoricalDistribution(["identity", "log", "normal"])}

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
            Passed on to the ensemble.
        random_state : int or None

        Returns
        -------
        Recipe
        """
        from autometa.components.kernels import KernelEnsembleClassifier, KernelEnsembleRegressor
        from autometa.components.strategies.preprocessing import TablePreprocessor, make_recipe
        from autometa.components.strategies.targets import with_target

        values = self.filled(configuration, task)
        family = KernelEnsembleClassifier if task.is_classification else KernelEnsembleRegressor
        ensemble = family(
            kernels=_MEMBERS[values["members"]],
            include_trees=values["trees"],
            stacking_ridge=values.get("stacking_ridge", 3.0),
            device=device,
            random_state=random_state,
        )
        preprocessor = TablePreprocessor(task.is_classification, scaling="none", random_state=random_state)
        if task.is_classification:
            return make_recipe(task, preprocessor, ensemble)
        return make_recipe(task, preprocessor, with_target(ensemble, values["target"]))
