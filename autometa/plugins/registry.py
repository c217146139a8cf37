"""Discovery and registry: each plugin is imported, checked and registered in isolation.

A plugin that fails in any way becomes a `PluginRecord` with an error and a `PluginWarning`; it never takes the
host or another plugin down, and nothing that it half-registered stays.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from autometa.domain.strategy import Strategy
from autometa.foundation.errors import ParameterError, PluginError, PluginWarning
from autometa.foundation.settings import get_settings
from autometa.plugins import hookspecs

if TYPE_CHECKING:
    from autometa.domain.task import Task

__all__ = ["PluginRecord", "Registry", "get_registry", "load_registry", "unsupported"]

ENTRY_POINT_GROUP = "autometa"
BUILT_IN_DISTRIBUTION = "autometa-ml"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """What is known of one plugin.

    Attributes
    ----------
    name : str
        Entry-point name.
    distribution, version : str
    hooks : tuple of str
        Hooks that it implements.
    strategies : tuple of str
        Names of the strategies that it registered.
    error : str
        Why it was left out; empty if it was not.
    """

    name: str
    distribution: str = ""
    version: str = ""
    hooks: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Registry:
    """Everything that the installed plugins bring.

    Attributes
    ----------
    strategies : dict of str to Strategy
        In order of registration, the built-in ones first.
    knowledge : tuple of Path
        Knowledge-base folders shipped by plugins.
    records : tuple of PluginRecord
    manager : pluggy.PluginManager
    """

    strategies: dict[str, Strategy] = field(default_factory=dict)
    knowledge: tuple[Path, ...] = ()
    records: tuple[PluginRecord, ...] = ()
    manager: pluggy.PluginManager = field(
        default_factory=lambda: pluggy.PluginManager(hookspecs.PROJECT), repr=False
    )

    def strategy(self, name: str) -> Strategy:
        """Look a strategy up.

        Parameters
        ----------
        name : str

        Returns
        -------
        Strategy

        Raises
        ------
        ParameterError
            If no installed plugin brings it.
        """
        if name not in self.strategies:
            raise ParameterError(
                f"No strategy is called {name!r}; installed are {sorted(self.strategies)}. "
                "Install the plugin that brings it, or see `autometa plugins` for one that failed to load.",
                strategy=name,
            )
        return self.strategies[name]

    def record(self, plugin: str) -> PluginRecord:
        """Look a plugin up.

        Parameters
        ----------
        plugin : str

        Returns
        -------
        PluginRecord

        Raises
        ------
        ParameterError
            If it is not installed, or AUTOMETA_PLUGINS leaves it out.
        """
        found = [record for record in self.records if record.name == plugin]
        if not found:
            raise ParameterError(
                f"No plugin is called {plugin!r}; there are {[record.name for record in self.records]}. "
                "Install it with `autometa plugins install`, or see whether AUTOMETA_PLUGINS leaves it out.",
                plugin=plugin,
            )
        return found[0]

    def select(self, names: Iterable[str] | None = None, exclude: Iterable[str] = ()) -> dict[str, Strategy]:
        """Return the strategies that are asked for.

        Parameters
        ----------
        names : iterable of str, optional
            Default: all. A single name is taken as a list of one.
        exclude : iterable of str

        Returns
        -------
        dict of str to Strategy

        Raises
        ------
        ParameterError
            If a name is unknown.
        """
        wanted = list(self.strategies) if names is None else _as_names(names)
        unwanted = set(_as_names(exclude))
        for name in [*wanted, *unwanted]:
            self.strategy(name)
        return {name: self.strategies[name] for name in wanted if name not in unwanted}


def _as_names(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


@cache
def _cached_registry(selection: str | None) -> Registry:
    return load_registry(_discover(selection))


def get_registry() -> Registry:
    """Return the registry of the installed plugins, loaded once per process and selection.

    Returns
    -------
    Registry
    """
    return _cached_registry(get_settings().plugins)


def _discover(selection: str | None) -> list[EntryPoint]:
    """Return the built-in entry points, then the others, in order of name; `selection` limits the others."""
    found = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: (not _is_built_in(point), point.name))
    if selection is None:
        return found
    wanted = {name.strip() for name in selection.split(",") if name.strip()}
    absent = sorted(wanted - {point.name for point in found})
    if absent:
        warnings.warn(
            f"AUTOMETA_PLUGINS names {absent}, which are not installed; installed are "
            f"{[point.name for point in found]}.",
            PluginWarning,
            stacklevel=4,
        )
    return [point for point in found if _is_built_in(point) or point.name in wanted]


def _is_built_in(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == BUILT_IN_DISTRIBUTION


def load_registry(points: Iterable[EntryPoint]) -> Registry:
    """Load plugins one by one.

    Parameters
    ----------
    points : iterable of EntryPoint

    Returns
    -------
    Registry
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    registry = Registry(manager=manager)
    for point in points:
        registry = _with_plugin(registry, point)
    return registry


