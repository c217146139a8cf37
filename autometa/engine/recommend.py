"""recommend(): from a table to a ranked, explained list of candidates."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autometa.components.knowledge import KnowledgeBase, MetaDataset
from autometa.components.metafeatures import SCHEMA_VERSION, MetaFeatures, extract
from autometa.decision.policy import Query, Ranking, load_or_fit
from autometa.domain.columns import ColumnRole
from autometa.domain.metrics import METRICS
from autometa.domain.strategy import Candidate, Strategy
from autometa.domain.task import Task, TaskType
from autometa.engine.inputs import as_task
from autometa.engine.presentation import format_seconds
from autometa.engine.recommendation import (
    Influence,
    Neighbour,
    RankedCandidate,
    Recommendation,
    TaskSummary,
)
from autometa.foundation.errors import KnowledgeSchemaError, NoCandidateError, ParameterError, PluginError
from autometa.foundation.typing import RandomState
from autometa.plugins import get_registry
from autometa.plugins.isolation import portfolio, unsupported

__all__ = ["recommend"]

N_NEIGHBOURS = 5
N_INFLUENCES = 5
NAN = float("nan")
BY_CALLER = "left out by the caller"
NO_HISTORY = "no history: judged by nothing yet"


def recommend(
    dataset: Any,
    target: Any = None,
    *,
    type: TaskType | str | None = None,
    metric: str | None = None,
    roles: Mapping[str, ColumnRole | str] | None = None,
    top_k: int | None = 10,
    strategies: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    max_fit_seconds: float | None = None,
    policy: str = "proximity",
    knowledge: str | os.PathLike[str] | KnowledgeBase | None = None,
    device: str = "auto",
    random_state: RandomState = 0,
) -> Recommendation:
    """Say which candidates will do best on a table, without fitting any.

    Parameters
    ----------
    dataset : table in any form
        DataFrame with `target`; pair ``(X, y)``; path to CSV, Parquet or ARFF; scikit-learn Bunch; OpenML task or
        dataset; ``"openml:31"``, ``"openml-task:3"``, ``"sklearn:wine"``; a `Task`.
    target : str or array-like, optional
        Name of the target column, or the target itself.
    type : {"binary", "multiclass", "classification", "regression"}, optional
        Inferred if not given.
    metric : str, optional
        ``log_loss`` (default), ``roc_auc``, ``balanced_accuracy``, ``accuracy``, ``brier``; for regression
        ``nrmse`` (default), ``nmae``, ``r2``, ``spearman``.
    roles : mapping of column name to role, optional
        Overrides of the column roles that are found.
    top_k : int, optional
        Length of the list; None lists every candidate.
    strategies, exclude : iterables of str, optional
        Names of the strategies to choose from (default: all installed) and to leave out.
    max_fit_seconds : float, optional
        Candidates whose predicted fit takes longer are left out.
    policy : str
        Name of the policy.
    knowledge : path or KnowledgeBase, optional
        Default: the shipped one, with those of installed plugins.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
        Where a fit will run.
    random_state : int or None
        Seed of the sampling of rows and of later fits.

    Returns
    -------
    Recommendation

    Raises
    ------
    InputError
        If the table, the target or an argument cannot be used.
    NoCandidateError
        If every candidate is excluded.
    """
    clock = _Clock()
    _check_arguments(top_k, max_fit_seconds)
    with clock("input"):
        task = as_task(dataset, target, type=type, roles=roles, metric=metric)
    chosen = get_registry().select(strategies, exclude)
    excluded = {name: BY_CALLER for name in get_registry().strategies if name not in chosen}
    excluded.update(unsupported(chosen, task))
    portfolios = _portfolios({name: chosen[name] for name in chosen if name not in excluded}, task, excluded)
    usable = portfolios.keys()
    with clock("metafeatures"):
        description = extract(task, random_state=random_state or 0)
    with clock("policy"):
        base = knowledge if isinstance(knowledge, KnowledgeBase) else KnowledgeBase.open(knowledge)
        measured = base.measured_strategies(classification=task.is_classification)
        answer = _ask(base, policy, task, description, sorted(set(measured) & set(usable)))
        slow = _too_slow(answer.ranking, max_fit_seconds)
        if slow and len(slow) < len(answer.ranking.candidates):
            # The list complements its own members, so what is left is ranked anew rather than cut.
            answer = _ask(base, policy, task, description, sorted(set(measured) & set(usable)), without=slow)
    excluded.update(slow)
    places = _places(task, answer.ranking, portfolios, slow)
    if not places:
        telling = sorted(excluded.items(), key=lambda item: item[1] == BY_CALLER)
        reasons = "; ".join(f"{name}: {reason}" for name, reason in telling[:6])
        raise NoCandidateError(f"No candidate is left for {task.name!r}. {reasons}.", excluded=excluded)
    return Recommendation(
        task=TaskSummary.of(task),
        ranking=tuple(places[:top_k]),
        neighbours=_neighbours(answer.ranking),
        influences=answer.influences,
        excluded=excluded,
        notes=tuple(_notes(task, base, answer.ranking)),
        policy=policy,
        knowledge=base.description(classification=task.is_classification),
        device=device,
        random_state=random_state,
        seconds=clock.seconds,
        source=task,
    )


def _check_arguments(top_k: int | None, max_fit_seconds: float | None) -> None:
    if top_k is not None and top_k < 1:
        raise ParameterError(f"top_k must be at least 1, or None for every candidate; got {top_k!r}.")
    if max_fit_seconds is not None and not max_fit_seconds > 0:
        raise ParameterError(f"max_fit_seconds must be a positive number of seconds; got {max_fit_seconds!r}.")


@dataclass
class _Clock:
    """Seconds of each named step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - started


