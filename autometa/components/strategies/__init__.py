"""The built-in strategies, registered through the same hooks as any plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autometa.components.strategies.kernel import KernelEnsemble
from autometa.components.strategies.linear import Linear
from autometa.components.strategies.neural import NeuralStrategy
from autometa.components.strategies.svm import SupportVectorMachine
from autometa.plugins import hookimpl

if TYPE_CHECKING:
    from autometa.domain import Strategy

__all__ = ["KernelEnsemble", "Linear", "NeuralStrategy", "SupportVectorMachine", "register_strategies"]


@hookimpl
def register_strategies(register: Callable[[Strategy], None]) -> None:
    """Register the built-in strategies.

    Parameters
    ----------
    register : callable
    """
    for strategy in (Linear(), SupportVectorMachine(), KernelEnsemble(), NeuralStrategy()):
        register(strategy)
