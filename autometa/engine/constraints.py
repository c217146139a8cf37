"""Constraints: which candidates may be chosen, decided from what is predicted of them before anything is run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from autometa.components.knowledge import KnowledgeBase, MetaDataset
from autometa.components.knowledge.costs import MeasuredCosts
from autometa.decision.policy import Query, Ranking
from autometa.decision.policy.costs import MemoryNeeds, PredictTimes
from autometa.domain.strategy import Candidate, Strategy
from autometa.domain.task import Task
from autometa.engine.presentation import format_seconds
from autometa.foundation.errors import NoCandidateError, ParameterError
from autometa.foundation.typing import FloatArray
from autometa.plugins.isolation import is_interpretable, takes_weights

__all__ = ["UNCONSTRAINED", "Constraints", "Costs", "Exclusion", "none_left"]

INTERPRETABLE = "interpretable"
WEIGHTED = "sample_weight"


@dataclass(frozen=True, slots=True)
class Costs:
    """What is predicted of a candidate.

    Attributes
    ----------
    fit_seconds : float
        Of one fit on the whole table, one core.
    predict_ms_per_row : float or None
        Milliseconds, in batches of 1,000 rows; None if it was not asked for or nothing is known.
    memory_gb : float or None
        1e9 bytes, of one fit, besides the table; None as above.
    """

    fit_seconds: float = math.nan
    predict_ms_per_row: float | None = None
    memory_gb: float | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why a candidate may not be chosen.

    Attributes
    ----------
    constraint : str
        Name of the argument.
    reason : str
    excess : float
        How many times more than allowed it takes; NaN where that is no question of more or less.
    """

    constraint: str
    reason: str
    excess: float = math.nan


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a candidate may take.

    Attributes
    ----------
    max_fit_seconds, max_predict_ms_per_row, max_memory_gb : float or None
        Units of `Costs`; None for any.
    interpretable : bool
        Whether a person must be able to read the fitted model.
    time_budget : float or None
        Seconds of a budget that must hold one fit, too, in half of it: the rest is for choosing what to fit, and
        for a forecast that was too low. None where it need not.
    """

    max_fit_seconds: float | None = None
    max_predict_ms_per_row: float | None = None
    max_memory_gb: float | None = None
    interpretable: bool = False
    time_budget: float | None = None

    def __post_init__(self) -> None:
        for limit in _LIMITS:
            value = getattr(self, limit.name)
            if value is not None and not value > 0:
                raise ParameterError(
                    f"{limit.name} must be a positive number ({limit.unit}), or None for any; got {value!r}."
                )

    @property
    def is_measured(self) -> bool:
        """Whether there is a limit that runs on the table can be seen to break."""
        return any(limit is not None for limit in (getattr(self, each.name) for each in _LIMITS))

    @property
    def memory_bytes(self) -> int | None:
        """What one fit may take; None for any."""
        return None if self.max_memory_gb is None else math.ceil(self.max_memory_gb * 1e9)

    def unfit(
        self, strategies: Mapping[str, Strategy], portfolios: Mapping[str, Iterable[Candidate]], task: Task
    ) -> dict[str, Exclusion]:
        """Return the candidates that a person cannot read, or that take no weights, where that is asked for.

        Parameters
        ----------
        strategies : mapping of str to Strategy
        portfolios : mapping of str to iterable of Candidate
        task : Task

        Returns
        -------
        dict of str to Exclusion
            By candidate id.
        """
        found = {
            candidate.id: self._unfit(strategies[name], candidate, task)
            for name, portfolio in portfolios.items()
            for candidate in portfolio
        }
        return {key: exclusion for key, exclusion in found.items() if exclusion is not None}

    def _unfit(self, strategy: Strategy, candidate: Candidate, task: Task) -> Exclusion | None:
        if self.interpretable and not is_interpretable(strategy, candidate.configuration, task):
            return Exclusion(INTERPRETABLE, "its fitted model is not declared to be interpretable")
        if task.sample_weight is not None and not takes_weights(strategy, candidate.configuration, task):
            return Exclusion(WEIGHTED, "its estimator takes no sample weights")
        return None

    def allow(self, strategy: Strategy, candidate: Candidate, task: Task) -> bool:
        """Say whether a candidate that nothing is predicted of may be run.

        Parameters
        ----------
        strategy : Strategy
        candidate : Candidate
        task : Task

        Returns
        -------
        bool
        """
        return self._unfit(strategy, candidate, task) is None

    def costs(
        self, base: KnowledgeBase, meta_dataset: MetaDataset | None, query: Query, ranking: Ranking
    ) -> dict[str, Costs]:
        """Predict what every ranked candidate takes; only what is limited is predicted besides the fit's seconds.

        Parameters
        ----------
        base : KnowledgeBase
        meta_dataset : MetaDataset or None
            With the ranking's candidates; None if it has none.
        query : Query
        ranking : Ranking

        Returns
        -------
        dict of str to Costs
            By candidate id.
        """
        predict_ms = memory = np.full(len(ranking.candidates), np.nan)
        if meta_dataset is not None and (self.max_predict_ms_per_row or self.max_memory_gb):
            measured = MeasuredCosts.of(base, meta_dataset)
            predict_ms = PredictTimes.fit(measured).predict(query)
            memory = MemoryNeeds.fit(measured).predict(query)
        figures = zip(ranking.fit_seconds.tolist(), _known(predict_ms), _known(memory), strict=True)
        return {
            candidate.id: Costs(*values) for candidate, values in zip(ranking.candidates, figures, strict=True)
        }

    def too_costly(
        self, costs: Mapping[str, Costs], known_by: Literal["predicted", "seen"] = "predicted"
    ) -> dict[str, Exclusion]:
        """Return the candidates that take more than allowed.

        Parameters
        ----------
        costs : mapping of str to Costs
            By candidate id.
        known_by : {"predicted", "seen"}
            How the reasons say that the costs are known.

        Returns
        -------
        dict of str to Exclusion
            By candidate id; the limit that is broken by most. What is not known breaks none.
        """
        broken = {key: [*self._broken(cost, known_by)] for key, cost in costs.items()}
        return {key: max(found, key=lambda each: each.excess) for key, found in broken.items() if found}

    def _broken(self, cost: Costs, known_by: str) -> Iterator[Exclusion]:
        for limit in _LIMITS:
            given, value = getattr(self, limit.name), getattr(cost, limit.cost)
            allowed = None if given is None else limit.share * given
            if allowed is not None and value is not None and value > allowed:
                reason = f"{known_by} to {limit.words(value)}, more than {limit.of}{allowed:.3g} {limit.unit}"
                yield Exclusion(limit.name, reason, value / allowed)


@dataclass(frozen=True, slots=True)
class _Limit:
    name: str
    cost: str
    unit: str
    words: Callable[[float], str] = field(repr=False)
    of: str = ""
    share: float = 1.0


_LIMITS = (
    _Limit("max_fit_seconds", "fit_seconds", "s", lambda value: f"fit in {format_seconds(value)}"),
    _Limit(
        "time_budget",
        "fit_seconds",
        "s",
        lambda value: f"fit in {format_seconds(value)}",
        of="half of the time budget, ",
        share=0.5,
    ),
    _Limit(
        "max_predict_ms_per_row",
        "predict_ms_per_row",
        "ms",
        lambda value: f"predict a row in {value:.2g} ms (in batches of 1,000)",
    ),
    _Limit("max_memory_gb", "memory_gb", "GB", lambda value: f"take {value:.2g} GB of memory in the fit"),
)


UNCONSTRAINED = Constraints()


def _known(values: FloatArray) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def none_left(task: Task, excluded: Mapping[str, str], by_constraint: Mapping[str, Exclusion]) -> NoCandidateError:
    """Return the error that says why no candidate is left.

    Parameters
    ----------
    task : Task
    excluded : mapping of str to str
        Strategy or candidate id -> reason; the most telling first.
    by_constraint : mapping of str to Exclusion
        Candidate id -> which constraint excluded it.

    Returns
    -------
    NoCandidateError
    """
    if not by_constraint:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(excluded.items())[:6])
        return NoCandidateError(f"No candidate is left for {task.name!r}. {reasons}.", excluded=dict(excluded))
    counts = Counter(exclusion.constraint for exclusion in by_constraint.values())
    counted = ", ".join(f"{name} excluded {count}" for name, count in counts.most_common())
    others = len(excluded.keys() - by_constraint.keys())
    measured = {key: each for key, each in by_constraint.items() if not math.isnan(each.excess)}
    message = f"No candidate is left for {task.name!r}: {counted}"
    message += f", and {others} were left out for other reasons." if others else "."
    if measured:
        nearest = min(measured, key=lambda key: measured[key].excess)
        miss = measured[nearest]
        times = f"{miss.excess:.2g} times as much ({miss.constraint})"
        message += f" The nearest miss is {nearest}, {miss.reason}: allow {times}."
    else:
        message += " Allow more strategies, or lift the constraint."
    return NoCandidateError(message, excluded=dict(excluded), by_constraint=dict(counts))
