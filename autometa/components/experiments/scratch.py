"""A folder for the temporary files of a process that may be killed, and so cannot remove them itself."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from autometa.foundation.errors import EvaluationError

__all__ = ["Scratch"]

PREFIX = (
    "autometa-s-"  # short: sockets lie in such folders, and their paths must not have more than 104 characters
)
LOCK_FILE = "lock"
# A folder is not locked in its first moments, on a machine that is very busy.
YOUNG_SECONDS = 120.0


class Scratch:
    """A folder in the system's place for temporary files, until `remove`.

    Its owner holds a lock in it: one whose owner was killed is removed by a process that makes another, later.

    Raises
    ------
    EvaluationError
        If it cannot be made, for example because the disk is full.
    """

    def __init__(self) -> None:
        try:
            _remove_abandoned(tempfile.gettempdir())
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            # Of all threads: the one that stops a sandbox need not be the one that started it.
            self._lock = FileLock(self.path / LOCK_FILE, thread_local=False)
            self._lock.acquire()
        except OSError as error:
            raise EvaluationError(
                f"No folder for the temporary files of a cell can be made: {error}. Make space there, or let "
                "TMPDIR name another place; then give the same command again."
            ) from error

    def remove(self) -> None:
        """Remove the folder with what lies in it."""
        self._lock.release()  # first: not every system removes a file that is open
        shutil.rmtree(self.path, ignore_errors=True)


@cache
def _remove_abandoned(parent: str) -> None:
    """Remove the folders of owners that are gone; once a process."""
    for lock in Path(parent).glob(f"{PREFIX}*/{LOCK_FILE}"):
        with contextlib.suppress(OSError, Timeout):  # somebody else's, or in use
            if time.time() - lock.stat().st_mtime > YOUNG_SECONDS:
                with FileLock(lock, timeout=0):
                    shutil.rmtree(lock.parent, ignore_errors=True)
