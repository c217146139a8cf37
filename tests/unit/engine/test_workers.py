"""Workers over sandboxes that only pretend: which of them takes a cell."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from autometa.components.experiments import Cell, Limits, Outcome
from autometa.domain import Candidate, Configuration, Evaluation
from autometa.engine.evidence import Workers, workers


class Pretending:
    """A sandbox that says which process a cell was done by; a cell with the parameter "dies" kills it."""

    pids = count(1)

    def __init__(self) -> None:
        self.pid: int | None = next(self.pids)

    def start(self) -> None:
        self.pid = self.pid or next(self.pids)

    def stop(self) -> None:
        self.pid = None

    def run(self, work: bytes, token: str, job: Cell, limits: Limits) -> Outcome:
        self.start()
        said = Evaluation(*job.key, status="ok", message=str(self.pid))
        if "dies" in job.candidate.configuration:
            self.stop()
            return Outcome("crash", message=said.message)
        return Outcome("ok", said)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(workers, "Sandbox", Pretending)
    with Workers(2) as found:
        yield found


def process(two: Workers, strategy: str, **parameters: Any) -> str:
    """Return the process that did a cell."""
    two.submit(Cell("table", 0, 0, Candidate(strategy, Configuration(parameters))), Limits())
    [(_, evaluation)] = two.finished(10.0)
    return evaluation.message


def test_what_a_process_has_imported_is_used_again(two: Workers) -> None:
    first = process(two, "heavy")
    assert process(two, "other") != first, "the one that is idle for longest"
    assert [process(two, "heavy") for _ in range(3)] == [first] * 3


def test_a_process_that_was_killed_has_imported_nothing(two: Workers) -> None:
    first, second = process(two, "heavy"), process(two, "other")
    assert process(two, "heavy", dies=True) == first
    assert process(two, "heavy") == second, "the one that is idle for longest"
    assert process(two, "heavy") == second
