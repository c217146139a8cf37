"""Limits as they were measured: which cross-validated candidates break one, and what follows if all of them do."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autometa.domain import Candidate, Task
from autometa.engine.constraints import Constraints, Costs, Exclusion, none_left
from autometa.engine.recommendation import RankedCandidate
from autometa.engine.refinement.cross_validation import CrossValidation
from autometa.engine.refinement.out_of_fold import OutOfFold
from autometa.foundation.errors import LimitWarning
from autometa.foundation.typing import Status

__all__ = ["MeasuredLimits"]


@dataclass(frozen=True)
class MeasuredLimits:
    """What a candidate may take, held against what it took on the folds.

    Attributes
    ----------
    constraints : Constraints
    growth : float
        How many times longer a fit on the whole table takes than one on the folds.
    """

    constraints: Constraints
    growth: float = 1.0

    def broken(
        self, results: Sequence[OutOfFold], failures: Mapping[str, Status] | None = None
    ) -> dict[str, Exclusion]:
        """Return the candidates that were seen to break a limit.

        Parameters
        ----------
        results : sequence of OutOfFold
        failures : mapping of str to str, optional
            Candidate id -> how it failed.

        Returns
        -------
        dict of str to Exclusion
            By candidate id.
        """
        costs = {each.candidate.id: Costs(self.growth * each.seconds, each.predict_ms) for each in results}
        found = self.constraints.too_costly(costs, "seen")
        allowed = self.constraints.max_memory_gb
        if allowed is not None:
            reason = f"seen to take more memory in the fit than {allowed:.3g} GB"
            over = (key for key, status in (failures or {}).items() if status == "memory")
            found |= {key: Exclusion("max_memory_gb", reason) for key in over}
        return found

    def keeping(self, results: Sequence[OutOfFold]) -> list[OutOfFold]:
        """Return the results of the candidates that were seen to keep all limits.

        Parameters
        ----------
        results : sequence of OutOfFold

        Returns
        -------
        list of OutOfFold
        """
        broken = self.broken(results)
        return [found for found in results if found.candidate.id not in broken]

    def most_modest(self, ranking: Sequence[RankedCandidate], without: Sequence[Candidate]) -> list[Candidate]:
        """Return candidates that are still to be tried for a limit: those predicted to take least of it first.

        Parameters
        ----------
        ranking : sequence of RankedCandidate
        without : sequence of Candidate
            Those that were tried.

        Returns
        -------
        list of Candidate
            Nothing without a limit that is measured.
        """
        tried = {candidate.id for candidate in without}
        left = [place for place in ranking if place.candidate.id not in tried]
        if not self.constraints.is_measured:
            return []
        return [place.candidate for place in sorted(left, key=self._share)]

    def _share(self, place: RankedCandidate) -> float:
        """Return the greatest predicted share of a limit; infinite if nothing is predicted."""
        taken = (place.fit_seconds, place.predict_ms_per_row, place.memory_gb)
        limits = self.constraints
        allowed = (limits.max_fit_seconds, limits.max_predict_ms_per_row, limits.max_memory_gb)
        shares = [
            value / limit
            for value, limit in zip(taken, allowed, strict=True)
            if limit is not None and value is not None and not math.isnan(value)
        ]
        return max(shares, default=math.inf)

    def fall_back(
        self, task: Task, ranking: Sequence[RankedCandidate], validation: CrossValidation
    ) -> Candidate | None:
        """Return what is fitted where nothing that was cross-validated can be: the first that is not ruled out.

        Parameters
        ----------
        task : Task
        ranking : sequence of RankedCandidate
        validation : CrossValidation
            At its end.

        Returns
        -------
        Candidate or None
            None if all failed, and no limit has to do with it.

        Raises
        ------
        NoCandidateError
            If no candidate is left that does not break a limit.

        Warns
        -----
        LimitWarning
            If all that were cross-validated break a limit, so that only a forecast says that the one returned does
            not.
        """
        broken = self.broken(validation.results, validation.failures)
        unfit = {key for key, loss in validation.expected.items() if math.isinf(loss)}
        left = [place.candidate for place in ranking if place.candidate.id not in {*broken, *unfit}]
        if broken and not left:
            excluded = dict.fromkeys(unfit, "failed on the folds")
            raise none_left(task, excluded | {key: each.reason for key, each in broken.items()}, broken)
        if broken and not self.keeping(validation.results):
            self._warn(task, left[0], broken)
        return left[0] if left else None

    def _warn(self, task: Task, candidate: Candidate, broken: Mapping[str, Exclusion]) -> None:
        nearest = min(broken, key=lambda key: _excess(broken[key]))
        warnings.warn(
            f"None of the {len(broken)} candidates that were cross-validated on {task.name!r} keeps the limits; "
            f"the nearest miss is {nearest}, {broken[nearest].reason}. {candidate} is fitted, of which only a "
            "forecast says that it does. Allow more, or give more time to find one that does.",
            LimitWarning,
            stacklevel=7,
        )


def _excess(exclusion: Exclusion) -> float:
    return math.inf if math.isnan(exclusion.excess) else exclusion.excess
