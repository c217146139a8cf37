"""Domain: the words of the product as small types."""

from __future__ import annotations

from autometa.domain.columns import ColumnCanonicalizer, ColumnRole, as_frame, infer_roles
from autometa.domain.evaluation import Evaluation, evaluate, predict
from autometa.domain.metrics import METRICS, Metric, Prediction, default_metric, get_metric
from autometa.domain.splits import holdout_splits, nested_subsample
from autometa.domain.strategy import Candidate, Configuration, Strategy, check_configuration
from autometa.domain.task import Split, Task, TaskType

__all__ = [
    "METRICS",
    "Candidate",
    "ColumnCanonicalizer",
    "ColumnRole",
    "Configuration",
    "Evaluation",
    "Metric",
    "Prediction",
    "Split",
    "Strategy",
    "Task",
    "TaskType",
    "as_frame",
    "check_configuration",
    "default_metric",
    "evaluate",
    "get_metric",
    "holdout_splits",
    "infer_roles",
    "nested_subsample",
    "predict",
]
