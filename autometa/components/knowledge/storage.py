"""The four Parquet files of a knowledge base, written at once and read with a check of their hashes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from autometa.components.knowledge.manifest import MANIFEST_FILE, Manifest, file_hash, read_manifest
from autometa.domain import METRICS
from autometa.foundation.errors import KnowledgeIntegrityError, StoreError

__all__ = ["COLUMNS", "TABLES", "load_tables", "save_tables"]

TABLES = ("tasks", "metafeatures", "candidates", "evaluations")
_KEYS = ("task", "split", "train_size", "candidate")
_MEASURES = ("fit_seconds", "predict_seconds")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "tasks": (
        "task",
        "dataset_id",
        "task_id",
        "name",
        "group",
        "type",
        "n_samples",
        "n_features",
        "n_classes",
        "n_train",
        "fingerprint",
    ),
    "metafeatures": ("task", "train_size", "n_train"),  # and one column per meta-feature
    "candidates": ("candidate", "strategy", "configuration"),
    "evaluations": (*_KEYS, "status", "n_train", "n_test", *_MEASURES, "peak_memory", *METRICS),
}
_DTYPES: Mapping[str, str] = {
    **dict.fromkeys(("task", "candidate", "status"), "category"),
    **dict.fromkeys(("dataset_id", "task_id"), "Int64"),
    **dict.fromkeys(("split", "train_size", "n_train", "n_test", "n_samples", "n_features", "n_classes"), "int32"),
    "peak_memory": "int64",
    **dict.fromkeys((*_MEASURES, *METRICS), "float32"),
}


def save_tables(folder: Path, manifest: Manifest, tables: Mapping[str, pd.DataFrame]) -> Manifest:
    """Write a knowledge base so that the folder holds the old one or the new one, never a mixture.

    Parameters
    ----------
    folder : Path
    manifest : Manifest
        Its hashes are filled in.
    tables : mapping of table name to DataFrame

    Returns
    -------
    Manifest
        With the hashes.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    folder = Path(os.path.abspath(folder))
    scratch: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        scratch.chmod(0o755)
        for name in TABLES:
            pq.write_table(
                _arrow(name, tables[name]), scratch / f"{name}.parquet", compression="zstd", compression_level=19
            )
        hashes = {f"{name}.parquet": file_hash(scratch / f"{name}.parquet") for name in TABLES}
        manifest = manifest.model_copy(update={"files": hashes})
        (scratch / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        _replace(folder, scratch)
    except OSError as error:
        raise StoreError(
            f"Cannot write the knowledge base {folder}: {error.strerror or error}. What was there is unchanged; "
            "make room or repair the access and try again.",
            path=str(folder),
        ) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    return manifest


def _replace(folder: Path, scratch: Path) -> None:
    """Put `scratch` in the place of `folder`: two renames, with the old one kept until the new one is there."""
    if not folder.exists():
        scratch.rename(folder)
        return
    _refuse_foreign(folder)
    old = scratch.with_name(scratch.name + "-old")
    folder.rename(old)
    try:
        scratch.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    own = {MANIFEST_FILE, *(f"{name}.parquet" for name in TABLES)}
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in own)
    if foreign:
        raise StoreError(
            f"{folder} holds other files ({foreign[:5]}), which replacing it would delete. Choose an empty or new "
            "folder for the knowledge base.",
            path=str(folder),
        )


def _arrow(name: str, table: pd.DataFrame) -> pa.Table:
    extra = [column for column in table.columns if column not in COLUMNS[name]] if name == "metafeatures" else []
    frame = table[[*COLUMNS[name], *extra]]
    return pa.Table.from_pandas(_typed(frame), preserve_index=False)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({column: _DTYPES[column] for column in frame.columns if column in _DTYPES})


def load_tables(folder: Path) -> tuple[Manifest, dict[str, pd.DataFrame]]:
    """Read a knowledge base.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Manifest
    dict of table name to DataFrame

    Raises
    ------
    KnowledgeError
        If it is no knowledge base; KnowledgeSchemaError if it is one of another version; KnowledgeIntegrityError
        if a file is missing, is not the one that the manifest describes, or lacks columns.
    """
    manifest = read_manifest(folder)
    return manifest, {name: _checked_table(folder, name, manifest) for name in TABLES}


def _checked_table(folder: Path, name: str, manifest: Manifest) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    advice = "Copy or build the knowledge base again."
    try:
        found = file_hash(path)
        stated = manifest.files.get(path.name)
        if found != stated:
            raise KnowledgeIntegrityError(
                f"{path} does not have the SHA-256 that its manifest states ({stated}; it has {found}): the file "
                f"was changed or cut off. {advice}",
                path=str(path),
            )
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise KnowledgeIntegrityError(f"{path} cannot be read: {error}. {advice}", path=str(path)) from error
    missing = [column for column in COLUMNS[name] if column not in frame.columns]
    if missing:
        raise KnowledgeIntegrityError(f"{path} lacks the columns {missing}. {advice}", path=str(path))
    numbers = frame.select_dtypes("float").columns
    return frame if len(frame) else frame.astype(dict.fromkeys(numbers, np.float64))
