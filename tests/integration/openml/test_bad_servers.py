"""Servers that answer badly, late, or not at all."""

from __future__ import annotations

import email.utils
import importlib
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from autometa.components.openml import OpenMLClient
from autometa.foundation.errors import OpenMLUnavailableError
from tests.integration.openml.conftest import MakeClient
from tests.openml_server import Fault, OpenMLServer
from tests.openml_server.sample import IRIS, IRIS_TASK, WDBC_TASK

ENDPOINTS = {
    "task": rf"/api/v1/xml/task/{IRIS_TASK}$",
    "description": rf"/api/v1/xml/data/{IRIS}$",
    "features": rf"/api/v1/xml/data/features/{IRIS}$",
    "arff": r"^/data/v1/download/",
    "splits": r"^/api_splits/get/",
    "qualities": rf"/api/v1/xml/data/qualities/{IRIS}$",
}
TRANSIENT = {
    "503 in HTML": Fault.html(503),
    "500 in HTML": Fault.html(500),
    "429 in HTML": Fault.html(429),
    "200 but HTML": Fault.html(200),
    "200 but empty": Fault.empty(),
    "cut off": Fault.truncated(0.5),
    "connection reset": Fault.reset(),
    "database down": Fault.openml_error(107, "Database connection error"),
}


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def entries(folder: Path) -> dict[str, bytes]:
    """The files of the cache proper: neither locks nor staging, which must be empty."""
    found = files(folder)
    assert not [name for name in found if "staging" in name]
    return {name: content for name, content in found.items() if not name.endswith(".lock")}


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT)
@pytest.mark.parametrize("endpoint", ["task", "arff", "splits", "features"])
def test_two_bad_answers_first_are_survived(
    client: OpenMLClient, openml_server: OpenMLServer, endpoint: str, fault: Fault
) -> None:
    openml_server.faults.add(ENDPOINTS[endpoint], fault, fault)
    table = client.task(IRIS_TASK)
    pd.testing.assert_frame_equal(table.frame, openml_server.folder.datasets[IRIS].frame())
    assert table.splits is not None


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_bad_answers_without_end_leave_nothing_behind(
    client: OpenMLClient, cache_directory: Path, openml_server: OpenMLServer, endpoint: str, fault: Fault
) -> None:
    openml_server.faults.add(ENDPOINTS[endpoint], fault, forever=True)
    with pytest.raises(OpenMLUnavailableError) as caught:
        client.task(IRIS_TASK)
    assert openml_server.url in str(caught.value)
    kept = entries(cache_directory)
    assert not [name for name in kept if name.endswith("dataset.arff") and "/datasets/" in name]
    assert {Path(name).parent.name for name in kept} <= {
        str(IRIS_TASK)
    }  # the task may be complete, its data is not


@pytest.mark.usefixtures("quick_retries")
def test_a_failing_server_does_not_touch_what_is_cached(
    make_client: MakeClient, cache_directory: Path, openml_server: OpenMLServer
) -> None:
    client = make_client()
    client.dataset(IRIS)
    before = entries(cache_directory)
    openml_server.faults.add(ENDPOINTS["task"], Fault.html(503), forever=True)
    with pytest.raises(OpenMLUnavailableError):
        client.task(IRIS_TASK)
    assert entries(cache_directory) == before
    openml_server.faults.clear()
    openml_server.faults.add(ENDPOINTS["description"], Fault.html(503), forever=True)
    with pytest.raises(OpenMLUnavailableError):
        client.task(IRIS_TASK)
    assert entries(cache_directory) == before
    assert len(make_client(offline=True).dataset(IRIS).frame) == 150


