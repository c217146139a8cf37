"""Predicted seconds of a fit: log-linear in the sizes, pooled over strategies and candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import Arrays, Query
from autometa.foundation.typing import BoolArray, FloatArray

__all__ = ["FitTimes"]

# Below this many rows fixed costs rule, above it growth does: the slope in log n may change here.
_KNEE_ROWS = 700.0
_LEAST_SECONDS = 1e-3
# Ridge strengths: a strategy's own coefficients rest on ~1000 cells, a candidate's on a few hundred.
_STRATEGY_RIDGE = 10.0
_CANDIDATE_RIDGE = 30.0
# Rounds of raising the bounds to the forecast; each round lowers the loss.
_N_ROUNDS = 10
# Beyond the greatest n known, no learner that reads its rows grows slower than linearly, and none of those
# built in faster than cubically.
_SLOPE_LIMITS = (1.0, 3.0)


@dataclass(frozen=True, eq=False)
class FitTimes:
    """A log-linear model of fit time per candidate.

    A fit that was stopped at a limit says that it takes longer: a forecast above the limit is not an error, one
    below is (one-sided squared loss).

    Attributes
    ----------
    coefficients : ndarray of float64, shape (n_candidates, 5)
        Of 1, ln n, max(0, ln n - ln 700), ln p, ln max(1, k).
    n_known : float
        Greatest number of training rows that was timed.
    """

    coefficients: FloatArray
    n_known: float

    @classmethod
    def fit(cls, meta_dataset: MetaDataset) -> FitTimes:
        """Fit one model for all, then each strategy's deviation from it, then each candidate's from that.

        Parameters
        ----------
        meta_dataset : MetaDataset

        Returns
        -------
        FitTimes
            All NaN if nothing was timed.
        """
        sizes = [meta_dataset.numbers(column) for column in ("n_train", "n_features", "n_classes")]
        design = _design(*sizes)
        timed = np.isfinite(meta_dataset.fit_seconds)
        if not timed.any():
            return cls(np.full((meta_dataset.n_candidates, design.shape[1]), np.nan), np.nan)
        seconds = np.where(timed, meta_dataset.fit_seconds, 1.0)
        bound = np.log(np.maximum(seconds, _LEAST_SECONDS))
        members = _members([candidate.strategy for candidate in meta_dataset.candidates])
        stopped = meta_dataset.timed_out
        coefficients = _coefficients(design, bound, timed, members)
        for _ in range(_N_ROUNDS if stopped.any() else 0):
            raised = np.where(stopped, np.maximum(bound, design @ coefficients.T), bound)
            coefficients = _coefficients(design, raised, timed, members)
        return cls(coefficients, float(sizes[0][timed.any(axis=1)].max()))

    def predict(self, query: Query) -> FloatArray:
        """Return the seconds that one fit of every candidate will take on one core.

        Parameters
        ----------
        query : Query

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
            At least 0.001; beyond the known numbers of rows, growth with a power of n between 1 and 3.
        """
        inside = min(float(query.n_train), self.n_known) if np.isfinite(self.n_known) else float(query.n_train)
        design = _design(np.array([inside]), np.array([query.n_features]), np.array([query.n_classes]))
        slope = np.clip(self.coefficients[:, 1] + self.coefficients[:, 2], *_SLOPE_LIMITS)
        log_seconds = self.coefficients @ design[0] + slope * np.log(max(query.n_train, 1) / max(inside, 1.0))
        return np.asarray(np.maximum(np.exp(np.minimum(log_seconds, 30.0)), _LEAST_SECONDS))

    def to_arrays(self, prefix: str) -> dict[str, np.ndarray[Any, Any]]:
        """Return everything as arrays."""
        return {prefix + "coefficients": self.coefficients, prefix + "n_known": np.asarray(self.n_known)}

    @classmethod
    def from_arrays(cls, arrays: Arrays, prefix: str) -> FitTimes:
        """Read what `to_arrays` returned."""
        return cls(arrays[prefix + "coefficients"], float(arrays[prefix + "n_known"]))


def _design(n: FloatArray, p: FloatArray, k: FloatArray) -> FloatArray:
    log_n = np.log(np.maximum(n, 1.0))
    knee = np.maximum(0.0, log_n - np.log(_KNEE_ROWS))
    columns = [np.ones(len(log_n)), log_n, knee, np.log(np.maximum(p, 1.0)), np.log(np.maximum(k, 1.0))]
    return np.column_stack(columns)


def _members(strategies: Sequence[str]) -> list[list[int]]:
    """Return the positions of each strategy's candidates."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(strategies):
        found.setdefault(name, []).append(place)
    return list(found.values())


def _coefficients(
    design: FloatArray, target: FloatArray, timed: BoolArray, strategies: Sequence[list[int]]
) -> FloatArray:
    """Fit all together, then what strategies, then what candidates add, shape (n_candidates, n_coefficients)."""
    pooled = _ridge(design, target, timed, 1e-6)
    coefficients = np.repeat(pooled[None], target.shape[1], axis=0)
    for members in strategies:
        left = target[:, members] - design @ coefficients[members].T
        coefficients[members] += _ridge(design, left, timed[:, members], _STRATEGY_RIDGE)
    for j in range(target.shape[1]):
        left = target[:, [j]] - design @ coefficients[[j]].T
        coefficients[j] += _ridge(design, left, timed[:, [j]], _CANDIDATE_RIDGE)
    return coefficients


def _ridge(design: FloatArray, target: FloatArray, present: np.ndarray[Any, Any], strength: float) -> FloatArray:
    """Fit one coefficient vector to the present cells of all columns, shape (n_coefficients,)."""
    counts = present.sum(axis=1)
    gram = (design * counts[:, None]).T @ design
    moment = design.T @ np.where(present, target, 0.0).sum(axis=1)
    return np.asarray(np.linalg.solve(gram + strength * np.eye(design.shape[1]), moment))
