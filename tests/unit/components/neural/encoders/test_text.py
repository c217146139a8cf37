from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from autometa import load_model, save_model, settings_context
from autometa.components.neural.encoders.text import load_text_encoder
from autometa.components.neural.encoders.text_estimators import FineTunedTextClassifier, FineTunedTextRegressor
from autometa.components.neural.encoders.text_features import TextEmbeddings
from autometa.foundation.errors import ParameterError, TableError, TargetError
from tests.tiny_encoder import WORDS, make_tiny_encoder

pytest.importorskip("transformers", reason="the extra text is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(make_tiny_encoder(tmp_path_factory.mktemp("tiny")))


def make_texts(n, seed=0):
    """Sentences of which the order of two words decides: counting words says nothing."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, n)
    filler = generator.choice(WORDS[8:], (n, 3))
    pairs = np.where(y[:, None] == 1, ["good", "bad"], ["bad", "good"])
    return pd.DataFrame({"review": [" ".join([*f, *p]) for f, p in zip(filler, pairs, strict=True)]}), y


def classifier(folder, **parameters):
    defaults = {"learning_rate": 3e-3, "max_epochs": 8, "patience": 8, "max_seconds": 600.0, "random_state": 0}
    return FineTunedTextClassifier(folder, device="cpu", **{**defaults, **parameters})


@pytest.fixture(scope="module")
def fitted(folder):
    X, y = make_texts(160)
    return classifier(folder).fit(X, y)


def test_ten_rows_are_learned_by_heart(folder):
    X, y = make_texts(10)
    model = classifier(folder, max_epochs=60).fit(X, 1 - y)
    assert (model.predict(X) == 1 - y).all()
    assert model.predict_proba(X).max(axis=1).min() > 0.8


def test_fine_tuning_beats_the_random_encoder_that_it_begins_with(fitted):
    assert fitted.best_epoch_ > 0
    assert fitted.validation_losses_.min() < 0.7 * fitted.validation_losses_[0]
    X, y = make_texts(100, seed=1)
    assert (fitted.predict(X) == y).mean() > 0.9


def test_a_stored_model_needs_no_encoder_and_says_the_same(fitted, tmp_path):
    X, _ = make_texts(20, seed=2)
    path = save_model(fitted, tmp_path / "model.skops")
    loaded = load_model(path)
    loaded.backbone = "nowhere/to-be-found"  # it must not be asked for
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))


def test_the_order_of_rows_changes_nothing(folder, fitted):
    X, y = make_texts(160)
    order = np.random.default_rng(3).permutation(len(X))
    again = classifier(folder).fit(X.iloc[order], y[order])
    np.testing.assert_allclose(again.predict_proba(X), fitted.predict_proba(X), atol=1e-6)


def test_a_row_alone_is_predicted_as_among_longer_ones(fitted):
    X = pd.DataFrame({"review": ["good bad", "the film was very very dull and a bad good", None]})
    together = fitted.predict_proba(X)
    np.testing.assert_allclose(fitted.predict_proba(X.iloc[[0]])[0], together[0], atol=1e-5)
    assert np.isfinite(together).all()


def test_numbers_beside_the_text_are_used(folder):
    generator = np.random.default_rng(0)
    number = generator.normal(size=200)
    X = pd.DataFrame({"text": ["the film"] * 200, "number": number})
    model = FineTunedTextRegressor(folder, max_epochs=1, device="cpu", random_state=0).fit(X, 3 * number + 1)
    assert model.text_columns_ == ["text"]
    assert np.corrcoef(model.predict(X), number)[0, 1] > 0.99


def test_columns_share_the_tokens_of_a_row(folder):
    reader = load_text_encoder(folder).reader
    long, short = "bad " * 50, "good"
    (row,) = reader.read([[long], [short]], max_tokens=11)
    start, end, bad, good = 2, 3, 4 + WORDS.index("bad"), 4 + WORDS.index("good")
    assert row.tolist() == [start, bad, bad, bad, bad, end, good, end]
    assert reader.read([[""]], max_tokens=8)[0].tolist() == [start, end]
    (row,) = reader.read([[long]], max_tokens=1_000)  # no more than the encoder has places for
    assert len(row) <= 64


def test_embeddings_do_not_depend_on_the_batch(folder):
    X, _ = make_texts(40)
    features = TextEmbeddings(folder, device="cpu").fit_transform(X)
    assert features.shape == (40, 16)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-6)
    smaller = TextEmbeddings(folder, batch_size=3, device="cpu").fit(X)
    np.testing.assert_allclose(smaller.transform(X.iloc[::-1]), features[::-1], atol=1e-4)
    np.testing.assert_allclose(clone(smaller).fit(X["review"].tolist()).mean_, smaller.mean_)


def test_embeddings_tell_texts_of_different_words_apart(folder):
    X = ["the film was good", "good and a film", "bad film", "the bad and a very bad film"] * 5
    y = [1, 1, 0, 0] * 5
    assert (
        LogisticRegression()
        .fit(TextEmbeddings(folder, device="cpu").fit_transform(X), y)
        .score(TextEmbeddings(folder, device="cpu").fit(X).transform(X), y)
        == 1.0
    )


def test_features_of_other_weights_are_refused(folder, tmp_path):
    features = TextEmbeddings(folder, device="cpu").fit(["good"] * 3)
    features.backbone = str(make_tiny_encoder(tmp_path, seed=1))
    with pytest.raises(ParameterError, match="other weights"):
        features.transform(["good"])


def test_only_upper_layers_learn_if_asked(folder):
    X, y = make_texts(20)
    model = classifier(folder, max_epochs=1, trained_layers=1).fit(X, y)
    before = load_text_encoder(folder).network.state_dict()
    changed = {
        name
        for name, array in model._weights.items()
        if (own := name.removeprefix("encoder.network.")) in before and (array != before[own].numpy()).any()
    }
    assert changed
    assert all(name.startswith("encoder.network.encoder.layer.1.") for name in changed)


def test_pickled_weights_are_never_read(folder, tmp_path):
    make_tiny_encoder(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ParameterError, match="safetensors"):
        load_text_encoder(str(tmp_path))


def test_what_is_wrong_is_said(folder, monkeypatch):
    with pytest.raises(ParameterError, match="No backbone is called 'misspelt'"):
        load_text_encoder("misspelt")
    with settings_context(offline=True), pytest.raises(ParameterError, match="cannot be loaded"):
        load_text_encoder("nobody/has-this")
    with pytest.raises(TableError, match="column of texts"):
        classifier(folder).fit(pd.DataFrame({"x": [1.0, 2.0]}), [0, 1])
    with pytest.raises(TableError, match="finite"):
        classifier(folder).fit(pd.DataFrame({"t": ["a", "b"], "x": [1.0, np.nan]}), [0, 1])
    with pytest.raises(TargetError, match="two classes"):
        classifier(folder).fit(["good", "bad"], [1, 1])
    with pytest.raises(ParameterError, match="max_tokens must be at least 8"):
        classifier(folder, max_tokens=2).fit(["good", "bad"], [0, 1])
    monkeypatch.setattr("autometa.components.neural.encoders.text.find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"pip install 'autometa-ml\[text\]'"):
        load_text_encoder(folder)
