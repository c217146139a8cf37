"""Commands about the knowledge base: kb info, build, extend, export."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.logging import RichHandler

from autometa.cli import options, render

if TYPE_CHECKING:
    from autometa.components.knowledge import KnowledgeBase

__all__ = ["application"]

application = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Folder = Annotated[Path, typer.Argument(help="Folder with index.csv and parquet/ (see the file formats).")]
Workspace = Annotated[Path, typer.Option("--workspace", "-w", help="Folder of the journal; the same one resumes.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Folder to save the knowledge base to.")]
Jobs = Annotated[int, typer.Option("--n-jobs", help="Worker processes; -1 for one per core.")]
Backend = Annotated[str | None, typer.Option("--backend", help="Name of a joblib backend; default: loky.")]
Seconds = Annotated[float, typer.Option("--seconds-per-cell", help="Limit of fit and predict together, seconds.")]
Memory = Annotated[float, typer.Option("--gigabytes-per-cell", help="Limit of memory, gigabytes.")]
OnlyTasks = Annotated[list[str] | None, typer.Option("--task", help="openml-ID; default: all. Repeatable.")]
RunAgain = Annotated[
    list[str] | None, typer.Option("--run-again", help="Status of cells to run again. Repeatable.")
]
Plugin = Annotated[
    str | None, typer.Option("--plugin", help="Write what this plugin ships beside the knowledge base.")
]


@application.command()
def info(knowledge: options.Knowledge = None, json: options.Json = False) -> None:
    """Say what a knowledge base holds."""
    _show(_opened(knowledge).info(), as_json=json)


@application.command()
def build(
    folder: Folder,
    workspace: Workspace,
    output: Output = None,
    strategy: options.Strategies = None,
    task: OnlyTasks = None,
    size: Annotated[
        list[int] | None,
        typer.Option("--size", help="Training rows, 0 = all; default 0, 1024, 256. Repeatable."),
    ] = None,
    n_splits: Annotated[int, typer.Option("--n-splits", help="Splits of each dataset.")] = 1,
    n_jobs: Jobs = 1,
    backend: Backend = None,
    seconds_per_cell: Seconds = 30.0,
    gigabytes_per_cell: Memory = 4.0,
    run_again: RunAgain = None,
    json: options.Json = False,
) -> None:
    """Evaluate the candidates on the datasets of a folder; run it again to go on."""
    from autometa.engine.collection import DEFAULT_SIZES, build_knowledge

    _log_to_terminal()
    base = build_knowledge(
        folder,
        workspace,
        strategies=strategy or None,
        tasks=task or None,
        sizes=tuple(size or DEFAULT_SIZES),
        n_splits=n_splits,
        n_jobs=n_jobs,
        backend=backend,
        seconds_per_cell=seconds_per_cell,
        memory_per_cell=int(gigabytes_per_cell * 1024**3),
        run_again=run_again or (),
        output=output,
    )
    _show(base.info(), as_json=json)


@application.command()
def extend(
    folder: Folder,
    workspace: Workspace,
    strategy: Annotated[
        list[str] | None, typer.Option("--strategy", "-s", help="What to measure. Repeatable.")
    ] = None,
    plugin: Plugin = None,
    output: Output = None,
    knowledge: options.Knowledge = None,
    task: OnlyTasks = None,
    size: Annotated[
        list[int] | None, typer.Option("--size", help="Training rows, 0 = all; default: the same. Repeatable.")
    ] = None,
    n_splits: Annotated[int | None, typer.Option("--n-splits", help="Splits; default: the same number.")] = None,
    n_jobs: Jobs = 1,
    backend: Backend = None,
    seconds_per_cell: Seconds = 30.0,
    gigabytes_per_cell: Memory = 4.0,
    run_again: RunAgain = None,
    json: options.Json = False,
) -> None:
    """Evaluate strategies, or all of a plugin, on a knowledge base's tasks and splits; run it again to go on."""
    from autometa.engine.extension import extend_knowledge, extend_with_plugin

    if (plugin is None) == (not strategy):
        raise typer.BadParameter("Give --plugin or --strategy: what is to be measured.")
    _log_to_terminal()
    chosen: dict[str, Any] = {"tasks": task, "sizes": tuple(size or ()), "n_splits": n_splits}
    settings = {
        **{name: value for name, value in chosen.items() if value},
        "n_jobs": n_jobs,
        "backend": backend,
        "seconds_per_cell": seconds_per_cell,
        "memory_per_cell": int(gigabytes_per_cell * 1024**3),
        "run_again": run_again or (),
        "output": output,
    }
    if plugin is not None:
        found = extend_with_plugin(_without_plugins(knowledge), folder, workspace, plugin, **settings)
    else:
        base = _opened(knowledge)
        found = extend_knowledge(base, folder, workspace, strategies=strategy or (), **settings)
    _show(found.info(), as_json=json)


@application.command()
def export(
    workspace: Annotated[Path, typer.Argument(help="Folder of a journal, finished or not.")],
    output: Annotated[Path, typer.Argument(help="Folder to save the knowledge base to.")],
    plugin: Plugin = None,
    knowledge: options.Knowledge = None,
    json: options.Json = False,
) -> None:
    """Make a knowledge base, or the files that a plugin ships, of what a workspace holds now."""
    from autometa.engine.collection import export_knowledge
    from autometa.engine.extension import plugin_supplement

    if plugin is not None:
        base = plugin_supplement(_without_plugins(knowledge), workspace, plugin, output=output)
    else:
        base = export_knowledge(workspace)
        base.save(output)
    _show(base.info(), as_json=json)


def _opened(folder: Path | None) -> KnowledgeBase:
    from autometa.components.knowledge import KnowledgeBase

    return KnowledgeBase.open(folder)


def _without_plugins(folder: Path | None) -> KnowledgeBase:
    from autometa.components.knowledge import KnowledgeBase

    return KnowledgeBase.shipped(plugins=False) if folder is None else KnowledgeBase.open(folder)


def _log_to_terminal() -> None:
    handler = RichHandler(console=render.error_console, show_path=False)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[handler])


def _show(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        render.print_json(facts)
        return
    rows = [(name.replace("_", " "), _in_words(value)) for name, value in facts.items() if name != "provenance"]
    render.print_table("Knowledge base", ("", ""), rows)


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join("all" if item == 0 else str(item) for item in value)
    return str(value)
