"""The journal: an append-only file of JSON lines that survives the death of its writer at any moment.

The first line says what the file is and which protocol its results follow. Every further line is one record, which
the operating system has before the next result is waited for. When the journal is opened again, a last line that
was cut off is dropped; anything else that is not a record is an error.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from autometa.foundation.errors import StoreError

__all__ = ["Journal", "read_journal"]

FORMAT = "autometa-journal"
VERSION = 1
FSYNC_SECONDS = 1.0


class Journal:
    """The writer: one per file at a time, which a lock enforces.

    Parameters
    ----------
    path : Path
        Created with its folder if it is not there.
    protocol : mapping
        What the results depend on (seeds, caps, splits); JSON values. A journal that was begun with another
        protocol is refused.

    Raises
    ------
    StoreError
        If the file is not a journal, is damaged, follows another protocol, is being written by another process, or
        cannot be written.
    """

    def __init__(self, path: Path, protocol: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._protocol = json.loads(json.dumps(dict(protocol)))
        self._synced = time.monotonic()
        self._lock = FileLock(f"{self.path}.lock")
        with self._explained("open"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._acquire()
        try:
            with self._explained("open"):
                self._prepare()
        except BaseException:
            self._lock.release()
            raise

    def _acquire(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise StoreError(
                f"{self.path} is being written by another process. Wait for it, stop it, or use another "
                "workspace.",
                path=str(self.path),
            ) from error

    def _prepare(self) -> None:
        size = self.path.stat().st_size if self.path.exists() else 0
        kept = _check(self.path, self._protocol) if size else 0
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if kept < size:
                os.ftruncate(self._file, kept)
            if not kept:
                self._write({"format": FORMAT, "version": VERSION, "protocol": self._protocol})
        except BaseException:
            os.close(self._file)
            raise

    def append(self, kind: str, record: Mapping[str, Any]) -> None:
        """Write one record and hand it to the operating system; it is on the disk within a second.

        Parameters
        ----------
        kind : str
        record : mapping
            JSON values; NaN becomes null.

        Raises
        ------
        StoreError
            If it cannot be written, for example because the disk is full.
        """
        with self._explained("write to"):
            self._write({"kind": kind, **record})
            if time.monotonic() - self._synced > FSYNC_SECONDS:
                self._sync()

    def _write(self, record: Mapping[str, Any]) -> None:
        line = json.dumps(_without_nan(record), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        written = os.write(self._file, line)
        while written < len(line):
            written += os.write(self._file, line[written:])

    def _sync(self) -> None:
        with contextlib.suppress(OSError) if not self.path.is_file() else contextlib.nullcontext():
            os.fsync(self._file)
        self._synced = time.monotonic()

    @contextlib.contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"Cannot {doing} the journal {self.path}: {error.strerror or error}. What it holds is safe; make "
                "room or repair the access, then give the same command again to go on.",
                path=str(self.path),
            ) from error

    def records(self) -> Iterator[dict[str, Any]]:
        """Read what has been written so far.

        Yields
        ------
        dict
        """
        return read_journal(self.path)

    def close(self) -> None:
        """Bring everything to the disk and let others write."""
        try:
            with self._explained("close"):
                self._sync()
        finally:
            os.close(self._file)
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Read a journal's records, also while it is being written.

    Parameters
    ----------
    path : Path

    Yields
    ------
    dict
        With the key "kind"; the first one has kind "header". A last line that is not complete is left out.

    Raises
    ------
    StoreError
        If the file is not there, is no journal, or is damaged before its last line.
    """
    try:
        with Path(path).open("rb") as file:
            for number, (record, _) in enumerate(_lines(path, file), start=1):
                if number == 1:
                    _check_header(path, record)
                    record = {"kind": "header", **record}
                yield record
    except OSError as error:
        raise StoreError(
            f"Cannot read the journal {path}: {error.strerror or error}. Is the path right?", path=str(path)
        ) from error


def _lines(path: Path, file: Any) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each complete record and the position of its end; stop before a cut-off last line."""
    end = 0
    damaged = 0
    for number, line in enumerate(file, start=1):
        if damaged:
            raise StoreError(
                f"Line {damaged} of {path} is not a record of an autometa journal: it is damaged or foreign. "
                "Restore it from a copy, or move it away and start anew.",
                path=str(path),
                line=damaged,
            )
        record = _parsed(line)
        if record is None:
            damaged = number
            continue
        end += len(line)
        yield record, end
    if damaged == 1 and end == 0:
        _check_header(path, {}, beginning=line)


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _check_header(path: Path, record: Mapping[str, Any], *, beginning: bytes = b"") -> None:
    own = json.dumps({"format": FORMAT}).replace(" ", "")[:-1].encode()
    if beginning and own.startswith(beginning[: len(own)]):
        return  # our own first line, cut off
    if record.get("format") != FORMAT:
        raise StoreError(
            f"{path} is not an autometa journal (its first line does not say {FORMAT!r}). It was left as it is; "
            "choose another workspace.",
            path=str(path),
        )
    if record.get("version") != VERSION:
        raise StoreError(
            f"{path} is a journal of version {record.get('version')!r}; this autometa reads version {VERSION}. "
            "Use the autometa that wrote it, or another workspace.",
            path=str(path),
        )


def _check(path: Path, protocol: Mapping[str, Any]) -> int:
    """Check a whole journal and return the number of bytes that are good."""
    end = 0
    with path.open("rb") as file:
        for number, (record, position) in enumerate(_lines(path, file), start=1):
            if number == 1:
                _check_header(path, record)
                _check_protocol(path, record["protocol"], protocol)
            end = position
    return end


def _check_protocol(path: Path, stored: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    different = [name for name in sorted({*stored, *asked}) if stored.get(name) != asked.get(name)]
    if different:
        facts = "; ".join(f"{name}: {stored.get(name)!r} there, {asked.get(name)!r} asked" for name in different)
        raise StoreError(
            f"{path} was begun with other settings ({facts}), and results of the two cannot be mixed. Give the "
            "settings that it was begun with, or another workspace.",
            path=str(path),
            different=different,
        )


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _without_nan(entry) for name, entry in value.items()}
    return [_without_nan(entry) for entry in value] if isinstance(value, list | tuple) else value
