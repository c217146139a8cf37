"""The search: run what promises most per second until the time is over, and say what is believed then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np

from autometa.components.experiments import Cell, Limits
from autometa.components.experiments.cells import CellKey
from autometa.components.experiments.outcome import UNPREPARED
from autometa.decision.policy.acquisition import Action, Costs, best_action
from autometa.decision.policy.belief import Assumptions, Belief
from autometa.decision.policy.evidence import RelativeEvidence, Run
from autometa.domain import Candidate, Evaluation
from autometa.engine.evidence.ladder import N_REPETITIONS, Ladder
from autometa.engine.evidence.preparation import Preparations
from autometa.engine.evidence.workers import Workers
from autometa.foundation.typing import BoolArray, FloatArray

__all__ = ["Search", "SearchProgress", "SearchResult"]

TASK = "table"
# Runs that are expected to lower the regret by less are not worth their seconds.
LEAST_GAIN = 1e-5
# A run may take so many times longer than predicted, and always this share of the budget, before it is stopped.
PATIENCE = 5.0
LEAST_SHARE = 0.2
LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """What is known after a run.

    Attributes
    ----------
    candidate : Candidate
        The one that was run.
    n_train : int
        Rows that it was fitted on.
    n_runs : int
        Runs so far.
    best : Candidate
        The one that is believed to be the best now.
    seconds_left : float
    """

    candidate: Candidate
    n_train: int
    n_runs: int
    best: Candidate
    seconds_left: float


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What the runs showed.

    Attributes
    ----------
    runs : tuple of Run
        In the order in which they ended; the failed ones too.
    belief : Belief
        Of all candidates, after all runs.
    failures : mapping of int to str
        Candidates that cannot be fitted on this table -> why.
    fit_factors : ndarray of float64, shape (n_candidates,)
        How many times longer fits take here than predicted.
    ending : {"time", "interrupted", "settled"}
        Why it ended: the time was over, Ctrl-C, or no further run was worth its seconds.
    seconds : float
    """

    runs: tuple[Run, ...]
    belief: Belief
    failures: Mapping[int, str]
    fit_factors: FloatArray
    ending: str
    seconds: float

    @property
    def compares(self) -> bool:
        """Whether two candidates were run on the same number of rows."""
        at = self.belief.evidence.n_train
        return len(np.unique(at)) < len(at)


