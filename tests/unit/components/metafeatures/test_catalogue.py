"""The catalogue and the page made from it."""

from __future__ import annotations

from pathlib import Path

from autometa.components.metafeatures import CATALOGUE, metafeature_names
from autometa.components.metafeatures.document import main, reference_page

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "metafeatures.md"


def test_names_are_unique_and_the_vectors_have_forty_to_sixty():
    names = [feature.name for feature in CATALOGUE]
    assert len(set(names)) == len(names)
    assert 40 <= len(metafeature_names(classification=True)) <= 60
    assert 40 <= len(metafeature_names(classification=False)) <= 60


def test_every_entry_is_complete():
    for feature in CATALOGUE:
        assert feature.group in ("general", "statistical", "info_theory", "landmarking")
        assert feature.description
        assert feature.range[0] in "[(", feature
        assert feature.source
        assert set(feature.families) <= {"classification", "regression"}
        assert feature.families


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == reference_page(), (
        "run: python -m autometa.components.metafeatures.document docs/reference/metafeatures.md"
    )


def test_the_page_names_every_meta_feature():
    page = reference_page()
    assert all(f"| `{feature.name}` |" in page for feature in CATALOGUE)


def test_the_generator_writes_the_page(tmp_path):
    assert main([str(tmp_path / "new" / "page.md")]) == 0
    assert (tmp_path / "new" / "page.md").read_text(encoding="utf-8") == reference_page()
    assert main([]) == 2
