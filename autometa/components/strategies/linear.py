"""Generalised linear models, and what bends them: splines, bins, products, transformed targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autometa.components.strategies._base import ListedStrategy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

    from autometa.domain import Configuration, Task
    from autometa.foundation.typing import RandomState

__all__ = ["Linear", "ridge"]

MAX_ITERATIONS = 300

_CLASSIFICATION: tuple[dict[str, Any], ...] = (
    {"model": "logistic", "C": 1.0, "scaling": "standard", "features": "linear"},
    {"model": "logistic", "C": 0.01, "scaling": "standard", "features": "linear"},
    {"model": "logistic", "C": 100.0, "scaling": "standard", "features": "linear"},
    {"model": "logistic", "C": 0.3, "scaling": "quantile", "features": "linear"},
    {"model": "logistic", "C": 1.0, "scaling": "squash", "features": "splines", "n_knots": 5},
    {"model": "logistic", "C": 0.05, "scaling": "quantile", "features": "splines", "n_knots": 8},
    {"model": "logistic", "C": 1.0, "scaling": "standard", "features": "interactions", "n_interacting": 30},
    {"model": "logistic", "C": 0.03, "scaling": "quantile", "features": "interactions", "n_interacting": 30},
    {"model": "logistic", "C": 0.01, "scaling": "squash", "features": "full", "n_knots": 5, "n_interacting": 30},
    {"model": "lasso", "C": 0.3, "scaling": "standard", "features": "linear"},
    {"model": "lasso", "C": 0.1, "scaling": "squash", "features": "full", "n_knots": 5, "n_interacting": 20},
    {"model": "discriminant", "scaling": "squash", "features": "linear"},
)
_REGRESSION: tuple[dict[str, Any], ...] = (
    {"model": "ridge", "scaling": "standard", "features": "linear", "target": "identity"},
    {"model": "lasso", "scaling": "standard", "features": "linear", "target": "identity"},
    {"model": "ridge", "scaling": "standard", "features": "linear", "target": "log"},
    {"model": "huber", "scaling": "squash", "features": "splines", "n_knots": 6, "target": "identity"},
    {"model": "ridge", "scaling": "quantile", "features": "splines", "n_knots": 5, "target": "identity"},
    {"model": "ridge", "scaling": "squash", "features": "splines", "n_knots": 10, "target": "identity"},
    {"model": "ridge", "scaling": "squash", "features": "splines", "n_knots": 6, "target": "log"},
    {
        "model": "ridge",
        "scaling": "standard",
        "features": "interactions",
        "n_interacting": 30,
        "target": "identity",
    },
    {"model": "ridge", "scaling": "squash", "features": "interactions", "n_interacting": 30, "target": "log"},
    {
        "model": "ridge",
        "scaling": "squash",
        "features": "full",
        "n_knots": 5,
        "n_interacting": 20,
        "target": "identity",
    },
    {
        "model": "ridge",
        "scaling": "quantile",
        "features": "full",
        "n_knots": 5,
        "n_interacting": 30,
        "target": "log",
    },
    {
        "model": "lasso",
        "scaling": "squash",
        "features": "full",
        "n_knots": 5,
        "n_interacting": 30,
        "target": "identity",
    },
)


class Linear(ListedStrategy):
    """Logistic regression, discriminant analysis, ridge, lasso, Huber and Bayesian regression.

    Regression models choose their own strength of regularisation (leave-one-out for ridge, four folds for the
    lasso, the evidence for Bayesian ridge); their predictions are clipped to the training range and a quarter of
    it more.
    """

    name: ClassVar[str] = "linear"
    reads_images: ClassVar[bool] = True
    description: ClassVar[str] = "Regularised linear models on scaled columns, splines, bins or products."
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
            "scaling": CategoricalDistribution(["standard", "quantile", "squash"]),
            "features": CategoricalDistribution(["linear", "splines", "bins", "interactions", "full"]),
            "n_knots": IntDistribution(3, 16),
            "n_interacting": IntDistribution(2, 40),
        }
        if task.is_classification:
            return space | {
                "model": CategoricalDistribution(["logistic", "lasso", "discriminant"]),
                "C": FloatDistribution(1e-4, 1e3, log=True),
                "class_weight": CategoricalDistribution(["none", "balanced"]),
            }
        return space | {
            "model": CategoricalDistribution(["ridge", "lasso", "huber", "bayesian"]),
            "target": CategoricalDistribution(["identity", "log", "normal"]),
        }

    def is_interpretable(self, configuration: Configuration, task: Task) -> bool:
        """Say yes where the model is linear in the columns themselves, only shifted and scaled.

        Parameters
        ----------
        configuration : Configuration
        task : Task

        Returns
        -------
        bool
            No for bent or multiplied columns, for discriminants (wide tables are projected before them), for
            normal scores of the target, and for texts, dates and images, which become many columns.
        """
        values = self.filled(configuration, task)
        is_plain = (values["features"], values["scaling"]) == ("linear", "standard")
        is_readable = values["model"] != "discriminant" and values.get("target", "identity") != "normal"
        return is_plain and is_readable and not any(map(task.columns, ("text", "datetime", "image")))

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
            Not used: linear models run on the CPU.
        random_state : int or None

        Returns
        -------
        Recipe
        """
        from autometa.components.strategies.expansion import WidthLimiter
        from autometa.components.strategies.preprocessing import TablePreprocessor, make_recipe
        from autometa.components.strategies.targets import with_target

        values = self.filled(configuration, task)
        preprocessor = TablePreprocessor(
            classification=task.is_classification,
            scaling=values["scaling"],
            features=values["features"],
            n_knots=values.get("n_knots", 6),
            n_interacting=values.get("n_interacting", 30),
            random_state=random_state,
        )
        if not task.is_classification:
            regressor = _regressor(values["model"], task.n_samples, random_state)
            return make_recipe(task, preprocessor, with_target(regressor, values["target"]))
        learner = _classifier(values, task, random_state)
        if values["model"] == "discriminant":
            return make_recipe(task, preprocessor, learner, ("project", WidthLimiter(random_state=random_state)))
        return make_recipe(task, preprocessor, learner)


def _classifier(values: Mapping[str, Any], task: Task, random_state: RandomState) -> BaseEstimator:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression

    weight = "balanced" if values.get("class_weight") == "balanced" else None
    if values["model"] == "discriminant":
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    if values["model"] == "logistic":
        return LogisticRegression(C=values["C"], class_weight=weight, max_iter=MAX_ITERATIONS, tol=1e-3)
    sparse = LogisticRegression(
        C=values["C"],
        l1_ratio=1.0,
        solver="liblinear",
        class_weight=weight,
        max_iter=100,
        tol=1e-3,
        random_state=random_state,
    )
    from sklearn.multiclass import OneVsRestClassifier

    return OneVsRestClassifier(sparse)


def _regressor(model: str, n_samples: int, random_state: RandomState) -> BaseEstimator:
    from sklearn.linear_model import BayesianRidge, HuberRegressor, LassoCV

    if model == "lasso":
        folds = max(2, min(4, n_samples))
        return LassoCV(alphas=20, cv=folds, max_iter=500, tol=1e-3, selection="random", random_state=random_state)
    if model == "huber":
        return HuberRegressor(alpha=1.0, max_iter=MAX_ITERATIONS, tol=1e-4)
    return BayesianRidge(max_iter=100) if model == "bayesian" else ridge()


def ridge() -> BaseEstimator:
    """Return a ridge regression that chooses its strength by leave-one-out.

    Returns
    -------
    RidgeCV
    """
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=np.logspace(-2, 5, 22))
