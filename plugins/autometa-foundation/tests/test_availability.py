"""Why a model cannot be used is known before anything is imported, downloaded or run."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from autometa import Task, settings_context
from foundation_samples import KINDS, LIBRARIES, need, task

from autometa_foundation import availability
from autometa_foundation.models import TABICL, TABPFN
from autometa_foundation.strategies import TabICL, TabPFN
from autometa_foundation.weights import find_weights, hub_folder, places, tabpfn_folder

STRATEGIES = {"tabpfn": TabPFN(), "tabicl": TabICL()}
both = pytest.mark.parametrize("library", LIBRARIES)
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def installed(monkeypatch):
    """Both libraries, as far as the plugin sees: what it says next does not need them."""
    monkeypatch.setattr(availability, "find_spec", lambda name: object())
    versions = {"tabpfn": "8.5.0", "tabicl": "2.2.0", "torch": "2.13.0+cpu"}
    monkeypatch.setattr(availability, "version", versions.__getitem__)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("something opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)


def put_weights(folder, model, kind):
    """A file that looks complete: the archive that torch writes, without content."""
    path = Path(folder) / model.files[kind]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    return path


def wide(n_columns, n_samples=20, n_classes=2):
    X = pd.DataFrame(np.zeros((n_samples, n_columns)), columns=[f"c{j}" for j in range(n_columns)])
    return Task.from_arrays(X, [f"class {place % n_classes}" for place in range(n_samples)])


def long(n_samples):
    return Task.from_arrays(pd.DataFrame({"a": np.arange(n_samples, dtype=float)}), np.arange(n_samples) % 2)


@both
def test_an_absent_library_comes_first_and_names_the_extra(library, monkeypatch):
    monkeypatch.setattr(availability, "find_spec", lambda name: None)
    reason = STRATEGIES[library].supports(task())
    assert reason == f"the package {library} is not installed; pip install 'autometa-foundation[{library}]'"


@pytest.mark.parametrize(
    ("library", "version", "fits"),
    [
        ("tabpfn", "8.4.9", False),
        ("tabpfn", "8.5.0", True),
        ("tabpfn", "8.10.1", True),
        ("tabpfn", "9.0.0", False),
        ("tabicl", "2.1.1", False),
        ("tabicl", "2.2.0rc1", True),
        ("tabicl", "3.0", False),
    ],
)
def test_a_version_that_does_not_fit_is_said(library, version, fits, installed, monkeypatch):
    monkeypatch.setattr(availability, "version", lambda name: version)
    said = f"{library} {version} is installed, and this plugin needs >="
    assert (said in STRATEGIES[library].supports(task())) != fits


@both
@kinds
def test_missing_weights_name_the_file_and_the_command(library, kind, installed, no_network):
    reason = STRATEGIES[library].supports(task(kind))
    model = TABPFN["v2"] if library == "tabpfn" else TABICL["v2"]
    assert model.files[kind] in reason
    assert f"autometa foundation fetch {library}" in reason


@both
@pytest.mark.parametrize("how", ["setting", "HF_HUB_OFFLINE"])
def test_offline_says_which_file_to_copy_where(library, how, installed, monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOMETA_FOUNDATION_WEIGHTS", str(tmp_path))
    if how != "setting":
        monkeypatch.setenv(how, "1")
    with settings_context(offline=how == "setting"):
        reason = STRATEGIES[library].supports(task())
    assert "it is offline" in reason
    assert "https://huggingface.co/" in reason
    assert f"copy it to {tmp_path}" in reason


@pytest.mark.parametrize("version", ["v2.5", "v2.6", "v3"])
def test_a_licence_that_was_not_accepted_is_said_with_what_to_do(version, installed, monkeypatch):
    monkeypatch.setenv("TABPFN_MODEL_VERSION", version)
    reason = TabPFN().supports(task())
    assert f"behind the non-commercial TabPFN-{version[1:]} licence" in reason
    assert "TABPFN_TOKEN" in reason
    assert "https://ux.priorlabs.ai" in reason


@pytest.mark.parametrize("where", ["TABPFN_TOKEN", ".cache/tabpfn/auth_token", ".tabpfn/token"])
def test_with_a_token_only_the_download_is_missing(where, installed, monkeypatch, tmp_path):
    monkeypatch.setenv("TABPFN_MODEL_VERSION", "v3")
    if where == "TABPFN_TOKEN":
        monkeypatch.setenv(where, "a token")
    else:
        file = tmp_path / "home" / where
        file.parent.mkdir(parents=True)
        file.write_text("a token")
    reason = TabPFN().supports(task())
    assert "licence." not in reason
    assert "Run `autometa foundation fetch tabpfn`" in reason


def test_a_version_of_tabpfn_that_does_not_exist_is_a_reason(installed, monkeypatch):
    monkeypatch.setenv("TABPFN_MODEL_VERSION", "v1")
    assert "TABPFN_MODEL_VERSION must be one of" in TabPFN().supports(task())


def test_every_candidate_names_its_weights(installed, monkeypatch):
    of_v2 = {candidate.id for candidate in TabPFN().candidates(task())}
    monkeypatch.setenv("TABPFN_MODEL_VERSION", "v3")
    of_v3 = {candidate.id for candidate in TabPFN().candidates(task())}
    assert not of_v2 & of_v3


@both
@kinds
def test_at_least_six_candidates(library, kind):
    assert len(set(STRATEGIES[library].portfolio(task(kind)))) >= 6


class TestLimits:
    @pytest.fixture(autouse=True)
    def _weights(self, _own_environment, installed, monkeypatch, tmp_path):
        monkeypatch.setenv("AUTOMETA_FOUNDATION_WEIGHTS", str(tmp_path))
        for model in (*TABPFN.values(), *TABICL.values()):
            for kind in KINDS:
                put_weights(tmp_path, model, kind)

    @both
    @kinds
    def test_a_small_table_is_taken(self, library, kind, no_network):
        assert STRATEGIES[library].supports(task(kind)) is None

    def test_columns(self):
        assert TabPFN().supports(wide(500)) is None
        assert "501 columns" in TabPFN().supports(wide(501))
        assert TabICL().supports(wide(501)) is None

    def test_texts_count_for_the_columns_that_are_made_of_them(self):
        X = pd.DataFrame({f"t{j}": [f"word {i} of {j} and others" for i in range(60)] for j in range(13)})
        reason = TabPFN().supports(Task.from_arrays(X, np.arange(60) % 2, roles=dict.fromkeys(X.columns, "text")))
        assert "520 columns" in reason

    def test_classes(self, monkeypatch):
        many = wide(2, n_samples=60, n_classes=11)
        assert "11 classes: TabPFN v2 takes 10" in TabPFN().supports(many)
        assert TabICL().supports(many) is None
        monkeypatch.setenv("TABPFN_MODEL_VERSION", "v3")
        assert TabPFN().supports(many) is None

    def test_rows(self, monkeypatch):
        monkeypatch.setattr(availability, "_has_gpu", lambda: True)
        assert TabPFN().supports(long(100_000)) is None
        assert "would see less than 10% of them" in TabPFN().supports(long(100_001))

    def test_a_cpu_is_slow_until_told_otherwise(self, monkeypatch):
        assert "no GPU was found" in TabPFN().supports(long(1_001))
        assert "no GPU was found" in TabICL().supports(long(2_001))
        monkeypatch.setenv("TABPFN_ALLOW_CPU_LARGE_DATASET", "true")
        monkeypatch.setenv("AUTOMETA_TABICL_ALLOW_SLOW_CPU", "true")
        assert TabPFN().supports(long(1_001)) is None
        assert TabICL().supports(long(2_001)) is None


class TestPlaces:
    def test_the_own_folder_comes_first(self, monkeypatch, tmp_path):
        monkeypatch.setenv("AUTOMETA_FOUNDATION_WEIGHTS", str(tmp_path / "own"))
        monkeypatch.setenv("TABPFN_MODEL_CACHE_DIR", str(tmp_path / "library"))
        model = TABPFN["v2"]
        other = put_weights(tmp_path / "library", model, "regression")
        assert find_weights(model, "regression") == other
        mine = put_weights(tmp_path / "own", model, "regression")
        assert find_weights(model, "regression") == mine

    def test_tabicl_is_found_in_the_hub_s_cache_by_its_reference(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        folder = tmp_path / "models--jingang--TabICL"
        put_weights(folder / "snapshots" / "old", TABICL["v2"], "classification")
        assert find_weights(TABICL["v2"], "classification") is None
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text("new\n")
        new = put_weights(folder / "snapshots" / "new", TABICL["v2"], "classification")
        assert find_weights(TABICL["v2"], "classification") == new

    @pytest.mark.parametrize(
        "variables",
        [
            {},
            {"HF_HOME": "~/there"},
            {"HF_HUB_CACHE": "/there"},
            {"HUGGINGFACE_HUB_CACHE": "/legacy"},
            {"XDG_CACHE_HOME": "/xdg"},
        ],
        ids=lambda variables: "-".join(variables) or "default",
    )
    def test_the_folders_are_those_of_the_libraries(self, variables, monkeypatch):
        need("tabpfn")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        code = (
            "from huggingface_hub import constants; from tabpfn.model_loading import get_cache_dir; "
            "print(constants.HF_HUB_CACHE); print(get_cache_dir())"
        )
        if variables:  # the library's import of torch is slow: once is enough for tabpfn's own folder
            code = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        lines = answer.stdout.split()
        assert str(hub_folder()) == lines[0]
        if not variables:
            assert str(tabpfn_folder()) == lines[1]

    @both
    @kinds
    def test_the_files_are_those_that_the_library_asks_for(self, library, kind):
        need(library)
        if library == "tabpfn":
            from tabpfn.model_loading import ModelType, ModelVersion, _get_model_source

            which = ModelType.CLASSIFIER if kind == "classification" else ModelType.REGRESSOR
            for version, model in TABPFN.items():
                source = _get_model_source(ModelVersion(version), which)
                assert (source.default_filename, source.repo_id) == (model.files[kind], model.repositories[kind])
        else:
            import tabicl

            family = tabicl.TabICLClassifier if kind == "classification" else tabicl.TabICLRegressor
            assert family().checkpoint_version == TABICL["v2"].files[kind]

    def test_nothing_is_looked_for_elsewhere(self):
        assert len(places(TABPFN["v2"], "classification")) == 1
