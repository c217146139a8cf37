"""recommend(): from a table to a ranked, explained list of candidates."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autometa.components.knowledge import KnowledgeBase, MetaDataset
from autometa.components.metafeatures import SCHEMA_VERSION, MetaFeatures, describe
from autometa.decision.policy import Policy, Query, Ranking, get_policy, load_or_fit
from autometa.decision.policy.anchored import Anchored
from autometa.domain.columns import ColumnRole
from autometa.domain.strategy import Strategy
from autometa.domain.task import Task, TaskType
from autometa.domain.weights import as_weights
from autometa.engine.cold_start import NO_HISTORY, unjudged
from autometa.engine.constraints import Constraints, Costs, Exclusion, none_left
from autometa.engine.encoders import asked_of_encoders
from autometa.engine.inputs import as_task
from autometa.engine.listing import judged_places, prior_places
from autometa.engine.offer import BY_CALLER, Offer
from autometa.engine.presentation import ENDINGS
from autometa.engine.recommendation import (
    Evidence,
    Influence,
    Neighbour,
    RankedCandidate,
    Recommendation,
    TaskSummary,
)
from autometa.foundation.errors import KnowledgeSchemaError, ParameterError
from autometa.foundation.typing import RandomState
from autometa.plugins import get_registry

if TYPE_CHECKING:
    from autometa.engine.evidence import Consultation, Finding, SearchProgress, Workers

__all__ = ["recommend"]

N_NEIGHBOURS = 5
N_INFLUENCES = 5
NO_ORDER = "No strategy in the list has a history in the knowledge base: the order means nothing yet."


def recommend(
    dataset: Any,
    target: Any = None,
    *,
    type: TaskType | str | None = None,
    metric: Any = None,
    sample_weight: Any = None,
    roles: Mapping[str, ColumnRole | str] | None = None,
    top_k: int | None = 10,
    strategies: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    max_fit_seconds: float | None = None,
    max_predict_ms_per_row: float | None = None,
    max_memory_gb: float | None = None,
    interpretable: bool = False,
    time_budget: float | None = None,
    reserve_fit: bool | Callable[[float], float] = False,
    policy: str = "proximity",
    knowledge: str | os.PathLike[str] | KnowledgeBase | None = None,
    device: str = "auto",
    random_state: RandomState = 0,
    progress: Callable[[SearchProgress], None] | None = None,
    workers: Workers | None = None,
) -> Recommendation:
    """Say which candidates will do best on a table: without fitting any, or after trying some on parts of it.

    Parameters
    ----------
    dataset : table in any form
        DataFrame with `target`; pair ``(X, y)``; path to CSV, Parquet or ARFF; scikit-learn Bunch; OpenML task or
        dataset; ``"openml:31"``, ``"openml-task:3"``, ``"sklearn:wine"``; a `Task`.
    target : str or array-like, optional
        Name of the target column, or the target itself.
    type : {"binary", "multiclass", "classification", "regression"}, optional
        Inferred if not given.
    metric : str or scorer, optional
        ``log_loss`` (default), ``roc_auc``, ``balanced_accuracy``, ``accuracy``, ``brier``; for regression
        ``nrmse`` (default), ``nmae``, ``r2``, ``spearman``. Or the name of a scorer of scikit-learn, or what
        ``make_scorer`` returns: the closest of these ranks, and what is run is measured by the scorer.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows, in fits and scores. Candidates that take none are left out.
    roles : mapping of column name to role, optional
        Overrides of the column roles that are found.
    top_k : int, optional
        Length of the list; None lists every candidate.
    strategies, exclude : iterables of str, optional
        Names of the strategies to choose from (default: all installed) and to leave out.
    max_fit_seconds : float, optional
        Candidates whose predicted fit takes longer are left out.
    max_predict_ms_per_row : float, optional
        Candidates that are predicted to take more milliseconds per row, in batches of 1,000 rows, are left out.
    max_memory_gb : float, optional
        Candidates whose fit is predicted to take more memory (1e9 bytes, besides the table) are left out. With a
        time budget, what takes more on a part of the table is stopped and left out, too.
    interpretable : bool
        Whether only candidates may be chosen whose fitted model a person can read (`Strategy.is_interpretable`).
    time_budget : float, optional
        Seconds for the whole call. What is left of them after the ranking is spent on fits on growing subsamples
        of the table, on all cores, where they are expected to improve the choice most; they are kept to within
        10 % + 1 s (a fit that is running then is stopped). Ctrl-C ends it earlier, with what is known by then.
        What is tried in a number of seconds depends on the machine: the same call may answer differently.
    reserve_fit : bool or callable
        Whether the time budget is to hold the predicted fit of the first candidate on the whole table, too; then
        candidates whose predicted fit takes longer than all of it are left out. A callable is given the predicted
        seconds of that fit and returns those to be left of the budget.
    policy : str
        Name of the policy.
    knowledge : path or KnowledgeBase, optional
        Default: the shipped one, with those of installed plugins.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
        Where a fit will run.
    random_state : int or None
        Seed of the sampling of rows and of later fits.
    progress : callable, optional
        Called with a `SearchProgress` after every fit on a subsample: what was run, what is believed now, time
        left.
    workers : Workers, optional
        Processes to try candidates in; they stay. By default, own ones for this call.

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
    _check_arguments(top_k, time_budget, device)
    constraints = Constraints(
        max_fit_seconds,
        max_predict_ms_per_row,
        max_memory_gb,
        interpretable,
        time_budget if reserve_fit else None,
    )
    with _workers(time_budget, workers) as crew:
        with clock("input"):
            task = _weighted(as_task(dataset, target, type=type, roles=roles, metric=metric), sample_weight)
        offer = Offer.of(get_registry(), task, strategies, exclude, constraints)
        with clock("metafeatures"):
            description = describe(task, get_registry().metafeatures, random_state=random_state or 0)
        with clock("policy"):
            base = knowledge if isinstance(knowledge, KnowledgeBase) else KnowledgeBase.open(knowledge)
            # Runs rank anew what is left; learning about it alone would take seconds of theirs.
            answer, barred = _answered(
                base, policy, task, description, offer, constraints, time_budget is None, knowledge is None
            )
        excluded = {**offer.excluded, **{key: exclusion.reason for key, exclusion in barred.items()}}
        places = prior_places(task, answer.ranking, offer.portfolios, answer.costs, barred, answer.anchored)
        evidence, notes = None, [*_notes(task, base, answer.ranking)]
        if crew is not None and time_budget is not None and places:
            with clock("evidence"):
                start = _before_runs(
                    base, policy, task, description, offer, constraints, answer, barred, knowledge is None
                )
                finding = start.consult(task, places, offer.strategies, device, random_state).hold(
                    crew,
                    clock.started + time_budget,
                    reserve_fit=reserve_fit,
                    progress=progress,
                    max_memory=constraints.memory_bytes,
                )
            excluded.update({finding.candidates[place].id: why for place, why in finding.failures.items()})
            evidence = _evidence(finding, time_budget, places[0])
            kept = [note for note in notes if finding.verdict is None or note != NO_ORDER]
            notes = [*kept, *_finding_notes(finding)]
            places = judged_places(task, finding, places)
    if not places:
        telling = dict(sorted(excluded.items(), key=lambda item: item[1] == BY_CALLER))
        raise none_left(task, telling, barred)
    return Recommendation(
        task=TaskSummary.of(task),
        ranking=tuple(places[:top_k]),
        neighbours=_neighbours(answer.ranking),
        influences=answer.influences,
        excluded=excluded,
        notes=(*notes, *(() if evidence is not None and evidence.n_runs else unjudged(places, top_k))),
        policy=policy,
        knowledge=base.description(classification=task.is_classification),
        device=device,
        random_state=random_state,
        seconds=clock.seconds,
        evidence=evidence,
        source=task,
    )


