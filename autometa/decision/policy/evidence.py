"""Evidence: fits on subsamples of the very task that is asked about, made comparable with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autometa.decision.policy.performance import REGRET_CLIP
from autometa.domain.metrics import METRICS
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["RelativeEvidence", "Run", "compressed", "least_loss"]

# Variance of one run's loss, times the rows it was scored on, for each unit that the best is above a perfect one,
# before repetitions have shown what it is here. Two good classifiers disagree on a share of rows of about their
# error; for log-loss and normalised errors between .2 and .8 the same rule is right within a factor of two.
_ROW_VARIANCE = 0.15
# So many repetitions count as much as that rule, and as much as what is usual on the table.
_RULE_WEIGHT = 2.0
_USUAL_WEIGHT = 3.0
# Share of the noise that comes from the rows scored on: a repetition has the same ones at every size.
_SHARED_NOISE = 0.5
_N_SWEEPS = 10
_LEAST_ABOVE = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """One fit on a subsample.

    Attributes
    ----------
    candidate : int
        Position in the list of candidates.
    n_train : int
        Rows fitted on.
    repetition : int
        Runs of one repetition are on nested rows and are scored on the same other rows.
    loss : float
        `Metric.loss`, lower is better; NaN if the run failed.
    seconds : float
        Of fit and predict.
    """

    candidate: int
    n_train: int
    repetition: int
    loss: float
    seconds: float = float("nan")


def compressed(regret: FloatArray, unit: float) -> FloatArray:
    """Return ``log(1 + regret / unit)``: linear near the best, where choices are made, and flat among disasters.

    Parameters
    ----------
    regret : ndarray of float64
        Not negative.
    unit : float
        Regret from which differences count less.

    Returns
    -------
    ndarray of float64, same shape
    """
    return np.asarray(np.log1p(regret / unit))


def least_loss(metric: str) -> float:
    """Return the loss of a perfect prediction; 0 for a metric that is not autometa's own.

    Parameters
    ----------
    metric : str

    Returns
    -------
    float
    """
    return METRICS[metric].loss(METRICS[metric].best) if metric in METRICS else 0.0


@dataclass(frozen=True, eq=False)
class RelativeEvidence:
    """What the runs say of each (candidate, size), relative to the others at that size.

    Attributes
    ----------
    candidate, n_train, n_runs : ndarray of int64, shape (n_points,)
        `n_runs` is the number of repetitions behind a point.
    loss : ndarray of float64, shape (n_points,)
        Mean loss with the hardness of the repetitions taken out.
    value : ndarray of float64, shape (n_points,)
        Compressed regret against the best at that size.
    noise : ndarray of float64, shape (n_points,)
        Variance of `value` if it were one run.
    variance : float
        Of one run's loss, for a candidate that has no runs.
    """

    candidate: IntArray
    n_train: IntArray
    n_runs: IntArray
    loss: FloatArray
    value: FloatArray
    noise: FloatArray
    variance: float

    @classmethod
    def of(cls, runs: Sequence[Run], *, unit: float, n_test: int, perfect: float = 0.0) -> RelativeEvidence:
        """Compare runs of one size with each other.

        Parameters
        ----------
        runs : sequence of Run
            Failed ones are left out.
        unit : float
            See `compressed`.
        n_test : int
            Rows that a run was scored on.
        perfect : float
            The least loss that the metric can have.

        Returns
        -------
        RelativeEvidence
        """
        good = [run for run in runs if np.isfinite(run.loss)]
        sizes = sorted({run.n_train for run in good})
        parts = [_Size.of([run for run in good if run.n_train == size]) for size in sizes]
        variance, own = _run_variances(parts, n_test, perfect)
        regret = [part.loss - part.loss.min() for part in parts]
        return cls(
            candidate=_joined([part.candidate for part in parts]).astype(np.int64),
            n_train=np.repeat(sizes, [len(part.loss) for part in parts]).astype(np.int64),
            n_runs=_joined([part.n_runs for part in parts]).astype(np.int64),
            loss=_joined([part.loss for part in parts]),
            value=_joined([compressed(np.minimum(above, REGRET_CLIP), unit) for above in regret]),
            noise=_joined(
                [
                    own[part.candidate] / np.square(unit + np.minimum(above, REGRET_CLIP))
                    for part, above in zip(parts, regret, strict=True)
                ]
            ),
            variance=variance,
        )

    def covariance(self) -> FloatArray:
        """Return the covariance of the noise of `value`, shape (n_points, n_points)."""
        same = self.candidate[:, None] == self.candidate[None]
        scale = np.sqrt(self.noise[:, None] * self.noise[None])
        shared = _SHARED_NOISE * scale / np.maximum(self.n_runs[:, None], self.n_runs[None])
        own = np.diag((1 - _SHARED_NOISE) * self.noise / self.n_runs)
        return np.asarray(np.where(same, shared, 0.0) + own)


@dataclass(frozen=True, eq=False)
class _Size:
    """The runs of one size: candidates' losses with the hardness of the repetitions taken out."""

    candidate: IntArray
    n_runs: IntArray
    loss: FloatArray
    squares: FloatArray  # of each candidate's residuals, summed
    freedom: FloatArray

    @classmethod
    def of(cls, runs: Sequence[Run]) -> _Size:
        """Fit candidate + repetition to the losses, disasters pulled in."""
        candidates, row = np.unique([run.candidate for run in runs], return_inverse=True)
        repetitions, column = np.unique([run.repetition for run in runs], return_inverse=True)
        loss = np.asarray([run.loss for run in runs])
        floor = np.full(len(repetitions), np.inf)
        np.minimum.at(floor, column, loss)
        loss = np.minimum(loss, floor[column] + REGRET_CLIP)
        n_runs, n_at = np.bincount(row), np.bincount(column)
        hardness = np.zeros(len(repetitions))
        level = np.zeros(len(candidates))
        for _ in range(_N_SWEEPS):
            level = np.bincount(row, loss - hardness[column]) / n_runs
            hardness = np.bincount(column, loss - level[row]) / n_at
            hardness -= hardness @ n_at / n_at.sum()
        left = loss - level[row] - hardness[column]
        freedom = max(0, len(loss) - len(candidates) - len(repetitions) + 1)
        share = np.asarray(n_runs / len(loss), dtype=np.float64)
        squares = np.asarray(np.bincount(row, np.square(left)), dtype=np.float64)
        return cls(candidates, n_runs, level, squares, freedom * share)