@dataclass
class Search:
    """One search.

    Attributes
    ----------
    candidates : sequence of Candidate
    assumptions : Assumptions
        Of these candidates.
    predicted : ndarray of float64, shape (n_candidates, n_sizes)
        Seconds of one fit at each rung; NaN if nothing is known.
    ladder : Ladder
    workers : Workers
        Prepared.
    deadline : float
        Value of `time.monotonic` at which everything must be over.
    unavailable : ndarray of bool, shape (n_candidates,)
        Candidates that are neither run nor chosen.
    reserve : callable, optional
        Seconds to be left before the deadline, given the position of the candidate that is believed to be the best
        and the factors of fit times.
    progress : callable, optional
        Called with a `SearchProgress` after every run.
    max_memory : int, optional
        Bytes that one fit may take; default: as in every sandbox.
    """

    candidates: Sequence[Candidate]
    assumptions: Assumptions
    predicted: FloatArray
    ladder: Ladder
    workers: Workers
    deadline: float
    unavailable: BoolArray
    reserve: Callable[[int, FloatArray], float] = lambda best, factors: 0.0
    progress: Callable[[SearchProgress], None] | None = None
    max_memory: int | None = None
    _runs: list[Run] = field(default_factory=list, init=False)
    _failures: dict[int, str] = field(default_factory=dict, init=False)

    def run(self) -> SearchResult:
        """Search until the deadline; runs that are under way then are killed.

        Returns
        -------
        SearchResult
        """
        self._started = time.monotonic()
        self._budget = max(self.deadline - self._started, 0.0)
        self._costs = Costs(self.predicted, self.ladder.sizes, [c.strategy for c in self.candidates])
        self._metric, self._scorer = self.ladder.task.measure, self.ladder.task.scorer
        self._repetitions: dict[tuple[int, int], set[int]] = {}
        self._under_way: dict[CellKey, Action] = {}
        self._limits: dict[CellKey, Limits] = {}
        self._preparations = Preparations(self._budget)
        self._closed = np.zeros(self.predicted.shape, dtype=bool)
        self._position = {candidate.id: place for place, candidate in enumerate(self.candidates)}
        self._believe()
        try:
            ending = self._spend()
        except KeyboardInterrupt:
            ending = "interrupted"
        finally:
            self.workers.clear()
        return SearchResult(
            runs=tuple(self._runs),
            belief=self._belief,
            failures=self._failures,
            fit_factors=self._costs.factors(self._runs),
            ending=ending,
            seconds=time.monotonic() - self._started,
        )

    def _spend(self) -> str:
        """Make runs; return why no further one is made."""
        while (left := self._left()) > 0:
            self._fill_workers(left)
            if not self.workers.under_way:
                return "time" if self._is_worth_more_time() else "settled"
            for cell, evaluation in self.workers.finished(left):
                self._take(cell, evaluation)
        return "time"

    def _left(self) -> float:
        reserve = self.reserve(self._best(), self._costs.factors(self._runs))
        return self.deadline - time.monotonic() - reserve

    def _best(self) -> int:
        return int(np.argmin(np.where(self._excluded(), np.inf, self._belief.risk)))

    def _excluded(self) -> BoolArray:
        return self.unavailable | np.isin(np.arange(len(self.candidates)), list(self._failures))

    def _fill_workers(self, left: float) -> None:
        """Give every idle worker the run that promises most, those under way accounted for."""
        if self.workers.under_way >= self.workers.n_workers:
            return
        outlook = self._belief.outlook(self.ladder.sizes)
        for pending in self._under_way.values():
            outlook = outlook.after(pending.candidate, pending.size, pending.noise)
        seconds = self._costs.seconds(self._runs)
        while self.workers.under_way < self.workers.n_workers:
            allowed = self._allowed(seconds, left)
            action = best_action(self._belief, outlook, seconds, allowed, excluded=self._excluded())
            if action is None or action.gain < LEAST_GAIN:
                return
            self._submit(action)
            outlook = outlook.after(action.candidate, action.size, action.noise)

    def _is_worth_more_time(self) -> bool:
        """Whether a run would be made if it could end before the deadline."""
        seconds = self._costs.seconds(self._runs)
        outlook, allowed = self._belief.outlook(self.ladder.sizes), self._allowed(seconds, math.inf)
        action = best_action(self._belief, outlook, seconds, allowed, excluded=self._excluded())
        return action is not None and action.gain >= LEAST_GAIN

    def _allowed(self, seconds: FloatArray, left: float) -> BoolArray:
        """Return which runs may be made: in time, not too often, rung after rung where seconds are unknown."""
        strategies = [candidate.strategy for candidate in self.candidates]
        ahead = self._preparations.ahead(strategies, self._used())
        allowed = ~self._closed & (seconds + ahead[:, None] < left)
        # One process at a time makes the second attempt at slow preparations: they may be in vain.
        waited_for = {strategies[action.candidate] for action in self._under_way.values()}
        allowed[(ahead > 0) & np.isin(strategies, list(waited_for))] = False
        for (candidate, size), made in self._repetitions.items():
            allowed[candidate, size] &= len(made) < N_REPETITIONS
        for candidate in np.flatnonzero(np.isnan(self.predicted).all(axis=1)).tolist():
            ended = [run.n_train for run in self._runs if run.candidate == candidate]
            reached = int(np.searchsorted(self.ladder.sizes, max(ended))) + 1 if ended else 0
            allowed[candidate, reached + 1 :] = False
        return np.asarray(allowed)

    def _used(self) -> set[str]:
        """Return the strategies that some process was prepared for in time."""
        return {self.candidates[run.candidate].strategy for run in self._runs}

    def _submit(self, action: Action) -> None:
        place = (action.candidate, action.size)
        made = self._repetitions.setdefault(place, set())
        # The lowest one that is free: candidates are compared on the same splits.
        repetition = next(number for number in count() if number not in made)
        made.add(repetition)
        cell = Cell(TASK, repetition, int(self.ladder.sizes[action.size]), self.candidates[action.candidate])
        self._under_way[cell.key] = action
        patience = max(PATIENCE * action.seconds, LEAST_SHARE * self._budget, LEAST_SECONDS)
        # No shorter limit near the end: what the deadline stops has not shown that it is slow.
        limits = Limits(seconds=patience, preparation=self._preparations.limit(cell.candidate.strategy))
        self._limits[cell.key] = replace(limits, memory=self.max_memory) if self.max_memory else limits
        self.workers.submit(cell, self._limits[cell.key])

    def _take(self, cell: Cell, evaluation: Evaluation) -> None:
        """Learn from a run that ended."""
        action, limits = self._under_way.pop(cell.key), self._limits.pop(cell.key)
        value = evaluation.scores.get(self._metric.name, math.nan)
        seconds = evaluation.fit_seconds + evaluation.predict_seconds
        run = Run(action.candidate, cell.train_size, cell.split, self._loss(value), seconds)
        if evaluation.status == "ok":
            self._runs.append(run)
        else:
            self._fail(action, cell, evaluation, limits)
        self._believe()
        if self.progress is not None:
            best = self.candidates[self._best()]
            left = max(self.deadline - time.monotonic(), 0.0)
            self.progress(SearchProgress(cell.candidate, cell.train_size, len(self._runs), best, left))

    def _fail(self, action: Action, cell: Cell, evaluation: Evaluation, limits: Limits) -> None:
        """Leave a candidate out that cannot be fitted; one that is only slow is not tried on more rows."""
        if evaluation.message.startswith(UNPREPARED):
            # What its strategy imports takes long now; that says nothing of how well it would do.
            self._repetitions[action.candidate, action.size].discard(cell.split)
            strategy = cell.candidate.strategy
            if not self._preparations.ran_past(strategy, limits.preparation) and strategy not in self._used():
                self._closed[[candidate.strategy == strategy for candidate in self.candidates]] = True
            return
        self._closed[action.candidate, action.size :] = True
        if evaluation.status == "timeout" and not self._is_new(action.candidate):
            return
        rows = f"on {cell.train_size:,} rows of this table"
        self._failures[action.candidate] = f"{evaluation.status} {rows}: {evaluation.message}"

    def _is_new(self, candidate: int) -> bool:
        """Whether a candidate was never fitted, neither in the past nor on this table."""
        has_run = any(run.candidate == candidate for run in self._runs)
        return not has_run and bool(np.isnan(self.predicted[candidate]).all())

    def _loss(self, value: float) -> float:
        """Return a loss on the scale of the prior."""
        loss = self._metric.loss(value)
        return loss if self._scorer is None else self._scorer.to_closest(loss)

    def _believe(self) -> None:
        evidence = RelativeEvidence.of(
            self._runs,
            unit=self.assumptions.unit,
            n_test=self.ladder.n_test,
            perfect=self._loss(self._metric.best),
        )
        self._belief = Belief.given(self.assumptions, evidence)
