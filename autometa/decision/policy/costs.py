"""Predicted costs of a fitted candidate besides its fit: seconds of predicting, memory of fitting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autometa.components.knowledge.costs import MeasuredCosts
from autometa.decision.policy._base import Query
from autometa.decision.policy.log_linear import LogLinear, Sizes
from autometa.foundation.typing import BoolArray, FloatArray

__all__ = ["BATCH_ROWS", "CostModel", "MemoryNeeds", "PredictTimes", "to_batch"]

# Rows that are predicted at once where a figure is per row: fixed costs are shared by so many.
BATCH_ROWS = 1_000
# Growth of the seconds with the rows that are predicted at once, up to a batch: fixed costs rule (measured on the
# knowledge base, median over candidates: .18 for classes, .0 for numbers; benchmarks/results/costs.csv).
_BATCH_POWER = 0.2
_LEAST_SECONDS = 1e-4
# A peak below is what a process had at hand already, and says nothing but that more was not seen.
_LEAST_BYTES = 2e6
_GIGABYTE = 1e9
# Predicting does not become faster with more training rows, and grows with all of them at most.
_PREDICT_SLOPES = (0.0, 1.0)
# A fit holds its rows at least, and every pair of them at most.
_MEMORY_SLOPES = (1.0, 2.0)


class CostModel(Protocol):
    """A forecast of one cost."""

    @classmethod
    def fit(cls, costs: MeasuredCosts, rows: BoolArray | None = None) -> CostModel:
        """Learn from some rows of what was measured; default: all."""

    def predict(self, query: Query) -> FloatArray:
        """Return the cost of every candidate, shape (n_candidates,); NaN if nothing is known."""


@dataclass(frozen=True, eq=False)
class PredictTimes:
    """A log-linear model of the time of predicting, per candidate.

    Attributes
    ----------
    model : LogLinear
        Of seconds, on the sizes of the training table and the ln of the rows that are predicted at once.
    """

    model: LogLinear

    @classmethod
    def fit(cls, costs: MeasuredCosts, rows: BoolArray | None = None) -> PredictTimes:
        """Learn from what was timed.

        Parameters
        ----------
        costs : MeasuredCosts
        rows : ndarray of bool, shape (n_rows,), optional
            Rows to learn from; default: all.

        Returns
        -------
        PredictTimes
        """
        kept = np.isfinite(costs.n_test) & (costs.n_test > 0) & (True if rows is None else rows)
        model = LogLinear.fit(
            Sizes.of(costs, kept),
            costs.predict_seconds[kept],
            costs.strategies,
            least=_LEAST_SECONDS,
            more=[np.log(costs.n_test[kept])],
        )
        return cls(model)

    def seconds(self, query: Query, n_rows: float) -> FloatArray:
        """Return the seconds that predicting some rows at once will take every candidate.

        Parameters
        ----------
        query : Query
            The task that is fitted on.
        n_rows : float

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
        """
        return self.model.predict(query, np.log(n_rows), slope_limits=_PREDICT_SLOPES)

    def predict(self, query: Query) -> FloatArray:
        """Return milliseconds per row, in batches of 1,000 rows.

        Parameters
        ----------
        query : Query

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
        """
        return 1e3 * self.seconds(query, BATCH_ROWS) / BATCH_ROWS


@dataclass(frozen=True, eq=False)
class MemoryNeeds:
    """A log-linear model of the memory that a fit takes, per candidate.

    What was measured are lower bounds, most of them below what a process holds anyway: those only say that more
    was not seen, and a forecast above them is not an error.

    Attributes
    ----------
    model : LogLinear
        Of bytes, on the sizes of the training table.
    """

    model: LogLinear

    @classmethod
    def fit(cls, costs: MeasuredCosts, rows: BoolArray | None = None) -> MemoryNeeds:
        """Learn from what was seen.

        Parameters
        ----------
        costs : MeasuredCosts
        rows : ndarray of bool, shape (n_rows,), optional
            Rows to learn from; default: all.

        Returns
        -------
        MemoryNeeds
        """
        peak = costs.peak_memory if rows is None else costs.peak_memory[rows]
        # Where the system does not tell, every peak is 0.
        peak = peak if (peak > 0).any() else np.full(peak.shape, np.nan)
        model = LogLinear.fit(
            Sizes.of(costs, rows), peak, costs.strategies, least=_LEAST_BYTES, is_bound=peak <= _LEAST_BYTES
        )
        return cls(model)

    def predict(self, query: Query) -> FloatArray:
        """Return gigabytes (1e9 bytes) of one fit, on top of the table itself.

        Parameters
        ----------
        query : Query

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
        """
        return self.model.predict(query, slope_limits=_MEMORY_SLOPES, unit=_GIGABYTE)


def to_batch(seconds: float, n_rows: float) -> float:
    """Return milliseconds per row in batches of 1,000, of seconds that were measured on another number of rows.

    Beyond a batch the seconds are taken to grow with the rows.

    Parameters
    ----------
    seconds : float
    n_rows : float

    Returns
    -------
    float
    """
    ratio = BATCH_ROWS / max(n_rows, 1.0)
    return 1e3 * seconds * float(ratio ** (_BATCH_POWER if ratio > 1 else 1.0)) / BATCH_ROWS
