"""The two strategies.

Neither model has hyperparameters of learning: what can be chosen is how the table is shown to it. The portfolios
vary the size of the ensemble, the views of the columns, their order, the sharpness of the probabilities and the
rows in the context. The first four are what the search spaces of TabArena (Erickson et al., NeurIPS 2025) vary,
for TabICL its own and for TabPFN that of tabpfn-extensions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from autometa import Configuration, Strategy, Task

from autometa_foundation.availability import kind_of, library_obstacle, task_obstacle, weights_obstacle
from autometa_foundation.errors import FoundationError
from autometa_foundation.models import TABICL, PretrainedModel, chosen_tabpfn

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

__all__ = ["TabICL", "TabPFN"]

_TABPFN_BOTH: tuple[dict[str, Any], ...] = (
    {"n_estimators": 8},
    {"n_estimators": 2, "context_rows": 1_000},
    {"n_estimators": 32},
    {"n_estimators": 8, "views": "raw", "feature_shift": "rotate"},
    {"n_estimators": 8, "views": "quantile", "average_before_softmax": True},
    {"n_estimators": 8, "views": "robust", "polynomials": 20},
)
_TABPFN_CLASSIFICATION = (*_TABPFN_BOTH, {"n_estimators": 8, "softmax_temperature": 0.75})
_TABPFN_REGRESSION = (
    *_TABPFN_BOTH,
    {"n_estimators": 8, "target_views": "power"},
    {"n_estimators": 8, "target_views": "identity", "softmax_temperature": 0.75},
)
_TABICL_BOTH: tuple[dict[str, Any], ...] = (
    {"n_estimators": 8},
    {"n_estimators": 2, "context_rows": 1_000},
    {"n_estimators": 32, "views": "all"},
    {"n_estimators": 8, "views": "quantile"},
    {"n_estimators": 8, "views": "robust", "outlier_threshold": 12.0},
    {"n_estimators": 8, "views": "raw", "feature_shift": "shift"},
)
_TABICL_CLASSIFICATION = (
    *_TABICL_BOTH,
    {"n_estimators": 8, "softmax_temperature": 0.7, "average_logits": False},
)


class _Foundation(Strategy):
    """What both share: who refuses a task and why, and the pipeline around the estimator."""

    @abstractmethod
    def _model(self) -> PretrainedModel:
        """Return the weights that are used, or raise FoundationError."""

    @abstractmethod
    def _values(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Return the portfolio without the version."""

    @abstractmethod
    def _estimator(self, task: Task) -> type[BaseEstimator]:
        """Return the class of the estimator."""

    def supports(self, task: Task) -> str | None:
        """Say why the model cannot take a task, without importing its library or using the network.

        Parameters
        ----------
        task : Task

        Returns
        -------
        str or None
            In this order: the package is absent; its weights are not on this machine, or damaged, or behind a
            licence; the table is too large for the model; it is too large for a CPU.
        """
        try:
            model = self._model()
        except FoundationError as error:
            return str(error)
        return library_obstacle(model) or weights_obstacle(model, kind_of(task)) or task_obstacle(model, task)

    def portfolio(self, task: Task) -> Sequence[Configuration]:
        """Return six to eight configurations.

        Parameters
        ----------
        task : Task

        Returns
        -------
        sequence of Configuration
            Each names the version of the weights: what was measured with one says nothing of another.
        """
        version = self._model().version
        return tuple(Configuration(values, version=version) for values in self._values(task))

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
        device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
        random_state : int or None

        Returns
        -------
        Recipe
        """
        from autometa.preprocessing import NativeTable, make_recipe

        values: dict[str, Any] = {"version": self._model().version, **configuration}
        learner = self._estimator(task)(**values, device=device, random_state=random_state)
        return make_recipe(task, NativeTable(random_state=random_state), learner)


class TabPFN(_Foundation):
    """TabPFN: a transformer over the cells of a table, pretrained on synthetic ones."""

    name: ClassVar[str] = "tabpfn"
    description: ClassVar[str] = "TabPFN, pretrained: the training rows are its context (autometa-foundation)."

    def _model(self) -> PretrainedModel:
        return chosen_tabpfn()

    def _values(self, task: Task) -> tuple[dict[str, Any], ...]:
        return _TABPFN_CLASSIFICATION if task.is_classification else _TABPFN_REGRESSION

    def _estimator(self, task: Task) -> type[BaseEstimator]:
        from autometa_foundation.tabpfn_estimators import TabPFNClassifier, TabPFNRegressor

        return TabPFNClassifier if task.is_classification else TabPFNRegressor

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
            "version": CategoricalDistribution([self._model().version]),
            "n_estimators": IntDistribution(1, 32, log=True),
            "softmax_temperature": FloatDistribution(0.6, 1.2),
            "average_before_softmax": CategoricalDistribution([False, True]),
            "views": CategoricalDistribution(["default", "raw", "quantile", "power", "robust"]),
            "feature_shift": CategoricalDistribution(["shuffle", "rotate", "none"]),
            "fingerprint": CategoricalDistribution([True, False]),
            "polynomials": IntDistribution(0, 50),
            "context_rows": IntDistribution(500, self._model().max_rows, log=True),
        }
        if task.is_classification:
            return space | {"balance_probabilities": CategoricalDistribution([False, True])}
        return space | {"target_views": CategoricalDistribution(["both", "identity", "power"])}


class TabICL(_Foundation):
    """TabICL: a transformer over columns, rows and the table, pretrained on synthetic ones."""

    name: ClassVar[str] = "tabicl"
    description: ClassVar[str] = "TabICL, pretrained: the training rows are its context (autometa-foundation)."

    def _model(self) -> PretrainedModel:
        return TABICL["v2"]

    def _values(self, task: Task) -> tuple[dict[str, Any], ...]:
        return _TABICL_CLASSIFICATION if task.is_classification else _TABICL_BOTH

    def _estimator(self, task: Task) -> type[BaseEstimator]:
        from autometa_foundation.tabicl_estimators import TabICLClassifier, TabICLRegressor

        return TabICLClassifier if task.is_classification else TabICLRegressor

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
            "version": CategoricalDistribution([self._model().version]),
            "n_estimators": IntDistribution(1, 32, log=True),
            "views": CategoricalDistribution(["default", "raw", "power", "quantile", "robust", "all"]),
            "feature_shift": CategoricalDistribution(["latin", "shift", "random", "none"]),
            "outlier_threshold": FloatDistribution(3.0, 20.0, log=True),
            "context_rows": IntDistribution(500, self._model().max_rows, log=True),
        }
        if task.is_classification:
            space["softmax_temperature"] = FloatDistribution(0.6, 1.2)
            space["average_logits"] = CategoricalDistribution([True, False])
        return space
