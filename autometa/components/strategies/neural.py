"""Tabular neural networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from autometa.components.strategies._base import ListedStrategy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

    from autometa.domain import Configuration, Task
    from autometa.foundation.typing import RandomState

__all__ = ["NeuralStrategy"]

# Wall time of one fit, seconds. Not a hyperparameter: a fit at 2,000 x 20 takes a few of them on one core.
# Epochs are planned so that the widest networks take some two fifths of it on an idle core; the clock is for busy
# and slow machines.
MAX_SECONDS: Final = 40.0

_CLASSIFICATION: tuple[dict[str, Any], ...] = (
    {"architecture": "packed", "embedding": "piecewise", "dropout": 0.1},
    {"architecture": "packed", "embedding": "none", "dropout": 0.1},
    {"architecture": "tabm", "embedding": "periodic", "dropout": 0.1},
    {
        "architecture": "packed",
        "embedding": "piecewise",
        "dropout": 0.3,
        "label_smoothing": 0.05,
        "weight_decay": 0.1,
    },
    {"architecture": "mlp", "embedding": "none", "dropout": 0.2},
)
_REGRESSION: tuple[dict[str, Any], ...] = (
    {"architecture": "packed", "embedding": "piecewise", "dropout": 0.0, "target": "identity"},
    {"architecture": "packed", "embedding": "none", "dropout": 0.0, "target": "identity"},
    {"architecture": "tabm", "embedding": "periodic", "dropout": 0.0, "target": "identity"},
    {"architecture": "packed", "embedding": "piecewise", "dropout": 0.2, "target": "log", "weight_decay": 0.1},
    {"architecture": "mlp", "embedding": "none", "dropout": 0.1, "target": "identity"},
)


class NeuralStrategy(ListedStrategy):
    """Small neural networks on normal scores of the columns.

    ``architecture`` "mlp" is one network, "packed" an ensemble of independent ones that each hold out another
    fold, and "tabm" an ensemble that shares its weights. ``embedding`` turns each numeric column into several
    numbers, by pieces or by waves. Epochs are fewer where rows and columns are many; fits stop after 40 seconds at
    the latest.
    """

    name: ClassVar[str] = "neural"
    description: ClassVar[str] = "Ensembles of small neural networks with embedded numeric columns (TabM)."
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
            "architecture": CategoricalDistribution(["mlp", "packed", "tabm"]),
            "embedding": CategoricalDistribution(["none", "piecewise", "periodic"]),
            "scaling": CategoricalDistribution(["standard", "quantile", "squash"]),
            "k": IntDistribution(2, 32),
            "width": IntDistribution(32, 512, log=True),
            "n_blocks": IntDistribution(1, 4),
            "dropout": FloatDistribution(0.0, 0.5),
            "activation": CategoricalDistribution(["ReLU", "SiLU", "Mish", "SELU", "GELU"]),
            "d_embedding": IntDistribution(2, 32),
            "n_bins": IntDistribution(2, 64),
            "frequency_scale": FloatDistribution(0.01, 10.0, log=True),
            "learning_rate": FloatDistribution(1e-4, 2e-2, log=True),
            "weight_decay": FloatDistribution(1e-4, 1.0, log=True),
        }
        if task.is_classification:
            return space | {
                "label_smoothing": FloatDistribution(0.0, 0.2),
                "class_weight": CategoricalDistribution(["none", "balanced"]),
            }
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
        device : {"auto", "cpu", "cuda", "cuda:N"}
        random_state : int or None

        Returns
        -------
        Recipe
        """
        from autometa.components.neural import TabularNetworkClassifier, TabularNetworkRegressor
        from autometa.components.strategies.preprocessing import TablePreprocessor, make_recipe
        from autometa.components.strategies.targets import with_target

        values = self.filled(configuration, task)
        constants: dict[str, Any] = {"max_seconds": MAX_SECONDS, "device": device, "random_state": random_state}
        preprocessor = TablePreprocessor(
            classification=task.is_classification,
            scaling=values.pop("scaling", "quantile"),
            random_state=random_state,
        )
        if task.is_classification:
            weight = "balanced" if values.pop("class_weight", "none") == "balanced" else None
            return make_recipe(
                task, preprocessor, TabularNetworkClassifier(**values, class_weight=weight, **constants)
            )
        target = values.pop("target", "identity")
        return make_recipe(task, preprocessor, with_target(TabularNetworkRegressor(**values, **constants), target))
