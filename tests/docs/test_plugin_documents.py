"""What the documents say about plugins is what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from autometa.testing import TABLES, PluginConformance, StrategyConformance

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "plugins" / "autometa-example"
TUTORIAL = (ROOT / "docs" / "tutorials" / "your_first_strategy.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference" / "testing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("pyproject.toml", "toml"),
        ("autometa_example/__init__.py", "python"),
        ("tests/test_conformance.py", "python"),
    ],
)
def test_the_tutorial_shows_the_example(path, language):
    assert f"```{language}\n{(EXAMPLE / path).read_text(encoding='utf-8')}```" in TUTORIAL


def test_the_strategy_of_the_tutorial_has_forty_lines():
    source = (EXAMPLE / "autometa_example" / "__init__.py").read_text(encoding="utf-8")
    assert len([line for line in source.splitlines() if line.strip()]) <= 40


@pytest.mark.parametrize("conformance", [StrategyConformance, PluginConformance])
def test_every_check_is_in_the_reference(conformance):
    checks = [name for name in dir(conformance) if name.startswith("test_")]
    assert [name for name in checks if f"| `{name}` |" not in REFERENCE] == []


def test_every_table_is_in_the_reference():
    assert [name for name in TABLES if f"`{name}`" not in REFERENCE.partition("## Tables")[2]] == []
