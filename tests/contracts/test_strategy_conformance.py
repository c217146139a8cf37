"""The built-in strategies pass the checks that autometa publishes for everybody's.

``test_strategies.py`` fits every candidate of their portfolios, and asks more of them.
"""

from __future__ import annotations

import pytest

from autometa.components.strategies import (
    KernelEnsemble,
    Linear,
    NeuralImageStrategy,
    NeuralStrategy,
    NeuralTextStrategy,
    SupportVectorMachine,
)
from autometa.testing import TABLES, PluginConformance, StrategyConformance
from tests.tiny_encoder import make_tiny_encoder, make_tiny_image_encoder


@pytest.fixture(autouse=True, scope="module")
def _short_training():
    """Fewer steps keep the checks fast; without the clock a busy machine trains the same network again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autometa.components.strategies.neural.MAX_SECONDS", 3_600.0)
        patch.setattr("autometa.components.neural._base._MAX_STEPS", 60)
        patch.setattr("autometa.components.neural._base._MIN_EPOCHS", 5)
        yield


class TestLinear(StrategyConformance):
    strategy = Linear()
    fits_whole_portfolio = False


class TestSupportVectorMachine(StrategyConformance):
    strategy = SupportVectorMachine()
    fits_whole_portfolio = False


class TestKernelEnsemble(StrategyConformance):
    strategy = KernelEnsemble()
    fits_whole_portfolio = False


class TestNeural(StrategyConformance):
    strategy = NeuralStrategy()
    tables = ("mixed", "nothing_to_learn", "few_rows")
    n_fitted_samples = 0
    fits_whole_portfolio = False


@pytest.mark.slow
class TestNeuralOnEveryTable(StrategyConformance):
    strategy = NeuralStrategy()
    tables = TABLES


class EncoderChecks(StrategyConformance):
    """An encoder of a few thousand random weights: it learns nothing that is worth telling, but all else holds."""

    task_types = ("binary", "regression")
    n_fitted_samples = 0


class TestNeuralText(EncoderChecks):
    tables = ("texts", "mixed", "rare_class")

    @pytest.fixture(scope="class")
    @classmethod
    def strategy(cls, tmp_path_factory):
        pytest.importorskip("transformers")
        return NeuralTextStrategy(str(make_tiny_encoder(tmp_path_factory.mktemp("texts"))))


class TestNeuralImage(EncoderChecks):
    tables = ("images",)

    @pytest.fixture(scope="class")
    @classmethod
    def strategy(cls, tmp_path_factory):
        pytest.importorskip("transformers")
        return NeuralImageStrategy(str(make_tiny_image_encoder(tmp_path_factory.mktemp("images"))))


class TestBuiltIn(PluginConformance):
    plugin = "built_in"
    strategies = ("linear", "svm", "kernel", "neural", "neural_text", "neural_image")
