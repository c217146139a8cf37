"""What is read is what the server has."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autometa.components.openml import OpenMLClient
from autometa.foundation.errors import OpenMLError, OpenMLNotFoundError, ParameterError
from tests.integration.openml.conftest import MakeClient
from tests.openml_server import Fault, Folder, OpenMLServer
from tests.openml_server.folder import folds
from tests.openml_server.sample import DIABETES, IRIS, IRIS_TASK, MIXED, WDBC, WDBC_TASK, WINE


def truth(server: OpenMLServer, did: int) -> pd.DataFrame:
    dataset = server.folder.datasets[did]
    hidden = {*dataset.ignore, dataset.row_id} - {dataset.target}
    return dataset.frame().drop(columns=[name for name in dataset.frame() if name in hidden])


def altered(server: OpenMLServer, path: str, old: str, new: str) -> None:
    """Let the server answer `path` with its true answer in which `old` is replaced."""
    from tests.openml_server.server import Request

    body = server.answer(Request(path, {})).body.decode()
    assert old in body
    server.faults.add(
        f"^{path}$", Fault("http", 200, body.replace(old, new), "text/xml; charset=utf-8"), forever=True
    )


@pytest.mark.parametrize(
    ("did", "task_type"),
    [(IRIS, "classification"), (WINE, "classification"), (DIABETES, "regression"), (MIXED, "classification")],
)
def test_a_task_equals_the_table_it_was_made_of(
    client: OpenMLClient, openml_server: OpenMLServer, did: int, task_type: str
) -> None:
    source = openml_server.folder.datasets[did]
    table = client.task(source.task_id)
    pd.testing.assert_frame_equal(table.frame, truth(openml_server, did))
    assert (table.dataset_id, table.task_id, table.name) == (did, source.task_id, source.name)
    assert (table.target, table.task_type) == (source.target, task_type)
    nominal = [n for n, dtype in table.frame.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]
    assert list(table.categorical) == nominal


def test_a_dataset_has_no_splits_but_a_target(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    table = client.dataset(WDBC)
    pd.testing.assert_frame_equal(table.frame, truth(openml_server, WDBC))
    assert (table.target, table.task_id, table.splits, table.task_type) == ("Class", None, None, "classification")
    assert client.dataset(DIABETES).task_type == "regression"


def test_splits_are_the_servers_in_order(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    table = client.task(WDBC_TASK)
    fold = folds(openml_server.folder.datasets[WDBC])
    assert table.splits is not None
    assert len(table.splits) == 10
    for number, (train, test) in enumerate(table.splits):
        assert train.dtype == test.dtype == np.int64
        np.testing.assert_array_equal(test, np.flatnonzero(fold == number))
        np.testing.assert_array_equal(train, np.flatnonzero(fold != number))


def test_splits_are_stratified_and_the_same_on_every_server(openml_server: OpenMLServer) -> None:
    dataset = openml_server.folder.datasets[IRIS]
    counts = pd.crosstab(folds(dataset), dataset.frame()["class"])
    assert (counts == 5).to_numpy().all()
    np.testing.assert_array_equal(folds(dataset), folds(dataset))


def test_a_holdout_is_one_split_whose_rows_are_tested_once_or_never(openml_folder: Path, tmp_path: Path) -> None:
    with OpenMLServer(Folder(openml_folder, n_folds=1)) as server:
        table = OpenMLClient(server.url, tmp_path).task(WDBC_TASK)
        fold = folds(server.folder.datasets[WDBC])
    assert table.split_numbers == ((0, 0),)
    ((train, test),) = table.splits or ()
    np.testing.assert_array_equal(test, np.flatnonzero(fold == 0))
    np.testing.assert_array_equal(train, np.flatnonzero(fold == -1))
    assert (len(train), len(test)) == (80, 40)


def test_qualities_come_from_the_server(client: OpenMLClient) -> None:
    qualities = client.dataset(MIXED).qualities
    assert qualities["NumberOfInstances"] == 60
    assert qualities["NumberOfMissingValues"] == 4 * 7 + 60


def test_a_column_that_is_to_be_ignored_can_be_a_target(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    task_id = openml_server.folder.datasets[MIXED].task_id
    altered(openml_server, f"/api/v1/xml/task/{task_id}", "feature>label<", "feature>leak<")
    table = client.task(task_id)
    assert table.target == "leak"
    assert "leak" in table.frame
    assert "note to self" not in table.frame


@pytest.mark.parametrize("given", [59, "59", " 59 ", np.int64(59), np.uint8(59)])
def test_ids_of_any_whole_kind(client: OpenMLClient, given: Any) -> None:
    assert client.task(given).task_id == 59


@pytest.mark.parametrize("given", [0, -1, True, 59.0, "iris", "59; drop", "", None, "../61"])
def test_other_ids_are_refused_before_any_request(
    client: OpenMLClient, openml_server: OpenMLServer, given: Any
) -> None:
    for ask in (client.task, client.dataset):
        with pytest.raises(ParameterError, match="positive whole number"):
            ask(given)
    assert openml_server.paths() == []


@pytest.mark.parametrize("given", ["a/b", "", "..", "-x", "x y", 0, None, 1.5])
def test_other_suites_are_refused_before_any_request(
    client: OpenMLClient, openml_server: OpenMLServer, given: Any
) -> None:
    with pytest.raises(ParameterError):
        client.suite(given)
    assert openml_server.paths() == []


@pytest.mark.parametrize("given", [99, "99", np.int64(99), "OpenML-CC18"])
def test_suites_by_id_and_alias(client: OpenMLClient, given: Any) -> None:
    suite = client.suite(given)
    assert (suite.id, suite.alias, suite.task_ids) == (99, "OpenML-CC18", (WDBC_TASK,))


def test_an_alias_of_the_server_is_no_path(
    client: OpenMLClient, openml_server: OpenMLServer, cache_directory: Path
) -> None:
    altered(openml_server, "/api/v1/xml/study/99", "<oml:alias>OpenML-CC18<", "<oml:alias>x/../../outside<")
    assert client.suite(99).alias == "x/../../outside"
    stored = [path.relative_to(cache_directory) for path in cache_directory.rglob("*.json")]
    assert [(path.parent.name, path.name) for path in stored] == [("lists", "suite-99.json")]


def test_a_stored_suite_is_asked_for_again_only_on_request(
    client: OpenMLClient, openml_server: OpenMLServer
) -> None:
    first = client.suite("OpenML-CC18")
    assert client.suite(99) == first
    assert len(openml_server.requests) == 1
    assert client.suite(99, refresh=True) == first
    assert len(openml_server.requests) == 2


def test_the_suite_of_everything(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    assert set(client.suite("all").task_ids) == set(openml_server.folder.tasks)


def test_the_list_of_datasets(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    listed = client.datasets_list()
    assert listed["did"].tolist() == sorted(openml_server.folder.datasets)
    assert listed.set_index("did").loc[IRIS, "NumberOfInstances"] == 150
    assert client.datasets_list(limit=2, offset=1)["did"].tolist() == sorted(openml_server.folder.datasets)[1:3]
    assert len(client.datasets_list(offset=1000)) == 0
    with pytest.raises(ParameterError, match="status"):
        client.datasets_list(status="good")


@pytest.mark.parametrize(
    ("method", "unknown"), [("task", 123456), ("dataset", 123456), ("suite", 123456), ("suite", "no-such")]
)
def test_an_unknown_id(client: OpenMLClient, cache_directory: Path, method: str, unknown: Any) -> None:
    with pytest.raises(OpenMLNotFoundError, match=f"{unknown}.*does not know"):
        getattr(client, method)(unknown)
    assert [path.name for path in cache_directory.rglob("*") if path.is_file() and path.suffix != ".lock"] == []


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        (f"/api/v1/xml/data/{IRIS}", ">ARFF<", ">Sparse_ARFF<", "Sparse_ARFF: only dense ARFF"),
        (f"/api/v1/xml/data/{IRIS}", "attribute>class<", "attribute>class,sex<", "no single target column"),
        (f"/api/v1/xml/data/{IRIS}", "attribute>class<", "attribute>klass<", "no single target column"),
    ],
)
def test_a_dataset_that_cannot_be_used_says_why(
    client: OpenMLClient, openml_server: OpenMLServer, path: str, old: str, new: str, message: str
) -> None:
    altered(openml_server, path, old, new)
    with pytest.raises(OpenMLError, match=message):
        client.dataset(IRIS)


@pytest.mark.parametrize("type_id", [4, 5, 3])
def test_a_task_of_another_type_is_refused(
    client: OpenMLClient, openml_server: OpenMLServer, type_id: int
) -> None:
    altered(
        openml_server,
        f"/api/v1/xml/task/{IRIS_TASK}",
        "<oml:task_type_id>1<",
        f"<oml:task_type_id>{type_id}<",
    )
    with pytest.raises(OpenMLError, match="supervised classification and regression"):
        client.task(IRIS_TASK)


def test_an_attribute_type_that_no_reader_knows_is_told(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    arff = openml_server.folder.arff(DIABETES)
    arff.write_text(arff.read_text().replace("age REAL", 'age DATE "yyyy-MM-dd"'))
    with pytest.raises(OpenMLError, match=r"dataset 800001.*cannot be read"):
        client.dataset(DIABETES)


def test_the_users_openml_is_left_as_it_was(client: OpenMLClient) -> None:
    import openml
    import requests

    before = (openml.config.get_config_as_dict(), dict(os.environ), logging.getLogger().handlers[:])
    client.task(IRIS_TASK)
    with pytest.raises(OpenMLNotFoundError):
        client.task(123456)
    assert (openml.config.get_config_as_dict(), dict(os.environ), logging.getLogger().handlers[:]) == before
    assert openml._api_calls.requests is requests
    assert openml._api_calls.logging is logging


def test_parquet_is_not_asked_for(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    client.task(IRIS_TASK)
    assert not [path for path in openml_server.paths() if path.startswith("/datasets/")]


@pytest.mark.parametrize(
    "options",
    [
        {"server": "ftp://127.0.0.1/api"},
        {"server": "www.openml.org"},
        {"server": "https://user:secret@www.openml.org/api/v1/xml"},
        {"server": "https://www.openml.org/api/v1/xml?api_key=secret"},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"retries": 0},
    ],
)
def test_arguments_that_cannot_work_are_refused(make_client: MakeClient, options: dict[str, Any]) -> None:
    with pytest.raises(ParameterError) as caught:
        make_client(**options)
    assert "secret" not in str(caught.value)


def test_the_client_is_imported_only_when_something_is_read() -> None:
    code = "import sys, autometa.components.openml as o; o.OpenMLClient(); sys.exit('openml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