@dataclass(frozen=True)
class _Answer:
    """What the policy said, and which meta-features it said it for."""

    ranking: Ranking
    influences: tuple[Influence, ...] = ()


def _ask(
    base: KnowledgeBase,
    policy: str,
    task: Task,
    description: MetaFeatures,
    strategies: list[str],
    without: Collection[str] = (),
) -> _Answer:
    """Rank the candidates of the strategies that have a history; without any the ranking is empty."""
    if not strategies:
        nothing = np.empty(0)
        note = "No strategy in the list has a history in the knowledge base: the order means nothing yet."
        return _Answer(
            Ranking(
                (), np.empty(0, np.int64), nothing, nothing, nothing, nothing, np.empty(0, np.int64), notes=(note,)
            )
        )
    if base.manifest.metafeature_version != SCHEMA_VERSION:
        raise KnowledgeSchemaError(
            f"The knowledge base has meta-features of version {base.manifest.metafeature_version}, this autometa "
            f"computes version {SCHEMA_VERSION}. Build it anew with `autometa kb build`."
        )
    meta = base.meta_dataset(task.is_classification, task.metric, strategies=strategies)
    if without:
        meta = meta.select_candidates(c.id for c in meta.candidates if c.id not in without)
    query = _query(task, description, meta)
    ranking = load_or_fit(meta, policy).rank(query)
    return _Answer(ranking, _influences(ranking, query, meta))


def _query(task: Task, description: MetaFeatures, meta: MetaDataset) -> Query:
    """Bring the meta-features into the knowledge base's order; one that it has and the task lacks is NaN."""
    values = dict(zip(description.names, description.values.tolist(), strict=True))
    ordered = np.asarray([values.get(name, np.nan) for name in meta.metafeature_names], dtype=np.float64)
    return Query(ordered, n_train=task.n_samples, n_features=task.n_features, n_classes=len(task.classes))


def _portfolios(
    strategies: Mapping[str, Strategy], task: Task, excluded: dict[str, str]
) -> dict[str, tuple[Candidate, ...]]:
    """Ask every strategy for its candidates; one that fails is excluded with the reason."""
    found = {}
    for name, strategy in strategies.items():
        try:
            found[name] = portfolio(name, strategy, task)
        except PluginError as error:
            excluded[name] = str(error)
    return found


def _too_slow(ranking: Ranking, max_fit_seconds: float | None) -> dict[str, str]:
    """Return the candidates predicted to fit longer than allowed, with the reason."""
    if max_fit_seconds is None:
        return {}
    return {
        candidate.id: f"predicted to fit in {format_seconds(float(seconds))}, more than {max_fit_seconds:.3g} s"
        for candidate, seconds in zip(ranking.candidates, ranking.fit_seconds, strict=True)
        if seconds > max_fit_seconds
    }


def _places(
    task: Task, ranking: Ranking, portfolios: Mapping[str, Iterable[Candidate]], slow: Collection[str]
) -> list[RankedCandidate]:
    """Return the list: the policy's order, then candidates without history."""
    offered = {candidate.id: candidate for portfolio in portfolios.values() for candidate in portfolio}
    known = [index for index in ranking.order.tolist() if ranking.candidates[index].id in offered.keys() - slow]
    places = [_place(rank, index, ranking, task.metric) for rank, index in enumerate(known, start=1)]
    seen = {candidate.id for candidate in ranking.candidates}
    cold = [candidate for key, candidate in offered.items() if key not in seen and key not in slow]
    return places + [
        RankedCandidate(rank, candidate, NAN, NAN, NAN, NAN, NO_HISTORY)
        for rank, candidate in enumerate(cold, start=len(places) + 1)
    ]


def _place(rank: int, index: int, ranking: Ranking, metric_name: str) -> RankedCandidate:
    metric = METRICS[metric_name]
    losses = (ranking.expected_loss[index], ranking.low[index], ranking.high[index])
    expected, low, high = (float(metric.loss(loss)) for loss in losses)  # a loss's loss is the natural value again
    n_known = int(ranking.n_evaluations[index])
    return RankedCandidate(
        rank,
        ranking.candidates[index],
        expected,
        min(low, high),
        max(low, high),
        float(ranking.fit_seconds[index]),
        f"{n_known} known runs" if n_known else NO_HISTORY,
    )


def _neighbours(ranking: Ranking) -> tuple[Neighbour, ...]:
    return tuple(
        Neighbour(
            near.name,
            near.dataset_id,
            near.weight,
            near.n_train,
            str(ranking.candidates[near.winner]) if near.winner >= 0 else "nothing",
        )
        for near in ranking.neighbours[:N_NEIGHBOURS]
    )


def _influences(ranking: Ranking, query: Query, meta: MetaDataset) -> tuple[Influence, ...]:
    position = {name: j for j, name in enumerate(meta.metafeature_names)}
    found = []
    for name, share in list(ranking.influences.items())[:N_INFLUENCES]:
        column = meta.metafeatures[:, position[name]]
        typical = float(np.nanmedian(column)) if np.isfinite(column).any() else float("nan")
        found.append(Influence(name, float(query.metafeatures[position[name]]), typical, share))
    return tuple(found)


def _notes(task: Task, base: KnowledgeBase, ranking: Ranking) -> Iterator[str]:
    known = base.find(task)
    if known is not None:
        label = f" (OpenML {known.dataset_id})" if known.dataset_id else ""
        yield (
            f"The knowledge base holds this very dataset as {known.name!r}{label}: what is expected here is "
            "partly remembered, not forecast."
        )
    yield from ranking.notes
