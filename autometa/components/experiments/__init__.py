"""Experiments: a grid of cells, run in sandboxes by any joblib backend, with results that survive the process."""

from __future__ import annotations

from autometa.components.experiments.cells import Cell, TaskSource, breadth_first
from autometa.components.experiments.clusters import BACKENDS, cluster
from autometa.components.experiments.journal import Journal, read_journal
from autometa.components.experiments.outcome import UNPREPARED, Begin, Limits, Outcome, Work
from autometa.components.experiments.progress import Progress
from autometa.components.experiments.results import (
    EVALUATION,
    done_keys,
    evaluation_record,
    evaluations_frame,
)
from autometa.components.experiments.runner import run_jobs
from autometa.components.experiments.sandbox import Sandbox
from autometa.components.experiments.work import EvaluationWork, TaskCache, as_evaluation, cut

__all__ = [
    "BACKENDS",
    "EVALUATION",
    "UNPREPARED",
    "Begin",
    "Cell",
    "EvaluationWork",
    "Journal",
    "Limits",
    "Outcome",
    "Progress",
    "Sandbox",
    "TaskCache",
    "TaskSource",
    "Work",
    "as_evaluation",
    "breadth_first",
    "cluster",
    "cut",
    "done_keys",
    "evaluation_record",
    "evaluations_frame",
    "read_journal",
    "run_jobs",
]
