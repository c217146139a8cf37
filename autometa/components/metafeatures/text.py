"""Meta-features of the text columns: they stand beside the fixed vector, and only of tables that have texts."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from autometa.components.metafeatures.catalogue import OWN, MetaFeature
from autometa.domain.cells import as_texts
from autometa.domain.columns import ColumnRole
from autometa.domain.task import Task

__all__ = ["GROUP", "TEXT_CATALOGUE", "text_metafeatures"]

GROUP = "text"
# A sample says what texts are like, and 10,000 long ones would take seconds.
MAX_CELLS = 1_000
MAX_CHARACTERS = 2_000  # of a cell
MAX_WORDS = 20_000  # for the vocabulary, which grows with the number of words
_WORD = re.compile(r"\w+")


def _feature(name: str, description: str, limits: str, source: str = OWN) -> MetaFeature:
    return MetaFeature(f"{GROUP}:{name}", GROUP, description, limits, source)


TEXT_CATALOGUE: tuple[MetaFeature, ...] = (
    _feature("nr_text", "text columns of the whole task", "[1, p]"),
    _feature("words.mean", "mean words of a text", "[0, inf)"),
    _feature("words.sd", "standard deviation of the words of a text", "[0, inf)"),
    _feature("word_length", "mean characters of a word", "[1, inf)"),
    _feature("vocabulary", "different words / words, of the first 20,000", "(0, 1]"),
    _feature("once_share", "different words that occur once / different words, of the first 20,000", "[0, 1]"),
    _feature("english_share", "words that are among scikit-learn's 318 English stop words / words", "[0, 1]"),
    _feature("latin_share", "letters from a to z / letters", "[0, 1]"),
    _feature("digit_share", "digits / characters", "[0, 1]"),
    _feature("repeated_share", "texts that are the same as an earlier one of their column / texts", "[0, 1)"),
    _feature("compressed_share", "size of all texts together after DEFLATE / before, in bytes", "(0, inf)"),
)


def text_metafeatures(task: Task, *, random_state: int = 0) -> dict[str, float]:
    """Describe the texts of a task.

    Computed on at most 1,000 rows and the first 2,000 characters of a cell.

    Parameters
    ----------
    task : Task
    random_state : int
        Seed of the sample of rows.

    Returns
    -------
    dict of str to float
        In the order of `TEXT_CATALOGUE`, NaN where nothing is written; empty where there is no text column.
    """
    columns = task.columns(ColumnRole.TEXT)
    if not columns:
        return {}
    rows = np.random.default_rng(random_state).permutation(task.n_samples)[:MAX_CELLS]
    sampled = task.X[columns].iloc[np.sort(rows)]
    cells = [[text[:MAX_CHARACTERS] for text in as_texts(sampled[name])] for name in columns]
    texts = [text for column in cells for text in column if text.strip()]
    values = {"nr_text": float(len(columns)), **(_of_texts(texts) if texts else {})}
    values["repeated_share"] = float(np.mean([1 - len(set(column)) / len(column) for column in cells]))
    return {feature.name: values.get(feature.name.partition(":")[2], np.nan) for feature in TEXT_CATALOGUE}


def _of_texts(texts: Sequence[str]) -> dict[str, float]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    split = [_WORD.findall(text.lower()) for text in texts]
    words = [word for found in split for word in found]
    joined = "\n".join(texts)
    raw = joined.encode()
    lengths = np.array([len(found) for found in split])
    return {
        "words.mean": float(lengths.mean()),
        "words.sd": float(lengths.std()),
        "compressed_share": len(zlib.compress(raw, 6)) / len(raw),
        **_of_characters(Counter(joined.lower())),
        **(_of_words(words, ENGLISH_STOP_WORDS) if words else {}),
    }


def _of_words(words: Sequence[str], stop_words: frozenset[str]) -> dict[str, float]:
    counts = Counter(words[:MAX_WORDS])
    return {
        "word_length": float(np.mean([len(word) for word in words])),
        "vocabulary": len(counts) / min(len(words), MAX_WORDS),
        "once_share": sum(count == 1 for count in counts.values()) / len(counts),
        "english_share": sum(word in stop_words for word in words) / len(words),
    }


def _of_characters(counts: Counter[str]) -> dict[str, float]:
    letters = sum(count for character, count in counts.items() if character.isalpha())
    latin = sum(count for character, count in counts.items() if "a" <= character <= "z")
    digits = sum(count for character, count in counts.items() if character.isdigit())
    return {
        "latin_share": latin / letters if letters else np.nan,
        "digit_share": digits / counts.total(),
    }
