"""A consultation: from a prior's ranking, through runs on the table itself, to what is recommended then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from autometa.components.knowledge import MetaDataset
from autometa.decision.policy import Policy, Query, Ranking
from autometa.decision.policy.anchored import Anchored
from autometa.decision.policy.cache import load_or_learn
from autometa.decision.policy.posterior import Posterior
from autometa.decision.policy.verdict import Verdict
from autometa.domain import Candidate, Strategy, Task
from autometa.engine.evidence.ladder import Ladder
from autometa.engine.evidence.search import Search, SearchProgress, SearchResult
from autometa.engine.evidence.workers import Workers
from autometa.engine.recommendation import Trial
from autometa.foundation.errors import TargetError
from autometa.foundation.threads import one_thread
from autometa.foundation.typing import BoolArray, FloatArray, RandomState

__all__ = ["Consultation", "Finding"]


@dataclass(frozen=True, eq=False)
class Finding:
    """What runs on the table say of the candidates: those with a history, then those without.

    Attributes
    ----------
    candidates : tuple of Candidate
    verdict : Verdict or None
        None if nothing could be compared: the prior stands.
    fit_seconds : ndarray of float64, shape (n_candidates,)
        Predicted for the whole table, corrected by what was seen; NaN if nothing is known.
    trials : mapping of int to tuple of Trial
        By position of the candidate, ascending sizes.
    failures : mapping of int to str
        Candidates that cannot be fitted on this table.
    ending : {"time", "interrupted", "settled"}
    seconds : float
    notes : tuple of str
    """

    candidates: tuple[Candidate, ...]
    verdict: Verdict | None
    fit_seconds: FloatArray
    trials: Mapping[int, tuple[Trial, ...]] = field(default_factory=dict)
    failures: Mapping[int, str] = field(default_factory=dict)
    ending: str = "time"
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Consultation:
    """What a search needs to know.

    Attributes
    ----------
    task : Task
    ranking : Ranking
        The prior's.
    query : Query
    policy : Policy
        The prior, fitted on `meta_dataset`.
    meta_dataset : MetaDataset or None
        None if no candidate has a history.
    cold : tuple of Candidate
        Candidates without history.
    unavailable : collection of str
        Ids of candidates in the ranking that cannot be chosen.
    strategies : mapping of str to Strategy
    device : str
    random_state : int or None
    anchored : Anchored
        What few tasks say of candidates without history.
    """

    task: Task
    ranking: Ranking
    query: Query
    policy: Policy
    meta_dataset: MetaDataset | None
    cold: tuple[Candidate, ...]
    unavailable: Collection[str]
    strategies: Mapping[str, Strategy]
    device: str = "auto"
    random_state: RandomState = 0
    anchored: Anchored = field(default_factory=Anchored)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates, those with a history first."""
        return self.ranking.candidates + self.cold

    def hold(
        self,
        workers: Workers,
        deadline: float,
        *,
        reserve_fit: bool | Callable[[float], float] = False,
        progress: Callable[[SearchProgress], None] | None = None,
        max_memory: int | None = None,
    ) -> Finding:
        """Search until the deadline.

        Parameters
        ----------
        workers : Workers
            Idle at the end.
        deadline : float
            Value of `time.monotonic`.
        reserve_fit : bool or callable
            Whether the fit of the best candidate on the whole table must end before the deadline, too. A callable
            is given the predicted seconds of that fit and returns those to be left.
        progress : callable, optional
        max_memory : int, optional
            Bytes that one fit may take.

        Returns
        -------
        Finding
        """
        posterior = self._posterior()
        full_seconds = self._full_seconds(posterior)
        seed = self.random_state or 0
        try:
            ladder = Ladder.of(self.task, random_state=seed)
        except TargetError as error:
            return Finding(
                self.candidates, None, full_seconds, notes=(f"Nothing was tried on the table: {error}",)
            )
        workers.prepare(ladder.task, self.strategies, device=self.device, random_state=seed)
        search = Search(
            candidates=self.candidates,
            assumptions=posterior.assumptions(
                self.ranking,
                self.query,
                self.cold,
                cold_loss=self._of_cold(self.anchored.expected_loss),
                available=~self._unavailable()[: len(self.ranking.candidates)],
            ),
            predicted=self._predicted(posterior, ladder),
            ladder=ladder,
            workers=workers,
            deadline=deadline,
            unavailable=self._unavailable(),
            reserve=lambda best, factors: _reserved(full_seconds, best, factors, reserve_fit),
            progress=progress,
            max_memory=max_memory,
        )
        with one_thread():  # the cores are for the workers
            found = search.run()
        return self._finding(found, posterior, ladder, full_seconds)

    def _posterior(self) -> Posterior:
        posterior = Posterior(self.policy)
        if self.meta_dataset is None:
            return posterior.without_history()
        return load_or_learn(self.meta_dataset, posterior)

    def _unavailable(self) -> BoolArray:
        return np.asarray([candidate.id in self.unavailable for candidate in self.candidates])

    def _full_seconds(self, posterior: Posterior) -> FloatArray:
        """Return seconds of one fit on the whole table, shape (n,); the usual ones where nothing is known."""
        usual = posterior.fit_seconds(self.query, len(self.cold))
        stated = np.concatenate([usual[: len(self.ranking.candidates)], self._of_cold(self.anchored.fit_seconds)])
        return np.asarray(np.where(np.isfinite(stated), stated, usual))

    def _predicted(self, posterior: Posterior, ladder: Ladder) -> FloatArray:
        """Return seconds of one fit at each rung; NaN where nothing is known, shape (n, n_sizes)."""
        known = [posterior.fit_seconds(replace(self.query, n_train=int(size))) for size in ladder.sizes]
        # What few tasks say of a fit is proportional to its rows.
        cold = self._of_cold(self.anchored.fit_seconds)[:, None] * (ladder.sizes / self.query.n_train)
        return np.concatenate([np.stack(known, axis=1), cold])

    def _of_cold(self, values: FloatArray) -> FloatArray:
        """Return what is known of the candidates without history; NaN where nothing is, shape (n_cold,)."""
        padded = np.append(values, np.nan)
        return np.asarray(padded[list(self.anchored.places(self.cold))], dtype=np.float64)

    def _finding(
        self, found: SearchResult, posterior: Posterior, ladder: Ladder, full_seconds: FloatArray
    ) -> Finding:
        failed = np.isin(np.arange(len(self.candidates)), list(found.failures))
        excluded = self._unavailable() | failed
        verdict = None
        if found.compares and not excluded.all():
            verdict = Verdict.of(
                found.belief,
                self.ranking,
                posterior,
                excluded=excluded,
                n_test=ladder.n_test,
                random_state=self.random_state or 0,
            )
        return Finding(
            candidates=self.candidates,
            verdict=verdict,
            fit_seconds=full_seconds * found.fit_factors,
            trials=_trials(found, self.task),
            failures=found.failures,
            ending=found.ending,
            seconds=found.seconds,
            notes=posterior.notes,
        )


def _reserved(
    full_seconds: FloatArray, best: int, factors: FloatArray, reserve_fit: bool | Callable[[float], float]
) -> float:
    seconds = float(full_seconds[best] * factors[best])
    known = seconds if np.isfinite(seconds) else 0.0
    return reserve_fit(known) if callable(reserve_fit) else known * reserve_fit


def _trials(found: SearchResult, task: Task) -> dict[int, tuple[Trial, ...]]:
    """Return what every candidate showed, by size."""
    evidence = found.belief.evidence
    trials: dict[int, tuple[Trial, ...]] = {}
    for point in np.argsort(evidence.n_train, kind="stable"):
        candidate, rows = int(evidence.candidate[point]), int(evidence.n_train[point])
        seconds = [run.seconds for run in found.runs if (run.candidate, run.n_train) == (candidate, rows)]
        score = task.shown(float(evidence.loss[point]))
        trial = Trial(rows, int(evidence.n_runs[point]), score, float(np.mean(seconds)))
        trials[candidate] = (*trials.get(candidate, ()), trial)
    return trials
