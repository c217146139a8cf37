"""The HTTP session that runs under the ``openml`` client.

The client makes every call through one `requests.Session`, without a time-out; it dies of answers that are not
OpenML's and ignores Retry-After. This session adds time-outs, turns bad answers into the ``ConnectionError`` that
the client's retry loop knows, waits as long as the server asks, and sends the API key nowhere else.
"""

from __future__ import annotations

import email.utils
import re
import time
from datetime import UTC, datetime
from typing import Any
from xml.parsers.expat import ExpatError

import requests
import xmltodict

from autometa.components.openml.connection import Connection
from autometa.foundation.errors import OfflineError, OpenMLUnavailableError

__all__ = ["GuardedSession", "NoNetworkSession", "RequestsModule"]

# Seconds. A server that asks for more is reported as unavailable: the user knows better than to block for an hour.
MAX_RETRY_AFTER = 60.0
TRANSIENT = {408, 425, 429}
ARFF_DATA = re.compile(rb"^\s*@data", re.IGNORECASE | re.MULTILINE)


class GuardedSession(requests.Session):
    """A session with time-outs that only lets OpenML's answers through.

    Parameters
    ----------
    connection : Connection
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._attempts = 0

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Make one request.

        Raises
        ------
        requests.exceptions.ConnectionError
            If there is no answer in time, or one worth asking for again; without the key in its text.
        OpenMLUnavailableError
            If the answer is not OpenML's and asking again is pointless.
        """
        self._attempts += 1
        address = url.decode() if isinstance(url, bytes) else url
        if not self._connection.trusts(address):
            kwargs["params"] = {k: v for k, v in (kwargs.get("params") or {}).items() if k != "api_key"}
        kwargs["timeout"] = self._connection.timeout
        response = self._response(method, address, args, kwargs)
        # requests guesses Latin-1 where no charset is stated, and the client compares MD5 sums of the decoded text
        response.encoding = "utf-8"
        self._refuse_foreign(response, address)
        return response

    def _response(self, method: str, url: str, args: Any, kwargs: Any) -> requests.Response:
        try:
            return super().request(method, url, *args, **kwargs)
        except requests.RequestException as error:
            failure = f"{type(error).__name__}: {self._connection.scrub(str(error))}"
        # outside of the except block: the original, whose text holds the key, must not be chained
        raise requests.exceptions.ConnectionError(failure)

    def _refuse_foreign(self, response: requests.Response, url: str) -> None:
        problem = _problem(response, is_api=url.startswith(self._connection.server))
        if problem is None:
            return
        status = response.status_code
        text = f"{url} answered with status {status} and {problem}"
        if 400 <= status < 500 and status not in TRANSIENT:
            raise OpenMLUnavailableError(text, url=url, status=status)
        self._wait(_retry_after(response), text, url, status)
        raise requests.exceptions.ConnectionError(text)

    def _wait(self, seconds: float, text: str, url: str, status: int) -> None:
        if seconds > MAX_RETRY_AFTER:
            raise OpenMLUnavailableError(
                f"{text}, and asks to come back in {seconds:.0f} s (at most {MAX_RETRY_AFTER:.0f} are waited).",
                url=url,
                status=status,
                retry_after=seconds,
            )
        if self._attempts < self._connection.retries:
            time.sleep(seconds)


class NoNetworkSession(requests.Session):
    """A session that refuses every request: what is read from the cache must be in the cache."""

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Refuse.

        Raises
        ------
        OfflineError
            Always.
        """
        address = url.decode() if isinstance(url, bytes) else url
        raise OfflineError(f"{address} is not in the cache, and the network is not to be used.", url=address)


class RequestsModule:
    """Stands for the module ``requests`` inside the client, with another ``Session``."""

    def __init__(self, make_session: Any) -> None:
        self.Session = make_session

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)


def _problem(response: requests.Response, *, is_api: bool) -> str | None:
    """Say what is wrong with an answer; None if it is OpenML's."""
    if response.status_code == 200 and not is_api:
        return None if ARFF_DATA.search(response.content) else "something that is no ARFF file"
    root = _root(response.text)
    if root is None:
        return "something that is no OpenML XML" if response.content.strip() else "an empty body"
    is_error = root == "oml:error"
    if is_error is (response.status_code != 200):
        return None
    return "an error document" if is_error else "no error document"


def _root(text: str) -> str | None:
    """Return the name of an XML document's root if it is OpenML's."""
    try:
        name = next(iter(xmltodict.parse(text)), "")
    except (ExpatError, ValueError):
        return None
    return str(name) if str(name).startswith("oml:") else None


def _retry_after(response: requests.Response) -> float:
    """Return the seconds that a Retry-After header asks for; 0 without one."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+", value):
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