def test_the_clients_own_pauses_lie_between_the_tries(
    client: OpenMLClient, openml_server: OpenMLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    calls = importlib.import_module("openml._api_calls")
    monkeypatch.setattr(calls, "time", SimpleNamespace(sleep=pauses.append, time=time.time))
    openml_server.faults.add(ENDPOINTS["task"], Fault.html(503), Fault.empty())
    assert len(client.task(IRIS_TASK).frame) == 150
    assert pauses == [1.0, 2.0]


@pytest.mark.usefixtures("quick_retries")
def test_slow_answers_are_not_waited_for(make_client: MakeClient, openml_server: OpenMLServer) -> None:
    openml_server.faults.add(ENDPOINTS["task"], Fault.slow(6.0), forever=True)
    with pytest.raises(OpenMLUnavailableError, match=r"ReadTimeout.*read timeout=0\.3"):
        make_client(timeout=0.3, retries=2).task(IRIS_TASK)


@pytest.mark.usefixtures("quick_retries")
def test_one_slow_answer_is_asked_for_again(make_client: MakeClient, openml_server: OpenMLServer) -> None:
    openml_server.faults.add(ENDPOINTS["arff"], Fault.slow(2.0))
    assert len(make_client(timeout=1.0).task(IRIS_TASK).frame) == 150


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(client: OpenMLClient, openml_server: OpenMLServer, form: str) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=2)
    value = "1" if form == "seconds" else email.utils.format_datetime(moment, usegmt=True)
    openml_server.faults.add(ENDPOINTS["task"], Fault.html(503, retry_after=value))
    started = time.monotonic()
    client.task(IRIS_TASK)
    assert time.monotonic() - started >= (1.0 if form == "seconds" else 0.9)  # a date has whole seconds only


@pytest.mark.parametrize("value", ["soon", "", "-5", "Wed, 21 Oct 2015 07:28:00 GMT"])
@pytest.mark.usefixtures("quick_retries")
def test_a_retry_after_that_says_nothing_is_passed_over(
    client: OpenMLClient, openml_server: OpenMLServer, value: str
) -> None:
    openml_server.faults.add(ENDPOINTS["task"], Fault.html(503, retry_after=value))
    assert len(client.task(IRIS_TASK).frame) == 150


def test_an_hour_is_not_waited_for(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    openml_server.faults.add(ENDPOINTS["task"], Fault.html(503, retry_after="3600"), forever=True)
    with pytest.raises(OpenMLUnavailableError, match="come back in 3600 s") as caught:
        client.task(IRIS_TASK)
    assert caught.value.context["retry_after"] == 3600
    assert len(openml_server.requests) == 1


def test_a_page_that_is_not_there_is_not_asked_for_again(
    client: OpenMLClient, openml_server: OpenMLServer
) -> None:
    openml_server.faults.add(ENDPOINTS["arff"], Fault.html(404), forever=True)
    with pytest.raises(OpenMLUnavailableError, match="status 404"):
        client.dataset(IRIS)
    assert len([path for path in openml_server.paths() if path.startswith("/data/")]) == 1


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("keep", [0.3, 0.9, 0.97])
@pytest.mark.parametrize("endpoint", ["arff", "splits"])
def test_files_that_the_server_itself_cuts_off_are_refused(
    client: OpenMLClient, cache_directory: Path, openml_server: OpenMLServer, endpoint: str, keep: float
) -> None:
    openml_server.faults.add(ENDPOINTS[endpoint], Fault.truncated(keep, honest_length=True), forever=True)
    with pytest.raises(OpenMLUnavailableError):
        client.task(IRIS_TASK)
    cut_off = {"arff": "dataset.arff", "splits": "datasplits.arff"}[endpoint]
    assert cut_off not in {Path(name).name for name in entries(cache_directory)}
    openml_server.faults.clear()
    assert len(client.task(IRIS_TASK).frame) == 150


@pytest.mark.usefixtures("quick_retries")
def test_splits_cut_off_at_the_end_of_a_row_are_refused(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    lines = openml_server.folder.splits(IRIS_TASK).splitlines()
    for cut in (len(lines) - 1, len(lines) - 15, 1000):
        fault = Fault("http", 200, "\n".join(lines[:cut]) + "\n", "text/plain")
        openml_server.faults.add(ENDPOINTS["splits"], fault)
        with pytest.raises(OpenMLUnavailableError, match="splits file"):
            client.task(IRIS_TASK)


@pytest.mark.usefixtures("quick_retries")
def test_a_server_that_is_down(make_client: MakeClient, openml_server: OpenMLServer) -> None:
    client = make_client(timeout=1.0)
    warm = client.task(IRIS_TASK)
    suite = client.suite("small")
    openml_server.stop()
    pd.testing.assert_frame_equal(client.task(IRIS_TASK).frame, warm.frame)
    assert client.suite("small") == suite
    for ask in (lambda: client.task(WDBC_TASK), lambda: client.suite("CC18"), client.datasets_list):
        with pytest.raises(OpenMLUnavailableError, match="AUTOMETA_OFFLINE"):
            ask()
