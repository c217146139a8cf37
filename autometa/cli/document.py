"""Write the reference of the command line: ``python -m autometa.cli.document > docs/reference/cli.md``."""

from __future__ import annotations

import sys
from typing import Any

import typer

from autometa.cli.application import application

__all__ = ["reference"]


def reference() -> str:
    """Return every command with its arguments and options as Markdown.

    It is made of the declarations, not of the help texts, whose layout changes with the version of typer.
    """
    root = typer.main.get_command(application)
    return "# Command line\n\nMade by `python -m autometa.cli.document`.\n\n" + "\n".join(
        _sections(root, "autometa")
    )


def _sections(root: Any, name: str) -> list[str]:
    children = getattr(root, "commands", {})
    if children:
        own = _section(root, name) if root.invoke_without_command else []
        return own + [section for child in children for section in _sections(children[child], f"{name} {child}")]
    return _section(root, name)


def _section(command: Any, name: str) -> list[str]:
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    table = ["| argument or option | default | meaning |", "|---|---|---|", *rows]
    return ["\n".join([f"## `{name}`", "", str(command.help), "", *table, ""])]


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"| `{parameter.name.upper()}` | required | {parameter.help} |"
    default = "required" if parameter.required else _shown(parameter.default)
    return f"| `{'`, `'.join(parameter.opts)}` | {default} | {parameter.help} |"


def _shown(default: Any) -> str:
    return "" if default is None or default is False or default == () else f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
