"""The command that starts a new plugin: a package that installs, is recommended, and passes its checks."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated, Final

import typer

from autometa.cli import options, render
from autometa.foundation.errors import InputError, ParameterError
from autometa.plugins import get_registry
from autometa.plugins.discovery import BUILT_IN_DISTRIBUTION, distribution_names, normalized
from autometa.plugins.loading import SEPARATOR

__all__ = ["new", "rendered"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Path in the new package -> template.
_TEMPLATES: Final = {
    "pyproject.toml": "pyproject.toml.template",
    "README.md": "README.md.template",
    "autometa_$module/__init__.py": "package.py.template",
    "tests/test_conformance.py": "test_conformance.py.template",
}


def new(
    name: Annotated[str, typer.Argument(help="Lower-case words with hyphens, as in nearest-mean.")],
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the folder autometa-NAME is made.", show_default=False)
    ] = Path(),
    json: options.Json = False,
) -> None:
    """Start a plugin: a package with a working strategy, its checks and a README."""
    contents = rendered(name)
    _check_free(name)
    package = folder / f"autometa-{name}"
    _write(package, contents)
    if json:
        render.print_json({"folder": str(package), "files": sorted(contents)})
        return
    render.console.print(f"Made {package}:", markup=False, highlight=False)
    for path in contents:
        render.console.print(f"  {path}", markup=False, highlight=False)
    render.console.print(
        f"Next: python -m pip install --editable '{package}[test]' && python -m pytest {package}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def rendered(name: str) -> dict[str, str]:
    """Return the files of a new plugin.

    Parameters
    ----------
    name : str
        Lower-case words with hyphens; the distribution is called ``autometa-<name>``.

    Returns
    -------
    dict of str to str
        Path inside the package's folder -> text.

    Raises
    ------
    ParameterError
        If a package or a plugin cannot have that name.
    """
    _check_name(name)
    values = {
        "name": name,
        "module": name.replace("-", "_"),
        "strategy": "".join(word.capitalize() for word in name.split("-")) + "Strategy",
    }
    templates = files("autometa.cli") / "templates" / "plugin"
    return {
        Template(path).substitute(values): Template((templates / template).read_text(encoding="utf-8")).substitute(
            values
        )
        for path, template in _TEMPLATES.items()
    }


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ParameterError(
            f"A plugin's name is made of lower-case letters and digits, its words joined by single hyphens, as in "
            f"'nearest-mean'; got {name!r}.",
            name=name,
        )
    if name.split("-")[0] == "autometa":
        raise ParameterError(
            f"The distribution will be called 'autometa-<name>' by itself; leave the prefix of {name!r} out.",
            name=name,
        )


def _check_free(name: str) -> None:
    """Refuse a name that would put two distributions, plugins or strategies in each other's way."""
    distribution = normalized(f"autometa-{name}")
    if distribution in {BUILT_IN_DISTRIBUTION, *distribution_names()}:
        raise ParameterError(
            f"The distribution would be called {distribution!r}, and there is one: installing yours would replace "
            "it. Choose another name, or uninstall that one first.",
            name=name,
        )
    records = get_registry().records
    taken = {record.name for record in records} | {
        strategy.rpartition(SEPARATOR)[2] for record in records for strategy in record.strategies
    }
    if normalized(name) in {normalized(each) for each in taken}:
        raise ParameterError(
            f"A strategy or plugin is called {name!r}; choose a name other than {sorted(taken)}.", name=name
        )


def _write(package: Path, contents: dict[str, str]) -> None:
    try:
        package.mkdir(parents=True)
        for path, text in contents.items():
            (package / path).parent.mkdir(exist_ok=True)
            (package / path).write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise InputError(f"{package} exists already; remove it, or choose another name or --folder.") from error
    except OSError as error:
        raise InputError(f"Cannot write {package}: {error.strerror or error}.") from error
