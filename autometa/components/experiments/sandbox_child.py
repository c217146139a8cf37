"""The child's side of a sandbox: ``python -m autometa.components.experiments.sandbox_child PARENT``.

Reads pickled requests from standard input and writes pickled answers to standard output. Both ends belong to one
user's processes; nothing that comes from elsewhere is unpickled.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from autometa.components.experiments.lifeline import die_with_parent
from autometa.components.experiments.outcome import Begin, Work

__all__ = ["main"]

# A child without work leaves, so that a finished experiment does not hold its last tasks in memory.
IDLE_SECONDS = 60.0
MAX_MESSAGE = 2000


def _no_work(job: Any, begin: Begin) -> Any:
    raise RuntimeError("The sandbox was given a job before its work.")


@dataclass
class _Child:
    requests: BinaryIO
    answers: BinaryIO
    process: psutil.Process = field(default_factory=psutil.Process)
    work: Work = _no_work
    idle_since: float | None = None

    def is_tired(self) -> bool:
        since = self.idle_since
        return since is not None and time.monotonic() - since > IDLE_SECONDS

    def serve(self) -> None:
        while True:
            self.idle_since = time.monotonic()
            try:
                work, job = pickle.load(self.requests)  # noqa: S301 - from the parent process
            except EOFError:
                return
            self.idle_since = None
            self._answer("ready", None)
            self._answer(*self._do(work, job))

    def _do(self, work: bytes | None, job: bytes) -> tuple[Any, ...]:
        start = self.process.memory_info().rss

        def begin(note: Any = None) -> None:
            nonlocal start
            reset_peak_memory()
            start = self.process.memory_info().rss
            self._answer("begin", start, note)

        try:
            if work is not None:
                self.work = pickle.loads(work)  # noqa: S301 - from the parent process
            value = pickle.dumps(self.work(pickle.loads(job), begin))  # noqa: S301 - from the parent process
        except MemoryError as error:
            return "failed", "memory", f"MemoryError: {error}"[:MAX_MESSAGE], peak_memory(start)
        except Exception as error:
            return "failed", "error", f"{type(error).__name__}: {error}"[:MAX_MESSAGE], peak_memory(start)
        return "done", value, peak_memory(start), self.process.memory_info().rss

    def _answer(self, *message: Any) -> None:
        pickle.dump(message, self.answers)
        self.answers.flush()


def reset_peak_memory() -> None:
    """Set the kernel's high-water mark of resident memory back to the present (Linux; elsewhere nothing)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory(start: int) -> int:
    """Return the highest resident memory since the last reset, above `start`.

    Parameters
    ----------
    start : int
        Bytes.

    Returns
    -------
    int
        Bytes; 0 where the system does not tell.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    kibibytes = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
    return max(0, kibibytes * 1024 - start)


def main() -> None:
    """Serve the parent until it closes the pipe or is gone."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a learner prints must not get between the answers
    sys.stdout = sys.stderr
    child = _Child(requests=sys.stdin.buffer, answers=answers)
    die_with_parent(int(sys.argv[1]), kernel=True, also_when=child.is_tired)
    with contextlib.suppress(BrokenPipeError):
        child.serve()


if __name__ == "__main__":
    main()
