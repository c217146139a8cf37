"""What the three strategies share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from autometa import Configuration, Strategy, Task

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["ScaledStrategy"]

SCALINGS = ("standard", "quantile", "squash")


class ScaledStrategy(Strategy):
    """A learner on a matrix of scaled numbers."""

    configurations: ClassVar[tuple[dict[str, Any], ...]]
    only_classification: ClassVar[bool] = False

    def supports(self, task: Task) -> str | None:
        """Refuse regression where the learner is one of classes only.

        Parameters
        ----------
        task : Task

        Returns
        -------
        str or None
        """
        if self.only_classification and not task.is_classification:
            return f"{self.name} predicts classes only; the task is a regression."
        return None

    def portfolio(self, task: Task) -> Sequence[Configuration]:
        """Return the configurations that are measured.

        Parameters
        ----------
        task : Task

        Returns
        -------
        sequence of Configuration
        """
        return tuple(Configuration(values) for values in self.configurations)

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
        device : str
            Not used: runs on the CPU.
        random_state : int or None

        Returns
        -------
        Recipe
        """
        from autometa.preprocessing import TablePreprocessor, make_recipe

        values = {**self.configurations[0], **configuration}
        matrix = TablePreprocessor(
            classification=task.is_classification, scaling=values["scaling"], random_state=random_state
        )
        return make_recipe(task, matrix, self.learner(values, task))

    @abstractmethod
    def learner(self, values: Mapping[str, Any], task: Task) -> BaseEstimator:
        """Return the learner of a configuration.

        Parameters
        ----------
        values : mapping of str to scalar
        task : Task

        Returns
        -------
        estimator
        """
