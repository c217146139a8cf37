"""The long format: one row per candidate of a task, in words that mean the same for every candidate and task."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from autometa.decision.policy.evidence import RelativeEvidence
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["COLUMNS", "Situation", "long_format"]

COLUMNS = (
    "has_history",
    "forecast",
    "record",
    "n_sizes",
    "value",
    "place",
    "rank",
    "slope",
    "mean_place",
    "noise",
    "halvings",
    "relatives",
    "best_forecast_gap",
    "tried_share",
    "agreement",
    "spread",
    "level",
    "log_rows",
    "log_columns",
)
# Tried relatives that a mean over relatives is shrunk to none by.
_RELATIVES_RIDGE = 1.0
# Below so many tried candidates nothing is said of how far the prior's order comes true.
_LEAST_COMPARED = 3
_AGREEMENT_RIDGE = 1.0


@dataclass(frozen=True, eq=False)
class Situation:
    """What is known of the candidates of a task before any run.

    Attributes
    ----------
    forecast : ndarray of float64, shape (n_candidates,)
        Standing at full size that the prior forecasts, lower is better; 0 without history.
    record : ndarray of float64, shape (n_candidates,)
        Mean standing on tasks of other groups; 0 without history.
    has_history : ndarray of bool, shape (n_candidates,)
    strategy : ndarray of int64, shape (n_candidates,)
        Codes.
    n_full, n_features : int
        Rows of a fit at full size, and columns.
    """

    forecast: FloatArray
    record: FloatArray
    has_history: BoolArray
    strategy: IntArray
    n_full: int
    n_features: int

    def masked(self, hidden: BoolArray) -> Situation:
        """Return it as if some candidates had no history.

        Parameters
        ----------
        hidden : ndarray of bool, shape (n_candidates,)

        Returns
        -------
        Situation
        """
        return replace(
            self,
            forecast=np.where(hidden, 0.0, self.forecast),
            record=np.where(hidden, 0.0, self.record),
            has_history=self.has_history & ~hidden,
        )


def long_format(situation: Situation, evidence: RelativeEvidence) -> FloatArray:
    """Describe every candidate by its history and by what the runs on this very task showed.

    A value at a size is placed on the scale of the forecasts: less the mean value of the candidates run at that
    size, plus their mean forecast.

    Parameters
    ----------
    situation : Situation
    evidence : RelativeEvidence

    Returns
    -------
    ndarray of float64, shape (n_candidates, n_columns)
        Finite; see `COLUMNS`. What a run would show is 0 for a candidate that was not run.
    """
    n = len(situation.forecast)
    sizes = np.unique(evidence.n_train)
    seen = _Seen.of(situation, evidence, sizes)
    level, spread, agreement = _task_facts(situation, evidence, sizes, seen)
    columns = {
        "has_history": situation.has_history,
        "forecast": situation.forecast,
        "record": situation.record,
        "n_sizes": np.isfinite(seen.value).sum(axis=0),
        "value": seen.last(seen.value),
        "place": seen.last(seen.place),
        "rank": seen.last(seen.rank),
        "slope": seen.slope(),
        "mean_place": _mean_place(seen),
        "noise": seen.last(seen.noise),
        "halvings": seen.last_halvings(),
        "relatives": _relatives(situation, seen),
        "best_forecast_gap": situation.forecast - situation.forecast.min(initial=0.0),
        "tried_share": np.full(n, seen.tried.mean() if n else 0.0),
        "agreement": np.full(n, agreement),
        "spread": np.full(n, spread),
        "level": np.full(n, level),
        "log_rows": np.full(n, np.log(max(situation.n_full, 1))),
        "log_columns": np.full(n, np.log(max(situation.n_features, 1))),
    }
    return np.column_stack([np.asarray(columns[name], dtype=np.float64) for name in COLUMNS])


@dataclass(frozen=True, eq=False)
class _Seen:
    """Evidence as arrays of shape (n_sizes, n_candidates), sizes ascending; NaN where there was no run."""

    value: FloatArray
    place: FloatArray
    rank: FloatArray  # share of the candidates run at that size that were better
    noise: FloatArray  # standard deviation of value
    halvings: FloatArray  # (n_sizes,)
    top: IntArray  # (n_candidates,), greatest size with a run; 0 where there was none
    tried: BoolArray  # (n_candidates,)

    @classmethod
    def of(cls, situation: Situation, evidence: RelativeEvidence, sizes: IntArray) -> _Seen:
        shape = (len(sizes), len(situation.forecast))
        at = (np.searchsorted(sizes, evidence.n_train), evidence.candidate)
        value, noise, place, rank = (np.full(shape, np.nan) for _ in range(4))
        value[at] = evidence.value
        noise[at] = np.sqrt(evidence.noise / evidence.n_runs)
        for i in range(len(sizes)):
            run = np.isfinite(value[i])
            place[i, run] = value[i, run] - value[i, run].mean() + situation.forecast[run].mean()
            rank[i, run] = np.searchsorted(np.sort(value[i, run]), value[i, run]) / run.sum()
        ran = np.isfinite(value)
        return cls(
            value=value,
            place=place,
            rank=rank,
            noise=noise,
            halvings=np.maximum(np.log2(situation.n_full / sizes), 0.0),
            top=(np.arange(len(sizes))[:, None] * ran).max(axis=0, initial=0),
            tried=ran.any(axis=0),
        )

    def last(self, values: FloatArray) -> FloatArray:
        """Return each candidate's value at its greatest size, 0 if it has none."""
        if not len(values):
            return np.zeros(len(self.tried))
        return np.asarray(np.where(self.tried, values[self.top, np.arange(len(self.tried))], 0.0))

    def last_halvings(self) -> FloatArray:
        """Return the halvings of each candidate's greatest size; those of the greatest of all without a run."""
        if not len(self.halvings):
            return np.zeros(len(self.tried))
        return np.asarray(np.where(self.tried, self.halvings[self.top], self.halvings[-1]))

    def slope(self) -> FloatArray:
        """Return the change of place for each doubling between a candidate's two greatest sizes, 0 if one."""
        found = np.zeros(len(self.tried))
        for c in np.flatnonzero(np.isfinite(self.place).sum(axis=0) > 1).tolist():
            before, last = np.flatnonzero(np.isfinite(self.place[:, c]))[-2:]
            doublings = max(float(self.halvings[before] - self.halvings[last]), 0.1)
            found[c] = (self.place[last, c] - self.place[before, c]) / doublings
        return found


