"""refine(): spend the rest of a time budget on the candidates of a recommendation, and say what to fit."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from joblib import cpu_count

from autometa.domain import Candidate, Strategy, Task
from autometa.engine.constraints import UNCONSTRAINED, Constraints
from autometa.engine.evidence import Workers
from autometa.engine.recommendation import RankedCandidate, Recommendation
from autometa.engine.refinement.adjusting import learn_adjustment
from autometa.engine.refinement.choice import Choice, Member, choose
from autometa.engine.refinement.cross_validation import CrossValidation, Listed
from autometa.engine.refinement.folds import Folds, n_folds
from autometa.engine.refinement.limits import MeasuredLimits
from autometa.engine.refinement.out_of_fold import Judge, OutOfFold
from autometa.engine.refinement.tuning import Tuner, families
from autometa.foundation.errors import TargetError

__all__ = ["Reserve", "refine"]

# Share of the time budget that is left for cross-validation, tuning and the final fit, where they are affordable.
SHARE = 0.6
# Starting the workers and sending them the table.
START_SECONDS = 2.0
# A fit may take so much more than what is left. A budget is kept to within 10 % + 1 s, and evidence, which leaves
# the seconds of one fit where there is no time for folds, ends a moment late.
SLACK_SECONDS = 1.0
# Candidates that are cross-validated before any is tuned, and how many of them may be of one strategy.
MAX_LISTED = 8
MAX_PER_STRATEGY = 2
# Share of the time that one listed candidate, and all of them together, may be predicted to take.
SHARE_OF_ONE = 0.3
SHARE_OF_LIST = 0.6
MAX_REPETITIONS = 10
# Final fits may take so many times longer than predicted.
SAFETY = 1.3
# Members of an ensemble that time is left for while it is not known which they are.
N_MEMBERS = 3
# How fits grow with the rows, from the folds to the whole table.
GROWTH = 1.2
# Share of the time that is left for the final fits at most, if the best one alone takes less.
SHARE_OF_FITS = 0.4
# Share of the time that the choice of an ensemble may take, and as much again what is made of probabilities.
SHARE_OF_CHOICE = 0.1


@dataclass(frozen=True, slots=True)
class Reserve:
    """Says how many seconds evidence should leave of a time budget.

    Attributes
    ----------
    time_budget : float
    n_samples : int
    n_workers : int
    """

    time_budget: float
    n_samples: int
    n_workers: int

    def __call__(self, fit_seconds: float) -> float:
        """Return the seconds to leave: for two candidates' cross-validation at least, or the final fit alone.

        Parameters
        ----------
        fit_seconds : float
            Predicted, of one fit on the whole table.

        Returns
        -------
        float
        """
        folds, _ = n_folds(self.n_samples)
        validation = START_SECONDS + 2 * folds * fit_seconds / self.n_workers
        granted = SHARE * self.time_budget
        return granted if validation + SAFETY * fit_seconds <= granted else fit_seconds


def refine(
    task: Task,
    recommendation: Recommendation,
    strategies: Mapping[str, Strategy],
    *,
    workers: Workers,
    deadline: float,
    ensemble: bool = True,
    constraints: Constraints = UNCONSTRAINED,
    adjust: bool = True,
) -> Choice | None:
    """Cross-validate the best candidates, tune the best families, and choose one candidate or an ensemble.

    Ctrl-C ends it with what is known by then.

    Parameters
    ----------
    task : Task
    recommendation : Recommendation
        With every candidate.
    strategies : mapping of str to Strategy
    workers : Workers
        Idle at the end.
    deadline : float
        Value of `time.monotonic` at which the final fits must be over.
    ensemble : bool
        Whether more than one candidate may be chosen.
    constraints : Constraints
        What a final model may take. An ensemble cannot be read, so that there is none where that is asked for.
    adjust : bool
        Whether labels or probabilities of a classifier may be adjusted.

    Returns
    -------
    Choice or None
        None if nothing of the list can be fitted in time. The first of those that can, if there is no time to
        cross-validate it; the first that did not fail on the folds, or break a limit there, if none of those that
        were judged may be fitted.

    Raises
    ------
    NoCandidateError
        If every candidate breaks a limit on the folds.

    Warns
    -----
    LimitWarning
        If all that were cross-validated break a limit, and one is chosen that was not.
    """
    workers.start()
    ensemble = ensemble and not constraints.interpretable
    plan = _Plan(deadline, deadline - time.monotonic(), ensemble, constraints, adjust)
    listed, repetitions = _listed(recommendation.ranking, task.n_samples, plan.granted)
    if not repetitions:
        return Choice((Member(listed[0], 1.0),)) if listed else None
    seed = recommendation.random_state or 0
    try:
        folds = Folds.of(task, max_repetitions=repetitions, random_state=seed)
    except TargetError:  # no rows can be held out, so nothing can be judged: what was recommended stands
        return None
    expected = next(place.fit_seconds for place in recommendation.ranking if place.candidate == listed[0])
    plan.predicted = 0.0 if math.isnan(expected) else expected
    plan.growth = (task.n_samples / min(len(split.train) for split in folds.task.splits)) ** GROWTH
    plan.weighs_labels = adjust and Judge(folds).is_judged_by == "labels"
    workers.prepare(folds.task, strategies, device=recommendation.device, random_state=seed, keep_predictions=True)
    limits = plan.limits
    validation = CrossValidation(
        folds,
        workers,
        plan.seconds_left,
        constraints.memory_bytes,
        is_rival=lambda found: bool(limits.keeping([found])),
    )
    try:
        validation.run(Listed(listed))
        further = limits.most_modest(recommendation.ranking, listed)
        validation.run(Listed(each for each in further if not limits.keeping(validation.results)))
        ranked = [place.candidate for place in recommendation.ranking]
        tunable = limits.keeping(validation.results) or validation.results
        best = {name: strategies[name] for name in families(tunable)}
        if best:
            validation.run(
                Tuner(
                    best,
                    folds.task,
                    ranked,
                    validation.expected,
                    seed,
                    allows=lambda found: constraints.allow(strategies[found.strategy], found, task),
                )
            )
    except KeyboardInterrupt:
        pass  # what is known by now is used
    finally:
        workers.clear()
    chosen = plan.choose(validation.results, folds)
    if chosen is not None:
        return chosen
    left = limits.fall_back(task, recommendation.ranking, validation)
    return None if left is None else Choice((Member(left, 1.0),))


@dataclass
class _Plan:
    """How the seconds until the deadline are divided.

    `predicted` is the final fit's, until a result is there; `weighs_labels`: whether class weights may be learned,
    which asks for hundreds of losses (a temperature for some ten).
    """

    deadline: float
    granted: float
    ensemble: bool
    constraints: Constraints
    adjust: bool = True
    growth: float = 1.0
    predicted: float = 0.0
    weighs_labels: bool = False

    @property
    def limits(self) -> MeasuredLimits:
        """What candidates were seen to take is held against these."""
        return MeasuredLimits(self.constraints, self.growth)

    def final_seconds(self, found: OutOfFold) -> float:
        """Return what a candidate's fit on the whole table may take; infinite if it breaks a limit."""
        return math.inf if self.limits.broken([found]) else SAFETY * self.growth * found.seconds

    def seconds_left(self, results: Sequence[OutOfFold]) -> float:
        """Return what is left for cross-validation: choice, adjustment and final fits come after it."""
        best = sorted((found for found in results if not math.isnan(found.loss)), key=lambda found: found.loss)
        costs = [cost for cost in map(self.final_seconds, best) if math.isfinite(cost)]
        several = min(sum(costs[:N_MEMBERS]), SHARE_OF_FITS * self.granted) if self.ensemble else 0.0
        fits = max([several, *costs[:1]]) if costs else SAFETY * self.predicted
        deliberation = SHARE_OF_CHOICE * self.granted * (self.ensemble + self.weighs_labels)
        return self.deadline - time.monotonic() - fits - deliberation

    def choose(self, results: Sequence[OutOfFold], folds: Folds) -> Choice | None:
        """Choose what can still be fitted."""
        now = time.monotonic()
        judge = Judge(folds)
        choice = choose(
            results,
            judge,
            final_seconds=self.final_seconds,
            allowed_seconds=self.deadline - now,
            allowed_predict_ms=self.constraints.max_predict_ms_per_row or math.inf,
            ensemble=self.ensemble,
            is_over=lambda: time.monotonic() > now + SHARE_OF_CHOICE * self.granted,
        )
        predictions = choice.predictions(judge) if choice is not None and self.adjust else None
        if choice is None or predictions is None:
            return choice
        over = now + SHARE_OF_CHOICE * self.granted * (self.ensemble + 1)
        return replace(
            choice, adjustment=learn_adjustment(predictions, judge, is_over=lambda: time.monotonic() > over)
        )


