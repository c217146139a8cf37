"""What this machine has, as far as the tests of this plugin are concerned."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]


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
    from foundation_samples import KINDS, write_tabicl, write_tabpfn

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
