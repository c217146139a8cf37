"""A strategy with its default configuration, the first of its portfolio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autometa.domain import Candidate, Task
from autometa.engine.benchmark.systems._base import Fitted, Situation, System, distributions_of_strategies
from autometa.foundation.errors import UnsupportedTaskError
from autometa.plugins import get_registry
from autometa.plugins.isolation import portfolio

__all__ = ["DefaultSystem"]


@dataclass(frozen=True)
class DefaultSystem(System):
    """One strategy's default.

    Attributes
    ----------
    strategy : str
    label : str or None
        Another name than ``default:<strategy>``.
    hint : str or None
        How to install the strategy.
    """

    strategy: str
    label: str | None = None
    hint: str | None = None

    @property
    def name(self) -> str:
        """As in ``default:linear``."""
        return self.label or f"default:{self.strategy}"

    @property
    def strategy_name(self) -> str | None:
        """As it was given."""
        return self.strategy

    def configuration(self) -> dict[str, Any]:
        """Return the strategy's name; its configuration follows from the kind of task."""
        return {"kind": "default", "strategy": self.strategy}

    def packages(self) -> tuple[str, ...]:
        """Return the plugin that brings it, with what that requires."""
        return distributions_of_strategies([self.strategy])

    def missing(self) -> str | None:
        """Say that the strategy is not there."""
        there = sorted(get_registry().strategies)
        if self.strategy in there:
            return None
        return f"No strategy {self.strategy!r} is installed. {self.hint or f'There are {there}.'}"

    def prepare(self, training: Task, situation: Situation) -> None:
        """Build it once, which imports its libraries."""
        self._built(training, situation)

    def fit(self, training: Task, situation: Situation) -> Fitted:
        """Fit it."""
        estimator, candidate = self._built(training, situation)
        return Fitted(estimator.fit(training.X, training.y), candidate.id)

    def _built(self, training: Task, situation: Situation) -> tuple[Any, Candidate]:
        strategy = get_registry().strategy(self.strategy)
        refusal = strategy.refusal(training.lent())
        if refusal is not None:
            raise UnsupportedTaskError(refusal)
        candidate = portfolio(self.strategy, strategy, training)[0]
        lent = training.lent()
        built = strategy.build(candidate.configuration, lent, device="cpu", random_state=situation.seed)
        return built, candidate
