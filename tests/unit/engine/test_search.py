"""The search with workers that only pretend: what is asked of them, and what is made of their answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autometa.components.experiments import Cell, Limits
from autometa.components.experiments.cells import CellKey
from autometa.components.experiments.outcome import UNPREPARED
from autometa.decision.policy.belief import Assumptions
from autometa.domain import Candidate, Configuration, Evaluation, Task
from autometa.engine.evidence import Ladder, Search, SearchResult

CANDIDATES = [
    Candidate("a", Configuration(x=1)),
    Candidate("a", Configuration(x=2)),
    Candidate("b", Configuration()),
]
Answer = Callable[[Cell], Evaluation]


class Pretending:
    """Workers that answer at once."""

    n_workers = 2

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[Cell, Limits]] = []
        self._open: list[Cell] = []
        self.is_cleared = False

    @property
    def under_way(self) -> int:
        return len(self._open)

    def submit(self, cell: Cell, limits: Limits) -> None:
        self.asked.append((cell, limits))
        self._open.append(cell)

    def finished(self, seconds: float) -> list[tuple[Cell, Evaluation]]:
        cell = self._open.pop(0)
        return [(cell, self.answer(cell))]

    def clear(self) -> None:
        self.is_cleared = True


def scored(cell: Cell, loss: float, seconds: float = 0.1) -> Evaluation:
    scores = {"log_loss": loss}
    return Evaluation(*cell.key, status="ok", scores=scores, fit_seconds=seconds, predict_seconds=0.0)


def by_quality(losses: dict[str, float]) -> Answer:
    def answer(cell: Cell) -> Evaluation:
        return scored(cell, losses[cell.candidate.id] + 0.02 * np.sin(7.0 * cell.split))

    return answer


QUALITY = {CANDIDATES[0].id: 0.5, CANDIDATES[1].id: 0.2, CANDIDATES[2].id: 0.6}


def search(
    answer: Answer, *, seconds: float = 60.0, cold: bool = False, **more: Any
) -> tuple[Pretending, SearchResult]:
    task = Task.from_arrays(np.arange(900.0)[:, None], np.arange(900) % 2)
    ladder = Ladder.of(task)
    workers = Pretending(answer)
    predicted = np.full((3, len(ladder.sizes)), 0.1)
    if cold:
        predicted[2] = np.nan
    assumptions = Assumptions(
        mean=np.array([-0.5, 0.0, 0.5]),
        surprise=np.eye(3),
        drift=np.eye(3),
        trend=np.zeros(3),
        curve=(0.05, 0.0),
        scales=np.ones(1),
        unit=0.05,
        n_full=900,
    )
    settings: dict[str, Any] = {"unavailable": np.zeros(3, dtype=bool), **more}
    deadline = time.monotonic() + seconds
    found = Search(CANDIDATES, assumptions, predicted, ladder, workers, deadline, **settings).run()  # type: ignore[arg-type]
    assert workers.is_cleared
    return workers, found


def test_the_best_is_found_and_the_search_ends_when_it_is_sure() -> None:
    workers, found = search(by_quality(QUALITY))
    assert found.ending == "settled"
    assert int(np.argmin(found.belief.risk)) == 1
    assert found.compares
    keys = [cell.key for cell, _ in workers.asked]
    assert len(keys) == len(set(keys)) == len(found.runs), "no run is made twice"


def test_the_same_answers_lead_to_the_same_search() -> None:
    (one, _), (two, _) = (search(by_quality(QUALITY)) for _ in range(2))
    assert [cell for cell, _ in one.asked] == [cell for cell, _ in two.asked]


def test_no_run_is_cut_short_near_the_end_and_then_called_slow() -> None:
    workers, _ = search(by_quality(QUALITY), seconds=60.0)
    assert all(limits.seconds == pytest.approx(12.0, rel=0.01) for _, limits in workers.asked)


def test_what_is_unavailable_is_neither_run_nor_chosen() -> None:
    workers, found = search(by_quality(QUALITY), unavailable=np.array([False, True, False]))
    assert CANDIDATES[1] not in {cell.candidate for cell, _ in workers.asked}
    assert found.ending == "settled"


def test_runs_that_would_not_end_in_time_are_not_begun() -> None:
    workers, found = search(by_quality(QUALITY), seconds=0.5)
    assert (found.ending, workers.asked) == ("time", [])


def test_time_that_is_reserved_is_not_spent() -> None:
    workers, found = search(by_quality(QUALITY), seconds=30.0, reserve=lambda best, factors: 31.0)
    assert (found.ending, workers.asked, found.runs) == ("time", [], ())
    assert not found.compares


@pytest.mark.parametrize("status", ["error", "memory", "crash"])
def test_a_candidate_that_fails_is_left_out_with_the_reason(status: str) -> None:
    def answer(cell: Cell) -> Evaluation:
        if cell.candidate == CANDIDATES[1]:
            return Evaluation(*cell.key, status=status, message="because")  # type: ignore[arg-type]
        return scored(cell, QUALITY[cell.candidate.id])

    workers, found = search(answer)
    assert list(found.failures) == [1]
    assert status in found.failures[1]
    assert "because" in found.failures[1]
    assert sum(cell.candidate == CANDIDATES[1] for cell, _ in workers.asked) <= workers.n_workers


@pytest.mark.parametrize("cold", [True, False])
def test_a_slow_candidate_is_not_tried_again_and_left_out_only_if_nothing_is_known_of_it(cold: bool) -> None:
    def answer(cell: Cell) -> Evaluation:
        if cell.candidate == CANDIDATES[2]:
            return Evaluation(*cell.key, status="timeout", message="Ran past 12 s.", fit_seconds=12.0)
        return scored(cell, QUALITY[cell.candidate.id])

    _, found = search(answer, cold=cold)
    assert list(found.failures) == ([2] if cold else [])
    assert all(run.candidate != 2 for run in found.runs)


def unprepared(n_overruns: float) -> Answer:
    """Preparations of strategy b run past their limit so many times."""
    overruns: list[CellKey] = []

    def answer(cell: Cell) -> Evaluation:
        if cell.candidate.strategy == "b" and len(overruns) < n_overruns:
            overruns.append(cell.key)
            return Evaluation(*cell.key, status="error", message=f"{UNPREPARED} 24 s.")
        return scored(cell, QUALITY[cell.candidate.id] if cell.candidate.strategy == "a" else 0.1)

    return answer


def test_preparations_that_take_too_long_say_nothing_of_the_candidate() -> None:
    workers, found = search(unprepared(np.inf))
    assert not found.failures
    limits = [limits.preparation for cell, limits in workers.asked if cell.candidate.strategy == "b"]
    assert max(limits) == pytest.approx(2 * min(limits)), "the second attempt has twice the limit"
    assert limits.count(max(limits)) == 1, "by one process, and there is no third one"


def test_a_strategy_whose_preparations_were_stopped_once_is_tried_again_and_may_win() -> None:
    workers, found = search(unprepared(1))
    assert int(np.argmin(found.belief.risk)) == 2
    assert {run.repetition for run in found.runs if run.candidate == 2} >= {0}, "what was stopped is made up for"
    limits = [limits.preparation for cell, limits in workers.asked if cell.candidate.strategy == "b"]
    assert min(limits) == pytest.approx(0.4 * 60.0, rel=0.1)


def test_no_second_attempt_is_begun_where_what_was_seen_would_not_end_in_time() -> None:
    asked = []

    def reserve(best: int, factors: np.ndarray) -> float:
        return 45.0 if asked else 0.0  # 15 seconds are left, 24 were seen not to suffice

    def answer(cell: Cell) -> Evaluation:
        asked.append(cell)
        return unprepared(np.inf)(cell)

    workers, found = search(answer, reserve=reserve)
    assert 1 <= sum(cell.candidate.strategy == "b" for cell, _ in workers.asked) <= workers.n_workers
    assert found.ending == "time"


def test_ctrl_c_returns_what_is_known() -> None:
    def interrupt(progress: Any) -> None:
        if progress.n_runs == 2:
            raise KeyboardInterrupt

    _, found = search(by_quality(QUALITY), progress=interrupt)
    assert (found.ending, len(found.runs)) == ("interrupted", 2)


def test_a_strategy_of_unknown_speed_climbs_rung_by_rung() -> None:
    workers, _ = search(by_quality({**QUALITY, CANDIDATES[2].id: 0.1}), cold=True)
    sizes = [cell.train_size for cell, _ in workers.asked if cell.candidate == CANDIDATES[2]]
    assert sizes[0] == 256
    assert all(size in (256, 512, 630) for size in sizes)
    first = {size: sizes.index(size) for size in set(sizes)}
    assert [first[size] for size in sorted(first)] == sorted(first.values())


def test_runs_are_stopped_at_the_memory_that_one_fit_may_take() -> None:
    workers, _ = search(by_quality(QUALITY), max_memory=123_000_000)
    assert {limits.memory for _, limits in workers.asked} == {123_000_000}
    workers, _ = search(by_quality(QUALITY))
    assert {limits.memory for _, limits in workers.asked} == {Limits().memory}