def _mean_place(seen: _Seen) -> FloatArray:
    """Return each candidate's mean place over sizes, a size half as far from the full one counting twice."""
    weights = np.exp2(-seen.halvings)[:, None] * np.isfinite(seen.place)
    return np.asarray((weights * np.nan_to_num(seen.place)).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-12))


def _relatives(situation: Situation, seen: _Seen) -> FloatArray:
    """Return by how much the tried others of a candidate's strategy are worse than forecast."""
    off = np.where(seen.tried, seen.last(seen.place) - situation.forecast, 0.0)
    total = np.bincount(situation.strategy, off)[situation.strategy] - off
    count = np.bincount(situation.strategy, seen.tried)[situation.strategy] - seen.tried
    return np.asarray(total / (count + _RELATIVES_RIDGE))


def _task_facts(
    situation: Situation, evidence: RelativeEvidence, sizes: IntArray, seen: _Seen
) -> tuple[float, float, float]:
    """Return least loss and spread of values at the greatest size, and how far the forecasts' order came true."""
    if not len(sizes):
        return 0.0, 0.0, 1.0
    at_top = evidence.n_train == sizes[-1]
    level, spread = float(evidence.loss[at_top].min()), float(evidence.value[at_top].std())
    compared = np.isfinite(seen.value[-1]) & situation.has_history
    if compared.sum() < _LEAST_COMPARED:
        return level, spread, 1.0
    said = situation.forecast[compared] - situation.forecast[compared].mean()
    shown = seen.value[-1, compared] - seen.value[-1, compared].mean()
    return level, spread, float((said @ shown + _AGREEMENT_RIDGE) / (said @ said + _AGREEMENT_RIDGE))