def _check_arguments(top_k: int | None, time_budget: float | None, device: str) -> None:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", str(device)):
        raise ParameterError(f"device must be 'auto', 'cpu', 'cuda', 'cuda:N' or 'mps'; got {device!r}.")
    if top_k is not None and top_k < 1:
        raise ParameterError(f"top_k must be at least 1, or None for every candidate; got {top_k!r}.")
    if time_budget is not None and not 0 < time_budget < float("inf"):
        raise ParameterError(
            f"time_budget must be a positive, finite number of seconds, or None for no runs; got {time_budget!r}."
        )


def _workers(time_budget: float | None, given: Workers | None) -> AbstractContextManager[Workers | None]:
    """Start processes early, so that what they import is loaded while the prior is asked."""
    if time_budget is None or given is not None:
        return nullcontext(given)
    from autometa.engine.evidence import Workers

    return Workers()


def _weighted(task: Task, sample_weight: Any) -> Task:
    if sample_weight is None:
        return task
    weighted = replace(task, sample_weight=as_weights(sample_weight, task.n_samples))
    # A scorer is tried out anew, with weights.
    return weighted if task.scorer is None else as_task(weighted, metric=task.scorer.asked)


@dataclass
class _Clock:
    """Seconds of each named step."""

    seconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - started