def _judged(ranking: Sequence[RankedCandidate]) -> list[RankedCandidate]:
    """Return the places that something is known of.

    Where evidence was taken, a strategy that it did not try is left out: it promised too little, or what it
    imports takes too long.
    """
    tried = {place.candidate.strategy for place in ranking if place.trials}
    if tried:
        return [place for place in ranking if place.candidate.strategy in tried]
    return [place for place in ranking if not math.isnan(place.expected_score)]


def _listed(ranking: Sequence[RankedCandidate], n_samples: int, granted: float) -> tuple[list[Candidate], int]:
    """Return the first of the ranking that can be fitted in time, and those after it that there is time to judge.

    The first alone, never to be repeated, if there is no time to cross-validate it: others that are quick enough
    to be judged would win for want of the rival that is expected to beat them. No more than two of one strategy.
    Also returns how often all of that can be repeated.
    """
    seconds = {place.candidate: 0.0 if math.isnan(place.fit_seconds) else place.fit_seconds for place in ranking}
    places = [place for place in _judged(ranking) if seconds[place.candidate] <= granted + SLACK_SECONDS]
    if not places:
        return [], 0
    first, n_fits = places[0].candidate, n_folds(n_samples)[0] / cpu_count()
    spent = START_SECONDS + n_fits * seconds[first]
    if spent + SAFETY * seconds[first] > granted:
        return [first], 0
    listed = [first]
    for candidate in (place.candidate for place in places[1:]):
        fits = n_fits * seconds[candidate]
        alike = sum(other.strategy == candidate.strategy for other in listed)
        if alike >= MAX_PER_STRATEGY or fits > SHARE_OF_ONE * granted or spent + fits > SHARE_OF_LIST * granted:
            continue
        listed.append(candidate)
        spent += fits
        if len(listed) == MAX_LISTED:
            break
    affordable = (SHARE_OF_LIST * granted - START_SECONDS) / max(spent - START_SECONDS, 1e-9)
    return listed, max(1, int(min(affordable, MAX_REPETITIONS)))