def _with_plugin(registry: Registry, point: EntryPoint) -> Registry:
    distribution = point.dist.name if point.dist else ""
    version = point.dist.version if point.dist else ""
    try:
        strategies, knowledge, hooks = _register(registry.manager, point, registry.strategies)
    except (Exception, SystemExit) as error:  # whatever a third party's module does must not take the host down
        reason = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"Plugin {point.name!r} ({distribution} {version}) was left out: {reason}",
            PluginWarning,
            stacklevel=2,
        )
        failed = PluginRecord(point.name, distribution, version, error=reason)
        return Registry(registry.strategies, registry.knowledge, (*registry.records, failed), registry.manager)
    record = PluginRecord(point.name, distribution, version, hooks, tuple(strategies))
    return Registry(
        {**registry.strategies, **strategies},
        (*registry.knowledge, *knowledge),
        (*registry.records, record),
        registry.manager,
    )


def _register(
    manager: pluggy.PluginManager, point: EntryPoint, taken: Mapping[str, Strategy]
) -> tuple[dict[str, Strategy], list[Path], tuple[str, ...]]:
    plugin = point.load()
    _check_new(manager, plugin, point.name)
    try:
        manager.register(plugin, name=point.name)
        manager.check_pending()
        _check_hooks(manager, plugin)
        strategies: dict[str, Strategy] = {}
        knowledge: list[Path] = []
        _call_alone(manager, plugin, "register_strategies", register=_collector(strategies, taken))
        _call_alone(manager, plugin, "register_knowledge", register=_folder_collector(knowledge))
    except BaseException:
        if manager.is_registered(
            plugin
        ):  # older pluggy registers half of a plugin before it sees a wrong signature
            manager.unregister(plugin)
        raise
    hooks = tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or []))
    return strategies, knowledge, hooks


def _check_new(manager: pluggy.PluginManager, plugin: Any, name: str) -> None:
    if manager.has_plugin(name):
        raise PluginError(f"Another plugin is called {name!r} already; one of the two must be uninstalled.")
    if manager.is_registered(plugin):
        raise PluginError(f"The same object is registered already, as {manager.get_name(plugin)!r}.")


def _check_hooks(manager: pluggy.PluginManager, plugin: Any) -> None:
    if not manager.get_hookcallers(plugin):
        raise PluginError(
            f"{type(plugin).__name__} brings nothing: it implements no hook. Mark its functions with "
            "@autometa.hookimpl."
        )


def _call_alone(manager: pluggy.PluginManager, plugin: Any, hook: str, **arguments: Any) -> None:
    others = [other for other in manager.get_plugins() if other is not plugin]
    manager.subset_hook_caller(hook, remove_plugins=others)(**arguments)


def _collector(found: dict[str, Strategy], taken: Mapping[str, Strategy]) -> Callable[[Strategy], None]:
    def register(strategy: Strategy) -> None:
        if not isinstance(strategy, Strategy):
            raise PluginError(f"register() takes an instance of autometa.Strategy; got {strategy!r}.")
        name = getattr(strategy, "name", None)
        if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
            raise PluginError(
                f"A strategy's name must be a lower-case identifier; {type(strategy).__name__} has {name!r}."
            )
        if name in taken or name in found:
            raise PluginError(f"A strategy called {name!r} is already registered; choose another name.")
        found[name] = strategy

    return register


def _folder_collector(found: list[Path]) -> Callable[[Path], None]:
    def register(folder: Path) -> None:
        path = Path(folder)
        if not path.is_dir():
            raise PluginError(f"register() takes a knowledge-base folder; {str(path)!r} is none.")
        found.append(path)

    return register


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
        return strategy.supports(task)
    except Exception as error:  # a plugin's own code: its failure excludes it and nothing else
        return f"supports() failed with {type(error).__name__}: {error}"