@dataclass(frozen=True)
class _Answer:
    """What the policy said, and which meta-features it said it for."""

    ranking: Ranking
    query: Query
    policy: Policy
    meta_dataset: MetaDataset | None = None
    influences: tuple[Influence, ...] = ()
    costs: Mapping[str, Costs] = field(default_factory=dict)
    anchored: Anchored = field(default_factory=Anchored)

    def costing(self, costs: Mapping[str, Costs]) -> _Answer:
        """Return it with costs that are known already: what was let through must not be slow in the answer."""
        seconds = np.array([costs[candidate.id].fit_seconds for candidate in self.ranking.candidates])
        return replace(self, ranking=replace(self.ranking, fit_seconds=seconds), costs=costs)

    def consult(
        self,
        task: Task,
        places: Sequence[RankedCandidate],
        strategies: Mapping[str, Strategy],
        device: str,
        random_state: RandomState,
    ) -> Consultation:
        """Prepare runs of the candidates of a list on the table."""
        from autometa.engine.evidence import Consultation

        listed = {place.candidate.id: place.candidate for place in places}
        ranked = {candidate.id for candidate in self.ranking.candidates}
        return Consultation(
            task=task,
            ranking=self.ranking,
            query=self.query,
            policy=self.policy,
            meta_dataset=self.meta_dataset,
            cold=tuple(candidate for key, candidate in listed.items() if key not in ranked),
            unavailable=ranked - listed.keys(),
            strategies=strategies,
            device=device,
            random_state=random_state,
            anchored=self.anchored,
        )


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
        counts = np.empty(0, np.int64)
        ranking = Ranking((), counts, nothing, nothing, nothing, nothing, counts, notes=(NO_ORDER,))
        return _Answer(ranking, _sizes_only(task), get_policy(policy))
    if base.manifest.metafeature_version != SCHEMA_VERSION:
        raise KnowledgeSchemaError(
            f"The knowledge base has meta-features of version {base.manifest.metafeature_version}, this autometa "
            f"computes version {SCHEMA_VERSION}. Build it anew with `autometa kb build`."
        )
    known = [name for name, value in description.to_dict().items() if np.isfinite(value)]
    meta = base.meta_dataset(task.is_classification, task.metric, strategies, metafeatures=known)
    if without:
        meta = meta.select_candidates(c.id for c in meta.candidates if c.id not in without)
    query = _query(task, description, meta)
    fitted = load_or_fit(meta, policy)
    ranking = fitted.rank(query)
    return _Answer(ranking, query, fitted, meta, _influences(ranking, query, meta))


