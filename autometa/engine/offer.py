"""The offer: which candidates may be chosen from for a task, before anything is predicted of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from autometa.components.knowledge import KnowledgeBase
from autometa.domain.strategy import Candidate, Strategy
from autometa.domain.task import Task
from autometa.engine.constraints import Constraints, Exclusion
from autometa.foundation.errors import PluginError
from autometa.plugins import Registry
from autometa.plugins.isolation import portfolio, unsupported

__all__ = ["BY_CALLER", "Offer"]

BY_CALLER = "left out by the caller"


@dataclass(frozen=True)
class Offer:
    """What may be chosen from.

    Attributes
    ----------
    installed : frozenset of str
        Names of all strategies.
    strategies : mapping of str to Strategy
        Those that the caller wants.
    portfolios : mapping of str to tuple of Candidate
        Of those of them that take the task.
    excluded : mapping of str to str
        All other installed strategies -> why.
    barred : mapping of str to Exclusion
        Candidates that a constraint forbids, by id.
    """

    installed: frozenset[str]
    strategies: Mapping[str, Strategy]
    portfolios: Mapping[str, tuple[Candidate, ...]]
    excluded: Mapping[str, str]
    barred: Mapping[str, Exclusion]

    @classmethod
    def of(
        cls,
        registry: Registry,
        task: Task,
        strategies: Iterable[str] | None,
        exclude: Iterable[str],
        constraints: Constraints,
    ) -> Self:
        """Ask every strategy for its candidates; one that fails is excluded with the reason.

        Parameters
        ----------
        registry : Registry
        task : Task
        strategies, exclude : iterables of str
            Names of the strategies to choose from (None: all) and to leave out.
        constraints : Constraints

        Returns
        -------
        Offer
        """
        chosen = registry.select(strategies, exclude)
        excluded = {name: BY_CALLER for name in registry.strategies if name not in chosen}
        excluded.update(unsupported(chosen, task))
        found = {}
        for name, strategy in chosen.items():
            if name in excluded:
                continue
            try:
                found[name] = portfolio(name, strategy, task)
            except PluginError as error:
                excluded[name] = str(error)
        installed = frozenset(registry.strategies)
        return cls(installed, chosen, found, excluded, constraints.unfit(chosen, found, task))

    def ranked(self, base: KnowledgeBase, task: Task) -> list[str]:
        """Return the offered strategies that the knowledge base has measured: those that the policy is to rank.

        Parameters
        ----------
        base : KnowledgeBase
        task : Task

        Returns
        -------
        list of str
        """
        return sorted(self._measured(base, task) & self.portfolios.keys())

    def learned(self, base: KnowledgeBase, task: Task) -> list[str]:
        """Return the strategies that it is to be learned for what runs on the table are worth.

        That takes seconds, and is kept for the strategies that it was learned for. So tables that some strategies
        refuse share what was learned of all that are installed; what the caller leaves out is not learned about.

        Parameters
        ----------
        base : KnowledgeBase
        task : Task

        Returns
        -------
        list of str
        """
        offered = self.ranked(base, task)
        wanted = self.strategies.keys() == self.installed
        return sorted(self._measured(base, task) & self.installed) if wanted and offered else offered

    def _measured(self, base: KnowledgeBase, task: Task) -> set[str]:
        return {*base.measured_strategies(classification=task.is_classification)}
