"""Asking strategies: their code is a third party's, so a failure excludes the strategy and nothing else.

Every call is handed a view of the task: what a strategy does to it reaches nobody else.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from autometa.domain import weights
from autometa.domain.strategy import Candidate, Configuration, Strategy
from autometa.domain.task import Task
from autometa.foundation.errors import PluginError, PluginWarning
from autometa.plugins.guarding import guarded, shown

__all__ = ["is_interpretable", "portfolio", "takes_weights", "unsupported"]


def unsupported(strategies: Mapping[str, Strategy], task: Task) -> dict[str, str]:
    """Ask every strategy whether it takes a task.

    Parameters
    ----------
    strategies : mapping of str to Strategy
    task : Task

    Returns
    -------
    dict of str to str
        Reasons of those that do not; a strategy that fails to answer does not.
    """
    reasons = {name: _reason(strategy, task) for name, strategy in strategies.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _reason(strategy: Strategy, task: Task) -> str | None:
    try:
        with guarded("supports()"):
            reason: object = strategy.refusal(task.lent())
    except PluginError as error:
        return str(error)
    if reason is None or isinstance(reason, str):
        return reason
    return f"supports() must return a reason or None; it returned {shown(reason)}."


def portfolio(name: str, strategy: Strategy, task: Task) -> tuple[Candidate, ...]:
    """Return a strategy's candidates, each once.

    Parameters
    ----------
    name : str
        Of the strategy in the registry.
    strategy : Strategy
    task : Task

    Returns
    -------
    tuple of Candidate

    Raises
    ------
    PluginError
        If the strategy fails, or offers what is not its own.
    """
    with guarded("portfolio()"):
        offered = tuple(strategy.candidates(task.lent()))
    foreign = [each for each in offered if not isinstance(each, Candidate) or each.strategy != name]
    if foreign:
        offer = foreign[0].id if isinstance(foreign[0], Candidate) else foreign[0]
        raise PluginError(f"portfolio() offers {shown(offer)}, which is no candidate of {name!r}.")
    return tuple({candidate.id: candidate for candidate in offered}.values())


def is_interpretable(strategy: Strategy, configuration: Configuration, task: Task) -> bool:
    """Ask whether a person can read what is fitted; one that fails to answer does not say so, with a warning.

    Parameters
    ----------
    strategy : Strategy
    configuration : Configuration
    task : Task

    Returns
    -------
    bool
    """
    try:
        with guarded("is_interpretable()"):
            return strategy.is_interpretable(configuration, task.lent()) is True
    except PluginError as error:  # what it does not say is not claimed
        _warn(strategy, f"{error}, so its models count as unreadable")
        return False


def takes_weights(strategy: Strategy, configuration: Configuration, task: Task) -> bool:
    """Build an estimator and see whether it takes weights of rows; one that fails takes none, with a warning.

    Parameters
    ----------
    strategy : Strategy
    configuration : Configuration
    task : Task

    Returns
    -------
    bool
    """
    try:
        with guarded("build()"):
            built = strategy.build(configuration, task.lent(), device="cpu", random_state=0)
            return weights.takes_weights(built)
    except PluginError as error:
        _warn(strategy, f"{error}, so it counts as one that takes no weights of rows")
        return False


def _warn(strategy: Strategy, what: str) -> None:
    warnings.warn(f"Strategy {strategy.name!r}: {what}.", PluginWarning, stacklevel=3)
