"""What is known of pretrained encoders on tables that are texts or images for the most part."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from autometa.components.knowledge import KnowledgeBase
from autometa.decision.policy import Query, Ranking
from autometa.decision.policy.anchored import Anchored
from autometa.domain import Candidate, Task
from autometa.engine.constraints import Constraints, Costs, Exclusion

__all__ = ["asked_of_encoders"]


def asked_of_encoders(
    task: Task,
    ranking: Ranking,
    query: Query,
    portfolios: Mapping[str, Iterable[Candidate]],
    constraints: Constraints,
    barred: Collection[str],
) -> tuple[Anchored, dict[str, Exclusion]]:
    """Say what the shipped tasks of texts and images let expect of candidates that a ranking lacks.

    Parameters
    ----------
    task : Task
    ranking : Ranking
    query : Query
    portfolios : mapping of str to iterable of Candidate
        What the strategies offer.
    constraints : Constraints
    barred : collection of str
        Ids of candidates that may not be chosen.

    Returns
    -------
    Anchored
        Empty where less than half of the columns are texts or images, and where no such task was measured.
    dict of str to Exclusion
        Which of its candidates take more than allowed, by id.
    """
    n_read = len(task.columns("text")) + len(task.columns("image"))
    if not n_read or 2 * n_read < task.n_features:
        return Anchored(), {}
    base = KnowledgeBase.of_encoders()
    if not base.measured_strategies(classification=task.is_classification):
        return Anchored(), {}
    few = base.meta_dataset(task.is_classification, task.metric)
    offered = {candidate.id for portfolio in portfolios.values() for candidate in portfolio} - set(barred)
    found = Anchored.of(few, ranking, query, offered=offered)
    costs = {
        each.id: Costs(value) for each, value in zip(found.candidates, found.fit_seconds.tolist(), strict=True)
    }
    return found, constraints.too_costly(costs)
