"""Pretrained image encoders, frozen below a linear model or a support vector machine, or fine-tuned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from autometa.components.strategies.backbones import EFFICIENTNET
from autometa.components.strategies.encoders import EncoderStrategy
from autometa.domain import Configuration

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

    from autometa.domain import Task
    from autometa.foundation.typing import RandomState

__all__ = ["NeuralImageStrategy"]

# Wall time of one fit, seconds; not a hyperparameter.
MAX_SECONDS: Final = 300.0

# The cheap ones first: they are what the order falls back to where nothing is known of the task.
_PORTFOLIO: Final[tuple[dict[str, Any], ...]] = (
    {"encoder": "frozen", "head": "linear", "C": 0.01},
    {"encoder": "frozen", "head": "svm", "C": 10.0},
    {"encoder": "fine_tuned", "learning_rate": 1e-3, "max_epochs": 10},
)
_OF_FROZEN: Final = frozenset({"head", "C"})


class NeuralImageStrategy(EncoderStrategy):
    """Pretrained encoders of images, for tables with a column of images.

    ``encoder`` "frozen" puts a linear model or a support vector machine on what the encoder says of the images and
    on the other columns; "fine_tuned" starts from a linear model and trains the encoder with it. Every backbone of
    images that is registered and can be loaded is offered in these three ways. Fits stop after five minutes at the
    latest.

    Parameters
    ----------
    backbone : str, optional
        The only one to offer, as of `ImageFeatures`: a folder or a model of the Hugging Face hub, for instance.
    """

    name: ClassVar[str] = "neural_image"
    description: ClassVar[str] = (
        "A pretrained image encoder, frozen below a linear model or an SVM, or fine-tuned."
    )
    reads_images: ClassVar[bool] = True
    modality = "image"
    packaged = EFFICIENTNET
    ways = _PORTFOLIO

    def search_space(self, task: Task) -> Mapping[str, BaseDistribution]:
        """Return what can be tuned.

        Parameters
        ----------
        task : Task

        Returns
        -------
        mapping of str to optuna distribution
            `head` and `C` count for the frozen encoder, all others but `backbone` for fine-tuning.
        """
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        return {
            "backbone": CategoricalDistribution(self.backbones() or (EFFICIENTNET.name,)),
            "encoder": CategoricalDistribution(["frozen", "fine_tuned"]),
            "head": CategoricalDistribution(["linear", "svm"]),
            "C": FloatDistribution(1e-4, 100.0, log=True),
            "learning_rate": FloatDistribution(1e-5, 1e-2, log=True),
            "weight_decay": FloatDistribution(1e-4, 0.3, log=True),
            "max_epochs": IntDistribution(1, 30),
            "batch_size": IntDistribution(8, 64, log=True),
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
        default = {"backbone": self.default_backbone(), "encoder": "frozen"}
        values: dict[str, Any] = {**default, **configuration}
        if values.pop("encoder") == "frozen":
            return _frozen(task, values, device, random_state)
        for name in _OF_FROZEN & values.keys():
            del values[name]
        return _fine_tuned(task, values, device, random_state)


def _frozen(task: Task, values: Mapping[str, Any], device: str, random_state: RandomState) -> BaseEstimator:
    from autometa.components.neural.encoders.image_features import ImageFeatures
    from autometa.components.strategies.preprocessing import TablePreprocessor, make_recipe
    from autometa.components.strategies.targets import with_target

    preprocessor = TablePreprocessor(
        classification=task.is_classification,
        random_state=random_state,
        image_features=ImageFeatures(values["backbone"], device=device),
    )
    head = values.get("head", "linear")
    learner = _head(head, values.get("C"), task, random_state)
    return make_recipe(task, preprocessor, learner if task.is_classification else with_target(learner, "identity"))


def _head(head: str, strength: float | None, task: Task, random_state: RandomState) -> BaseEstimator:
    from sklearn.linear_model import LogisticRegression

    from autometa.components.strategies.linear import MAX_ITERATIONS, ridge
    from autometa.components.strategies.support_vectors import SupportVectorClassifier, SupportVectorRegressor

    if head == "svm":
        kind = SupportVectorClassifier if task.is_classification else SupportVectorRegressor
        return kind(kernel="rbf", C=10.0 if strength is None else strength, random_state=random_state)
    if not task.is_classification:
        return ridge()
    return LogisticRegression(C=0.01 if strength is None else strength, max_iter=MAX_ITERATIONS, tol=1e-3)


def _fine_tuned(task: Task, values: Mapping[str, Any], device: str, random_state: RandomState) -> BaseEstimator:
    from autometa.components.neural.encoders.image_estimators import (
        FineTunedImageClassifier,
        FineTunedImageRegressor,
    )
    from autometa.components.strategies.encoder_table import EncodedAndNumbers
    from autometa.components.strategies.preprocessing import make_recipe

    kind = FineTunedImageClassifier if task.is_classification else FineTunedImageRegressor
    learner = kind(**values, max_seconds=MAX_SECONDS, device=device, random_state=random_state)
    return make_recipe(task, EncodedAndNumbers("image", task.is_classification, random_state), learner)
