"""Modules have one reason to change and functions fit on a screen."""

from __future__ import annotations

import ast
import statistics

import pytest

from tests.contracts.source import PACKAGE, trees

MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 8


def bodies():
    """Yield (place, lines of the body without its docstring) of every function."""
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                yield f"{module}.{node.name} (line {node.lineno})", lines


def test_files():
    sizes = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path: lines for path, lines in sizes.items() if lines > MAX_FILE_LINES} == {}


def test_functions():
    found = dict(bodies())
    assert {place: lines for place, lines in found.items() if lines > MAX_FUNCTION_LINES} == {}
    assert statistics.median(found.values()) <= MEDIAN_FUNCTION_LINES


@pytest.mark.parametrize("module", sorted(trees()))
def test_every_module_and_public_name_says_what_it_is(module):
    tree = trees()[module]
    assert ast.get_docstring(tree), f"{module} has no docstring"
    named = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    silent = [node.name for node in named if not node.name.startswith("_") and not ast.get_docstring(node)]
    assert not silent
