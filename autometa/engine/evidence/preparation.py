"""Preparation: what a strategy needs once in a process before its first fit, and how long it may take."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from autometa.foundation.typing import FloatArray

__all__ = ["Preparations"]

# Sending the table and importing the learner may take longer than a run: torch on a busy machine many seconds.
_LEAST_SECONDS = 4.0
_SHARE = 0.4
# How many times longer than what did not suffice the second attempt may take.
_WIDENED = 2.0


class Preparations:
    """How long the preparations of each strategy may take, by what was seen of them.

    They belong to a process and not to a fit, and take many times longer on a busy machine. So one that ran past
    its limit does not count against any candidate: it is what the next attempt is forecast to take at least, and
    that attempt has twice the limit. A strategy whose second attempt ran past its limit, too, gets no third.

    Parameters
    ----------
    budget : float
        Seconds of the whole search.
    """

    def __init__(self, budget: float) -> None:
        self._first = max(_SHARE * budget, _LEAST_SECONDS)
        self._seen: dict[str, float] = {}

    def limit(self, strategy: str) -> float:
        """Return the seconds that the preparations may take.

        Parameters
        ----------
        strategy : str

        Returns
        -------
        float
        """
        return max(self._first, _WIDENED * self._seen.get(strategy, 0.0))

    def ran_past(self, strategy: str, limit: float) -> bool:
        """Take note of preparations that were stopped.

        Parameters
        ----------
        strategy : str
        limit : float
            That they had. Several runs of the first attempt may be stopped: they are one attempt.

        Returns
        -------
        bool
            Whether the strategy may be tried once more.
        """
        self._seen[strategy] = max(limit, self._seen.get(strategy, 0.0))
        return self._seen[strategy] <= self._first

    def ahead(self, strategies: Sequence[str], used: Collection[str]) -> FloatArray:
        """Return the seconds that are at least to be spent before a fit of each strategy can begin.

        They count where there must be time for them, and not in what a run is worth: all later runs profit.

        Parameters
        ----------
        strategies : sequence of str
        used : collection of str
            Strategies that are prepared in some process.

        Returns
        -------
        ndarray of float64, shape (n_strategies,)
        """
        return np.asarray([0.0 if name in used else self._seen.get(name, 0.0) for name in strategies])
