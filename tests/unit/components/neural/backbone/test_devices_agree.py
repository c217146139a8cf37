"""A fitted network says on a GPU what it says on the CPU, up to the tolerance that the documents state."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from autometa.components.neural.backbone import BackboneClassifier
from autometa.components.neural.encoders.text_estimators import FineTunedTextClassifier
from autometa.components.neural.estimators import TabularNetworkClassifier
from tests.tiny_encoder import make_tiny_encoder

# Of a probability. GPUs compute in half precision, three digits of a number.
TOLERANCE = 0.05
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
        ],
    ),
]


@pytest.fixture(params=["backbone", "network", "text"])
def fitted(request, tmp_path):
    """A function of a device that fits there, and rows to predict."""
    if request.param == "text":
        pytest.importorskip("transformers")
        texts = [f"{word} film was very {word}" for word in ("good", "bad", "great", "awful")] * 10
        folder = str(make_tiny_encoder(tmp_path))
        model = FineTunedTextClassifier(folder, max_epochs=1, max_seconds=1e6, random_state=0)
        X, y, asked = texts, ["yes", "no"] * 20, texts[:4]
    else:
        X, asked, y, _ = train_test_split(*load_iris(return_X_y=True), random_state=0)
        model = TabularNetworkClassifier(max_epochs=5, max_seconds=1e6, random_state=0)
        if request.param == "backbone":
            model = BackboneClassifier(str(request.getfixturevalue("pretrained").folder))
    return lambda device: (model.set_params(device=device).fit(X, y), asked)


@pytest.mark.parametrize("device", DEVICES)
def test_a_fitted_model_says_the_same_on_the_cpu(fitted, device):
    model, X = fitted(device)
    there = model.predict_proba(X)
    assert np.ptp(there, axis=0).min() > 0.0
    here = model.set_params(device="cpu").predict_proba(X)
    np.testing.assert_allclose(here, there, atol=TOLERANCE)
