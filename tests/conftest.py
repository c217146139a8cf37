"""What every test gets: a cache of its own, no network beyond this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autometa.foundation.settings import ENVIRONMENT_PREFIX

# At import: some tests are parametrised by what is installed, before any fixture runs.
os.environ[f"{ENVIRONMENT_PREFIX}PLUGINS"] = ""


@pytest.fixture(scope="session", autouse=True)
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the tests the default settings, whatever the developer has set, and a cache of their own.

    In child processes too. No plugin is loaded: what the built-in strategies do depends on no other distribution.
    """
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
            patch.delenv(name)
        patch.setenv(f"{ENVIRONMENT_PREFIX}CACHE_DIRECTORY", str(folder))
        patch.setenv(f"{ENVIRONMENT_PREFIX}PLUGINS", "")
        yield folder


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
