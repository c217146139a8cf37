"""Fixtures: an OpenML server of sample tables, clients for it, and a home for what ``openml`` creates."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autometa.components.openml import OpenMLClient
from autometa.components.openml.gateway import load_client
from tests.openml_server import OpenMLServer
from tests.openml_server.fixtures import openml_folder, openml_server

__all__ = ["openml_folder", "openml_server"]

MakeClient = Callable[..., OpenMLClient]


@pytest.fixture(scope="session", autouse=True)
def _openml_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Importing ``openml`` makes two folders and reads the user's key: both somewhere else."""
    home = tmp_path_factory.mktemp("openml-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("OPENML_CACHE_DIR", str(home / "cache"))
        patch.delenv("OPENML_API_KEY", raising=False)
        load_client()
        yield


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AUTOMETA_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's pauses between tries, shortened from seconds to hundredths."""
    calls = importlib.import_module("openml._api_calls")
    monkeypatch.setattr(calls, "_human_delay", lambda n: 0.01 * n)


@pytest.fixture
def cache_directory(tmp_path: Path) -> Path:
    """Where the clients of a test keep their cache."""
    return tmp_path / "cache"


@pytest.fixture
def make_client(openml_server: OpenMLServer, cache_directory: Path) -> MakeClient:
    """Makes clients of the test's server that share one cache."""

    def make(**options: object) -> OpenMLClient:
        return OpenMLClient(**{"server": openml_server.url, "cache_directory": cache_directory, **options})  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(make_client: MakeClient) -> OpenMLClient:
    """A client of the test's server with an empty cache."""
    return make_client()
