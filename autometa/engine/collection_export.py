"""From the journal of a collection to a knowledge base, also while the collection is running."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from autometa.components.experiments import EvaluationWork, Limits, evaluations_frame, read_journal
from autometa.components.knowledge import KnowledgeBase, Manifest
from autometa.components.knowledge.storage import COLUMNS
from autometa.components.metafeatures import SCHEMA_VERSION, metafeature_names
from autometa.engine.collection_work import SplitSource
from autometa.foundation.errors import KnowledgeError
from autometa.plugins.loading import SEPARATOR

__all__ = ["JOURNAL_FILE", "export_knowledge", "provenance"]

JOURNAL_FILE = "journal.jsonl"
DISTRIBUTION = "autometa-ml"
LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "skrub", "torch", "tabm", "rtdl_num_embeddings")
_REQUIRED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def export_knowledge(workspace: str | os.PathLike[str]) -> KnowledgeBase:
    """Make a knowledge base of what a workspace holds so far.

    Parameters
    ----------
    workspace : path
        Of `build_knowledge`; it may be writing there right now.

    Returns
    -------
    KnowledgeBase

    Raises
    ------
    StoreError
        If there is no journal, or it is damaged.
    KnowledgeError
        If there is no evaluation yet.
    """
    records = list(read_journal(Path(workspace) / JOURNAL_FILE))
    evaluations = evaluations_frame(records).drop(columns="message")
    if evaluations.empty:
        raise KnowledgeError(f"The workspace {workspace} holds no evaluation yet; try again later.")
    brought = _names_of_plugins(records)
    names = {
        "classification": [*metafeature_names(True), *brought],
        "regression": [*metafeature_names(False), *brought],
    }
    manifest = Manifest(
        autometa_version=_version(DISTRIBUTION) or "",
        metafeature_version=SCHEMA_VERSION,
        metafeature_names=names,
        provenance=_story(records),
    )
    return KnowledgeBase(
        manifest,
        tasks=_tasks(records, set(evaluations["task"])),
        metafeatures=_metafeatures(records, names),
        candidates=_candidates(records, set(evaluations["candidate"])),
        evaluations=evaluations,
    )


def _names_of_plugins(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the meta-features of plugins that some task was described by."""
    values = (r["values"] for r in records if r["kind"] == "metafeatures" and r["status"] == "ok")
    return list(dict.fromkeys(name for found in values for name in found if SEPARATOR in name))


def _tasks(records: Sequence[Mapping[str, Any]], evaluated: set[str]) -> pd.DataFrame:
    table = _table("tasks", [r for r in records if r["kind"] == "task"])
    table = table.astype({"dataset_id": "Int64", "task_id": "Int64"}).drop_duplicates("task", keep="last")
    return table[table["task"].isin(evaluated)].sort_values("task").reset_index(drop=True)


def _metafeatures(records: Sequence[Mapping[str, Any]], names: Mapping[str, list[str]]) -> pd.DataFrame:
    columns = list(dict.fromkeys(name for kind in names.values() for name in kind))
    found = {
        (r["task"], r["train_size"]): {"n_train": r["n_train"], **r["values"]}
        for r in records
        if r["kind"] == "metafeatures" and r["status"] == "ok"
    }
    rows = [{"task": task, "train_size": size, **found[task, size]} for task, size in sorted(found)]
    table = pd.DataFrame(rows, columns=[*COLUMNS["metafeatures"], *columns])
    return table.astype(dict.fromkeys(columns, "float64"))


def _candidates(records: Sequence[Mapping[str, Any]], evaluated: set[str]) -> pd.DataFrame:
    table = _table("candidates", [r for r in records if r["kind"] == "candidate"]).drop_duplicates("candidate")
    return table[table["candidate"].isin(evaluated)].reset_index(drop=True)


def _table(name: str, records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return records in the columns of one of a knowledge base's tables."""
    columns = list(COLUMNS[name])
    return pd.DataFrame([[r[column] for column in columns] for r in records], columns=columns)


def _story(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return where the figures come from: protocol, runs (equal ones once), datasets left out."""
    runs: list[dict[str, Any]] = []
    for record in records:
        run = {name: value for name, value in record.items() if name != "kind"}
        if record["kind"] == "run" and run not in runs:
            runs.append(run)
    surveyed = {r["task"] for r in records if r["kind"] == "task"}
    skipped = {
        r["task"]: {"name": r["name"], "reason": r["reason"]}
        for r in records
        if r["kind"] == "skip" and r["task"] not in surveyed
    }
    return {"protocol": records[0]["protocol"], "runs": runs, "skipped": skipped}


def provenance(
    source: SplitSource,
    work: EvaluationWork,
    limits: Limits,
    *,
    n_jobs: int,
    distributions: Collection[str] = (),
) -> dict[str, Any]:
    """Return what is to be known of a run: data, limits, machine, versions.

    Parameters
    ----------
    source : SplitSource
    work : EvaluationWork
    limits : Limits
    n_jobs : int
    distributions : collection of str
        Those whose strategies are measured; their versions and those of what they require are stated.

    Returns
    -------
    dict
        JSON values; no paths, names of hosts or users.
    """
    return {
        "source": f"folder {Path(source.folder.path).name!r} of {len(source.folder.entries)} datasets",
        "strategies": sorted(work.strategies),
        "device": work.device,
        "seconds_per_cell": limits.seconds,
        "memory_per_cell": limits.memory,
        "n_jobs": n_jobs,
        "machine": _machine(),
        "versions": _versions(distributions),
    }


def _versions(distributions: Collection[str]) -> dict[str, str]:
    """Return the installed versions of autometa, its libraries, some distributions and what those require."""
    required = [_REQUIRED_NAME.match(line) for name in sorted(distributions) for line in _requirements(name)]
    names = [DISTRIBUTION, *LIBRARIES, *sorted(distributions), *(match[0] for match in required if match)]
    return {name: found for name in dict.fromkeys(names) if (found := _version(name))}


def _requirements(distribution: str) -> list[str]:
    try:
        return requires(distribution) or []
    except PackageNotFoundError:
        return []


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "memory": psutil.virtual_memory().total,
        "python": platform.python_version(),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