def _sizes_only(task: Task) -> Query:
    return Query(np.empty(0), task.n_samples, task.n_features, len(task.classes))


def _query(task: Task, description: MetaFeatures, meta: MetaDataset) -> Query:
    """Bring the meta-features into the knowledge base's order; one that it has and the task lacks is NaN."""
    values = dict(zip(description.names, description.values.tolist(), strict=True))
    ordered = np.asarray([values.get(name, np.nan) for name in meta.metafeature_names], dtype=np.float64)
    return Query(ordered, n_train=task.n_samples, n_features=task.n_features, n_classes=len(task.classes))


def _answered(
    base: KnowledgeBase,
    policy: str,
    task: Task,
    description: MetaFeatures,
    offer: Offer,
    constraints: Constraints,
    anew: bool,
    own: bool,
) -> tuple[_Answer, dict[str, Exclusion]]:
    """Ask the policy about the candidates that are within the constraints; also return those that are not.

    If the knowledge is autometa's own, what it says of encoders is added.
    """
    known = offer.ranked(base, task)
    answer = _ask(base, policy, task, description, known)
    costs = constraints.costs(base, answer.meta_dataset, answer.query, answer.ranking)
    barred = {**constraints.too_costly(costs), **offer.barred}
    ranked = {candidate.id for candidate in answer.ranking.candidates}
    if anew and ranked & barred.keys() and not ranked <= barred.keys():
        # The list complements its own members, so what is left is ranked anew rather than cut.
        answer = _ask(base, policy, task, description, known, without=barred)
    answer = answer.costing(costs)
    if not own:
        return answer, barred
    found, costly = asked_of_encoders(task, answer.ranking, answer.query, offer.portfolios, constraints, barred)
    return replace(answer, anchored=found), {**barred, **costly}


def _before_runs(
    base: KnowledgeBase,
    policy: str,
    task: Task,
    description: MetaFeatures,
    offer: Offer,
    constraints: Constraints,
    answer: _Answer,
    barred: Mapping[str, Exclusion],
    own: bool,
) -> _Answer:
    """Return what runs on the table start from: an answer about all strategies that their worth is learned for."""
    learned = offer.learned(base, task)
    if learned == offer.ranked(base, task):
        return answer
    wide = _ask(base, policy, task, description, learned)
    wide = wide.costing(constraints.costs(base, wide.meta_dataset, wide.query, wide.ranking))
    if not own:
        return wide
    found, _ = asked_of_encoders(task, wide.ranking, wide.query, offer.portfolios, constraints, barred)
    return replace(wide, anchored=found)


def _evidence(finding: Finding, time_budget: float, before: RankedCandidate) -> Evidence:
    """Say how the budget was spent; `before` was the first of the list before any run."""
    first = "" if before.evidence == NO_HISTORY else str(before.candidate)
    n_runs = sum(trial.repetitions for trials in finding.trials.values() for trial in trials)
    return Evidence(time_budget, finding.seconds, n_runs, len(finding.trials), first, finding.ending)


def _finding_notes(finding: Finding) -> Iterator[str]:
    if finding.verdict is None:
        yield (
            "No two candidates could be compared on this table within the time budget "
            f"({ENDINGS[finding.ending]}): the list is the prior's."
        )
    yield from finding.notes


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
    if task.scorer is not None:
        yield (
            f"The past knows no {task.scorer.metric.name!r}: {task.metric} stands for it, the metric of the "
            "knowledge base that is closest. Expected scores are brought to the scorer's scale by two points: the "
            "perfect prediction, and that of the class shares (or the mean). What is run is measured by the "
            "scorer itself."
        )
    if task.sample_weight is not None:
        yield "Rows are weighted in fits and scores; the past that ranks knows no weights."
