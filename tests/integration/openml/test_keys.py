"""The API key reaches the server that it is for, and no text."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from autometa.components.openml import OpenMLClient
from autometa.foundation.errors import OpenMLError
from tests.integration.openml.conftest import MakeClient
from tests.integration.openml.test_bad_servers import ENDPOINTS
from tests.openml_server import Fault, Folder, OpenMLServer
from tests.openml_server.sample import IRIS, IRIS_TASK
from tests.openml_server.server import Request

KEY = "0123456789abcdef/+secret key"

pytestmark = pytest.mark.usefixtures("quick_retries")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENML_API_KEY", KEY)


def forms(text: str) -> list[str]:
    """The key's traces in a text, however it is quoted."""
    return [form for form in ("0123456789abcdef", "secret") if form in text]


def sent_keys(server: OpenMLServer) -> set[str | None]:
    return {request.query.get("api_key", [None])[0] for request in server.requests}


def stop(server: OpenMLServer) -> None:
    server.stop()


def fail(*faults: Fault) -> Callable[[OpenMLServer], None]:
    return lambda server: server.faults.add("", *faults, forever=True)


@pytest.mark.parametrize(
    "break_server",
    [
        stop,
        fail(Fault.html(503)),
        fail(Fault.html(404)),
        fail(Fault.empty()),
        fail(Fault.reset()),
        fail(Fault.slow(1.0)),
        fail(Fault.truncated()),
        fail(Fault.openml_error(151, "Unknown task")),
        fail(Fault.openml_error(103, f"Authentication failed for {KEY}")),
        fail(Fault.openml_error(9999, f"api_key={KEY}")),
        fail(Fault.html(503, retry_after="9999")),
    ],
)
def test_the_key_is_in_no_error_and_no_log(
    make_client: MakeClient,
    openml_server: OpenMLServer,
    caplog: pytest.LogCaptureFixture,
    break_server: Callable[[OpenMLServer], None],
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(timeout=0.2, retries=2)
    break_server(openml_server)
    for ask in (client.task, client.dataset, client.suite):
        with pytest.raises(OpenMLError) as caught:
            ask(59)
        assert forms("".join(traceback.format_exception(caught.value))) == []
        assert forms(str(caught.value.context)) == []
    assert forms(caplog.text) == []
    assert forms(repr(client)) == []
    assert forms("".join(str(r.msg) + str(r.args) for r in caplog.records)) == []


def test_the_key_reaches_the_server_but_neither_log_nor_cache(
    client: OpenMLClient, cache_directory: Path, openml_server: OpenMLServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.task(IRIS_TASK)
    client.suite(99)
    assert sent_keys(openml_server) == {KEY}
    assert "api_key=***" in caplog.text  # urllib3 does log whole addresses
    assert forms(caplog.text) == []
    assert not [p for p in cache_directory.rglob("*") if p.is_file() and forms(p.read_text("latin-1"))]


def test_a_wrong_key_is_told_with_what_to_do(openml_folder: Path, cache_directory: Path) -> None:
    with (
        OpenMLServer(Folder(openml_folder), api_keys={"another"}) as server,
        pytest.raises(OpenMLError, match="OPENML_API_KEY"),
    ):
        OpenMLClient(server.url, cache_directory).task(IRIS_TASK)


def test_the_key_is_not_sent_to_another_host(
    client: OpenMLClient, openml_server: OpenMLServer, openml_folder: Path
) -> None:
    with OpenMLServer(Folder(openml_folder)) as files:
        path = f"/api/v1/xml/data/{IRIS}"
        body = openml_server.answer(Request(path, {})).body.decode().replace(openml_server.base, files.base)
        fault = Fault("http", 200, body, "text/xml; charset=utf-8")
        openml_server.faults.add(ENDPOINTS["description"], fault, forever=True)
        assert len(client.dataset(IRIS).frame) == 150
        assert sent_keys(files) == {None}
        assert sent_keys(openml_server) == {KEY}


def test_the_configured_key_goes_to_its_own_server_only(
    client: OpenMLClient, openml_server: OpenMLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openml

    monkeypatch.delenv("OPENML_API_KEY")
    monkeypatch.setattr(openml.config, "apikey", KEY)
    client.dataset(IRIS)
    assert sent_keys(openml_server) == {None}
    monkeypatch.setattr(openml.config, "server", openml_server.url)
    client.suite(99)
    assert openml_server.requests[-1].query == {"api_key": [KEY]}
