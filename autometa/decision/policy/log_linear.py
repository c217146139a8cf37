"""Costs that grow with powers of the sizes: one log-linear model, pooled over strategies and candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from autometa.decision.policy._base import Query
from autometa.decision.policy.arrays import StoredFields
from autometa.foundation.typing import BoolArray, FloatArray

__all__ = ["LogLinear", "Sizes"]

# Below this many rows fixed costs rule, above it growth does: the slope in log n may change here.
_KNEE_ROWS = 700.0
# Ridge strengths: a strategy's own coefficients rest on ~1000 cells, a candidate's on a few hundred.
_STRATEGY_RIDGE = 10.0
_CANDIDATE_RIDGE = 30.0
# Rounds of raising the bounds to the forecast; each round lowers the loss.
_N_ROUNDS = 10
# Forecasts end here, where exp() would soon overflow.
_GREATEST_LOG = 30.0


class _Sized(Protocol):
    @property
    def n_train(self) -> FloatArray | int: ...

    @property
    def n_features(self) -> FloatArray | int: ...

    @property
    def n_classes(self) -> FloatArray | int: ...


@dataclass(frozen=True, eq=False)
class Sizes:
    """What costs grow with.

    Attributes
    ----------
    n_train, n_features, n_classes : ndarray of float64, shape (n_rows,)
        Training rows, columns, classes (0 for regression).
    """

    n_train: FloatArray
    n_features: FloatArray
    n_classes: FloatArray

    @classmethod
    def of(cls, table: _Sized, rows: BoolArray | None = None) -> Self:
        """Read the sizes of a task, or of some rows of measured ones.

        Parameters
        ----------
        table : object with ``n_train``, ``n_features`` and ``n_classes``
        rows : ndarray of bool, shape (n_rows,), optional
            Default: all.

        Returns
        -------
        Sizes
        """
        sizes = [
            np.atleast_1d(size).astype(np.float64) for size in (table.n_train, table.n_features, table.n_classes)
        ]
        return cls(*(sizes if rows is None else [size[rows] for size in sizes]))

    def design(self, *more: FloatArray) -> FloatArray:
        """Return the columns 1, ln n, max(0, ln n - ln 700), ln p, ln max(1, k), and further ones.

        Parameters
        ----------
        *more : ndarray of float64, shape (n_rows,)

        Returns
        -------
        ndarray of float64, shape (n_rows, n_columns)
        """
        log_n = np.log(np.maximum(self.n_train, 1.0))
        knee = np.maximum(0.0, log_n - np.log(_KNEE_ROWS))
        counts = [np.log(np.maximum(count, 1.0)) for count in (self.n_features, self.n_classes)]
        return np.column_stack([np.ones(len(log_n)), log_n, knee, *counts, *more])


@dataclass(frozen=True, eq=False)
class LogLinear(StoredFields):
    """A log-linear model of one cost per candidate.

    A bound says that a cost is at least so high: a forecast above it is not an error, one below is (one-sided
    squared loss).

    Attributes
    ----------
    coefficients : ndarray of float64, shape (n_candidates, n_columns)
        Of the columns of `Sizes.design`, of the natural logarithm of the cost.
    n_known : float
        Greatest number of training rows that was measured; NaN if nothing was.
    """

    coefficients: FloatArray
    n_known: float

    @classmethod
    def fit(
        cls,
        sizes: Sizes,
        cost: FloatArray,
        strategies: Sequence[str],
        *,
        least: float,
        more: Sequence[FloatArray] = (),
        is_bound: BoolArray | None = None,
    ) -> LogLinear:
        """Fit one model for all, then each strategy's deviation from it, then each candidate's from that.

        Parameters
        ----------
        sizes : Sizes
            Of n_rows tables.
        cost : ndarray of float64, shape (n_rows, n_candidates)
            NaN = not measured.
        strategies : sequence of str
            Of the candidates.
        least : float
            What lower costs count as.
        more : sequence of ndarray of float64, shape (n_rows,)
            Further columns of the design.
        is_bound : ndarray of bool, shape (n_rows, n_candidates), optional
            Which of the costs are lower bounds.

        Returns
        -------
        LogLinear
            All NaN if nothing was measured.
        """
        design, log_cost = sizes.design(*more), np.log(np.maximum(cost, least))
        measured = np.isfinite(log_cost)
        if not measured.any():
            return cls(np.full((log_cost.shape[1], design.shape[1]), np.nan), np.nan)
        target = np.where(measured, log_cost, 0.0)
        members = _members(strategies)
        coefficients = _coefficients(design, target, measured, members)
        bounds = np.zeros(target.shape, dtype=bool) if is_bound is None else is_bound & measured
        for _ in range(_N_ROUNDS if bounds.any() else 0):
            raised = np.where(bounds, np.maximum(target, design @ coefficients.T), target)
            coefficients = _coefficients(design, raised, measured, members)
        return cls(coefficients, float(sizes.n_train[measured.any(axis=1)].max()))

    def predict(
        self, query: Query, *more: float, slope_limits: tuple[float, float], unit: float = 1.0
    ) -> FloatArray:
        """Return the cost of every candidate.

        Parameters
        ----------
        query : Query
        *more : float
            Values of the design's further columns.
        slope_limits : tuple of float
            Least and greatest power of n by which a cost grows beyond the known numbers of rows.
        unit : float
            What the answer is counted in, in units of the measured costs.

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
        """
        inside = query.n_train if np.isnan(self.n_known) else min(query.n_train, self.n_known)
        known = replace(Sizes.of(query), n_train=np.array([float(inside)]))
        (design,) = known.design(*np.asarray(more, dtype=np.float64)[:, None])
        slope = np.clip(self.coefficients[:, 1] + self.coefficients[:, 2], *slope_limits)
        log_cost = self.coefficients @ design + slope * np.log(max(query.n_train, 1) / max(inside, 1.0))
        return np.asarray(np.exp(np.minimum(log_cost, np.log(unit) + _GREATEST_LOG)) / unit)


def _members(strategies: Sequence[str]) -> list[list[int]]:
    """Return the positions of each strategy's candidates."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(strategies):
        found.setdefault(name, []).append(place)
    return list(found.values())


def _coefficients(
    design: FloatArray, target: FloatArray, measured: BoolArray, strategies: Sequence[list[int]]
) -> FloatArray:
    """Fit all together, then what strategies, then what candidates add, shape (n_candidates, n_coefficients)."""
    pooled = _ridge(design, target, measured, 1e-6)
    coefficients = np.repeat(pooled[None], target.shape[1], axis=0)
    for members in strategies:
        left = target[:, members] - design @ coefficients[members].T
        coefficients[members] += _ridge(design, left, measured[:, members], _STRATEGY_RIDGE)
    for j in range(target.shape[1]):
        left = target[:, [j]] - design @ coefficients[[j]].T
        coefficients[j] += _ridge(design, left, measured[:, [j]], _CANDIDATE_RIDGE)
    return coefficients


def _ridge(design: FloatArray, target: FloatArray, present: np.ndarray[Any, Any], strength: float) -> FloatArray:
    """Fit one coefficient vector to the present cells of all columns, shape (n_coefficients,)."""
    counts = present.sum(axis=1)
    gram = (design * counts[:, None]).T @ design
    moment = design.T @ np.where(present, target, 0.0).sum(axis=1)
    return np.asarray(np.linalg.solve(gram + strength * np.eye(design.shape[1]), moment))
