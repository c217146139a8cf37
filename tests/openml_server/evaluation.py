"""What OpenML's evaluation engine makes of a run's predictions: figures over the test rows of all folds, pooled.

The definitions were found by computing published runs' figures anew from their predictions: every figure takes all
test rows at once, `area_under_roc_curve` weights the classes by their size, and the two errors of a classification
are taken over the probabilities of all classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import arff
import numpy as np
import pandas as pd
from sklearn import metrics

from tests.openml_server.folder import Dataset, folds


@dataclass(frozen=True, slots=True)
class Figure:
    """One evaluation: a value, and for some measures one for each class."""

    value: float
    array_data: str | None = None


class PredictionsError(ValueError):
    """The predictions cannot be evaluated; the text is what the server notes with the run."""


def evaluate(dataset: Dataset, predictions: str) -> dict[str, Figure]:
    """Evaluate the text of a predictions file.

    Raises
    ------
    PredictionsError
        If it lacks columns, or its rows are not the test rows of the task's folds.
    """
    content = arff.loads(predictions)
    names = [name for name, _ in content["attributes"]]
    frame = pd.DataFrame(content["data"], columns=names)
    _check_rows(dataset, frame)
    if dataset.task_type == "regression":
        return _regression(frame)
    classes = [str(label) for label in dataset.frame()[dataset.target].cat.categories]
    for label in classes:
        if f"confidence.{label}" not in names:
            raise PredictionsError(f"Attribute confidence.{label} not found among predictions. ")
    return _classification(frame, classes)


def _check_rows(dataset: Dataset, frame: pd.DataFrame) -> None:
    expected = pd.DataFrame({"fold": folds(dataset), "row_id": range(len(dataset.frame()))})
    expected = expected[expected["fold"] >= 0]
    given = frame[["fold", "row_id"]].astype("int64").sort_values(["fold", "row_id"]).to_numpy()
    if not np.array_equal(given, expected.sort_values(["fold", "row_id"]).to_numpy()):
        raise PredictionsError("Predictions were not made for exactly the test rows of the task's splits. ")


def _classification(frame: pd.DataFrame, classes: list[str]) -> dict[str, Figure]:
    truth, said = frame["correct"].astype(str).to_numpy(), frame["prediction"].astype(str).to_numpy()
    confidence = frame[[f"confidence.{label}" for label in classes]].to_numpy(dtype=float)
    onehot = np.stack([truth == label for label in classes], axis=1).astype(float)
    present = [k for k in range(len(classes)) if 0 < onehot[:, k].sum() < len(onehot)]
    areas = [metrics.roc_auc_score(onehot[:, k], confidence[:, k]) for k in present]
    recalls = [
        f"{(said[truth == label] == label).mean():.6f}" if (truth == label).any() else "?" for label in classes
    ]
    accuracy = float(metrics.accuracy_score(truth, said))
    return {
        "predictive_accuracy": Figure(accuracy),
        "area_under_roc_curve": Figure(float(np.average(areas, weights=onehot.sum(axis=0)[present]))),
        "recall": Figure(accuracy, f"[{','.join(recalls)}]"),
        "root_mean_squared_error": Figure(float(np.sqrt(((confidence - onehot) ** 2).mean()))),
        "mean_absolute_error": Figure(float(np.abs(confidence - onehot).mean())),
        "number_of_instances": Figure(float(len(frame))),
    }


def _regression(frame: pd.DataFrame) -> dict[str, Figure]:
    truth, said = frame["truth"].to_numpy(dtype=float), frame["prediction"].to_numpy(dtype=float)
    return {
        "root_mean_squared_error": Figure(float(np.sqrt(metrics.mean_squared_error(truth, said)))),
        "mean_absolute_error": Figure(float(metrics.mean_absolute_error(truth, said))),
        "number_of_instances": Figure(float(len(frame))),
    }
