"""What the built-in strategies share: two lists of configurations, and filling in what one of them leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from autometa.domain import Configuration, Strategy

if TYPE_CHECKING:
    from autometa.domain import Task

__all__ = ["ListedStrategy"]


class ListedStrategy(Strategy):
    """A strategy whose portfolio depends on nothing but the kind of task.

    Attributes
    ----------
    classification, regression : tuple of dict
        Values of the portfolio's configurations, the default first.
    """

    classification: ClassVar[tuple[dict[str, Any], ...]]
    regression: ClassVar[tuple[dict[str, Any], ...]]

    def portfolio(self, task: Task) -> Sequence[Configuration]:
        """Return the configurations for the kind of task; see `Strategy.portfolio`.

        Parameters
        ----------
        task : Task

        Returns
        -------
        sequence of Configuration
        """
        listed = self.classification if task.is_classification else self.regression
        return tuple(Configuration(values) for values in listed)

    def filled(self, configuration: Mapping[str, Any], task: Task) -> dict[str, Any]:
        """Return all values of a configuration: what it leaves out is as in the default.

        Parameters
        ----------
        configuration : mapping of str to scalar
        task : Task

        Returns
        -------
        dict of str to scalar
        """
        return {**self.portfolio(task)[0], **configuration}
