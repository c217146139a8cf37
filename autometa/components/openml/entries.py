"""Entries of the cache: the files of one task or one dataset, and whether they are complete and unharmed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from xml.parsers.expat import ExpatError

from autometa.components.openml.documents import read_document
from autometa.components.openml.splits import SPLITS, read_splits
from autometa.foundation.errors import OpenMLError

__all__ = [
    "MANIFEST",
    "QUALITIES",
    "Entry",
    "Manifest",
    "damage",
    "files_of",
    "read_manifest",
    "write_manifest",
]

Kind = Literal["tasks", "datasets"]

MANIFEST = "manifest.json"
QUALITIES = "qualities.xml"
REQUIRED: dict[str, tuple[str, ...]] = {
    "tasks": ("task.xml",),
    "datasets": ("description.xml", "features.xml", "dataset.arff"),
}
OPTIONAL: dict[str, tuple[str, ...]] = {"tasks": (SPLITS,), "datasets": (QUALITIES,)}
# What the server could not give is asked for again after this time.
ASK_AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One task or dataset.

    Attributes
    ----------
    kind : {"tasks", "datasets"}
        Also the folder's name in the client's layout.
    id : int
    """

    kind: Kind
    id: int

    @property
    def folder(self) -> str:
        """Path inside of a server's cache folder."""
        return f"{self.kind}/{self.id}"

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"OpenML {self.kind.removesuffix('s')} {self.id}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of an entry's files.

    Attributes
    ----------
    date : datetime
        When it was downloaded.
    files : mapping of str to str
        SHA-256 by file name.
    missing : mapping of str to str
        Files that the server could not give, with its reason.
    """

    date: datetime
    files: Mapping[str, str]
    missing: Mapping[str, str]

    def asks_again(self) -> bool:
        """Whether the server should be asked again for what it could not give."""
        return bool(self.missing) and datetime.now(UTC) - self.date > ASK_AGAIN_AFTER


def files_of(entry: Entry, folder: Path) -> list[str]:
    """Return the names of the entry's files that are in `folder`; the client's pickles are none of them."""
    names = (*REQUIRED[entry.kind], *OPTIONAL[entry.kind])
    return [name for name in names if (folder / name).is_file()]


def damage(entry: Entry, folder: Path) -> str | None:
    """Say what is wrong with an entry; None if it is complete and unharmed.

    With a manifest every byte is checked; without one (files that the plain client left) the documents must parse,
    the splits be complete, and the ARFF file have the MD5 sum that the description states.
    """
    absent = [name for name in REQUIRED[entry.kind] if not (folder / name).is_file()]
    if absent:
        return f"{', '.join(absent)} missing"
    try:
        manifest = read_manifest(folder)
        return _structure_damage(entry, folder) if manifest is None else _hash_damage(manifest, folder)
    except (OSError, ValueError, LookupError, TypeError, ExpatError, OpenMLError) as error:
        return f"{type(error).__name__}: {error}"


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest; None if there is none.

    Raises
    ------
    ValueError, LookupError, TypeError
        If it is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return Manifest(datetime.fromisoformat(content["date"]), dict(content["files"]), dict(content["missing"]))


def write_manifest(entry: Entry, folder: Path, *, server: str, missing: Mapping[str, str]) -> None:
    """Write the manifest of the files that are in `folder`."""
    content = {
        "format": 1,
        "server": server,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {name: _digest(folder / name, "sha256") for name in files_of(entry, folder)},
        "missing": dict(missing),
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _hash_damage(manifest: Manifest, folder: Path) -> str | None:
    for name, expected in manifest.files.items():
        if not (folder / name).is_file():
            return f"{name} missing"
        if _digest(folder / name, "sha256") != expected:
            return f"{name} has changed since it was downloaded"
    return None


def _structure_damage(entry: Entry, folder: Path) -> str | None:
    return _task_damage(entry, folder) if entry.kind == "tasks" else _dataset_damage(entry, folder)


def _task_damage(entry: Entry, folder: Path) -> str | None:
    document = read_document(folder / "task.xml", "oml:task")
    if int(document["oml:task_id"]) != entry.id or "oml:task_type_id" not in document:
        return f"task.xml is not that of task {entry.id}, or states no task type"
    if (folder / SPLITS).is_file():
        read_splits(folder)
    return None


def _dataset_damage(entry: Entry, folder: Path) -> str | None:
    document = read_document(folder / "description.xml", "oml:data_set_description")
    read_document(folder / "features.xml", "oml:data_features")
    if int(document["oml:id"]) != entry.id:
        return f"description.xml is not that of dataset {entry.id}"
    stated = document.get("oml:md5_checksum")
    if stated and _digest(folder / "dataset.arff", "md5") != str(stated).lower():
        return f"dataset.arff does not have the MD5 sum {stated} of its description"
    return None


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
