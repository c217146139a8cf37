"""Pretrained text encoders, frozen below a linear model or fine-tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Final

from autometa.components.strategies.backbones import MINILM
from autometa.domain import Configuration, Strategy

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


class NeuralTextStrategy(Strategy):
    """A pretrained encoder of texts, for tables with a text column.

    ``encoder`` "frozen" puts a logistic or a ridge regression on what the encoder says of the texts and on the
    other columns; "fine_tuned" starts from such a model and trains the encoder with it. Fits stop after five
    minutes at the latest.

    Parameters
    ----------
    backbone : str, optional
        As of `TextEmbeddings`; default: all-MiniLM-L6-v2, from the extra ``text``.
    """

    name: ClassVar[str] = "neural_text"
    description: ClassVar[str] = "A pretrained text encoder, frozen below a linear model or fine-tuned."

    def __init__(self, backbone: str = MINILM.name) -> None:
        self.backbone = backbone

    def supports(self, task: Task) -> str | None:
        """Refuse tables without a text column, and every table where the extra ``text`` is not installed.

        Parameters
        ----------
        task : Task

        Returns
        -------
        str or None
        """
        if not task.columns("text"):
            return "the table has no text column"
        if self.backbone == MINILM.name:
            return MINILM.obstacle() or None
        absent = [package for package in ("transformers", "tokenizers") if find_spec(package) is None]
        return f"text encoders need {', '.join(absent)}: {MINILM.install}" if absent else None

    def portfolio(self, task: Task) -> Sequence[Configuration]:
        """Return the frozen encoder below a strongly and a weakly penalised model, and the fine-tuned one.

        Parameters
        ----------
        task : Task

        Returns
        -------
        sequence of Configuration
        """
        return tuple(Configuration(values) for values in _PORTFOLIO)

    def search_space(self, task: Task) -> Mapping[str, BaseDistribution]:
        """Return what can be tuned.

        Parameters
        ----------
        task : Task

        Returns
        -------
        mapping of str to optuna distribution
            `C` counts for the frozen encoder's linear model, all others but `max_tokens` for fine-tuning.
        """
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        return {
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
        values: dict[str, Any] = {**_PORTFOLIO[0], **configuration}
        strength = values.pop("C")
        if values.pop("encoder") == "frozen":
            return self._frozen(task, strength, values.get("max_tokens", 128), device, random_state)
        return self._fine_tuned(task, values, device, random_state)

    def _frozen(
        self, task: Task, strength: float, max_tokens: int, device: str, random_state: RandomState
    ) -> BaseEstimator:
        from sklearn.linear_model import LogisticRegression

        from autometa.components.neural.encoders.text_features import TextEmbeddings
        from autometa.components.strategies.linear import MAX_ITERATIONS, ridge
        from autometa.components.strategies.preprocessing import TablePreprocessor, make_recipe
        from autometa.components.strategies.targets import with_target

        preprocessor = TablePreprocessor(
            classification=task.is_classification,
            random_state=random_state,
            text_features=TextEmbeddings(backbone=self.backbone, max_tokens=max_tokens, device=device),
        )
        if task.is_classification:
            learner: Any = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS, tol=1e-3)
        else:
            learner = with_target(ridge(), "identity")  # finds its own strength
        return make_recipe(task, preprocessor, learner)

    def _fine_tuned(
        self, task: Task, values: dict[str, Any], device: str, random_state: RandomState
    ) -> BaseEstimator:
        from autometa.components.neural.encoders.text_estimators import (
            FineTunedTextClassifier,
            FineTunedTextRegressor,
        )
        from autometa.components.strategies.preprocessing import make_recipe
        from autometa.components.strategies.text_table import TextAndNumbers

        kind = FineTunedTextClassifier if task.is_classification else FineTunedTextRegressor
        learner = kind(
            backbone=self.backbone, max_seconds=MAX_SECONDS, device=device, random_state=random_state, **values
        )
        table = TextAndNumbers(classification=task.is_classification, random_state=random_state)
        return make_recipe(task, table, learner)
