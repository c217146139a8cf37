"""CatBoost, in the search space of TabRepo (Salinas and Erickson, AutoML 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from autometa import Task
from autometa.preprocessing import BoostingDialect
from autometa_boosting._base import BoostingStrategy, most_rounds

if TYPE_CHECKING:
    import pandas as pd
    from optuna.distributions import BaseDistribution

__all__ = ["CatBoost"]

# A round of CatBoost costs several of the others': fewer of them, larger steps, and no more than this many a row,
# where the loss on a handful of held-out rows would go on falling for ever.
MAX_ROUNDS, ROUNDS_PER_ROW = 1_000, 5


class _Dialect(BoostingDialect):
    """Categories are integers, missing is one of them."""

    def fit(self, learner: Any, X: pd.DataFrame, y: Any, weight: Any, n_rounds: int) -> Any:
        learner.set_params(n_estimators=n_rounds)
        return learner.fit(self.prepare(X), y, sample_weight=weight, cat_features=_categories(X))

    def count_rounds(self, learner: Any, training: Any, held_out: Any, patience: int) -> int:
        X, y, weight = training
        judged = (self.prepare(held_out[0]), held_out[1])
        learner.fit(
            self.prepare(X),
            y,
            sample_weight=weight,
            cat_features=_categories(X),
            eval_set=judged,
            early_stopping_rounds=patience,
        )
        return int(learner.get_best_iteration()) + 1

    def prepare(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.assign(**{name: X[name].cat.codes.astype("int64") for name in _categories(X)})


def _categories(X: pd.DataFrame) -> list[str]:
    return [name for name in X.columns if hasattr(X[name], "cat")]


class CatBoost(BoostingStrategy):
    """Symmetric or depth-wise trees on ordered statistics of categories (Prokhorenkova et al. 2018)."""

    name: ClassVar[str] = "catboost"
    description: ClassVar[str] = "CatBoost, stopped early and refitted."
    library: ClassVar[str] = "catboost"
    least_version: ClassVar[tuple[int, int]] = (1, 2)
    dialect = _Dialect()
    configurations: ClassVar[tuple[dict[str, Any], ...]] = (
        {"learning_rate": 0.08, "depth": 6, "l2": 3.0, "one_hot": 5, "colsample": 1.0, "grow": "SymmetricTree"},
        {"learning_rate": 0.08, "depth": 4, "l2": 1.0, "one_hot": 10, "colsample": 0.5, "grow": "SymmetricTree"},
        {"learning_rate": 0.12, "depth": 2, "l2": 2.0, "one_hot": 5, "colsample": 1.0, "grow": "SymmetricTree"},
        {"learning_rate": 0.1, "depth": 5, "l2": 1.0, "one_hot": 50, "colsample": 0.8, "grow": "Depthwise"},
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
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        return {
            "learning_rate": FloatDistribution(0.01, 0.3, log=True),
            "depth": IntDistribution(1, 10),
            "l2": FloatDistribution(0.1, 50.0, log=True),
            "one_hot": IntDistribution(2, 100, log=True),
            "colsample": FloatDistribution(0.2, 1.0),
            "grow": CategoricalDistribution(["SymmetricTree", "Depthwise"]),
        }

    def learner(self, values: Mapping[str, Any], task: Task, *, device: str) -> Any:
        """Return the estimator.

        Parameters
        ----------
        values : mapping of str to scalar
        task : Task
        device : {"cpu", "cuda"}
            Columns per split cannot be limited on the GPU.

        Returns
        -------
        CatBoostClassifier or CatBoostRegressor
        """
        from catboost import CatBoostClassifier, CatBoostRegressor
        from joblib import cpu_count

        where = {"task_type": "GPU"} if device == "cuda" else {"rsm": values["colsample"]}
        kind = CatBoostClassifier if task.is_classification else CatBoostRegressor
        return kind(
            n_estimators=min(MAX_ROUNDS, most_rounds(task), ROUNDS_PER_ROW * task.n_samples),
            learning_rate=values["learning_rate"],
            depth=values["depth"],
            l2_leaf_reg=values["l2"],
            one_hot_max_size=values["one_hot"],
            grow_policy=values["grow"],
            boosting_type="Plain",
            border_count=64,
            thread_count=cpu_count(),
            allow_writing_files=False,
            verbose=False,
            **where,
        )
