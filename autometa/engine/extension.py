"""Measuring more strategies on the tasks of a knowledge base: those of a user, or all that a plugin ships."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from autometa.components.knowledge import KnowledgeBase
from autometa.engine.collection import Protocol, build_knowledge, export_knowledge
from autometa.foundation.errors import KnowledgeError, ParameterError
from autometa.plugins import get_registry
from autometa.plugins.loading import SEPARATOR

__all__ = ["extend_knowledge", "extend_with_plugin", "plugin_supplement"]


def extend_knowledge(
    base: KnowledgeBase,
    source_folder: str | os.PathLike[str],
    workspace: str | os.PathLike[str],
    *,
    strategies: Iterable[str],
    **options: Any,
) -> KnowledgeBase:
    """Evaluate further strategies on the tasks of a knowledge base, on the same splits and sizes.

    Parameters
    ----------
    base : KnowledgeBase
        Made by `build_knowledge` from the same data.
    source_folder, workspace : path
        As in `build_knowledge`.
    strategies : iterable of str
    **options : Any
        Further arguments of `build_knowledge`; sizes, n_splits, protocol and tasks default to those of `base`.

    Returns
    -------
    KnowledgeBase
        With what `base` holds and the new evaluations.

    Raises
    ------
    KnowledgeError
        If `base` does not say how its splits were made.
    """
    settings = {**_same_grid(base), **options}
    output = settings.pop("output", None)
    merged = KnowledgeBase.merge(
        base, build_knowledge(source_folder, workspace, strategies=strategies, **settings)
    )
    if output is not None:
        merged.save(output)
    return merged


def extend_with_plugin(
    base: KnowledgeBase,
    source_folder: str | os.PathLike[str],
    workspace: str | os.PathLike[str],
    plugin: str,
    *,
    output: str | os.PathLike[str] | None = None,
    **options: Any,
) -> KnowledgeBase:
    """Evaluate a plugin's strategies on the tasks of a knowledge base, and write the files that the plugin ships.

    The same call goes on where one was stopped.

    Parameters
    ----------
    base : KnowledgeBase
        The one that the plugin's users have (``KnowledgeBase.shipped(plugins=False)``).
    source_folder, workspace : path
        As in `build_knowledge`.
    plugin : str
    output : path, optional
        Folder for the files, inside the plugin's package.
    **options : Any
        As in `extend_knowledge`.

    Returns
    -------
    KnowledgeBase
        A supplement of `base` (see `plugin_supplement`).

    Raises
    ------
    ParameterError
        If no such plugin is installed, or it brings no strategy.
    KnowledgeError
        If `base` does not say how its splits were made.
    """
    settings = {**_same_grid(base), **options}
    build_knowledge(source_folder, workspace, strategies=_strategies_of(plugin), **settings)
    return plugin_supplement(base, workspace, plugin, output=output)


def plugin_supplement(
    base: KnowledgeBase,
    workspace: str | os.PathLike[str],
    plugin: str,
    *,
    output: str | os.PathLike[str] | None = None,
) -> KnowledgeBase:
    """Make the files that a plugin ships of what a workspace holds now, whoever collected it.

    Parameters
    ----------
    base : KnowledgeBase
        The one that the plugin's users have.
    workspace : path
        Of `extend_with_plugin` or `build_knowledge`.
    plugin : str
    output : path, optional
        Folder for the files.

    Returns
    -------
    KnowledgeBase
        With the evaluations of the plugin's strategies by the plugin's own names of them, which an environment
        changes where another plugin uses the same, and meta-features only of what `base` does not describe.

    Raises
    ------
    ParameterError
        If no such plugin is installed, or it brings no strategy.
    KnowledgeError
        If the workspace has nothing of it, or other data or splits than `base`.
    """
    names = _strategies_of(plugin)
    own = {name: name.rpartition(SEPARATOR)[2] for name in names if SEPARATOR in name}
    supplement = export_knowledge(workspace).supplement_to(base, names).renamed(own)
    if output is not None:
        supplement.save(output)
    return supplement


def _strategies_of(plugin: str) -> tuple[str, ...]:
    names = get_registry().record(plugin).strategies
    if not names:
        raise ParameterError(f"Plugin {plugin!r} brings no strategy; see `autometa plugins`.", plugin=plugin)
    return names


def _same_grid(base: KnowledgeBase) -> dict[str, Any]:
    """Return the arguments of `build_knowledge` that make its figures comparable with those of `base`."""
    stated = base.manifest.provenance.get("protocol")
    if not isinstance(stated, dict):
        raise KnowledgeError(
            "The knowledge base does not state the protocol of its splits, so new evaluations would not be "
            "comparable. Build one with `autometa kb build`."
        )
    sizes = sorted(base.evaluations["train_size"].unique().tolist(), key=lambda size: -size if size else -(2**62))
    return {
        "sizes": sizes,
        "n_splits": int(base.evaluations["split"].max()) + 1,
        "protocol": Protocol.from_dict(stated),
        "tasks": frozenset(base.tasks["task"].astype(str)),
    }
