"""One plugin, from its entry point to what it brings: imported, checked and asked, with nothing shared.

Each plugin has a plugin manager of its own, so that one cannot see, replace or break another, and what it
registers is kept only if all of it went well.
"""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pluggy

from autometa.domain.backbones import EncoderBackbone
from autometa.domain.strategy import Strategy
from autometa.foundation.errors import PluginError
from autometa.plugins import hookspecs

if TYPE_CHECKING:
    from autometa.domain.task import Task

__all__ = ["SEPARATOR", "LoadedPlugin", "MetaFeatureFunction", "load_plugin"]

# Between a plugin's name and the name of what it brings; neither may contain it.
SEPARATOR = ":"
_PLUGIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_METAFEATURE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(frozen=True, slots=True)
class MetaFeatureFunction:
    """A function of a task that a plugin brings.

    Attributes
    ----------
    plugin : str
    names : tuple of str
        The plugin's own names of the numbers, without the plugin's.
    function : callable
        Task -> mapping of name to number.
    """

    plugin: str
    names: tuple[str, ...]
    function: Callable[[Task], Mapping[str, float]] = field(repr=False)

    @property
    def full_names(self) -> tuple[str, ...]:
        """Names of the meta-features, ``<plugin>:<name>``."""
        return tuple(f"{self.plugin}{SEPARATOR}{name}" for name in self.names)


@dataclass(frozen=True)
class LoadedPlugin:
    """What one plugin brings.

    Attributes
    ----------
    name : str
    plugin : Any
        The object that its entry point names.
    hooks : tuple of str
        Hooks that it implements, sorted.
    strategies : mapping of str to Strategy
        By the plugin's own names.
    metafeatures : tuple of MetaFeatureFunction
    knowledge : tuple of Path
    backbones : mapping of str to EncoderBackbone
        By the plugin's own names.
    add_commands : callable
        Takes a ``typer.Typer``.
    """

    name: str
    plugin: Any = field(repr=False)
    hooks: tuple[str, ...] = ()
    strategies: Mapping[str, Strategy] = field(default_factory=dict)
    metafeatures: tuple[MetaFeatureFunction, ...] = ()
    knowledge: tuple[Path, ...] = ()
    backbones: Mapping[str, EncoderBackbone] = field(default_factory=dict)
    add_commands: Callable[[Any], None] = field(default=lambda application: None, repr=False)


@dataclass
class Stopwatch:
    """Seconds of the last measured block."""

    seconds: float = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Measure a block, also one that raises."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds = time.perf_counter() - started


def load_plugin(point: EntryPoint, stopwatch: Stopwatch) -> LoadedPlugin:
    """Import a plugin, check it, and ask it for what it brings.

    Parameters
    ----------
    point : EntryPoint
    stopwatch : Stopwatch
        Receives the seconds of the import, also of one that fails.

    Returns
    -------
    LoadedPlugin

    Raises
    ------
    BaseException
        Whatever the plugin raises; `PluginError` or pluggy's ``PluginValidationError`` if it is not one.
    """
    if not _PLUGIN_NAME.fullmatch(point.name):
        raise PluginError(
            f"A plugin's name is letters, digits, '.', '_' and '-'; the entry point is called {point.name!r}."
        )
    # What a plugin prints must not get between the answers of `autometa ... --json`.
    with contextlib.redirect_stdout(sys.stderr):
        with stopwatch.running():
            plugin = point.load()
        manager = _manager_of(plugin, point.name)
        strategies: dict[str, Strategy] = {}
        functions: list[MetaFeatureFunction] = []
        folders: list[Path] = []
        backbones: dict[str, EncoderBackbone] = {}
        manager.hook.register_strategies(register=_strategy_collector(strategies))
        manager.hook.register_metafeatures(register=_function_collector(functions, point.name))
        manager.hook.register_knowledge(register=_folder_collector(folders))
        manager.hook.register_backbones(register=_backbone_collector(backbones))
    return LoadedPlugin(
        point.name,
        plugin,
        tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or [])),
        MappingProxyType(dict(strategies)),
        tuple(functions),
        tuple(folders),
        MappingProxyType(dict(backbones)),
        lambda application: manager.hook.register_commands(application=application),
    )


def _manager_of(plugin: Any, name: str) -> pluggy.PluginManager:
    """Return a manager that knows this plugin only, after checking its hooks."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, name=name)
    manager.check_pending()
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise PluginError(
            f"{type(plugin).__name__} brings nothing: it implements no hook. Mark its functions with "
            "@autometa.hookimpl."
        )
    hooks = {caller.name: caller for caller in callers}
    for hook in (name for name in vars(hookspecs) if name.startswith("register_")):
        if hook not in hooks and callable(getattr(plugin, hook, None)):
            raise PluginError(f"{hook} is not marked with @autometa.hookimpl, so it would never be called.")
    for hook, caller in hooks.items():
        wanted = set(caller.spec.argnames) if caller.spec else set()
        for implementation in caller.get_hookimpls():
            if set(implementation.argnames) != wanted:
                raise PluginError(f"{hook} takes {sorted(wanted)}; got {sorted(implementation.argnames)}.")
    return manager


def _strategy_collector(found: dict[str, Strategy]) -> Callable[[Strategy], None]:
    def register(strategy: Strategy) -> None:
        if not isinstance(strategy, Strategy):
            raise PluginError(f"register() takes an instance of autometa.Strategy; got {strategy!r}.")
        name = getattr(strategy, "name", None)
        if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
            raise PluginError(
                f"A strategy's name must be a lower-case identifier; {type(strategy).__name__} has {name!r}."
            )
        if not isinstance(strategy.description, str):
            raise PluginError(f"The description of strategy {name!r} must be a str; got {strategy.description!r}.")
        if name in found:
            raise PluginError(f"A strategy called {name!r} is already registered by it; choose another name.")
        found[name] = strategy

    return register


def _function_collector(
    found: list[MetaFeatureFunction], plugin: str
) -> Callable[[Sequence[str], Callable[[Task], Mapping[str, float]]], None]:
    def register(names: Sequence[str], function: Callable[[Task], Mapping[str, float]]) -> None:
        wanted = (names,) if isinstance(names, str) else tuple(names)
        wrong = [name for name in wanted if not (isinstance(name, str) and _METAFEATURE_NAME.fullmatch(name))]
        if wrong or not wanted:
            raise PluginError(f"The names of meta-features are identifiers, dots allowed; got {wrong or names!r}.")
        taken = [name for name in wanted if any(name in other.names for other in found)]
        if taken or len(set(wanted)) < len(wanted):
            raise PluginError(f"Meta-features {taken or list(wanted)} are registered twice; choose other names.")
        if not callable(function):
            raise PluginError(f"register() takes names and a function of a task; got {function!r}.")
        found.append(MetaFeatureFunction(plugin, wanted, function))

    return register


def _folder_collector(found: list[Path]) -> Callable[[Path], None]:
    def register(folder: Path) -> None:
        path = Path(folder)
        if not path.is_dir():
            raise PluginError(f"register() takes a knowledge-base folder; {str(path)!r} is none.")
        found.append(path)

    return register


def _backbone_collector(found: dict[str, EncoderBackbone]) -> Callable[[EncoderBackbone], None]:
    def register(backbone: EncoderBackbone) -> None:
        if not isinstance(backbone, EncoderBackbone):
            raise PluginError(f"register() takes an autometa.EncoderBackbone; got {backbone!r}.")
        if backbone.name in found:
            raise PluginError(
                f"A backbone called {backbone.name!r} is already registered by it; choose another name."
            )
        found[backbone.name] = backbone

    return register
