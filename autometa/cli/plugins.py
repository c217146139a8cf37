"""Commands about what is installed: strategies; plugins, with install and uninstall; and those of the plugins."""

from __future__ import annotations

import contextlib
import sys
import warnings
from dataclasses import asdict
from typing import Annotated, Any

import typer

from autometa.cli import installer, options, render
from autometa.foundation.errors import KnowledgeError, PluginError, PluginWarning
from autometa.plugins import PluginRecord, get_registry
from autometa.plugins.guarding import said

__all__ = ["add_plugin_commands", "application", "install", "plugins", "strategies", "uninstall"]

application = typer.Typer(rich_markup_mode=None)

# Why the commands of a plugin are not there, by the plugin's name: found when the command line is put together.
_command_errors: dict[str, str] = {}


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


@application.callback(invoke_without_command=True)
def plugins(context: typer.Context, json: options.Json = False) -> None:
    """List the installed plugins with what they bring, and what failed; or install and uninstall some."""
    if context.invoked_subcommand is not None:
        return
    evidence, errors = _evidence()
    facts = [_facts(record, evidence, errors) for record in get_registry().records]
    if json:
        render.print_json(facts)
        return
    header = ("name", "distribution", "brings", "evaluations", "import", "state")
    render.print_table("Plugins", header, [_row(plugin) for plugin in facts])


@application.command()
def install(
    names: Annotated[list[str], typer.Argument(help="Distributions, as pip takes them.")],
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Also if there is one already.")] = False,
) -> None:
    """Install plugins into this environment, with its own installer."""
    new = installer.install(names, upgrade=upgrade)
    if new:
        render.console.print(f"New plugins: {', '.join(new)}. See `autometa plugins`.", markup=False)
    else:
        render.error_console.print("Installed, but no new plugin appeared: see `autometa plugins`.", markup=False)


@application.command()
def uninstall(
    names: Annotated[list[str], typer.Argument(help="Plugins or distributions.")],
) -> None:
    """Remove plugins from this environment, with its own installer."""
    removed = installer.uninstall(names)
    render.console.print(f"Removed {', '.join(removed)}.", markup=False)


def _evidence() -> tuple[dict[str, int], dict[str, str]]:
    """Return the number of evaluations of each strategy, and why a plugin's were left out, by plugin."""
    from autometa.components.knowledge import shipped_with_plugins

    try:
        known = shipped_with_plugins()
    except KnowledgeError as error:
        warnings.warn(f"No evidence can be counted: {error}", PluginWarning, stacklevel=2)
        return {}, {}
    return known.base.evidence(), dict(known.errors)


def _facts(record: PluginRecord, evidence: dict[str, int], errors: dict[str, str]) -> dict[str, Any]:
    problems = [record.error, errors.get(record.name, ""), _command_errors.get(record.name, "")]
    return {
        **asdict(record),
        "backbones": [_backbone_facts(name) for name in record.backbones],
        "evidence": {name: evidence.get(name, 0) for name in record.strategies},
        "import_seconds": round(record.import_seconds, 4),
        "error": "; ".join(problem for problem in problems if problem),
    }


def _backbone_facts(name: str) -> dict[str, Any]:
    backbone = get_registry().backbone(name)
    return {
        "name": name,
        "modality": backbone.modality,
        "licence": backbone.licence,
        "source": backbone.source,
        "obstacle": backbone.obstacle(),
    }


def _row(plugin: dict[str, Any]) -> tuple[str, ...]:
    named = {"register_strategies", "register_metafeatures", "register_backbones"}
    backbones = [f"{backbone['name']} ({backbone['modality']})" for backbone in plugin["backbones"]]
    others = [hook.removeprefix("register_") for hook in plugin["hooks"] if hook not in named]
    return (
        plugin["name"],
        f"{plugin['distribution']} {plugin['version']}",
        ", ".join([*plugin["strategies"], *plugin["metafeatures"], *backbones, *others]),
        f"{sum(plugin['evidence'].values()):,}" if plugin["strategies"] else "",
        f"{plugin['import_seconds']:.2f} s",
        plugin["error"] or "ok",
    )


def add_plugin_commands(application: typer.Typer) -> None:
    """Let every plugin add its commands; one that fails, or takes a name that is taken, adds none.

    Parameters
    ----------
    application : typer.Typer
    """
    for plugin in get_registry().plugins:
        if "register_commands" not in plugin.hooks:
            continue
        own = typer.Typer()
        try:
            # What a plugin prints must not get between the answers of `autometa ... --json`.
            with contextlib.redirect_stdout(sys.stderr):
                plugin.add_commands(own)
                _check_names(application, own)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a third party's command must not take the others down
            reason = f"its commands were left out: {said(error)}"
            _command_errors[plugin.name] = reason
            warnings.warn(f"Plugin {plugin.name!r}: {reason}", PluginWarning, stacklevel=2)
            continue
        application.registered_commands += own.registered_commands
        application.registered_groups += own.registered_groups


def _check_names(application: typer.Typer, own: typer.Typer) -> None:
    # Building the commands also brings out what is wrong with them now, and not when they are called.
    taken = typer.main.get_group(application).commands.keys() & typer.main.get_group(own).commands.keys()
    if taken:
        raise PluginError(f"there is a command {min(taken)!r} already; choose another name")
