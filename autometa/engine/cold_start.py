"""Strategies without history: listed below those with evidence, marked, and as uncertain as the whole list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from autometa.engine.recommendation import RankedCandidate

__all__ = ["NO_HISTORY", "unjudged", "widest"]

NO_HISTORY = "no history: judged by nothing yet"


def widest(places: Sequence[RankedCandidate]) -> tuple[float, float]:
    """Return the interval that holds those of all known candidates: of the others no more can be said.

    Parameters
    ----------
    places : sequence of RankedCandidate

    Returns
    -------
    low, high : float
        NaN if there are none.
    """
    ends = [end for place in places for end in (place.low, place.high) if np.isfinite(end)]
    return (min(ends), max(ends)) if ends else (float("nan"), float("nan"))


def unjudged(places: Sequence[RankedCandidate], top_k: int | None) -> Iterator[str]:
    """Say which strategies nothing is known of, and whether the list is too short to show them.

    Parameters
    ----------
    places : sequence of RankedCandidate
        The whole list.
    top_k : int or None
        How much of it is shown.

    Yields
    ------
    str
    """
    cold = list(dict.fromkeys(place.candidate.strategy for place in places if place.evidence == NO_HISTORY))
    judged = {place.candidate.strategy for place in places if place.evidence != NO_HISTORY}
    names = [name for name in cold if name not in judged]
    if not names or not judged:
        return
    shown = {place.candidate.strategy for place in places[:top_k]}
    hidden = "" if shown.issuperset(names) else ", beyond the places that are shown (top_k=None shows them)"
    yield (
        f"Nothing is known yet of {', '.join(names)}: below every candidate with evidence{hidden}. A time budget "
        "tries them on the table."
    )
