"""A sandbox: one persistent child process that does jobs under limits and is replaced when it breaks one."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from autometa.components.experiments.outcome import GIBIBYTE, UNPREPARED, Limits, Outcome
from autometa.components.experiments.scratch import Scratch

__all__ = ["Sandbox", "resident_memory"]

CHILD_MODULE = "autometa.components.experiments.sandbox_child"
POLL_SECONDS = 0.05
# Importing pandas and scikit-learn takes 1.5 s on an idle core; a loaded machine may need many times that.
STARTUP_SECONDS = 120.0
# A child that rests above this is replaced: what earlier cells left behind would blur the next one's figures.
MAX_RESTING_MEMORY = 2 * GIBIBYTE
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
_TEMPORARY_VARIABLES = ("TMPDIR", "TEMP", "TMP")


class Sandbox:
    """One child process, started on first use.

    Its numerical libraries use as many threads as the job's limits allow cores, one unless they say otherwise, so
    that seconds mean seconds of a core. It ends with its owner, and its temporary files go with it.
    """

    def __init__(self) -> None:
        self._child: _ChildHandle | None = None
        self._configured: str = ""
        self._stopped = threading.Event()

    @property
    def pid(self) -> int | None:
        """Process id of the child, if there is one."""
        return None if self._child is None else self._child.process.pid

    def start(self, cores: int = 1) -> None:
        """Start the child before its first job, so that what it imports is loaded beside other work.

        Parameters
        ----------
        cores : int
        """
        if self._child is not None and self._child.cores != cores:
            self.close()
        if self._child is None and not self._stopped.is_set():
            self._child, self._configured = _ChildHandle(cores), ""
            if self._stopped.is_set():  # by another thread, meanwhile
                self.close()

    def run(self, work: bytes, token: str, job: Any, limits: Limits) -> Outcome:
        """Do one job in the child.

        Parameters
        ----------
        work : bytes
            A pickled `Work`; sent to the child only when `token` changes or the child is new.
        token : str
            Stands for `work`.
        job : Any
        limits : Limits

        Returns
        -------
        Outcome
        """
        child = self._deliver(work, token, pickle.dumps(job), limits.cores)
        if child is None:
            return Outcome("crash", message="The child process of the sandbox could not be started.")
        outcome, keep = _Watch(child, limits).result()
        if not keep:
            self.close()
        return outcome

    def _deliver(self, work: bytes, token: str, job: bytes, cores: int) -> _ChildHandle | None:
        """Hand the job over; a child that left (idle, or killed between jobs) is replaced once."""
        for _ in range(2):
            self.start(cores)
            child = self._child
            if child is None:
                return None
            if child.send((work if token != self._configured else None, job)) and child.receive(STARTUP_SECONDS):
                self._configured = token
                return child
            self.close()
        return None

    def close(self) -> None:
        """Kill the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def stop(self) -> None:
        """Kill the child for good, from any thread: a job under way ends as a crash, and so do all later ones."""
        self._stopped.set()
        self.close()


class _ChildHandle:
    """The process, its pipes, and a thread that turns what comes out of it into messages."""

    def __init__(self, cores: int) -> None:
        self.cores = cores
        scratch = Scratch()
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", CHILD_MODULE, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(cores, scratch.path),
            start_new_session=True,
        )
        self._messages: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        threading.Thread(target=_pump, args=(self.process.stdout, self._messages), daemon=True).start()
        self._finalizer = weakref.finalize(self, _kill, self.process, os.getpid(), scratch)

    def send(self, message: Any) -> bool:
        """Send; False if the child is gone."""
        try:
            pickle.dump(message, self.process.stdin)  # type: ignore[arg-type]
            self.process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            return False
        return True

    def receive(self, seconds: float) -> tuple[Any, ...] | None:
        """Return the next message, or None if the child is gone or silent for `seconds`."""
        try:
            return self._messages.get(timeout=seconds)
        except queue.Empty:
            return None

    def is_gone(self) -> bool:
        """Whether the child has ended."""
        return self.process.poll() is not None

    def resident(self) -> int:
        """Resident memory of the child and of what it started, bytes; 0 if it is gone."""
        return resident_memory(self.process.pid)

    def kill(self) -> None:
        """Kill the child and what it started, and remove their temporary files."""
        self._finalizer()


