"""Made-up out-of-fold predictions."""

from __future__ import annotations

import numpy as np

from autometa.domain import Candidate, Configuration, Task, get_metric
from autometa.engine.refinement.folds import Folds
from autometa.engine.refinement.out_of_fold import OutOfFold


def candidate(number: int, strategy: str = "made") -> Candidate:
    return Candidate(strategy, Configuration(number=number))


def regression_folds(n_samples: int = 200, metric: str = "nrmse") -> Folds:
    y = np.random.default_rng(0).normal(size=n_samples)
    return Folds.of(Task.from_arrays(y[:, None], y, type="regression", metric=metric))


def out_of_fold(folds: Folds, said, number: int, *, seconds: float = 0.1, strategy: str = "made") -> OutOfFold:
    """Return what a candidate that says `said`, one number per row, would show."""
    metric = get_metric(folds.task.metric, classification=folds.task.is_classification)
    rows = [split.test for split in folds.task.splits]
    from autometa.domain.metrics import Prediction

    losses = [metric.loss(metric.score(folds.task.y[test], Prediction(said[test]))) for test in rows]
    predictions = said[np.concatenate(rows)][:, None]
    return OutOfFold(candidate(number, strategy), "recommended", np.asarray(losses), seconds, predictions)
