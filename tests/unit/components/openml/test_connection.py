"""Addresses and keys."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from autometa.components.openml.connection import Connection, KeyFilter, api_key, checked_server
from autometa.foundation.errors import ParameterError

SERVER = "https://www.openml.org/api/v1/xml"
KEY = "a b/c+d'e"


@pytest.mark.parametrize(
    "text",
    [
        f"key {KEY}.",
        "GET /task/1?api_key=a+b%2Fc%2Bd%27e&x=1",
        "GET /task/1?x=1&api_key=a%20b%2Fc%2Bd%27e",
        "url: /task/1?api_key=someoneelses (Caused by)",
    ],
)
def test_keys_are_taken_out(text: str) -> None:
    scrubbed = Connection(SERVER, 1.0, 1, KEY).scrub(text)
    assert "***" in scrubbed
    assert not any(piece in scrubbed for piece in ("a b", "a+b", "a%20b", "someoneelses"))
    assert scrubbed.split("api_key")[0] in text.replace(KEY, "***")


def test_text_without_a_key_stays() -> None:
    text = "Unknown task: 59 (api key)"
    assert Connection(SERVER, 1.0, 1, KEY).scrub(text) == text
    assert Connection(SERVER, 1.0, 1, "").scrub(text) == text


def test_the_key_is_not_in_the_repr() -> None:
    assert KEY not in repr(Connection(SERVER, 1.0, 1, KEY))


def test_log_records_lose_the_key_in_message_and_arguments() -> None:
    record = logging.LogRecord("urllib3", logging.DEBUG, "", 0, '"%s %s"', ("GET", f"/?api_key={KEY}"), None)
    assert KeyFilter(Connection(SERVER, 1.0, 1, KEY)).filter(record)
    assert record.getMessage() == '"GET /?api_key=***"'
    assert record.args == ()


@pytest.mark.parametrize(
    ("environment", "configured_server", "expected"),
    [
        ("from-env", SERVER, "from-env"),
        ("from-env", "http://localhost/api", "from-env"),
        ("", SERVER, "configured"),
        ("  ", "https://www.openml.org/another/path", "configured"),
        ("", "http://www.openml.org/api/v1/xml", ""),
        ("", "https://test.openml.org/api/v1/xml", ""),
        ("", "https://www.openml.org:8443/api/v1/xml", ""),
    ],
)
def test_which_key_is_sent(
    monkeypatch: pytest.MonkeyPatch, environment: str, configured_server: str, expected: str
) -> None:
    monkeypatch.setenv("OPENML_API_KEY", environment)
    assert api_key(SimpleNamespace(apikey="configured", server=configured_server), SERVER) == expected


@pytest.mark.parametrize(
    ("server", "address", "expected"),
    [
        (SERVER, SERVER + "/task/1", True),
        (SERVER, "https://api.openml.org/data/v1/download/61/iris.arff", True),
        (SERVER, "https://openml.org/data", True),
        (SERVER, "http://www.openml.org/data/v1/download/61/iris.arff", False),
        (SERVER, "https://www.openml.org.example.com/data", False),
        (SERVER, "https://notopenml.org/data", False),
        (SERVER, "https://www.openml.org@example.com/data", False),
        ("http://localhost:1/api", "http://localhost:1/data", True),
        ("http://localhost:1/api", "http://localhost:2/data", False),
        ("http://localhost:1/api", "https://www.openml.org/data", False),
    ],
)
def test_where_the_key_may_go(server: str, address: str, expected: bool) -> None:
    assert Connection(server, 1.0, 1, KEY).trusts(address) is expected


@pytest.mark.parametrize(
    "address", [SERVER, SERVER + "/", "http://localhost:8080/api/v1/xml", "http://[::1]:80/api"]
)
def test_servers_that_can_be_used(address: str) -> None:
    assert checked_server(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "openml",
        "file:///etc/passwd",
        "https://",
        "https://name:secret@host/api",
        "http://host/?key=secret",
        "http://host/#secret",
        "http://host:port/api",
    ],
)
def test_servers_that_cannot(address: str) -> None:
    with pytest.raises(ParameterError) as caught:
        checked_server(address)
    assert "secret" not in str(caught.value)
