"""What the documents assume: autometa as `make demo` installs it, with the plugin of trees."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def with_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the plugin that the README's commands have."""
    monkeypatch.setenv("AUTOMETA_PLUGINS", "trees")
