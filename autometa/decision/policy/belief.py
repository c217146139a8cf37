"""Belief: what is expected of every candidate on this very task, after what the runs on its subsamples showed.

It is the average of two: a Gaussian belief, and the opinion of the pooled model where there is one (`pooled`).

The Gaussian one: a candidate's standing (compressed regret at full size, less the mean over candidates) is the
prior's, plus a surprise; its standing on a subsample is that at full size, plus a drift that grows with the log of
the size ratio, plus noise. Surprises and drifts of candidates go together as they did on past tasks, and all of
them are as large as the task turns out to be surprising. Everything is jointly Gaussian given that scale, so that
a run of one candidate also speaks of its relatives, and what a further run would tell is known before it is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from autometa.decision.policy.evidence import RelativeEvidence
from autometa.decision.policy.pooled import Opinion
from autometa.foundation.typing import BoolArray, FloatArray, IntArray

__all__ = ["Assumptions", "Belief", "Outlook"]

# Runs of one size are compared with each other only: the hardness of a size is as good as unknown.
_HARDNESS_VARIANCE = 100.0
_JITTER = 1e-9
# What the pooled model counts where its opinion is trusted; of this and .7 the better inside the training groups.
_POOLED_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Assumptions:
    """What is assumed of the candidates of one task before any run.

    Attributes
    ----------
    mean : ndarray of float64, shape (n_candidates,)
        Standing at full size, lower is better.
    surprise : ndarray of float64, shape (n_candidates, n_candidates)
        Covariance of the surprises at scale 1.
    drift : ndarray of float64, shape (n_candidates, n_candidates)
        Covariance of the drifts at scale 1 and a curve of 1.
    trend : ndarray of float64, shape (n_candidates,)
        Expected drift for each halving of the rows.
    curve : tuple of float
        Variance of the drift after t halvings is ``curve[0] * t + curve[1] * t**2``.
    scales : ndarray of float64, shape (n_scales,)
        Equally likely sizes of the surprises.
    unit : float
        See `compressed`.
    n_full : int
        Rows of a fit at full size.
    opinion : Opinion, optional
        Of the pooled model.
    """

    mean: FloatArray
    surprise: FloatArray
    drift: FloatArray
    trend: FloatArray
    curve: tuple[float, float]
    scales: FloatArray
    unit: float
    n_full: int
    opinion: Opinion | None = None

    def halvings(self, n_train: IntArray | FloatArray) -> FloatArray:
        """Return how often the full size must be halved to come down to these rows, at least 0."""
        return np.asarray(np.maximum(np.log2(self.n_full / np.asarray(n_train, dtype=np.float64)), 0.0))

    def covariance(self, left: Places, right: Places) -> FloatArray:
        """Return the covariance of standings at scale 1, shape (n_left, n_right)."""
        t, u = left.halvings[:, None], right.halvings[None]
        grown = self.curve[0] * np.minimum(t, u) + self.curve[1] * t * u
        pair = np.ix_(left.candidate, right.candidate)
        return np.asarray(self.surprise[pair] + self.drift[pair] * grown)

    def expected(self, places: Places) -> FloatArray:
        """Return the standing expected before any run, shape (n_places,)."""
        return np.asarray(self.mean[places.candidate] + self.trend[places.candidate] * places.halvings)


@dataclass(frozen=True, eq=False)
class Places:
    """Candidates at sizes: what a standing is a standing of."""

    candidate: IntArray
    halvings: FloatArray


@dataclass(frozen=True, eq=False)
class Belief:
    """Standings at full size, given the evidence.

    Attributes
    ----------
    mean : ndarray of float64, shape (n_candidates,)
        Lower is better.
    covariance : ndarray of float64, shape (n_candidates, n_candidates)
    scale : float
        How surprising the task is believed to be.
    assumptions : Assumptions
    evidence : RelativeEvidence
    """

    mean: FloatArray
    covariance: FloatArray
    scale: float
    assumptions: Assumptions
    evidence: RelativeEvidence

    @classmethod
    def given(cls, assumptions: Assumptions, evidence: RelativeEvidence) -> Belief:
        """Condition the assumptions on evidence, and average with the pooled model's opinion.

        The Gaussian belief is conditioned under each scale, and the scales are weighed by how well they fit. Its
        covariance stands: it says how doubts go together, and what a further run would tell.

        Parameters
        ----------
        assumptions : Assumptions
        evidence : RelativeEvidence

        Returns
        -------
        Belief
        """
        full = Places(np.arange(len(assumptions.mean)), np.zeros(len(assumptions.mean)))
        seen = Places(evidence.candidate, assumptions.halvings(evidence.n_train))
        before = assumptions.covariance(full, full)
        across = assumptions.covariance(full, seen)
        among = assumptions.covariance(seen, seen)
        same_size = evidence.n_train[:, None] == evidence.n_train[None]
        other = _HARDNESS_VARIANCE * same_size + evidence.covariance()
        surprise = evidence.value - assumptions.expected(seen)
        parts = [_conditioned(scale, before, across, among, other, surprise) for scale in assumptions.scales]
        fits = np.asarray([part[2] for part in parts])
        weights = np.exp(fits - fits.max())
        weights /= weights.sum()
        means = np.asarray([part[0] for part in parts])
        mean = weights @ means
        spread = np.einsum("q,qi,qj->ij", weights, means - mean, means - mean)
        covariance = np.einsum("q,qij->ij", weights, np.asarray([part[1] for part in parts])) + spread
        scale = float(np.sqrt(weights @ np.square(assumptions.scales)))
        standing = assumptions.mean + mean
        if assumptions.opinion is not None and len(evidence.value):
            opinion = assumptions.opinion
            standing = _averaged(standing, opinion.standings(evidence), _POOLED_SHARE * opinion.trust(evidence))
        return cls(standing, covariance, scale, assumptions, evidence)

    @property
    def risk(self) -> FloatArray:
        """Log of the expected regret (plus a unit), up to a constant: doubt counts against a candidate."""
        return np.asarray(self.mean + np.diag(self.covariance) / 2)

    def samples(self, n_samples: int, *, random_state: int = 0) -> FloatArray:
        """Draw standings.

        Parameters
        ----------
        n_samples : int
        random_state : int

        Returns
        -------
        ndarray of float64, shape (n_samples, n_candidates)
        """
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        draws = np.random.default_rng(random_state).standard_normal((n_samples, len(values)))
        return np.asarray(self.mean + draws @ root.T)

    def outlook(self, sizes: IntArray) -> Outlook:
        """Prepare for the question what further runs at these sizes would tell.

        Parameters
        ----------
        sizes : ndarray of int64, shape (n_sizes,)
            Rows to fit on.

        Returns
        -------
        Outlook
        """
        past, n = self.assumptions, len(self.mean)
        rows = np.repeat(np.append(0, sizes), n)
        halvings = np.where(rows > 0, past.halvings(np.maximum(rows, 1)), 0.0)
        places = Places(np.tile(np.arange(n), 1 + len(sizes)), halvings)
        seen = Places(self.evidence.candidate, past.halvings(self.evidence.n_train))
        at = self.evidence.n_train
        opened = np.isin(sizes, at)
        scale = self.scale**2
        # The hardness of a size without any run counts as known, or nothing could be gained by its first one.
        hard = _HARDNESS_VARIANCE * np.isin(rows, at)
        joint = scale * past.covariance(places, places) + hard[:, None] * (rows[:, None] == rows[None])
        if len(at):
            gram = scale * past.covariance(seen, seen) + self.evidence.covariance()
            gram += _HARDNESS_VARIANCE * (at[:, None] == at[None])
            across = scale * past.covariance(places, seen) + _HARDNESS_VARIANCE * (rows[:, None] == at[None])
            factor = cho_factor(gram + _JITTER * np.eye(len(gram)))
            joint -= across @ cho_solve(factor, across.T)
        return Outlook(self.risk, joint, opened)


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is not known yet.

    Attributes
    ----------
    risk : ndarray of float64, shape (n_candidates,)
        See `Belief.risk`.
    covariance : ndarray of float64, shape (n, n) with n = n_candidates * (1 + n_sizes)
        Of the standings at full size, then of what runs at each size show.
    opened : ndarray of bool, shape (n_sizes,)
        Whether there is a run to compare with.
    """

    risk: FloatArray
    covariance: FloatArray
    opened: BoolArray

    def place(self, candidate: int, size: int) -> int:
        """Return the row of `covariance` of a candidate at the size with that position."""
        return len(self.risk) * (1 + size) + candidate

    def after(self, candidate: int, size: int, noise: float) -> Outlook:
        """Return the outlook with a run under way, whatever it will show.

        Parameters
        ----------
        candidate, size : int
            Positions.
        noise : float
            Variance of the run.

        Returns
        -------
        Outlook
        """
        row = self.covariance[self.place(candidate, size)]
        variance = row[self.place(candidate, size)] + noise
        opened = self.opened.copy()
        opened[size] = True
        covariance = self.covariance - np.outer(row, row) / max(variance, 1e-12)
        return replace(self, covariance=covariance, opened=opened)


def _averaged(gaussian: FloatArray, pooled: FloatArray, share: float) -> FloatArray:
    """Return the weighted mean of two means of standings, which are relative to the mean over candidates."""
    level = float(gaussian.mean() - pooled.mean())
    return np.asarray((1 - share) * gaussian + share * (pooled + level))


def _conditioned(
    scale: float,
    before: FloatArray,
    across: FloatArray,
    among: FloatArray,
    other: FloatArray,
    surprise: FloatArray,
) -> tuple[FloatArray, FloatArray, float]:
    """Return shift of the means, covariance, and log-likelihood of the evidence under one scale."""
    square = scale**2
    if not len(surprise):
        return np.zeros(len(before)), square * before, 0.0
    gram = square * among + other
    factor = cho_factor(gram + _JITTER * np.eye(len(gram)), lower=True)
    solved = cho_solve(factor, np.column_stack([surprise, square * across.T]))
    shift = square * across @ solved[:, 0]
    left = square * before - square * across @ solved[:, 1:]
    fit = -0.5 * float(surprise @ solved[:, 0]) - float(np.log(np.diag(factor[0])).sum())
    return shift, (left + left.T) / 2, fit
