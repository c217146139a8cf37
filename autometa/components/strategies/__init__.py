"""The built-in strategies, registered through the same hooks as any plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autometa.components.strategies.backbones import BACKBONES
from autometa.components.strategies.kernel import KernelEnsemble
from autometa.components.strategies.linear import Linear
from autometa.components.strategies.neural import NeuralStrategy
from autometa.components.strategies.neural_image import NeuralImageStrategy
from autometa.components.strategies.neural_text import NeuralTextStrategy
from autometa.components.strategies.svm import SupportVectorMachine
from autometa.plugins import hookimpl

if TYPE_CHECKING:
    from autometa.domain import Strategy
    from autometa.domain.backbones import EncoderBackbone

__all__ = [
    "KernelEnsemble",
    "Linear",
    "NeuralImageStrategy",
    "NeuralStrategy",
    "NeuralTextStrategy",
    "SupportVectorMachine",
    "register_backbones",
    "register_strategies",
]


@hookimpl
def register_strategies(register: Callable[[Strategy], None]) -> None:
    """Register the built-in strategies.

    Parameters
    ----------
    register : callable
    """
    for strategy in (
        Linear(),
        SupportVectorMachine(),
        KernelEnsemble(),
        NeuralStrategy(),
        NeuralTextStrategy(),
        NeuralImageStrategy(),
    ):
        register(strategy)


@hookimpl
def register_backbones(register: Callable[[EncoderBackbone], None]) -> None:
    """Register the pretrained encoders of texts and images.

    Parameters
    ----------
    register : callable
    """
    for backbone in BACKBONES:
        register(backbone)
