"""Which server, how patiently, and with which key; the key is kept out of every text."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from autometa.foundation.errors import ParameterError

__all__ = ["Connection", "KeyFilter", "api_key", "checked_server"]

KEY_VARIABLE = "OPENML_API_KEY"
HIDDEN = "***"
OPENML_DOMAIN = "openml.org"


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a server.

    Attributes
    ----------
    server : str
        Address of the XML interface, without a slash at the end.
    timeout : float
        Seconds to wait for a connection, and for each next piece of an answer.
    retries : int
        How often a request is made before giving up; at least 1.
    key : str
        API key, or the empty string. Never shown, not even by ``repr``.
    """

    server: str
    timeout: float
    retries: int
    key: str = field(default="", repr=False)

    def trusts(self, address: str) -> bool:
        """Whether the key may be sent there: to the server itself, and among OpenML's own hosts.

        Descriptions name the address of the data, on openml.org another host than that of the interface.
        """
        if origin(address) == origin(self.server):
            return True
        return all(urlsplit(each).scheme == "https" and _is_openml(each) for each in (address, self.server))

    def scrub(self, text: str) -> str:
        """Return `text` without the key."""
        for form in {self.key, quote(self.key, safe=""), quote_plus(self.key)} - {""}:
            text = text.replace(form, HIDDEN)
        return re.sub(r"(api_key=)[^&\s'\")]+", rf"\g<1>{HIDDEN}", text)


class KeyFilter(logging.Filter):
    """Takes the key out of log records; urllib3 logs whole addresses at level DEBUG."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; none is dropped."""
        record.msg, record.args = self._connection.scrub(record.getMessage()), ()
        return True


def origin(address: str) -> tuple[str, str]:
    """Return scheme and host with port of an address."""
    parts = urlsplit(address)
    return parts.scheme, parts.netloc


def _is_openml(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host == OPENML_DOMAIN or host.endswith("." + OPENML_DOMAIN)


def checked_server(address: str) -> str:
    """Return a server's address without a slash at the end.

    Raises
    ------
    ParameterError
        If it is not an http(s) address, or carries a user, a query or a fragment.
    """
    parts = urlsplit(address)
    is_host = re.fullmatch(r"([A-Za-z0-9_.\-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", parts.netloc)
    if parts.scheme not in {"http", "https"} or not is_host:
        raise ParameterError(
            f"OpenML server {address.split('@')[-1]!r} is not an address of the form "
            "'https://www.openml.org/api/v1/xml'; set AUTOMETA_OPENML_SERVER or give server=...",
        )
    if parts.query or parts.fragment:
        raise ParameterError("The address of the OpenML server must not carry a query; keys are read elsewhere.")
    return address.rstrip("/")


def api_key(config: Any, server: str) -> str:
    """Return the key of ``OPENML_API_KEY``, else that of the client's own configuration if it is for this server.

    Parameters
    ----------
    config : module
        ``openml.config``.
    server : str
        The server that will be asked; a key configured for another server is not sent to it.
    """
    from_environment = os.environ.get(KEY_VARIABLE, "").strip()
    if from_environment:
        return from_environment
    return str(config.apikey or "") if origin(str(config.server)) == origin(server) else ""
