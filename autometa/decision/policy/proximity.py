"""The prior: how close the task is to each known one, and what that past says together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from autometa.decision.policy._base import Arrays, Query, Ranking
from autometa.decision.policy.experience import Experience
from autometa.decision.policy.familiarity import Familiarity
from autometa.decision.policy.forest import Forest
from autometa.decision.policy.trust import Trust, cautious_first, cross_folds, learn_trust, trusting_order
from autometa.decision.policy.weighted import LEAST_GROUPS, WeightedPolicy
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["ProximityPolicy"]

_N_TREES_PER_FOLD = 100
# Principal components of the target that hold this share of its variance are grown on: splits that reduce the
# squared error of all candidates are the same on any rotation, and 30 outputs cost a fraction of 200.
_VARIANCE_KEPT = 0.99
# Spread below which a row's differences are noise of the evaluation.
_LEAST_SPREAD = 0.01


@dataclass
class ProximityPolicy(WeightedPolicy):
    """Weigh known tasks by their proximity in an extra-trees forest, then choose greedily under these weights.

    The forest predicts the centred performance of all candidates at once, so that it splits where
    meta-features decide who wins. The share of each known task in its prediction gives everything else:
    expected loss, spread, neighbours and a list whose members complement each other on the tasks that are
    close. How far that is trusted is learned from the known tasks, each judged by those of other groups; far
    from everything known no task weighs more than its even share: the static portfolio.

    Parameters
    ----------
    n_trees : int
    min_samples_leaf : int
    max_features : float
        Share of the meta-features tried at a split.
    random_state : int

    References
    ----------
    .. [1] Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
    .. [2] Lin & Jeon, "Random forests and adaptive nearest neighbors", JASA 101, 2006.
    """

    n_trees: int = 300
    min_samples_leaf: int = 2
    max_features: float = 0.5
    random_state: int = 0
    name: ClassVar[str] = "proximity"
    version: ClassVar[int] = 10

    def __post_init__(self) -> None:
        self._forest: Forest | None = None
        self._familiarity: Familiarity | None = None
        self._trust = Trust()
        self._closeness: FloatArray | None = None

    def learn(self, experience: Experience) -> Self:
        """Grow the forest and learn how far to trust it; see `WeightedPolicy.learn`."""
        past = experience
        self._experience = past
        self._familiarity = Familiarity.fit(past.metafeatures, past.groups)
        self._forest = None
        if len(np.unique(past.groups)) >= LEAST_GROUPS:
            X, Y = self._grounds()
            self._forest = self._grow(X, Y, self.n_trees)
            closeness = self._crossed_closeness(X, Y)
            self._trust = learn_trust(
                lambda inside, outside: closeness[np.ix_(outside, inside)],
                past.performance.regret,
                past.even_weights(),
                past.groups,
                random_state=self.random_state,
            )
            self._closeness = closeness
        self._look_back()
        self._closeness = None
        return self

    def _crossed_closeness(self, X: FloatArray, Y: FloatArray) -> FloatArray:
        """Return how close every known row is to each, by forests that had not seen the latter's group."""
        closeness = np.zeros((len(X), len(X)))
        for inside, outside in cross_folds(self.experience.groups, np.ones(len(X), bool), self.random_state):
            forest = self._grow(X[inside], Y[inside], _N_TREES_PER_FOLD)
            closeness[np.ix_(outside, inside)] = forest.weights(X[outside])
        return closeness

    def _crossed(self) -> tuple[FloatArray, IntArray]:
        """Return weights and first places as they would have been; see `WeightedPolicy`."""
        closeness = self._closeness
        if closeness is None:
            return super()._crossed()
        past = self.experience
        even = np.zeros(closeness.shape)
        for inside, outside in cross_folds(past.groups, np.ones(past.n_rows, bool), self.random_state):
            even[np.ix_(outside, inside)] = past.even_weights()[inside]
        even = even / even.sum(axis=1, keepdims=True)
        regret, evenness = past.performance.regret, self._trust.evenness
        references = np.argmin(even @ regret, axis=1).tolist()
        first = [
            cautious_first(row, regret, reference, self._trust.caution)
            for row, reference in zip(closeness, references, strict=True)
        ]
        return (1 - evenness) * closeness + evenness * even, np.asarray(first, dtype=np.int64)

    def _grounds(self) -> tuple[FloatArray, FloatArray]:
        """Return what the forest is grown on: scaled meta-features and the principal parts of the target."""
        past = self.experience
        known = past.performance.is_known
        return past.scaled(past.metafeatures), _principal(standardised(past.performance.regret[:, known]))

    def _grow(self, X: FloatArray, Y: FloatArray, n_trees: int) -> Forest:
        return Forest.fit(
            X,
            Y,
            n_trees=n_trees,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            random_state=self.random_state,
        )

    def rank(self, query: Query) -> Ranking:
        """Rank all candidates for a task; see `Policy.rank`."""
        past = self.experience
        past.check(query)
        familiarity, is_far, stretch = self._measure(query)
        if self._forest is None or is_far:
            return self._fall_back(query, familiarity, stretch, is_far=self._forest is not None)
        scaled = past.scaled(query.metafeatures[None])
        closeness, even = self._forest.weights(scaled)[0], past.even_weights()
        evenness = self._trust.evenness
        return past.answer(
            query,
            (1 - evenness) * closeness + evenness * even,
            trusting_order(closeness, even, past.performance.regret, self._trust),
            closeness=closeness,
            calibration=self._calibration,
            stretch=stretch,
            influences=self._influences(self._forest, scaled[0]),
            familiarity=familiarity,
            notes=_widening_notes(stretch),
        )

    def _measure(self, query: Query) -> tuple[float, bool, float]:
        if self._familiarity is None:
            return 0.0, True, 1.0
        return *self._familiarity.measure(query.metafeatures), self._familiarity.stretch(query.metafeatures)

    def _fall_back(self, query: Query, familiarity: float, stretch: float, *, is_far: bool) -> Ranking:
        reason = "it is far from every known task" if is_far else "too few tasks are known"
        note = f"Known tasks were not compared with this one, because {reason}: the list is that for any task."
        weights = self.experience.even_weights()
        order = self._order(query, weights)
        return self.experience.answer(
            query,
            weights,
            order,
            calibration=self._calibration,
            stretch=stretch,
            familiarity=familiarity,
            fallback=True,
            notes=(note, *_widening_notes(stretch)),
        )

    def _influences(self, forest: Forest, scaled: FloatArray) -> dict[str, float]:
        shares = forest.influence(scaled, len(scaled))
        names = self.experience.metafeature_names
        return {names[j]: float(shares[j]) for j in np.argsort(-shares, kind="stable") if shares[j] > 0}

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what was learned as plain arrays; see `Policy.to_arrays`."""
        arrays = super().to_arrays()
        if self._familiarity is not None:
            arrays.update(self._familiarity.to_arrays("familiarity."))
        arrays.update(self._trust.to_arrays("trust."))
        return arrays if self._forest is None else {**arrays, **self._forest.to_arrays("forest.")}

    def restore(self, arrays: Arrays) -> Self:
        """Take up what `to_arrays` returned; see `Policy.restore`."""
        super().restore(arrays)
        self._familiarity = Familiarity.from_arrays(arrays, "familiarity.")
        self._trust = Trust.from_arrays(arrays, "trust.")
        self._forest = Forest.from_arrays(arrays, "forest.") if "forest.roots" in arrays else None
        return self


def _widening_notes(stretch: float) -> tuple[str, ...]:
    """Say that intervals are wider than usual, if they are."""
    if stretch <= 1.0:
        return ()
    return (
        f"This task is {stretch:.1f} times as far from every known one as any of them is from the others: the "
        "intervals are that much wider.",
    )


def standardised(regret: FloatArray) -> FloatArray:
    """Return every row's regrets with mean 0 and standard deviation 1 (rows without spread: 0).

    A row where all candidates are within a hundredth teaches as much about who wins as one where they are
    apart; on others' meta-data the standardised target closed up to .06 more of the gap than the centred one.

    Parameters
    ----------
    regret : ndarray of float64, shape (n_rows, n_candidates)

    Returns
    -------
    ndarray of float64, shape (n_rows, n_candidates)
    """
    centred = regret - regret.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + _LEAST_SPREAD**2)
    return np.asarray(centred / spread)


def _principal(target: FloatArray) -> FloatArray:
    """Rotate the target onto its principal components and keep those that hold most of the variance."""
    centred = target - target.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    held = np.cumsum(np.square(sizes)) / max(float(np.square(sizes).sum()), 1e-300)
    n_kept = int(np.searchsorted(held, _VARIANCE_KEPT)) + 1
    return np.asarray(left[:, :n_kept] * sizes[:n_kept])
