"""What every policy is asked and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from autometa.domain.strategy import Candidate
from autometa.foundation.typing import FloatArray, IntArray, JsonValue

if TYPE_CHECKING:
    from autometa.components.knowledge.meta_dataset import MetaDataset

__all__ = ["INTERVAL_LEVEL", "NEAR_BEST", "Arrays", "NearTask", "Policy", "Query", "Ranking"]

Arrays = Mapping[str, np.ndarray[Any, Any]]

# Nominal coverage of the intervals: the ends are the 10 % and 90 % quantiles.
INTERVAL_LEVEL = 0.8
# A loss that is so close to the best one that nobody minds.
NEAR_BEST = 0.01


@dataclass(frozen=True, eq=False, slots=True)
class Query:
    """A task as a policy sees it.

    Attributes
    ----------
    metafeatures : ndarray of float64, shape (n_metafeatures,)
        In the order of the MetaDataset's names; NaN where not defined.
    n_train, n_features, n_classes : int
        Rows that will be fitted on, columns, classes (0 for regression).
    """

    metafeatures: FloatArray
    n_train: int
    n_features: int
    n_classes: int = 0


@dataclass(frozen=True, slots=True)
class NearTask:
    """A known task that had a say.

    Attributes
    ----------
    task : str
        Key in the knowledge base.
    name : str
    dataset_id : int or None
        OpenML id.
    weight : float
        Share of the answer, all training sizes of the task together; in (0, 1].
    n_train : int
        Rows fitted on there, at the training size with the greatest weight.
    winner : int
        Position of the candidate that did best there; -1 if none was measured.
    """

    task: str
    name: str
    dataset_id: int | None
    weight: float
    n_train: int
    winner: int


@dataclass(frozen=True, eq=False)
class Ranking:
    """The answer of a policy. Arrays have one entry per candidate of the MetaDataset, in its order.

    Attributes
    ----------
    candidates : tuple of Candidate
        All candidates of the MetaDataset, in its order.
    order : ndarray of int64, shape (n_candidates,)
        Positions in `candidates`, best first: a permutation. The following ones complement the ones before
        them; candidates that were never measured come last.
    expected_loss : ndarray of float64, shape (n_candidates,)
        `Metric.loss` expected on this task, lower is better; NaN if nothing at all is known.
    low, high : ndarray of float64, shape (n_candidates,)
        Ends of the 80 % interval of the loss: 10 % and 90 % quantiles over the weighted past, stretched until they
        would have held that often on known tasks of other groups.
    fit_seconds : ndarray of float64, shape (n_candidates,)
        Predicted seconds of one fit on one core; NaN if nothing is known.
    n_evaluations : ndarray of int64, shape (n_candidates,)
        Known (task, training size) pairs where the candidate was run; 0 = without history.
    neighbours : tuple of NearTask
        Known tasks, heaviest first.
    influences : mapping of str to float
        Meta-feature -> share of its say in which known tasks were found close, greatest first; sums to 1.
    familiarity : float
        Share of the known tasks that lie at least as far from all others as this one does; 1 = in the middle
        of what is known, 0 = farther out than any known task.
    fallback : bool
        Whether the policy gave up looking for close tasks and treats all known tasks alike.
    notes : tuple of str
        What a careful reader should know: why it fell back, sizes beyond everything known.
    near_best : ndarray of float64, shape (n_candidates,), or None
        Probability that the loss is within `NEAR_BEST` of the best candidate's; NaN without history.
    stretch : float
        How many times wider than usual intervals are because the task is far from every known one; at least 1.
    """

    candidates: tuple[Candidate, ...]
    order: IntArray
    expected_loss: FloatArray
    low: FloatArray
    high: FloatArray
    fit_seconds: FloatArray
    n_evaluations: IntArray
    neighbours: tuple[NearTask, ...] = ()
    influences: Mapping[str, float] = field(default_factory=dict)
    familiarity: float = 1.0
    fallback: bool = False
    notes: tuple[str, ...] = ()
    near_best: FloatArray | None = None
    stretch: float = 1.0

    @property
    def best(self) -> Candidate:
        """The first of the list."""
        return self.candidates[int(self.order[0])]

    @property
    def listed(self) -> tuple[Candidate, ...]:
        """All candidates, best first."""
        return tuple(self.candidates[place] for place in self.order)


class Policy(ABC):
    """Ranks candidates for a task, from what is known of other tasks.

    Implementations are dataclasses whose fields are their parameters; `fit` keeps what it learned beside
    them.

    Attributes
    ----------
    name : str
        As given to ``recommend(policy=...)``.
    version : int
        Raised whenever the same parameters would learn something else; part of the cache key.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1

    @abstractmethod
    def fit(self, meta_dataset: MetaDataset) -> Self:
        """Learn from what is known.

        Parameters
        ----------
        meta_dataset : MetaDataset

        Returns
        -------
        Policy

        Raises
        ------
        PolicyError
            If there are no candidates.
        """

    @abstractmethod
    def rank(self, query: Query) -> Ranking:
        """Rank all candidates for a task.

        Parameters
        ----------
        query : Query

        Returns
        -------
        Ranking

        Raises
        ------
        PolicyError
            If the policy is not fitted, or the query has another number of meta-features.
        """

    @abstractmethod
    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what was learned as plain arrays, none of dtype object.

        Returns
        -------
        dict of str to ndarray
        """

    @abstractmethod
    def restore(self, arrays: Arrays) -> Self:
        """Take up what `to_arrays` returned; the policy then answers as the one that was fitted.

        Parameters
        ----------
        arrays : mapping of str to ndarray

        Returns
        -------
        Policy

        Raises
        ------
        KeyError
            If an array is missing.
        """

    def parameters(self) -> dict[str, JsonValue]:
        """Return the parameters.

        Returns
        -------
        dict of str to JSON value
        """
        return asdict(self)  # type: ignore[call-overload, no-any-return]
