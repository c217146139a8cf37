"""The manifest of a knowledge base: version, hashes, provenance."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autometa.foundation.errors import KnowledgeError, KnowledgeSchemaError

__all__ = ["MANIFEST_FILE", "SCHEMA_VERSION", "Manifest", "file_hash", "read_manifest"]

MANIFEST_FILE = "manifest.json"
SCHEMA_VERSION = 1


class Manifest(BaseModel):
    """What a knowledge base says of itself.

    Attributes
    ----------
    schema_version : int
        Of the files' layout.
    created : str
        ISO 8601, UTC.
    autometa_version : str
        The version that wrote it.
    metafeature_version : int
        Of the definitions of the meta-features; vectors of two versions cannot be compared.
    metafeature_names : mapping of {"classification", "regression"} to list of str
        Which meta-features a task of that kind has, in order.
    files : mapping of str to str
        SHA-256 of each file, in hexadecimal.
    provenance : mapping of str to JSON value
        Source of the data, protocol of the splits, limits, machines, versions of libraries.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    created: str = Field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))
    autometa_version: str = ""
    metafeature_version: int
    metafeature_names: dict[str, list[str]]
    files: dict[str, str] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Manifest

    Raises
    ------
    KnowledgeError
        If there is none or it is no manifest.
    KnowledgeSchemaError
        If it is of another schema version.
    """
    path = folder / MANIFEST_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KnowledgeError(
            f"{folder} is not a knowledge base: {MANIFEST_FILE} cannot be read ({error.strerror}). Give a folder "
            "that `autometa kb build` wrote.",
            path=str(folder),
        ) from error
    except ValueError as error:
        raise KnowledgeError(f"{path} is not JSON: {error}.", path=str(path)) from error
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        raise KnowledgeSchemaError(
            f"The knowledge base {folder} has schema version {version!r}; this autometa reads version "
            f"{SCHEMA_VERSION}. Install the autometa that wrote it, or build it anew with `autometa kb build`.",
            path=str(folder),
            version=version,
        )
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise KnowledgeError(f"{path} is not a valid manifest: {problems}.", path=str(path)) from error


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
