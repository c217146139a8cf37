"""Every hook has a section in the reference, with the smallest plugin that uses it and works."""

from __future__ import annotations

import re
import types
from pathlib import Path

import pytest
import typer

from autometa.plugins import hookspecs
from autometa.plugins.registry import load_registry

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)$\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
HOOKS = [name for name in vars(hookspecs) if name.startswith("register_")]


class Point:
    """An entry point of a module that is there already."""

    name = "example"
    dist = None

    def __init__(self, module):
        self.load = lambda: module


def test_there_are_hooks():
    assert len(HOOKS) >= 4
    assert [name for name in SECTIONS if name.startswith("register_")] == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_a_hook_is_a_plugin_that_works(hook, tmp_path):
    (code,) = re.findall(r"^```python\n(.*?)^```$", SECTIONS[hook], re.MULTILINE | re.DOTALL)
    (tmp_path / "knowledge").mkdir()
    module = types.ModuleType("example")
    module.__file__ = str(tmp_path / "__init__.py")
    exec(compile(code, "hooks.md", "exec"), vars(module))
    registry = load_registry([Point(module)])
    (record,) = registry.records
    assert (record.error, record.hooks) == ("", (hook,))
    (plugin,) = registry.plugins
    application = typer.Typer()
    plugin.add_commands(application)
    brought = {
        "register_strategies": registry.strategies,
        "register_metafeatures": registry.metafeatures,
        "register_knowledge": registry.knowledge,
        "register_backbones": registry.backbones,
        "register_commands": application.registered_commands,
    }
    assert {name for name, found in brought.items() if found} == {hook}
