"""Threads of the libraries that compute, for the whole process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

__all__ = ["one_thread"]


class _Limit:
    """Holds the limit for as long as somebody uses it: users that end in any order leave none behind."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_users = 0
        self._limits: Any = None

    def take(self) -> None:
        from threadpoolctl import threadpool_limits

        with self._lock:
            if not self._n_users:
                self._limits = threadpool_limits(limits=1)
            self._n_users += 1

    def give_back(self) -> None:
        with self._lock:
            self._n_users -= 1
            if not self._n_users:
                self._limits.restore_original_limits()


_limit = _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let BLAS and OpenMP use one thread for a while; the last of several users puts back what was before.

    On arrays of some hundred rows more threads gain nothing, and on a busy machine they wait for each other.
    """
    _limit.take()
    try:
        yield
    finally:
        _limit.give_back()
