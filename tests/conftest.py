"""What every test gets: a cache of its own, no network beyond this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the policies and downloads of the tests out of the user's cache, in child processes too."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("AUTOMETA_CACHE_DIRECTORY")
    os.environ["AUTOMETA_CACHE_DIRECTORY"] = str(folder)
    yield folder
    if before is None:
        del os.environ["AUTOMETA_CACHE_DIRECTORY"]
    else:
        os.environ["AUTOMETA_CACHE_DIRECTORY"] = before


@pytest.fixture(autouse=True)
def no_foreign_hosts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to other machines, unless the test is marked ``network``."""
    if request.node.get_closest_marker("network"):
        return
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {host}; mark it `network`")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
