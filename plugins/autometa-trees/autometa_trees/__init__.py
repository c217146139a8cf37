"""Trees for autometa: histogram gradient boosting, random forests and extremely randomised trees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autometa import Strategy, hookimpl

__all__ = ["register_knowledge", "register_strategies"]


@hookimpl
def register_strategies(register: Callable[[Strategy], None]) -> None:
    """Register the three strategies.

    Parameters
    ----------
    register : callable
    """
    from autometa_trees.forests import ExtraTrees, RandomForest
    from autometa_trees.histogram import HistogramBoosting

    for strategy in (HistogramBoosting(), RandomForest(), ExtraTrees()):
        register(strategy)


@hookimpl
def register_knowledge(register: Callable[[Path], None]) -> None:
    """Register what these strategies did on the tasks of autometa's knowledge base.

    Parameters
    ----------
    register : callable
    """
    register(Path(__file__).parent / "knowledge")
