"""Fixtures: a sample folder (once a session) and a server for it (fresh for each test)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.openml_server.folder import Folder
from tests.openml_server.sample import write_sample_folder
from tests.openml_server.server import OpenMLServer

__all__ = ["openml_folder", "openml_server"]


@pytest.fixture(scope="session")
def openml_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five small datasets in the format that the server serves."""
    return write_sample_folder(tmp_path_factory.mktemp("openml-folder"))


@pytest.fixture
def openml_server(openml_folder: Path) -> Iterator[OpenMLServer]:
    """A running server of the sample folder, without faults."""
    with OpenMLServer(Folder(openml_folder)) as server:
        yield server
