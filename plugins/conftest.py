"""What the tests of every first-party plugin get: the default settings and a cache of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def default_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give the tests the default settings, whatever the developer has set."""
    for name in [name for name in os.environ if name.startswith("AUTOMETA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AUTOMETA_CACHE_DIRECTORY", str(tmp_path / "autometa"))
