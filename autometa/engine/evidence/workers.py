"""Workers: one sandbox per core, each served by a thread, all of which can be stopped at once."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Condition
from types import TracebackType
from typing import Any, Self

from joblib import cpu_count, wrap_non_picklable_objects

from autometa.components.experiments import (
    Cell,
    EvaluationWork,
    Limits,
    Outcome,
    Sandbox,
    TaskCache,
    as_evaluation,
)
from autometa.domain import Evaluation, Strategy, Task
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import RandomState

__all__ = ["Workers"]


@dataclass(frozen=True)
class _InMemory:
    """A source of one task; it travels to a sandbox once."""

    task: Task

    def load(self, key: str) -> Task:
        """Return the task."""
        return self.task


class Workers:
    """Sandboxes that evaluate cells of one task; a context manager that stops them.

    Of those that are idle, one that was used for a cell's strategy takes it: what the strategy imports is there.

    Parameters
    ----------
    n_workers : int, optional
        Default: one per core.
    """

    def __init__(self, n_workers: int | None = None) -> None:
        self.n_workers = n_workers or cpu_count()
        self._sandboxes = [Sandbox() for _ in range(self.n_workers)]
        self._busy: set[Sandbox] = set()
        self._lock = Condition()
        self._idle: list[Sandbox] = []
        # Processes, and the strategies whose libraries they hold.
        self._prepared: set[tuple[int | None, str]] = set()
        self._threads = ThreadPoolExecutor(self.n_workers, thread_name_prefix="autometa-evidence")
        self._work, self._token = b"", ""
        self._under_way: dict[Future[Outcome], Cell] = {}
        self._idle += self._sandboxes
        self.start()

    @property
    def under_way(self) -> int:
        """Number of cells that are being evaluated."""
        return len(self._under_way)

    def prepare(
        self,
        task: Task,
        strategies: Mapping[str, Strategy],
        *,
        device: str,
        random_state: RandomState,
        keep_predictions: bool = False,
    ) -> None:
        """Say what the cells are of.

        Parameters
        ----------
        task : Task
            With splits.
        strategies : mapping of str to Strategy
        device : str
        random_state : int or None
        keep_predictions : bool
            Whether evaluations hold what was predicted.

        Raises
        ------
        ParameterError
            If a strategy or the task's scorer cannot be sent to another process.
        """
        tasks = TaskCache(_InMemory(task))
        work = EvaluationWork(tasks, dict(strategies), device, random_state, keep_predictions)
        # By value where it must be: a strategy that was defined in a notebook cannot be imported by a sandbox.
        try:
            self._work = pickle.dumps(wrap_non_picklable_objects(work, keep_wrapper=False))
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            asked = "" if task.scorer is None else f", or the scorer {task.scorer.metric.name!r},"
            raise ParameterError(
                f"A strategy{asked} cannot be sent to another process: {error}. What is given to make_scorer must "
                "hold no open files, locks or connections; without a time budget nothing is sent."
            ) from error
        self._token = hashlib.sha256(self._work).hexdigest()

    def submit(self, cell: Cell, limits: Limits) -> None:
        """Evaluate a cell as soon as a worker is free.

        Parameters
        ----------
        cell : Cell
        limits : Limits
        """
        self._under_way[self._threads.submit(self._run, cell, limits)] = cell

    def _run(self, cell: Cell, limits: Limits) -> Outcome:
        strategy = cell.candidate.strategy
        with self._lock:
            self._lock.wait_for(lambda: self._idle)
            sandbox = min(self._idle, key=lambda each: (each.pid, strategy) not in self._prepared)
            self._idle.remove(sandbox)
            self._busy.add(sandbox)
        try:
            outcome = sandbox.run(self._work, self._token, cell, limits)
            if as_evaluation(cell, outcome).status == "ok":
                self._prepared.add((sandbox.pid, strategy))
            return outcome
        finally:
            with self._lock:
                if sandbox in self._busy:
                    self._busy.remove(sandbox)
                    self._rest(sandbox)

    def _rest(self, sandbox: Sandbox) -> None:
        self._idle.append(sandbox)
        self._lock.notify()

    def finished(self, seconds: float) -> list[tuple[Cell, Evaluation]]:
        """Wait for at least one cell to end.

        Parameters
        ----------
        seconds : float
            Wait no longer.

        Returns
        -------
        list of (Cell, Evaluation)
            Empty if none ended in time.
        """
        done, _ = wait(self._under_way, timeout=max(seconds, 0.0), return_when=FIRST_COMPLETED)
        ended = [(future, self._under_way.pop(future)) for future in list(self._under_way) if future in done]
        return [(cell, as_evaluation(cell, future.result())) for future, cell in ended]

    def clear(self) -> None:
        """Kill the cells under way, at once; processes that are idle stay for further cells."""
        pending = {future for future in self._under_way if not future.cancel()}
        while pending:
            with self._lock:
                for sandbox in self._busy:
                    sandbox.stop()
                    self._sandboxes[self._sandboxes.index(sandbox)] = another = Sandbox()
                    self._rest(another)
                self._busy.clear()
            pending = wait(pending, timeout=0.05).not_done
        self._under_way.clear()

    def start(self) -> None:
        """Start the processes that are not there, so that what they import is loaded beside other work."""
        for sandbox in self._sandboxes:
            sandbox.start()

    def stop(self) -> None:
        """Kill everything that runs, at once."""
        for sandbox in self._sandboxes:
            sandbox.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._under_way.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        self.stop()
