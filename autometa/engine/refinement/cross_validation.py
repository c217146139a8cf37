"""Cross-validation of proposed candidates in workers that can be stopped, until the time is over."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from autometa.components.experiments import Cell, Limits
from autometa.decision.policy.costs import to_batch
from autometa.domain import Candidate, Evaluation
from autometa.engine.evidence import Workers
from autometa.engine.refinement.folds import Folds
from autometa.engine.refinement.out_of_fold import Origin, OutOfFold, outputs_of
from autometa.foundation.typing import FloatArray, Status

__all__ = ["CrossValidation", "Listed", "Proposals"]

TASK = "table"
# A fold may take so many times longer than the mean of those before it, and always this share of the time.
PATIENCE = 5.0
LEAST_SHARE = 0.2
LEAST_SECONDS = 1.0
PREPARATION_SECONDS = 4.0
# Standard deviations between folds by which a candidate is clearly worse. One would drop what an ensemble can use.
CLEARLY = 2.0
# Candidates whose predictions are kept besides the recommended ones: those that an ensemble may want.
MAX_KEPT = 20


class Proposals(Protocol):
    """Where candidates come from, one after the other."""

    origin: Origin

    def next(self) -> Candidate | None:
        """Return a candidate; None if there is none left."""
        ...

    def tell(self, candidate: Candidate, loss: float) -> None:
        """Learn what cross-validation said of a candidate; infinite if it cannot be fitted or chosen."""
        ...


@dataclass
class Listed:
    """A fixed list of candidates.

    Attributes
    ----------
    candidates : iterable of Candidate
    """

    candidates: Iterable[Candidate]
    origin: Origin = field(default="recommended", init=False)

    def __post_init__(self) -> None:
        self._iterator: Iterator[Candidate] = iter(self.candidates)

    def next(self) -> Candidate | None:
        """Return the next of the list."""
        return next(self._iterator, None)

    def tell(self, candidate: Candidate, loss: float) -> None:
        """Nothing follows from it."""


@dataclass
class _Run:
    """A candidate under way."""

    candidate: Candidate
    losses: FloatArray
    parts: list[FloatArray | None]
    seconds: list[float] = field(default_factory=list)
    predict_ms: list[float] = field(default_factory=list)
    is_dropped: bool = False

    @property
    def done(self) -> list[int]:
        return [index for index, part in enumerate(self.parts) if part is not None]


@dataclass
class CrossValidation:
    """Runs candidates on all folds.

    A candidate that fails on a fold is dropped, and so is one that is clearly worse than the best one on the folds
    that it was run on: its mean loss there is higher by more than twice the standard deviation of the best one's
    losses. What may not be chosen drops nobody.

    Attributes
    ----------
    folds : Folds
    workers : Workers
        Prepared to keep predictions.
    seconds_left : callable
        Given the results so far, the seconds that may be spent from now on.
    max_memory : int, optional
        Bytes that one fit may take; default: as in every sandbox.
    is_rival : callable
        Says of a result whether it may be chosen.
    results : list of OutOfFold
        In the order in which they ended.
    expected : dict of str to float
        Candidate id -> loss, of all that ended: estimated for those that were dropped, infinite for those that
        cannot be fitted, or may not be chosen.
    failures : dict of str to str
        Candidate id -> how it failed, of those that cannot be fitted.
    """

    folds: Folds
    workers: Workers
    seconds_left: Callable[[Sequence[OutOfFold]], float]
    max_memory: int | None = None
    is_rival: Callable[[OutOfFold], bool] = lambda found: True
    results: list[OutOfFold] = field(default_factory=list, init=False)
    expected: dict[str, float] = field(default_factory=dict, init=False)
    failures: dict[str, Status] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._metric = self.folds.task.measure
        self._granted = max(self.seconds_left(()), 0.0)
        self._waiting: deque[Cell] = deque()
        self._runs: dict[str, _Run] = {}

    @property
    def best(self) -> OutOfFold | None:
        """The one with the lowest loss of those that may be chosen; None if there is none."""
        defined = [result for result in self.results if not math.isnan(result.loss) and self.is_rival(result)]
        return min(defined, key=lambda result: result.loss, default=None)

    def run(self, proposals: Proposals) -> None:
        """Run what is proposed until nothing is or the time is over.

        Parameters
        ----------
        proposals : Proposals
        """
        while (left := self.seconds_left(self.results)) > 0:
            self._fill_workers(proposals, left)
            if not self.workers.under_way:
                return
            for cell, evaluation in self.workers.finished(left):
                self._take(cell, evaluation, proposals)

    def _fill_workers(self, proposals: Proposals, left: float) -> None:
        while self.workers.under_way < self.workers.n_workers:
            if not self._waiting and not self._begin(proposals):
                return
            cell = self._waiting.popleft()
            self.workers.submit(cell, self._limits(self._runs[cell.candidate.id], left))

    def _begin(self, proposals: Proposals) -> bool:
        candidate = proposals.next()
        if candidate is None:
            return False
        n_splits = len(self.folds.task.splits)
        self._runs[candidate.id] = _Run(candidate, np.full(n_splits, np.nan), [None] * n_splits)
        self._waiting.extend(Cell(TASK, split, 0, candidate) for split in range(n_splits))
        return True

    def _limits(self, run: _Run, left: float) -> Limits:
        usual = PATIENCE * float(np.mean(run.seconds)) if run.seconds else 0.0
        patience = max(usual, LEAST_SHARE * self._granted, LEAST_SECONDS)
        limits = Limits(seconds=min(patience, left), preparation=max(LEAST_SHARE * left, PREPARATION_SECONDS))
        return replace(limits, memory=self.max_memory) if self.max_memory else limits

    def _take(self, cell: Cell, evaluation: Evaluation, proposals: Proposals) -> None:
        run = self._runs[cell.candidate.id]
        if run.is_dropped:
            return
        if evaluation.status != "ok" or evaluation.prediction is None:
            self._drop(run)
            self.failures[run.candidate.id] = evaluation.status
            self._tell(run, math.inf, proposals)
            return
        run.parts[cell.split] = outputs_of(evaluation.prediction)
        run.losses[cell.split] = self._metric.loss(evaluation.scores[self._metric.name])
        run.seconds.append(evaluation.fit_seconds)
        run.predict_ms.append(to_batch(evaluation.predict_seconds, evaluation.n_test))
        if len(run.done) == len(run.parts):
            self._finish(run, proposals)
        elif (shortfall := self._shortfall(run)) is not None:
            self._drop(run)
            self._tell(run, shortfall, proposals)

    def _drop(self, run: _Run) -> None:
        run.is_dropped = True
        run.parts = []
        self._waiting = deque(cell for cell in self._waiting if cell.candidate.id != run.candidate.id)

    def _finish(self, run: _Run, proposals: Proposals) -> None:
        predictions = np.concatenate([part for part in run.parts if part is not None])
        seconds, predict_ms = float(np.mean(run.seconds)), float(np.mean(run.predict_ms))
        found = OutOfFold(run.candidate, proposals.origin, run.losses, seconds, predictions, predict_ms)
        self.results.append(found)
        del self._runs[run.candidate.id]
        self._let_go()
        self._tell(run, found.loss if self.is_rival(found) and not math.isnan(found.loss) else math.inf, proposals)

    def _tell(self, run: _Run, loss: float, proposals: Proposals) -> None:
        self.expected[run.candidate.id] = loss
        proposals.tell(run.candidate, loss)

    def _shortfall(self, run: _Run) -> float | None:
        """Return the loss to be expected of a candidate that is clearly worse than the best one; None if not."""
        best = self.best
        if best is None or len(run.done) < 2:
            return None
        worse = float(np.nanmean(run.losses[run.done] - best.losses[run.done]))
        return best.loss + worse if worse > CLEARLY * float(np.nanstd(best.losses)) else None

    def _let_go(self) -> None:
        """Forget the predictions of refined candidates that no ensemble would want."""
        refined = [i for i, found in enumerate(self.results) if found.origin == "refined"]
        for place in sorted(refined, key=lambda i: self.results[i].loss)[MAX_KEPT:]:
            self.results[place] = replace(self.results[place], predictions=None)
