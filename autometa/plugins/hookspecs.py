"""The hooks: what a plugin can bring. Hooks declare, objects behave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from autometa.domain.backbones import EncoderBackbone
    from autometa.domain.strategy import Strategy
    from autometa.domain.task import Task

__all__ = ["PROJECT", "hookimpl", "hookspec"]

PROJECT = "autometa"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_strategies(register: Callable[[Strategy], None]) -> None:
    """Call ``register(strategy)`` with an instance of each strategy that the plugin brings.

    Parameters
    ----------
    register : callable
    """


@hookspec
def register_metafeatures(
    register: Callable[[Sequence[str], Callable[[Task], Mapping[str, float]]], None],
) -> None:
    """Call ``register(names, function)`` with functions that describe a task by numbers.

    ``function(task)`` returns a number for each of the names, NaN where it is not defined. A failure, or more than
    a second, gives NaN and a warning. The meta-features are called ``<plugin>:<name>``.

    Parameters
    ----------
    register : callable
    """


@hookspec
def register_knowledge(register: Callable[[Path], None]) -> None:
    """Call ``register(folder)`` with each knowledge-base folder that the plugin ships.

    Parameters
    ----------
    register : callable
    """


@hookspec
def register_backbones(register: Callable[[EncoderBackbone], None]) -> None:
    """Call ``register(backbone)`` with each pretrained encoder of texts or images that the plugin brings.

    It is offered frozen, with a linear model or a support vector machine on its features, and fine-tuned.

    Parameters
    ----------
    register : callable
    """


@hookspec
def register_commands(application: Any) -> None:
    """Add commands to the command line.

    Parameters
    ----------
    application : typer.Typer
        The plugin's own; its commands and groups are added to ``autometa`` unless their names are taken.
    """
