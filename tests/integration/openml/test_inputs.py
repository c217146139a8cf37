"""as_task reads OpenML: ids as text, and the objects of the openml package, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autometa.components.openml.gateway import load_client
from autometa.engine.inputs import as_task
from autometa.foundation.errors import OfflineError, OpenMLNotFoundError
from autometa.foundation.settings import settings_context
from tests.openml_server import OpenMLServer
from tests.openml_server.sample import DIABETES, IRIS, IRIS_TASK, MIXED


@pytest.fixture(autouse=True)
def _settings(openml_server: OpenMLServer, cache_directory: Path) -> Iterator[None]:
    with settings_context(openml_server=openml_server.url, cache_directory=cache_directory):
        yield


def test_a_dataset_by_id() -> None:
    task = as_task(f"openml:{IRIS}")
    assert (task.name, task.dataset_id, task.task_id, task.target) == ("iris", IRIS, None, "class")
    assert (task.type, task.X.shape, len(task.splits)) == ("multiclass", (150, 4), 0)
    assert as_task(f"openml:{DIABETES}").type == "regression"


def test_a_task_by_id_has_its_official_splits() -> None:
    task = as_task(f"openml-task:{IRIS_TASK}")
    assert (task.task_id, task.dataset_id, len(task.splits)) == (IRIS_TASK, IRIS, 10)
    tested = np.sort(np.concatenate([split.test for split in task.splits]))
    assert tested.tolist() == list(range(150))
    assert task.fingerprint() == as_task(f"openml:{IRIS}").fingerprint()


def test_another_column_is_another_task() -> None:
    name = next(iter(as_task(f"openml:{IRIS}").X.columns))
    task = as_task(f"openml-task:{IRIS_TASK}", name)
    assert (task.type, task.task_id, task.splits) == ("regression", None, ())
    assert "class" in task.X.columns


def test_an_odd_table() -> None:
    task = as_task(f"openml:{MIXED}")
    assert set(task.roles.values()) == {"numeric", "categorical", "text"}
    assert {"leak", "row id"}.isdisjoint(task.X.columns)
    assert task.canonical().shape == task.X.shape


def test_errors_are_those_of_openml() -> None:
    with pytest.raises(OpenMLNotFoundError, match="4242"):
        as_task("openml:4242")
    with settings_context(offline=True), pytest.raises(OfflineError):
        as_task(f"openml:{IRIS}")


@pytest.fixture
def package(openml_server: OpenMLServer, tmp_path: Path) -> Iterator[Any]:
    """The openml package itself, as a user has set it up."""
    openml = load_client()
    before, folder = openml.config.server, openml.config.get_cache_directory()
    openml.config.server = openml_server.url
    openml.config.set_root_cache_directory(str(tmp_path / "user"))
    yield openml
    openml.config.server = before
    openml.config.set_root_cache_directory(folder)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_objects_of_the_package(package: Any) -> None:
    expected = as_task(f"openml-task:{IRIS_TASK}")
    dataset = package.datasets.get_dataset(IRIS, download_data=True)
    assert as_task(dataset).fingerprint() == expected.fingerprint()
    posed = package.tasks.get_task(IRIS_TASK)
    assert as_task(posed).splits == ()
    posed.get_train_test_split_indices()  # keeps the splits; it leaves a file open (hence the filters)
    task = as_task(posed)
    assert (task.fingerprint(), task.task_id, task.name) == (expected.fingerprint(), IRIS_TASK, "iris")
    assert [split.test.tolist() for split in task.splits] == [split.test.tolist() for split in expected.splits]
    numbers = as_task(package.datasets.get_dataset(DIABETES, download_data=True))
    assert (numbers.dataset_id, numbers.type) == (DIABETES, "regression")
