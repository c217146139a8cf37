"""Imports go downward only; heavy libraries stay in the one room that is theirs."""

from __future__ import annotations

import ast

import pytest

from tests.contracts.source import imports, trees

LAYERS = ("foundation", "domain", "plugins", "components", "decision", "engine", "edges")
EDGES = {"cli", "preprocessing", "testing", "__main__"}
# A strategy is a recipe around an estimator, and the estimators are worth reading on their own; kernels run on a
# GPU by way of the one room that may import torch.
SIBLINGS_ALLOWED = {("strategies", "kernels"), ("strategies", "neural"), ("kernels", "neural")}
# Where a library may be imported.
ROOMS = {
    "torch": ("autometa.components.neural",),
    "openml": ("autometa.components.openml",),
    "typer": ("autometa.cli",),
    "rich": ("autometa.cli", "autometa.components.experiments", "autometa.engine.collection"),
    "pluggy": ("autometa.plugins",),
}
LAZY = {"torch", "openml", "optuna", "tabm", "rtdl_num_embeddings", "matplotlib", "arff", "dask", "polars"}

MODULES = sorted(name for name in trees() if name != "autometa")


def layer(module: str) -> int:
    room = module.split(".")[1] if "." in module else ""
    return LAYERS.index("edges" if room in EDGES else room)


def component(module: str) -> str:
    parts = module.split(".")
    return parts[2] if parts[1] == "components" and len(parts) > 2 else ""


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downward(module):
    upward = [
        f"line {line}: {imported}"
        for imported, line, _ in imports(trees()[module])
        if imported.startswith("autometa.") and layer(imported) > layer(module)
    ]
    assert not upward, f"{module} imports from above: {upward}"


@pytest.mark.parametrize("module", [name for name in MODULES if component(name)])
def test_components_do_not_import_each_other(module):
    own = component(module)
    others = [
        f"line {line}: {imported}"
        for imported, line, _ in imports(trees()[module])
        if imported.startswith("autometa.components.")
        and component(imported) != own
        and (own, component(imported)) not in SIBLINGS_ALLOWED
    ]
    assert not others, f"{module} imports a sibling: {others}"


@pytest.mark.parametrize("library", ROOMS)
def test_a_library_stays_in_its_room(library):
    outside = [
        f"{module}, line {line}"
        for module, tree in trees().items()
        for imported, line, for_types in imports(tree)
        if imported.partition(".")[0] == library and not for_types and not module.startswith(ROOMS[library])
    ]
    assert not outside


def test_heavy_libraries_are_imported_inside_of_functions():
    eager = [
        f"{module}, line {node.lineno}"
        for module, tree in trees().items()
        if not module.startswith("autometa.components.neural")  # as a whole imported inside of functions
        for node in tree.body
        for imported, _, _ in imports(node)
        if node.__class__.__name__.startswith("Import") and imported.partition(".")[0] in LAZY
    ]
    assert not eager


def test_nothing_is_imported_by_a_star():
    starred = [
        f"{module}, line {node.lineno}"
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]
    assert not starred
