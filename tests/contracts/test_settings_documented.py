"""docs/reference/settings.md names every setting with its variable and its default."""

from __future__ import annotations

from pathlib import Path

import pytest

from autometa.foundation.settings import ENVIRONMENT_PREFIX, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith(f"| `{ENVIRONMENT_PREFIX}")]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_row(name):
    variable = ENVIRONMENT_PREFIX + name.upper()
    (row,) = [line for line in ROWS if line.startswith(f"| `{variable}` | `{name}` |")]
    default = Settings.model_fields[name].default
    if isinstance(default, str):
        assert f"`{default}`" in row


def test_no_row_is_of_a_setting_that_is_gone():
    assert len(ROWS) == len(Settings.model_fields)
