"""Progress on standard error: a bar with the time left in a terminal, a line in the log now and then elsewhere."""

from __future__ import annotations

import logging
import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

__all__ = ["Progress"]

LOG_SECONDS = 30.0

_logger = logging.getLogger(__name__)


class Progress:
    """Shows how far a run is.

    Parameters
    ----------
    total : int
        Jobs to do.
    description : str
    console : rich.console.Console, optional
        Default: standard error.
    log_seconds : float
        Seconds between two lines in the log where there is no terminal.
    """

    def __init__(
        self, total: int, description: str, *, console: Console | None = None, log_seconds: float = LOG_SECONDS
    ) -> None:
        self.total = total
        self.description = description
        self.statuses: Counter[str] = Counter()
        self._log_seconds = log_seconds
        self._started = self._logged = time.monotonic()
        console = console or Console(stderr=True)
        self._bar = _bar(console) if console.is_terminal else None
        self._line = None if self._bar is None else self._bar.add_task(description, total=total, failed="")

    def advance(self, status: str) -> None:
        """Count one job.

        Parameters
        ----------
        status : str
            How it ended.
        """
        self.statuses[status] += 1
        if self._bar is not None and self._line is not None:
            self._bar.update(self._line, advance=1, failed=self._failures())
        elif time.monotonic() - self._logged >= self._log_seconds:
            self._log()

    def _failures(self) -> str:
        return " ".join(f"{name} {count}" for name, count in sorted(self.statuses.items()) if name != "ok")

    def _log(self) -> None:
        self._logged = time.monotonic()
        done = self.statuses.total()
        elapsed = self._logged - self._started
        left = elapsed / done * (self.total - done) if done else float("nan")
        _logger.info(
            "%s: %d of %d done in %.0f s, about %.0f s left. %s",
            self.description,
            done,
            self.total,
            elapsed,
            left,
            self._failures(),
        )

    def __enter__(self) -> Self:
        self._started = self._logged = time.monotonic()
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self.total:
            self._log()


def _bar(console: Console) -> RichProgress:
    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}"),
        console=console,
        speed_estimate_period=600.0,  # cells differ widely in seconds: a short look back would make it jump
    )
