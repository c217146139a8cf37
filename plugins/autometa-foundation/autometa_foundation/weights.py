"""Where the weights lie on this machine, found without importing a library and without a network."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

from autometa_foundation.models import PretrainedModel

__all__ = [
    "find_weights",
    "has_tabpfn_token",
    "hub_folder",
    "is_complete",
    "own_folder",
    "places",
    "tabpfn_folder",
]

# Folder that is searched first, for both libraries: for machines without a network.
_OWN_FOLDER = "AUTOMETA_FOUNDATION_WEIGHTS"


def find_weights(model: PretrainedModel, kind: str) -> Path | None:
    """Return the file of weights.

    Parameters
    ----------
    model : PretrainedModel
    kind : {"classification", "regression"}

    Returns
    -------
    Path or None
        None if it is not on this machine.
    """
    return next((path for path in places(model, kind) if path.is_file()), None)


def places(model: PretrainedModel, kind: str) -> list[Path]:
    """Return where the file is looked for, in this order.

    Parameters
    ----------
    model : PretrainedModel
    kind : {"classification", "regression"}

    Returns
    -------
    list of Path
        In the folder that ``AUTOMETA_FOUNDATION_WEIGHTS`` names, then where the model's library keeps it.
    """
    file = model.files[kind]
    own = own_folder()
    library = tabpfn_folder() / file if model.library == "tabpfn" else _in_hub(model.repositories[kind], file)
    return [library] if own is None else [own / file, library]


def own_folder() -> Path | None:
    """Return the folder that ``AUTOMETA_FOUNDATION_WEIGHTS`` names.

    Returns
    -------
    Path or None
    """
    return _folder_from(_OWN_FOLDER)


def is_complete(path: Path) -> bool:
    """Whether a file can be a checkpoint of torch: not empty, not cut off, not a pointer to a large file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    return zipfile.is_zipfile(path)


def tabpfn_folder() -> Path:
    """Return the folder where tabpfn keeps weights, as `tabpfn.model_loading.get_cache_dir` finds it.

    Returns
    -------
    Path
    """
    named = _folder_from("TABPFN_MODEL_CACHE_DIR")
    if named is not None:
        return named
    if sys.platform == "win32":
        roaming = _folder_from("APPDATA")
        return roaming / "tabpfn" if roaming else Path.cwd() / ".tabpfn_models"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tabpfn"
    return (_folder_from("XDG_CACHE_HOME") or Path.home() / ".cache") / "tabpfn"


def has_tabpfn_token() -> bool:
    """Whether this machine holds the token that the download of licensed TabPFN weights needs.

    Returns
    -------
    bool
        It says nothing of whether the licence has been accepted: only the server knows.
    """
    files = (Path.home() / ".cache" / "tabpfn" / "auth_token", Path.home() / ".tabpfn" / "token")
    return bool(os.environ.get("TABPFN_TOKEN", "").strip()) or any(_has_content(file) for file in files)


def _has_content(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def _in_hub(repository: str, file: str) -> Path:
    """Return the path of a file in the cache of the Hugging Face hub, on the branch ``main``."""
    folder = hub_folder() / f"models--{repository.replace('/', '--')}"
    reference = folder / "refs" / "main"
    commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else "main"
    return folder / "snapshots" / commit / file


def hub_folder() -> Path:
    """Return the hub's cache, as `huggingface_hub.constants` finds it.

    Returns
    -------
    Path
    """
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        named = _folder_from(name)
        if named is not None:
            return named
    home = _folder_from("HF_HOME")
    if home is None:
        home = (_folder_from("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return home / "hub"


def _folder_from(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    return Path(os.path.expandvars(value)).expanduser() if value else None
