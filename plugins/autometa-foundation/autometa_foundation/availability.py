"""Why a pretrained model cannot be used for a task on this machine: asked before anything is loaded or run."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

from autometa import Task, get_settings

from autometa_foundation import weights
from autometa_foundation.models import CLASSIFICATION, REGRESSION, PretrainedModel

__all__ = ["is_offline", "kind_of", "library_obstacle", "task_obstacle", "weights_obstacle"]

# A context that holds less than this share of the rows is no longer the table that was asked about.
SMALLEST_SHARE: Final = 0.1
# Columns that `autometa.preprocessing.NativeTable` makes of one text, and of one date.
_PER_TEXT, _PER_DATE = 40, 10
_SUPPORTED: Final = {"tabpfn": ((8, 5), (9, 0)), "tabicl": ((2, 2), (3, 0))}  # as in pyproject.toml
# tabpfn's own switch, which it insists on, and this plugin's for tabicl, which has none.
_SLOW_SWITCH: Final = {"tabpfn": "TABPFN_ALLOW_CPU_LARGE_DATASET", "tabicl": "AUTOMETA_TABICL_ALLOW_SLOW_CPU"}
_TRUE: Final = {"1", "true", "yes", "on"}


def kind_of(task: Task) -> str:
    """Return which of the two files of a model a task needs.

    Parameters
    ----------
    task : Task

    Returns
    -------
    {"classification", "regression"}
    """
    return CLASSIFICATION if task.is_classification else REGRESSION


def library_obstacle(model: PretrainedModel) -> str | None:
    """Say why the library cannot be used, without importing it.

    Parameters
    ----------
    model : PretrainedModel

    Returns
    -------
    str or None
    """
    install = f"pip install 'autometa-foundation[{model.library}]'"
    if find_spec(model.library) is None:
        return f"the package {model.library} is not installed; {install}"
    try:
        found = version(model.library)
    except PackageNotFoundError:
        return f"the package {model.library} is there but not properly installed; {install}"
    low, high = _SUPPORTED[model.library]
    if not low <= tuple(int(part) for part in re.findall(r"\d+", found)[:2]) < high:
        allowed = f">={low[0]}.{low[1]},<{high[0]}"
        return f"{model.library} {found} is installed, and this plugin needs {allowed}; {install}"
    return None


def weights_obstacle(model: PretrainedModel, kind: str) -> str | None:
    """Say why there are no weights to load, and what to do about it.

    Parameters
    ----------
    model : PretrainedModel
    kind : {"classification", "regression"}

    Returns
    -------
    str or None
    """
    path = weights.find_weights(model, kind)
    if path is not None:
        if weights.is_complete(path):
            return None
        return (
            f"{path} is damaged or cut off: it is no checkpoint of torch. Delete it, then run "
            f"`autometa foundation fetch {model.library}`"
        )
    missing = f"the weights of {model} ({model.files[kind]}) are not on this machine"
    if is_offline():
        return (
            f"{missing}, and it is offline. On one that is not, get the file from "
            f"https://huggingface.co/{model.repositories[kind]} and copy it to {weights.places(model, kind)[0]}"
        )
    fetch = f"`autometa foundation fetch {model.library}`"
    if model.gated and not weights.has_tabpfn_token():
        return (
            f"{missing}, and they are behind {model.licence}. Accept it at https://ux.priorlabs.ai (Licenses), "
            f"set TABPFN_TOKEN to the API key of that account, then run {fetch}; or unset TABPFN_MODEL_VERSION "
            "for v2"
        )
    return f"{missing}. Run {fetch}: it shows the licence and downloads them once"


def is_offline() -> bool:
    """Whether the network is forbidden, by autometa's setting or by the Hugging Face hub's.

    Returns
    -------
    bool
    """
    return get_settings().offline or _is_set("HF_HUB_OFFLINE") or _is_set("TRANSFORMERS_OFFLINE")


def task_obstacle(model: PretrainedModel, task: Task) -> str | None:
    """Say why the task is beyond the model, or beyond this machine.

    Parameters
    ----------
    model : PretrainedModel
    task : Task

    Returns
    -------
    str or None
    """
    most = int(model.max_rows / SMALLEST_SHARE)
    if task.n_samples > most:
        return (
            f"{task.n_samples:,} rows: {model} takes {model.max_rows:,} and would see less than "
            f"{SMALLEST_SHARE:.0%} of them"
        )
    n_columns = _n_columns(task)
    if n_columns > model.max_columns:
        return f"{n_columns:,} columns (texts and dates count for several): {model} takes {model.max_columns:,}"
    if model.max_classes is not None and len(task.classes) > model.max_classes:
        return f"{len(task.classes)} classes: {model} takes {model.max_classes}"
    switch = _SLOW_SWITCH[model.library]
    if task.n_samples > model.max_cpu_rows and not _is_set(switch) and not _has_gpu():
        return (
            f"no GPU was found, and on a CPU {model} is slow beyond {model.max_cpu_rows:,} rows; the table has "
            f"{task.n_samples:,}. Set {switch}=true to wait for it"
        )
    return None


def _n_columns(task: Task) -> int:
    """Return an upper bound of the columns that the model is given."""
    widths = {"text": _PER_TEXT, "datetime": _PER_DATE}
    return sum(widths.get(str(role), 1) for role in task.roles.values())


def _is_set(switch: str) -> bool:
    return os.environ.get(switch, "").strip().lower() in _TRUE


def _has_gpu() -> bool:
    """Whether torch is likely to find a GPU, asked without importing it."""
    if sys.platform == "darwin":
        return os.uname().machine == "arm64"
    if os.environ.get("CUDA_VISIBLE_DEVICES", "unset").strip() in ("", "-1") or version("torch").endswith("+cpu"):
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
