"""OpenML's XML documents, as the client leaves them on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xmltodict

from autometa.foundation.errors import OpenMLError

__all__ = ["Procedure", "dataset_of_task", "procedure_of_task", "read_document"]


@dataclass(frozen=True, slots=True)
class Procedure:
    """Estimation procedure of a task.

    Attributes
    ----------
    type : str
        As "crossvalidation" or "holdout"; empty if the task states none.
    n_splits : int or None
        Repeats times folds of a cross-validation as the task states them.
    """

    type: str
    n_splits: int | None


def read_document(path: Path, root: str) -> dict[str, Any]:
    """Read one of OpenML's XML files.

    Raises
    ------
    OpenMLError
        If it is another document.
    """
    document = xmltodict.parse(path.read_bytes())
    if not isinstance(document.get(root), dict):
        raise OpenMLError(f"{path.name} holds no {root}.")
    return dict(document[root])


def dataset_of_task(folder: Path) -> int:
    """Return the id of the dataset of the task whose files are in `folder`."""
    source = _inputs(folder).get("source_data")
    if source is None:
        raise OpenMLError(f"OpenML task {folder.name} states no dataset.")
    return int(source["oml:data_set"]["oml:data_set_id"])


def procedure_of_task(folder: Path) -> Procedure:
    """Return the estimation procedure of the task whose files are in `folder`."""
    stated = _inputs(folder).get("estimation_procedure", {}).get("oml:estimation_procedure", {})
    kind = str(stated.get("oml:type") or "")
    parameters = {each["@name"]: each.get("#text", "") for each in _listed(stated.get("oml:parameter"))}
    counts = [str(parameters.get(name, "")) for name in ("number_repeats", "number_folds")]
    is_counted = kind == "crossvalidation" and all(count.isdigit() for count in counts)
    return Procedure(kind, int(counts[0]) * int(counts[1]) if is_counted else None)


def _inputs(folder: Path) -> dict[str, dict[str, Any]]:
    return {each["@name"]: each for each in _listed(read_document(folder / "task.xml", "oml:task")["oml:input"])}


def _listed(value: Any) -> list[Any]:
    """Return what may be one element or several as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
