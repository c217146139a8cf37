"""The registry: everything that the installed plugins bring, under names that no two of them share.

A plugin that fails in any way becomes a `PluginRecord` with an error and a `PluginWarning`; it never takes the
host or another plugin down, and nothing that it half-registered stays.

Names. A strategy is called as its plugin calls it, as long as no other plugin uses the same name; where several
do, each of theirs is called ``plugin:strategy`` and none by the short name: installing a plugin never makes a name
mean another learner. The built-in strategies keep theirs whatever is installed.
"""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType

from autometa.domain.backbones import EncoderBackbone
from autometa.domain.strategy import Strategy
from autometa.foundation.errors import ParameterError, PluginError, PluginWarning
from autometa.foundation.settings import get_settings
from autometa.plugins.discovery import (
    BUILT_IN_DISTRIBUTION,
    ENTRY_POINT_GROUP,
    discover,
    distribution_of,
    is_built_in,
)
from autometa.plugins.guarding import said
from autometa.plugins.loading import SEPARATOR, LoadedPlugin, MetaFeatureFunction, Stopwatch, load_plugin

__all__ = [
    "BUILT_IN_DISTRIBUTION",
    "ENTRY_POINT_GROUP",
    "PluginKnowledge",
    "PluginRecord",
    "Registry",
    "get_registry",
    "load_registry",
]


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
        Names of its strategies in the registry.
    metafeatures : tuple of str
        Names of its meta-features.
    backbones : tuple of str
        Names of its pretrained encoders in the registry.
    import_seconds : float
        Time of importing it.
    error : str
        Why it was left out; empty if it was not.
    """

    name: str
    distribution: str = ""
    version: str = ""
    hooks: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    metafeatures: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()
    import_seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class PluginKnowledge:
    """A knowledge-base folder that a plugin ships.

    Attributes
    ----------
    plugin : str
    folder : Path
    names : tuple of (str, str)
        The plugin's own name and the registry's name of each of its strategies where the two differ.
    strategies : tuple of str
        The plugin's own names of all its strategies: the folder holds evaluations of no others.
    """

    plugin: str
    folder: Path
    names: tuple[tuple[str, str], ...] = ()
    strategies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registry:
    """Everything that the installed plugins bring.

    Attributes
    ----------
    strategies : mapping of str to Strategy
        In order of registration, the built-in ones first.
    records : tuple of PluginRecord
        One a plugin, those included that failed.
    plugins : tuple of LoadedPlugin
        Those that did not.
    backbones : mapping of str to EncoderBackbone
        Pretrained encoders, in order of registration.
    """

    strategies: Mapping[str, Strategy] = field(default_factory=dict)
    records: tuple[PluginRecord, ...] = ()
    plugins: tuple[LoadedPlugin, ...] = field(default=(), repr=False)
    backbones: Mapping[str, EncoderBackbone] = field(default_factory=dict)

    @property
    def metafeatures(self) -> tuple[MetaFeatureFunction, ...]:
        """The functions that describe a task, of all plugins."""
        return tuple(function for plugin in self.plugins for function in plugin.metafeatures)

    @property
    def knowledge(self) -> tuple[Path, ...]:
        """The knowledge-base folders of all plugins."""
        return tuple(supplement.folder for supplement in self.supplements)

    @property
    def supplements(self) -> tuple[PluginKnowledge, ...]:
        """The knowledge-base folders of all plugins, each with whose it is."""
        return tuple(
            PluginKnowledge(plugin.name, folder, _other_names(self.record(plugin.name)), tuple(plugin.strategies))
            for plugin in self.plugins
            for folder in plugin.knowledge
        )

    def resolve(self, name: str) -> str:
        """Return the registry's name of a strategy.

        Parameters
        ----------
        name : str
            That very name, or ``plugin:strategy``.

        Returns
        -------
        str

        Raises
        ------
        ParameterError
            If no installed plugin brings it, or several do.
        """
        brought = {record.name: record.strategies for record in self.records}
        return _resolved("strategy", name, self.strategies, brought)

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
            If no installed plugin brings it, or several do.
        """
        return self.strategies[self.resolve(name)]

    def backbone(self, name: str) -> EncoderBackbone:
        """Look a pretrained encoder up.

        Parameters
        ----------
        name : str
            That of the registry, or ``plugin:backbone``.

        Returns
        -------
        EncoderBackbone

        Raises
        ------
        ParameterError
            If no installed plugin brings it, or several do.
        """
        brought = {record.name: record.backbones for record in self.records}
        return self.backbones[_resolved("backbone", name, self.backbones, brought)]

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
        wanted = list(self.strategies) if names is None else [self.resolve(name) for name in _as_names(names)]
        unwanted = {self.resolve(name) for name in _as_names(exclude)}
        return {name: self.strategies[name] for name in wanted if name not in unwanted}


def _resolved(kind: str, name: str, known: Mapping[str, object], brought: Mapping[str, tuple[str, ...]]) -> str:
    """Return the registry's name of a strategy or a backbone that is called by it or as ``plugin:name``."""
    if name in known:
        return name
    plugin, _, own = name.rpartition(SEPARATOR)
    if plugin and own in known and own in brought.get(plugin, ()):
        return own
    several = [full for full in known if full.endswith(f"{SEPARATOR}{name}")]
    if several:
        raise ParameterError(
            f"Several plugins bring a {kind} called {name!r}; say which: {several}.", **{kind: name}
        )
    raise ParameterError(
        f"No {kind} is called {name!r}; installed are {sorted(known)}. "
        "Install the plugin that brings it, or see `autometa plugins` for one that failed to load.",
        **{kind: name},
    )


