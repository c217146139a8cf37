"""Policies: rank candidates for a task by what is known of other tasks; the baselines; how good they are."""

from __future__ import annotations

from autometa.decision.policy._base import INTERVAL_LEVEL, NearTask, Policy, Query, Ranking
from autometa.decision.policy.baselines import (
    NearestTasksPolicy,
    RandomPolicy,
    SingleBestPolicy,
    StaticPortfolioPolicy,
)
from autometa.decision.policy.cache import load_or_fit
from autometa.decision.policy.catalogue import POLICIES, get_policy
from autometa.decision.policy.evaluation import evaluate_policies, query_of
from autometa.decision.policy.proximity import ProximityPolicy
from autometa.decision.policy.report import EvaluationReport, closed_gap

__all__ = [
    "INTERVAL_LEVEL",
    "POLICIES",
    "EvaluationReport",
    "NearTask",
    "NearestTasksPolicy",
    "Policy",
    "ProximityPolicy",
    "Query",
    "RandomPolicy",
    "Ranking",
    "SingleBestPolicy",
    "StaticPortfolioPolicy",
    "closed_gap",
    "evaluate_policies",
    "get_policy",
    "load_or_fit",
    "query_of",
]
