from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autometa import Task
from autometa.components.metafeatures import describe, extract, metafeature_names
from autometa.components.metafeatures.text import GROUP, TEXT_CATALOGUE, text_metafeatures


def make_task(texts, **others):
    X = pd.DataFrame({"text": pd.Series(texts, dtype=object), **others})
    return Task.from_arrays(X, np.arange(len(X)) % 2, roles={"text": "text"})


def test_a_table_without_texts_has_the_fixed_vector_only():
    task = Task.from_arrays(np.arange(40.0).reshape(20, 2), np.arange(20) % 2)
    assert text_metafeatures(task) == {}
    assert describe(task).names == metafeature_names(classification=True)


def test_texts_are_described_behind_the_fixed_vector():
    task = make_task(["the cat sat on the mat"] * 3 + ["a dog"] * 3, number=np.arange(6.0))
    found = describe(task)
    n_fixed = len(metafeature_names(classification=True))
    assert found.names[:n_fixed] == metafeature_names(classification=True)
    np.testing.assert_array_equal(found.values[:n_fixed], extract(task).values)
    assert found.names[n_fixed:] == tuple(feature.name for feature in TEXT_CATALOGUE)
    assert set(found.groups[n_fixed:]) == {GROUP}


def test_the_definitions():
    # Three texts of 3, 3 and 2 words: yes yes no, the 42 yes, the no.
    found = text_metafeatures(make_task(["Yes yes no", "the 42 yes", "the no", None]))
    assert found["text:nr_text"] == 1
    assert found["text:words.mean"] == pytest.approx(8 / 3)
    assert found["text:words.sd"] == pytest.approx(np.std([3, 3, 2]))
    assert found["text:word_length"] == pytest.approx((3 * 3 + 2 * 2 + 2 * 3 + 2) / 8)
    assert found["text:vocabulary"] == pytest.approx(4 / 8)
    assert found["text:once_share"] == pytest.approx(1 / 4)
    assert found["text:english_share"] == pytest.approx(4 / 8)  # the, the, no, no
    assert found["text:latin_share"] == 1.0
    assert found["text:digit_share"] == pytest.approx(2 / 28)
    assert found["text:repeated_share"] == 0.0


def test_redundancy_and_script():
    generator = np.random.default_rng(0)
    random = ["".join(generator.choice(list("abcdefgh "), 60)) for _ in range(50)]
    same = ["over and over the same words again"] * 50
    assert text_metafeatures(make_task(same))["text:compressed_share"] < 0.1
    assert text_metafeatures(make_task(random))["text:compressed_share"] > 0.3
    assert text_metafeatures(make_task(same))["text:repeated_share"] == pytest.approx(0.98)
    assert text_metafeatures(make_task(["съешь ещё этих булок"] * 4))["text:latin_share"] == 0.0


@pytest.mark.parametrize("texts", [["", None, " ", ""], ["!!!", "?", "...", ""]])
def test_nothing_written_is_not_defined(texts):
    found = text_metafeatures(make_task(texts))
    assert found["text:nr_text"] == 1
    assert np.isnan(found["text:english_share"])
    assert not np.isinf([*found.values()]).any()


def test_long_tables_and_long_texts_are_sampled():
    long = make_task([f"word{i} " * 400 for i in range(3_000)])
    found = text_metafeatures(long)
    assert found["text:words.mean"] < 400  # cut after 2,000 characters
    assert found == text_metafeatures(long)