def _as_names(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _other_names(record: PluginRecord) -> tuple[tuple[str, str], ...]:
    return tuple((name.rpartition(SEPARATOR)[2], name) for name in record.strategies if SEPARATOR in name)


@cache
def _cached_registry(selection: str | None) -> Registry:
    return load_registry(discover(selection))


def get_registry() -> Registry:
    """Return the registry of the installed plugins, loaded once per process and selection.

    Returns
    -------
    Registry

    Raises
    ------
    PluginError
        If a plugin asks for it while it is being loaded.
    """
    return _cached_registry(get_settings().plugins)


_loading: ContextVar[str] = ContextVar("autometa_loading", default="")


@contextmanager
def _while_loading(name: str) -> Iterator[None]:
    token = _loading.set(name)
    try:
        yield
    finally:
        _loading.reset(token)


def load_registry(points: Iterable[EntryPoint]) -> Registry:
    """Load plugins one by one.

    Parameters
    ----------
    points : iterable of EntryPoint
        The earlier of two with one name counts.

    Returns
    -------
    Registry

    Raises
    ------
    PluginError
        If it is called by a plugin that is being loaded: that would never end.
    """
    if _loading.get():
        raise PluginError(f"Plugin {_loading.get()!r} asks what is installed while it is itself being loaded.")
    loaded: list[LoadedPlugin] = []
    built_in: set[str] = set()
    records: list[PluginRecord] = []
    for point in points:
        record, plugin = _loaded(point, records, loaded)
        records.append(record)
        if plugin is not None:
            loaded.append(plugin)
            built_in.update([point.name] if is_built_in(point) else [])
    return _named(loaded, records, built_in)


def _loaded(
    point: EntryPoint, records: Iterable[PluginRecord], others: Iterable[LoadedPlugin]
) -> tuple[PluginRecord, LoadedPlugin | None]:
    """Load one plugin; one that fails is a record with the error, and a warning."""
    stopwatch = Stopwatch()
    distribution, version = distribution_of(point)
    record = PluginRecord(point.name, distribution, version)
    try:
        with _while_loading(point.name):
            _check_new(point, records)
            plugin = load_plugin(point, stopwatch)
            _check_other(plugin, others)
            _check_can_be_renamed(plugin)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a third party's module does must not take the host down
        reason = said(error)
        message = f"Plugin {point.name!r} ({distribution} {version}) was left out: {reason}"
        warnings.warn(message, PluginWarning, stacklevel=3)
        return replace(record, import_seconds=stopwatch.seconds, error=reason), None
    return replace(record, hooks=plugin.hooks, import_seconds=stopwatch.seconds), plugin


def _check_new(point: EntryPoint, records: Iterable[PluginRecord]) -> None:
    for record in records:
        if record.name == point.name:
            raise PluginError(
                f"Another plugin is called {point.name!r} already, that of {record.distribution!r}; "
                "one of the two must be uninstalled."
            )


def _check_other(plugin: LoadedPlugin, loaded: Iterable[LoadedPlugin]) -> None:
    for other in loaded:
        if other.plugin is plugin.plugin:
            raise PluginError(f"The same object is registered already, as {other.name!r}.")


def _check_can_be_renamed(plugin: LoadedPlugin) -> None:
    """Bring out now what would fail when another plugin is installed that uses the same name."""
    for name, strategy in plugin.strategies.items():
        full = f"{plugin.name}{SEPARATOR}{name}"
        try:
            found: object = _called(strategy, full).name
        except Exception as error:  # a third party's class may forbid whatever it likes
            found = said(error)
        if found != full:
            raise PluginError(
                f"Strategy {name!r} cannot be copied under another name ({found}); let `name` be an ordinary "
                "class attribute, and instances be copied by copy.copy()."
            )


def _named(loaded: list[LoadedPlugin], records: list[PluginRecord], built_in: set[str]) -> Registry:
    """Give every strategy and every backbone a name of its own (see the module)."""
    strategy_names = _unique_names({plugin.name: tuple(plugin.strategies) for plugin in loaded}, built_in)
    backbone_names = _unique_names({plugin.name: tuple(plugin.backbones) for plugin in loaded}, built_in)
    strategies: dict[str, Strategy] = {}
    backbones: dict[str, EncoderBackbone] = {}
    for plugin in loaded:
        for name, strategy in plugin.strategies.items():
            full = strategy_names[plugin.name][name]
            strategies[full] = strategy if full == name else _called(strategy, full)
        backbones |= {backbone_names[plugin.name][name]: found for name, found in plugin.backbones.items()}
    described = {plugin.name: tuple(n for f in plugin.metafeatures for n in f.full_names) for plugin in loaded}
    complete = tuple(
        record
        if record.error
        else replace(
            record,
            strategies=tuple(strategy_names[record.name].values()),
            metafeatures=described[record.name],
            backbones=tuple(backbone_names[record.name].values()),
        )
        for record in records
    )
    return Registry(MappingProxyType(strategies), complete, tuple(loaded), MappingProxyType(backbones))


def _unique_names(own_names: Mapping[str, tuple[str, ...]], built_in: set[str]) -> dict[str, dict[str, str]]:
    """Return, for each plugin, the registry's name of each of its own names: short unless two plugins use it."""
    counts = Counter(name for names in own_names.values() for name in names)
    return {
        plugin: {
            name: name if counts[name] == 1 or plugin in built_in else f"{plugin}{SEPARATOR}{name}"
            for name in names
        }
        for plugin, names in own_names.items()
    }


def _called(strategy: Strategy, name: str) -> Strategy:
    """Return a strategy under another name; the plugin's own object stays as it is."""
    renamed = copy.copy(strategy)
    object.__setattr__(renamed, "name", name)
    return renamed
