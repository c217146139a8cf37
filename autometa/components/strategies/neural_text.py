"""Pretrained text encoders, frozen below a linear model or fine-tuned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from autometa.components.strategies.backbones import MINILM
from autometa.components.strategies.encoders import EncoderStrategy
from autometa.domain import Configuration

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

    from autometa.domain import Task
    from autometa.foundation.typing import RandomState

__all__ = ["NeuralTextStrategy"]

# Wall time of one fit, seconds; not a hyperparameter.
MAX_SECONDS: Final = 300.0

# The cheap ones first: fine-tuning takes ten to a hundred times as long.
_PORTFOLIO: Final[tuple[dict[str, Any], ...]] = (
    {"encoder": "frozen", "C": 0.01},
    {"encoder": "frozen", "C": 0.1},
    {"encoder": "fine_tuned", "learning_rate": 5e-5, "max_epochs": 4},
)


class NeuralTextStrategy(EncoderStrategy):
    """Pretrained encoders of texts, for tables with a text column.

    ``encoder`` "frozen" puts a logistic or a ridge regression on what the encoder says of the texts and on the
    other columns; "fine_tuned" starts from such a model and trains the encoder with it. Every backbone of texts
    that is registered and can be loaded is offered in these ways. Fits stop after five minutes at the latest.

    Parameters
    ----------
    backbone : str, optional
        The only one to offer, as of `TextEmbeddings`: a folder or a model of the Hugging Face hub, for instance.
    """

    name: ClassVar[str] = "neural_text"
    description: ClassVar[str] = "A pretrained text encoder, frozen below a linear model or fine-tuned."
    modality = "text"
    packaged = MINILM
    ways = _PORTFOLIO
    packages = ("transformers", "tokenizers")

    def search_space(self, task: Task) -> Mapping[str, BaseDistribution]:
        """Return what can be tuned.

        Parameters
        ----------
        task : Task

        Returns
        -------
        mapping of str to optuna distribution
            `C` counts for the frozen encoder's linear model, those below it for fine-tuning.
        """
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        return {
            "backbone": CategoricalDistribution(self.backbones() or (MINILM.name,)),
            "encoder": CategoricalDistribution(["frozen", "fine_tuned"]),
            "max_tokens": IntDistribution(16, 512, log=True),
            "C": FloatDistribution(1e-4, 10.0, log=True),
            "trained_layers": IntDistribution(1, 24),
            "learning_rate": FloatDistribution(1e-6, 3e-4, log=True),
            "weight_decay": FloatDistribution(1e-4, 0.3, log=True),
            "max_epochs": IntDistribution(1, 10),
            "batch_size": IntDistribution(4, 64, log=True),
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
        device : {"auto", "cpu", "cuda", "cuda:N"}
        random_state : int or None

        Returns
        -------
        Recipe
        """
        default = {**_PORTFOLIO[0], "backbone": self.default_backbone()}
        values: dict[str, Any] = {**default, **configuration, "device": device}
        strength = values.pop("C")
        if values.pop("encoder") == "fine_tuned":
            return _fine_tuned(task, values, random_state)
        read: dict[str, Any] = {
            name: values[name] for name in ("backbone", "max_tokens", "device") if name in values
        }
        return _frozen(task, strength, read, random_state)


def _frozen(task: Task, strength: float, read: dict[str, Any], random_state: RandomState) -> BaseEstimator:
    from sklearn.linear_model import LogisticRegression

    from autometa.components.neural.encoders.text_features import TextEmbeddings
    from autometa.components.strategies.linear import MAX_ITERATIONS, ridge
    from autometa.components.strategies.preprocessing import TablePreprocessor, make_recipe
    from autometa.components.strategies.targets import with_target

    preprocessor = TablePreprocessor(
        classification=task.is_classification, random_state=random_state, text_features=TextEmbeddings(**read)
    )
    if task.is_classification:
        learner: Any = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS, tol=1e-3)
    else:
        learner = with_target(ridge(), "identity")  # finds its own strength
    return make_recipe(task, preprocessor, learner)


def _fine_tuned(task: Task, values: dict[str, Any], random_state: RandomState) -> BaseEstimator:
    from autometa.components.neural.encoders.text_estimators import (
        FineTunedTextClassifier,
        FineTunedTextRegressor,
    )
    from autometa.components.strategies.encoder_table import EncodedAndNumbers
    from autometa.components.strategies.preprocessing import make_recipe

    kind = FineTunedTextClassifier if task.is_classification else FineTunedTextRegressor
    learner = kind(max_seconds=MAX_SECONDS, random_state=random_state, **values)
    table = EncodedAndNumbers("text", task.is_classification, random_state)
    return make_recipe(task, table, learner)
