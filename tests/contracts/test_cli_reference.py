"""The reference of the command line is what the command line says of itself."""

from __future__ import annotations

from pathlib import Path

from autometa.cli.document import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_reference_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run: python -m autometa.cli.document > docs/reference/cli.md"
    )
