"""Commands about what is installed: strategies, plugins."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING

from autometa.cli import options, render
from autometa.foundation.errors import PluginWarning
from autometa.plugins import get_registry

if TYPE_CHECKING:
    import typer

__all__ = ["add_plugin_commands", "plugins", "strategies"]


def strategies(json: options.Json = False) -> None:
    """List the installed strategies."""
    found = get_registry().strategies
    origin = {name: record.name for record in get_registry().records for name in record.strategies}
    rows = [
        {"name": name, "plugin": origin.get(name, ""), "description": strategy.description}
        for name, strategy in found.items()
    ]
    if json:
        render.print_json(rows)
        return
    render.print_table("Strategies", ("name", "plugin", "description"), (tuple(row.values()) for row in rows))


def plugins(json: options.Json = False) -> None:
    """List the installed plugins with what they bring, and what failed to load."""
    records = get_registry().records
    if json:
        render.print_json([asdict(record) for record in records])
        return
    rows = [
        (
            record.name,
            f"{record.distribution} {record.version}",
            ", ".join(record.strategies),
            record.error or "ok",
        )
        for record in records
    ]
    render.print_table("Plugins", ("name", "distribution", "strategies", "state"), rows)


def add_plugin_commands(application: typer.Typer) -> None:
    """Let every plugin add its commands.

    Parameters
    ----------
    application : typer.Typer
    """
    manager = get_registry().manager
    for name, plugin in manager.list_name_plugin():
        others = [other for other in manager.get_plugins() if other is not plugin]
        try:
            manager.subset_hook_caller("register_commands", remove_plugins=others)(application=application)
        except (Exception, SystemExit) as error:  # a third party's command must not take the others down
            warnings.warn(f"The commands of plugin {name!r} were left out: {error!r}", PluginWarning, stacklevel=2)