class _Watch:
    """One job under way: deadline and memory."""

    def __init__(self, child: _ChildHandle, limits: Limits) -> None:
        self.child = child
        self.limits = limits
        self.has_begun = False
        self.deadline = time.monotonic() + limits.preparation
        self.start = child.resident()
        self.highest = self.start
        self.note: Any = None

    def result(self) -> tuple[Outcome, bool]:
        """Wait for the end; also say whether the child can go on."""
        outcome, keep = self._end()
        return replace(outcome, note=self.note), keep

    def _end(self) -> tuple[Outcome, bool]:
        while True:
            message = self.child.receive(max(0.0, min(POLL_SECONDS, self.deadline - time.monotonic())))
            if message is None:
                broken = self._broken_limit()
                if broken is not None:
                    return broken, False
            elif message[0] == "begin":
                self.has_begun = True
                self.start = self.highest = message[1]
                self.note = message[2]
                self.deadline = time.monotonic() + self.limits.seconds
            elif message[0] == "failed":
                return Outcome(message[1], message=message[2], peak_memory=message[3]), message[1] != "memory"
            else:
                _, value, peak, resting = message
                return self._judged(pickle.loads(value), peak), resting < MAX_RESTING_MEMORY  # noqa: S301

    def _judged(self, value: Any, peak: int) -> Outcome:
        peak = max(peak, self.highest - self.start)  # the child's own, and what was seen of those that it started
        if peak > self.limits.memory:  # grew and shrank between two looks
            return Outcome("memory", message=self._memory_message(peak), peak_memory=peak)
        return Outcome("ok", value, peak_memory=peak)

    def _broken_limit(self) -> Outcome | None:
        resident = self.child.resident()
        self.highest = max(self.highest, resident)
        peak = self.highest - self.start
        if self.child.is_gone():
            return Outcome("crash", message=_last_words(self.child.process.wait()), peak_memory=peak)
        if peak > self.limits.memory:
            return Outcome("memory", message=self._memory_message(peak), peak_memory=peak)
        if time.monotonic() >= self.deadline:
            return self._late(peak)
        return None

    def _late(self, peak: int) -> Outcome:
        if not self.has_begun:
            message = f"{UNPREPARED} {self.limits.preparation:g} s."
            return Outcome("error", message=message, peak_memory=peak)
        seconds = self.limits.seconds
        return Outcome("timeout", message=f"Ran past {seconds:g} s.", peak_memory=peak, seconds=seconds)

    def _memory_message(self, peak: int) -> str:
        return f"Grew by {peak / GIBIBYTE:.2f} GiB; {self.limits.memory / GIBIBYTE:.2f} GiB are allowed."


def _pump(stream: BinaryIO, messages: queue.SimpleQueue[tuple[Any, ...] | None]) -> None:
    with stream, contextlib.suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
        while True:
            messages.put(pickle.load(stream))  # noqa: S301 - from our own child
    messages.put(None)


def _kill(process: subprocess.Popen[bytes], owner: int, scratch: Scratch) -> None:
    if os.getpid() != owner:
        return  # a fork of the owner must leave the owner's child alone
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg") and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]
    scratch.remove()


def _last_words(code: int) -> str:
    if code < 0:
        return f"The process died of {signal.Signals(-code).name}."
    return f"The process left with exit code {code}."


def _environment(cores: int, temporary: Path) -> dict[str, str]:
    paths = [path or os.getcwd() for path in sys.path]
    return {
        **os.environ,
        **dict.fromkeys(_THREAD_VARIABLES, str(cores)),
        **dict.fromkeys(_TEMPORARY_VARIABLES, str(temporary)),
        "PYTHONPATH": os.pathsep.join(paths),
    }


def resident_memory(pid: int) -> int:
    """Return the resident memory of a process and, on Linux, of all that it started, bytes; 0 if it is gone.

    Parameters
    ----------
    pid : int

    Returns
    -------
    int
        What several processes share counts for each of them.
    """
    total, left = 0, [pid]
    while left:
        process = left.pop()
        try:
            total += int(psutil.Process(process).memory_info().rss)
            # One small file a thread: psutil's way to the children reads the table of all processes.
            for file in Path(f"/proc/{process}/task").glob("*/children"):
                left += [int(child) for child in file.read_text().split()]
        except (psutil.Error, OSError):
            continue
    return total