def _run_variances(parts: Sequence[_Size], n_test: int, perfect: float) -> tuple[float, FloatArray]:
    """Return the variance of one run's loss: what is usual here, and of every candidate, by position.

    The usual one is the rule's, and the median candidate's where repetitions show it: a few erratic learners must
    not make the comparison of the others look vague.
    """
    above = min((float(part.loss.min()) for part in parts), default=perfect + _LEAST_ABOVE) - perfect
    rule = _ROW_VARIANCE * max(above, _LEAST_ABOVE) / max(n_test, 1)
    n = 1 + max((int(part.candidate.max()) for part in parts), default=0)
    squares, freedom = np.zeros(n), np.zeros(n)
    for part in parts:
        squares[part.candidate] += part.squares
        freedom[part.candidate] += part.freedom
    shown = freedom > 0
    typical = float(np.median(squares[shown] / freedom[shown])) if shown.any() else rule
    usual = (_RULE_WEIGHT * rule + freedom.sum() * typical) / (_RULE_WEIGHT + freedom.sum())
    return usual, (_USUAL_WEIGHT * usual + squares) / (_USUAL_WEIGHT + freedom)


def _joined(parts: Sequence[FloatArray | IntArray | BoolArray]) -> FloatArray:
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]) if parts else np.empty(0)
