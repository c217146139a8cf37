"""Processes that do not outlive the one that needs them, even if that is killed with SIGKILL."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

__all__ = ["die_with_parent"]

POLL_SECONDS = 0.5
PR_SET_PDEATHSIG = 1

_started = threading.Event()


def die_with_parent(parent: int, *, kernel: bool, also_when: Callable[[], bool] = lambda: False) -> None:
    """End this process as soon as its parent is gone.

    Parameters
    ----------
    parent : int
        Process id of the parent.
    kernel : bool
        Also ask the kernel (Linux), which works even while a library holds the interpreter's lock. The kernel's
        signal follows the parent's *thread* that started this process; pass False where that thread may end first.
    also_when : callable
        A second reason to end, asked every half second.
    """
    if _started.is_set():
        return
    _started.set()
    if kernel and sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent and not also_when():
            time.sleep(POLL_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, name="autometa-lifeline", daemon=True).start()
