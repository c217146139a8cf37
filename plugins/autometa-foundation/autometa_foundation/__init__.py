"""Tabular foundation models for autometa: TabPFN and TabICL, each through its own package.

Loading the plugin imports neither of them, nor torch; only `autometa foundation fetch` downloads anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autometa import Strategy, hookimpl

__all__ = ["register_commands", "register_strategies"]


@hookimpl
def register_strategies(register: Callable[[Strategy], None]) -> None:
    """Register the two strategies.

    Parameters
    ----------
    register : callable
    """
    from autometa_foundation.strategies import TabICL, TabPFN

    for strategy in (TabPFN(), TabICL()):
        register(strategy)


@hookimpl
def register_commands(application: Any) -> None:
    """Add `autometa foundation status` and `autometa foundation fetch`.

    Parameters
    ----------
    application : typer.Typer
    """
    from autometa_foundation.commands import application as commands

    application.add_typer(commands, name="foundation", help="Weights of TabPFN and TabICL: status, fetch.")
