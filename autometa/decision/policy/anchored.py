"""Candidates that were measured on few tasks, judged by how they did there beside one that is known well."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import Query, Ranking
from autometa.decision.policy.evidence import least_loss
from autometa.decision.policy.performance import REGRET_CLIP
from autometa.domain.strategy import Candidate
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["Anchored"]

# One group of datasets says nothing of how much others differ from it.
_LEAST_GROUPS = 2
# The doubt about the anchor's own loss counts as much as so many groups in the doubt about a difference.
_DOUBT_WEIGHT = 2.0
# Standard errors by which a candidate must be better than the anchor to come first.
_CAUTION = 0.5
# Standard deviations from the middle to an end, and between the ends, of an 80 % interval.
_HALF_WIDTH, _WIDTH = 1.2816, 2.5631


@dataclass(frozen=True, eq=False)
class Anchored:
    """What few tasks say of candidates that a ranking does not know.

    The anchor is the first of the ranking that was measured on these tasks, too. Expected of a candidate is the
    anchor's expected loss plus the mean difference of the two on the few tasks, shrunk as by one more group that
    shows none; its interval holds the doubt about both.

    Attributes
    ----------
    candidates : tuple of Candidate
    anchor : Candidate or None
        None if there is none, and no candidates then.
    expected_loss, low, high : ndarray of float64, shape (n_candidates,)
        `Metric.loss` expected, and ends of the 80 % interval.
    lead : ndarray of float64, shape (n_candidates,)
        Standard errors by which a candidate is better than the anchor, above those that are asked for; positive
        where it may come first.
    fit_seconds : ndarray of float64, shape (n_candidates,)
        Predicted for one fit on one core.
    n_evaluations : ndarray of int64, shape (n_candidates,)
        Known (task, training size) pairs where the candidate was run.
    """

    candidates: tuple[Candidate, ...] = ()
    anchor: Candidate | None = None
    expected_loss: FloatArray = field(default_factory=lambda: np.empty(0))
    low: FloatArray = field(default_factory=lambda: np.empty(0))
    high: FloatArray = field(default_factory=lambda: np.empty(0))
    lead: FloatArray = field(default_factory=lambda: np.empty(0))
    fit_seconds: FloatArray = field(default_factory=lambda: np.empty(0))
    n_evaluations: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @classmethod
    def of(cls, few: MetaDataset, ranking: Ranking, query: Query, *, offered: Collection[str]) -> Self:
        """Compare what was measured on the few tasks.

        Parameters
        ----------
        few : MetaDataset
            Of the metric that the ranking is for.
        ranking : Ranking
        query : Query
        offered : collection of str
            Ids of the candidates that may be chosen: the anchor and the new ones are of these.

        Returns
        -------
        Anchored
            Of the offered candidates that the ranking lacks and that two groups of datasets were measured with.
        """
        column = {candidate.id: place for place, candidate in enumerate(few.candidates)}
        ranked = {candidate.id: place for place, candidate in enumerate(ranking.candidates)}
        anchor = next((each for each in ranking.listed if each.id in column and each.id in offered), None)
        if anchor is None:
            return cls()
        place = ranked[anchor.id]
        doubt = float(ranking.high[place] - ranking.low[place]) / _WIDTH
        new = [each for each in few.candidates if each.id in offered and each.id not in ranked]
        rows = [_rows_of(few, column[each.id], column[anchor.id], query.n_train) for each in new]
        new, rows = _kept(new, rows)
        columns = [column[each.id] for each in new]
        gaps = [few.loss[of, j] - few.loss[of, column[anchor.id]] for of, j in zip(rows, columns, strict=True)]
        found = [_Difference.of(np.clip(gap, -REGRET_CLIP, REGRET_CLIP), doubt) for gap in gaps]
        level, width = float(ranking.expected_loss[place]), _HALF_WIDTH
        expected = np.asarray([level + each.shrunk for each in found])
        reach = width * np.asarray([np.hypot(doubt, each.deviation) for each in found])
        return cls(
            candidates=tuple(new),
            anchor=anchor,
            expected_loss=np.maximum(expected, least_loss(few.metric)),
            low=np.maximum(expected - reach, least_loss(few.metric)),
            high=expected + reach,
            lead=np.asarray([-each.mean / each.error - _CAUTION for each in found]),
            fit_seconds=np.asarray([_seconds(few, of, j, query) for of, j in zip(rows, columns, strict=True)]),
            n_evaluations=np.asarray([np.isfinite(few.loss[:, j]).sum() for j in columns], dtype=np.int64),
        )

    def places(self, candidates: Collection[Candidate]) -> Iterator[int]:
        """Yield the place of each candidate among those here; -1 for one that is not.

        Parameters
        ----------
        candidates : collection of Candidate

        Yields
        ------
        int
        """
        place = {candidate.id: index for index, candidate in enumerate(self.candidates)}
        yield from (place.get(candidate.id, -1) for candidate in candidates)


@dataclass(frozen=True, slots=True)
class _Difference:
    """How far candidate and anchor are apart, over groups of datasets."""

    mean: float
    shrunk: float
    error: float  # of the mean
    deviation: float  # of the difference on another task

    @classmethod
    def of(cls, gaps: FloatArray, doubt: float) -> _Difference:
        n, mean = len(gaps), float(gaps.mean())
        squares = float(np.square(gaps - mean).sum())
        variance = max((_DOUBT_WEIGHT * doubt**2 + squares) / (_DOUBT_WEIGHT + n - 1), 1e-12)
        spread = float(np.sqrt(variance))
        return cls(mean, mean * n / (n + 1), spread / n**0.5, spread * (1 + 1 / n) ** 0.5)


def _rows_of(few: MetaDataset, column: int, anchor: int, n_train: int) -> IntArray:
    """Return for every group the row, of those with both candidates, whose training rows are closest in number."""
    both = np.flatnonzero(np.isfinite(few.loss[:, column]) & np.isfinite(few.loss[:, anchor]))
    distance = np.abs(np.log(few.numbers("n_train")[both] / n_train))
    ordered = both[np.argsort(distance, kind="stable")]
    _, first = np.unique(few.groups[ordered], return_index=True)
    return np.asarray(ordered[first], dtype=np.int64)


def _kept(new: list[Candidate], rows: list[IntArray]) -> tuple[list[Candidate], list[IntArray]]:
    """Leave out candidates of too few groups."""
    kept = [(each, of) for each, of in zip(new, rows, strict=True) if len(of) >= _LEAST_GROUPS]
    return [each for each, _ in kept], [of for _, of in kept]


def _seconds(few: MetaDataset, rows: IntArray, column: int, query: Query) -> float:
    """Return the typical seconds of a fit, proportional to the training rows."""
    per_row = few.fit_seconds[rows, column] / few.numbers("n_train")[rows]
    return float(np.exp(np.log(np.maximum(per_row, 1e-9)).mean()) * query.n_train)
