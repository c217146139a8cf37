"""Downloads: the client fetches one task or dataset into a staging folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from autometa.components.openml.entries import QUALITIES, Entry
from autometa.components.openml.failures import DATABASE_DOWN_CODE
from autometa.components.openml.splits import SPLITS
from autometa.foundation.errors import OpenMLError, OpenMLUnavailableError

__all__ = ["download"]

logger = logging.getLogger(__name__)


def download(openml: Any, entry: Entry) -> dict[str, str]:
    """Fetch the files of an entry.

    Parameters
    ----------
    openml : module
        The client, as given by `gateway.downloading`.
    entry : Entry

    Returns
    -------
    dict of str to str
        Optional files that the server could not give, with its reason; also logged.
    """
    return _dataset(openml, entry) if entry.kind == "datasets" else _task(openml, entry)


def _dataset(openml: Any, entry: Entry) -> dict[str, str]:
    dataset = openml.datasets.get_dataset(entry.id, download_data=True, download_features_meta_data=True)
    try:
        qualities = dataset.qualities  # a second step: if get_dataset itself fails on them, it deletes everything
    except openml.exceptions.OpenMLServerException as error:
        return _recorded(entry, QUALITIES, error)
    return {} if qualities is not None else _recorded(entry, QUALITIES, OpenMLError("the server has none"))


def _task(openml: Any, entry: Entry) -> dict[str, str]:
    try:
        task = openml.tasks.get_task(entry.id)
    except NotImplementedError as error:
        raise OpenMLError(
            f"{entry.label} is of a type that cannot be used ({error}): supervised classification and "
            "regression can.",
            task_id=entry.id,
        ) from error
    address = getattr(task, "estimation_procedure", {}).get("data_splits_url")
    if not address:
        return _recorded(entry, SPLITS, OpenMLError("the task states no address of its splits"))
    path = Path(openml.config.get_cache_directory()) / entry.folder / SPLITS
    try:
        openml._api_calls._download_text_file(source=str(address), output_path=path)
    except openml.exceptions.OpenMLServerException as error:  # 412 "failed to perform action generate_folds"
        return _recorded(entry, SPLITS, error)
    except OpenMLUnavailableError as error:
        if error.context.get("status") != 412:
            raise
        return _recorded(entry, SPLITS, error)
    return {}


def _recorded(entry: Entry, name: str, reason: Exception) -> dict[str, str]:
    """Note that the server has no such file, unless it only cannot look just now."""
    if getattr(reason, "code", None) == DATABASE_DOWN_CODE:
        raise reason
    logger.warning("%s: the server gives no %s (%s)", entry.label, name, reason)
    return {name: str(reason)}
