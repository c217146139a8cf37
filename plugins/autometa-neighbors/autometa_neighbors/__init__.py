"""Neighbours for autometa: k nearest neighbours, naive Bayes and discriminants, cheap and unlike the others."""

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
    from autometa_neighbors.bayes import NaiveBayes
    from autometa_neighbors.discriminants import Discriminant
    from autometa_neighbors.nearest import NearestNeighbors

    for strategy in (NearestNeighbors(), NaiveBayes(), Discriminant()):
        register(strategy)


@hookimpl
def register_knowledge(register: Callable[[Path], None]) -> None:
    """Register what these strategies did on the tasks of autometa's knowledge base.

    Parameters
    ----------
    register : callable
    """
    register(Path(__file__).parent / "knowledge")
