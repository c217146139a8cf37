"""The list of a recommendation: from what the policy says, and what runs on the table showed, to ranked places."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autometa.decision.policy import Ranking
from autometa.decision.policy.anchored import Anchored
from autometa.domain.strategy import Candidate
from autometa.domain.task import Task
from autometa.engine.cold_start import NO_HISTORY, widest
from autometa.engine.constraints import Costs
from autometa.engine.recommendation import RankedCandidate
from autometa.foundation.typing import FloatArray

if TYPE_CHECKING:
    from autometa.engine.evidence import Finding

__all__ = ["judged_places", "prior_places"]

NAN = float("nan")
NO_KNOWN_RUNS = "no history"


def prior_places(
    task: Task,
    ranking: Ranking,
    portfolios: Mapping[str, Iterable[Candidate]],
    costs: Mapping[str, Costs],
    without: Collection[str] = (),
    anchored: Anchored | None = None,
) -> list[RankedCandidate]:
    """Return the list: the policy's order, what few tasks say of others between, then candidates without history.

    Parameters
    ----------
    task : Task
    ranking : Ranking
    portfolios : mapping of str to iterable of Candidate
        What the strategies offer.
    costs : mapping of str to Costs
        By candidate id.
    without : collection of str
        Ids of candidates that may not be chosen.
    anchored : Anchored, optional

    Returns
    -------
    list of RankedCandidate
    """
    offered = {candidate.id: candidate for portfolio in portfolios.values() for candidate in portfolio}
    allowed = offered.keys() - set(without)
    known = [index for index in ranking.order.tolist() if ranking.candidates[index].id in allowed]
    places = [_place(rank, index, ranking, task, costs) for rank, index in enumerate(known, start=1)]
    if anchored is not None:
        places = _with_anchored(places, anchored, allowed, ranking, task)
    seen = {candidate.id for candidate in (*ranking.candidates, *(place.candidate for place in places))}
    cold = [candidate for key, candidate in offered.items() if key in allowed and key not in seen]
    low, high = widest(places)
    return places + [
        RankedCandidate(rank, candidate, NAN, low, high, NAN, NO_HISTORY)
        for rank, candidate in enumerate(cold, start=len(places) + 1)
    ]


def _with_anchored(
    places: Sequence[RankedCandidate], anchored: Anchored, allowed: Collection[str], ranking: Ranking, task: Task
) -> list[RankedCandidate]:
    """Put each where its expected loss belongs, and first only what is clearly better than the anchor."""
    loss = dict(zip((each.id for each in ranking.candidates), ranking.expected_loss.tolist(), strict=True))
    listed = list(places)
    for index in np.argsort(anchored.expected_loss, kind="stable").tolist():
        if anchored.candidates[index].id not in allowed:
            continue
        new = _anchored_place(anchored, index, task)
        own = loss[new.candidate.id] = float(anchored.expected_loss[index])
        least = 0 if anchored.lead[index] > 0 else 1
        later = (at for at, place in enumerate(listed) if at >= least and loss[place.candidate.id] > own)
        listed.insert(next(later, len(listed)), new)
    return [replace(place, rank=rank) for rank, place in enumerate(listed, start=1)]


def _anchored_place(anchored: Anchored, index: int, task: Task) -> RankedCandidate:
    losses = (anchored.expected_loss[index], anchored.low[index], anchored.high[index])
    expected, low, high = (task.shown(float(loss)) for loss in losses)
    return RankedCandidate(
        0,
        anchored.candidates[index],
        expected,
        min(low, high),
        max(low, high),
        float(anchored.fit_seconds[index]),
        f"{int(anchored.n_evaluations[index])} known runs",
    )


def _place(rank: int, index: int, ranking: Ranking, task: Task, costs: Mapping[str, Costs]) -> RankedCandidate:
    losses = (ranking.expected_loss[index], ranking.low[index], ranking.high[index])
    expected, low, high = (task.shown(float(loss)) for loss in losses)
    n_known = int(ranking.n_evaluations[index])
    candidate = ranking.candidates[index]
    cost = costs.get(candidate.id, Costs())
    return RankedCandidate(
        rank,
        candidate,
        expected,
        min(low, high),
        max(low, high),
        cost.fit_seconds,
        f"{n_known} known runs" if n_known else NO_HISTORY,
        predict_ms_per_row=cost.predict_ms_per_row,
        memory_gb=cost.memory_gb,
        near_best=_probability(ranking.near_best, index),
    )


def _probability(values: FloatArray | None, index: int) -> float | None:
    """Return a probability; None where it is not known."""
    return None if values is None or np.isnan(values[index]) else float(values[index])


def judged_places(task: Task, finding: Finding, places: Sequence[RankedCandidate]) -> list[RankedCandidate]:
    """Return the list after the runs on the table; that of before if they could not be compared.

    Parameters
    ----------
    task : Task
    finding : Finding
    places : sequence of RankedCandidate
        Of before.

    Returns
    -------
    list of RankedCandidate
        Without those that cannot be fitted.
    """
    position = {candidate.id: place for place, candidate in enumerate(finding.candidates)}
    left = [place for place in places if position[place.candidate.id] not in finding.failures]
    if finding.verdict is not None:
        rank = {place: rank for rank, place in enumerate(finding.verdict.order.tolist())}
        # A candidate that neither the past nor a run here says anything of is below all others.
        left.sort(key=lambda place: (_is_unjudged(place, position, finding), rank[position[place.candidate.id]]))
    return [_with_finding(rank, place, position, finding, task) for rank, place in enumerate(left, start=1)]


def _is_unjudged(place: RankedCandidate, position: Mapping[str, int], finding: Finding) -> bool:
    return place.evidence == NO_HISTORY and not finding.trials.get(position[place.candidate.id])


def _with_finding(
    rank: int, place: RankedCandidate, position: Mapping[str, int], finding: Finding, task: Task
) -> RankedCandidate:
    index = position[place.candidate.id]
    trials, verdict = finding.trials.get(index, ()), finding.verdict
    here = sum(trial.repetitions for trial in trials)
    tried = (
        f"; {here} {'fit' if here == 1 else 'fits'} here on up to {trials[-1].n_train:,} rows" if trials else ""
    )
    found = replace(
        place,
        rank=rank,
        fit_seconds=float(finding.fit_seconds[index]),
        evidence=place.evidence.replace(NO_HISTORY, NO_KNOWN_RUNS if trials else NO_HISTORY) + tried,
        trials=trials,
    )
    if verdict is None:
        return found
    losses = (verdict.expected_loss[index], verdict.low[index], verdict.high[index])
    worst, best = sorted((task.measure.worst, task.measure.best))
    expected, low, high = (float(np.clip(task.shown(float(loss)), worst, best)) for loss in losses)
    near_best = _probability(verdict.near_best, index)
    return replace(found, expected_score=expected, low=min(low, high), high=max(low, high), near_best=near_best)
