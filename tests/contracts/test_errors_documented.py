"""docs/reference/errors.md holds the whole tree of errors and warnings, as it is."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from autometa.foundation import errors
from autometa.foundation.errors import AutoMetaError, AutoMetaWarning

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
CLASSES = [getattr(errors, name) for name in errors.__all__]


def drawn(kind, depth=0):
    """Return the tree below a class, as (depth, name) in the order of definition."""
    below = [child for child in vars(errors).values() if inspect.isclass(child) and kind in child.__bases__]
    return [(depth, kind.__name__), *(place for child in below for place in drawn(child, depth + 1))]


def written(text):
    """Return the same of a tree that is drawn with lines, four characters a level, wherever it is indented."""
    places = []
    for line in text.splitlines():
        bare = line.lstrip(" │├└─")
        if bare.partition(" ")[0] in errors.__all__:
            places.append(((len(line) - len(bare)) // 4, bare.partition(" ")[0]))
    top = min(depth for depth, _ in places)
    return [(depth - top, name) for depth, name in places]


@pytest.mark.parametrize("text", [PAGE.split("```")[3], errors.__doc__], ids=["page", "module"])
def test_the_drawn_tree_is_the_tree(text):
    assert written(text) == drawn(AutoMetaError) + drawn(AutoMetaWarning)


@pytest.mark.parametrize("kind", CLASSES, ids=errors.__all__)
def test_every_class_has_a_row(kind):
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{kind.__name__}` |")]
    assert len(rows) == 1
    assert len(rows[0].split("|")[2].strip()) > 10
