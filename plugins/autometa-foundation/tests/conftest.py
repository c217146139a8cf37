"""Tables, tasks and tiny checkpoints for the tests of this plugin."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from autometa import Task

sys.path.insert(0, str(Path(__file__).parent))

LIBRARIES = ("tabpfn", "tabicl")
KINDS = ("classification", "regression")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    """No weights, no tokens and no switches of whoever runs the tests."""
    for name in (
        "TABPFN_MODEL_VERSION",
        "TABPFN_MODEL_CACHE_DIR",
        "TABPFN_TOKEN",
        "TABPFN_ALLOW_CPU_LARGE_DATASET",
        "AUTOMETA_TABICL_ALLOW_SLOW_CPU",
        "AUTOMETA_FOUNDATION_WEIGHTS",
        "AUTOMETA_OFFLINE",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory):
    """A folder with the weights of every library that is installed."""
    from tiny import write_tabicl, write_tabpfn

    folder = tmp_path_factory.mktemp("weights")
    for kind in KINDS:
        if find_spec("tabpfn"):
            write_tabpfn(folder, kind)
        if find_spec("tabicl"):
            write_tabicl(folder, kind)
    return folder


@pytest.fixture
def weights(_own_environment, monkeypatch, weights_folder):
    """The same, as what this machine has."""
    monkeypatch.setenv("AUTOMETA_FOUNDATION_WEIGHTS", str(weights_folder))
    return weights_folder


def need(library):
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")


def table(n_samples=60, seed=0):
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(n_samples, 3))
    numbers[generator.random((n_samples, 3)) < 0.1] = np.nan
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"])
    frame["few"] = pd.Categorical(generator.choice(["x", "y", "z"], n_samples))
    frame.loc[:3, "few"] = None
    frame["when"] = pd.date_range("2020-02-01", periods=n_samples, freq="37h")
    return frame


def task(kind="classification", n_samples=60):
    X = table(n_samples)
    signal = X["a"].fillna(0.0).to_numpy()
    if kind == "regression":
        return Task.from_arrays(X, 100.0 + 7.0 * signal, type="regression")
    return Task.from_arrays(X, np.where(signal > 0, "up", "down").astype(object))
