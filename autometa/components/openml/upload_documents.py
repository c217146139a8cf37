"""From flows and runs, as values, to the client's objects, which make the documents that are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xmltodict

from autometa.components.openml.uploads import CONFIDENCE, FlowUpload, RunUpload
from autometa.foundation.errors import OpenMLError

__all__ = ["ask_setup", "client_flow", "client_run", "published_predictions"]


def client_flow(openml: Any, flow: FlowUpload, flow_id: int | None = None) -> Any:
    """Return an ``OpenMLFlow`` without a model: no extension of the client is involved."""
    return openml.flows.OpenMLFlow(
        name=flow.name,
        external_version=flow.external_version,
        description=flow.description,
        dependencies=flow.dependencies,
        parameters=dict(flow.parameters),
        parameters_meta_info={name: {"data_type": None, "description": None} for name in flow.parameters},
        components={},
        model=None,
        tags=[],
        language="English",
        flow_id=flow_id,
    )


def ask_setup(openml: Any, flow_id: int, settings: Mapping[str, str]) -> int | None:
    """Ask for the id of a flow's setup; the client's own function needs a model."""
    document = xmltodict.unparse(openml.setups.functions._to_dict(flow_id, _parameter_settings(flow_id, settings)))
    answer = openml._api_calls._perform_api_call(
        "setup/exists/", "post", file_elements={"description": ("description.xml", document)}
    )
    found = int(xmltodict.parse(answer)["oml:setup_exists"]["oml:id"])
    return found if found > 0 else None


def client_run(openml: Any, run: RunUpload, flow: FlowUpload) -> Any:
    """Return an ``OpenMLRun`` with its predictions.

    Raises
    ------
    OpenMLError
        If the predictions name a class that the task does not have, or hold a value that is no number.
    """
    task = openml.tasks.get_task(run.task_id)
    return openml.runs.OpenMLRun(
        task_id=run.task_id,
        flow_id=run.flow_id,
        dataset_id=None,
        flow=client_flow(openml, flow, run.flow_id),
        parameter_settings=_parameter_settings(run.flow_id, run.settings),
        data_content=_rows(openml, task, run.predictions),
        fold_evaluations={measure: dict(values) for measure, values in run.fold_evaluations.items()},
        setup_string=flow.external_version,
        description_text=f"Predictions of {flow.name} on task {run.task_id}",
    )


def published_predictions(found: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions that the client read from a file, named and typed as ours.

    Parameters
    ----------
    found : DataFrame
        With the columns of OpenML's predictions: the truth is called ``correct`` for classes.

    Returns
    -------
    DataFrame
        See `OpenMLPublisher.run_predictions`.

    Raises
    ------
    KeyError, ValueError
        If a column is missing, or holds something else.
    """
    confidences = [name for name in found.columns if name.startswith(CONFIDENCE)]
    kind = str if confidences else float
    named = found.rename(columns={"correct": "truth"})
    return named[["repeat", "fold", "row_id", "prediction", "truth", *confidences]].astype(
        {
            **dict.fromkeys(("repeat", "fold", "row_id"), "int64"),
            **dict.fromkeys(("prediction", "truth"), kind),
            **dict.fromkeys(confidences, float),
        }
    )


def _parameter_settings(flow_id: int, settings: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"oml:name": name, "oml:value": value, "oml:component": flow_id}
        for name, value in sorted(settings.items())
    ]


def _rows(openml: Any, task: Any, predictions: pd.DataFrame) -> list[list[Any]]:
    labels = getattr(task, "class_labels", None)
    places = zip(predictions["repeat"], predictions["fold"], predictions["row_id"], strict=True)
    if labels is None:
        numbers = _finite(task, predictions[["prediction", "truth"]])
        return [
            openml.runs.functions.format_prediction(task, int(repeat), int(fold), int(row), *map(float, pair))
            for (repeat, fold, row), pair in zip(places, numbers, strict=True)
        ]
    _check_classes(task, labels, predictions)
    _check_header(task, labels)
    known = [f"{CONFIDENCE}{label}" for label in labels if f"{CONFIDENCE}{label}" in predictions.columns]
    # A class that no training row had: no learner knows it, and the file has a column for it.
    confidences = _finite(
        task, predictions[known].reindex(columns=[CONFIDENCE + k for k in labels], fill_value=0.0)
    )
    pairs = zip(predictions["prediction"].astype(str), predictions["truth"].astype(str), strict=True)
    return [
        openml.runs.functions.format_prediction(
            task, int(repeat), int(fold), int(row), said, truth, proba=dict(zip(labels, shares, strict=True))
        )
        for (repeat, fold, row), (said, truth), shares in zip(places, pairs, confidences.tolist(), strict=True)
    ]


def _check_classes(task: Any, labels: list[str], predictions: pd.DataFrame) -> None:
    named = {name.removeprefix(CONFIDENCE) for name in predictions.columns if name.startswith(CONFIDENCE)}
    foreign = sorted((named | set(predictions["truth"]) | set(predictions["prediction"])) - set(labels))
    if foreign:
        raise OpenMLError(
            f"The predictions for OpenML task {task.task_id} name the classes {foreign[:5]}, which the server "
            f"does not declare; it declares {labels[:10]}. They were made from other data than the task's.",
            task_id=task.task_id,
        )


def _check_header(task: Any, labels: list[str]) -> None:
    """Refuse names that the client's ARFF writer garbles, as those with braces, before a server stores them."""
    import arff  # type: ignore[import-untyped,unused-ignore]

    attributes = [("prediction", labels), *[(CONFIDENCE + label, "NUMERIC") for label in labels]]
    sample = [[label, *[0.0] * len(labels)] for label in labels]
    try:
        read = arff.loads(arff.dumps({"relation": "sample", "attributes": attributes, "data": sample}))
    except arff.ArffException:
        read = {}
    if (read.get("attributes"), read.get("data")) != (attributes, sample):
        raise OpenMLError(
            f"The class names of OpenML task {task.task_id} cannot be written into an ARFF file by the client "
            f"({labels[:10]}): braces, double quotes, tabs, '?' and empty names are lost. Its runs cannot be "
            "published.",
            task_id=task.task_id,
        )


def _finite(task: Any, frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = frame.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise OpenMLError(
            f"The predictions for OpenML task {task.task_id} hold values that are no finite numbers, "
            f"{int((~np.isfinite(values)).sum())} of {values.size}: such a run cannot be published.",
            task_id=task.task_id,
        )
    return values
