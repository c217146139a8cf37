"""Fitted policies on disk: plain arrays under a hash of what they were fitted from."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import zipfile
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from filelock import FileLock

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import Arrays, Policy
from autometa.decision.policy.catalogue import get_policy
from autometa.foundation.settings import get_settings
from autometa.foundation.threads import one_thread
from autometa.foundation.typing import JsonValue

__all__ = ["cache_key", "load_or_fit", "load_or_learn"]

logger = logging.getLogger(__name__)

_FORMAT = 1
# Seconds to wait for another process that fits the same policy; then this one fits for itself.
_LOCK_SECONDS = 60.0
# Whose versions decide what is learned from the same figures.
_LIBRARIES = ("autometa-ml", "numpy", "scikit-learn")


class Learned(Protocol):
    """What can be kept: it learns from a MetaDataset and turns into plain arrays and back (see `Policy`)."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    def fit(self, meta_dataset: MetaDataset) -> Self: ...
    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]: ...
    def restore(self, arrays: Arrays) -> Self: ...
    def parameters(self) -> dict[str, JsonValue]: ...


LearnedT = TypeVar("LearnedT", bound=Learned)


def cache_key(meta_dataset: MetaDataset, policy: Learned) -> str:
    """Return the hash of everything that a fitted policy depends on, versions of libraries among it.

    Parameters
    ----------
    meta_dataset : MetaDataset
    policy : Policy

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    facts = [_FORMAT, policy.name, policy.version, policy.parameters(), meta_dataset.content_hash(), _versions()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


@cache
def _versions() -> tuple[str, ...]:
    return tuple(version(name) for name in _LIBRARIES)


def load_or_fit(
    meta_dataset: MetaDataset, policy: str | Policy = "proximity", *, directory: Path | None = None
) -> Policy:
    """Return a fitted policy, from the cache if it was fitted before.

    Parameters
    ----------
    meta_dataset : MetaDataset
    policy : str or Policy
        A name (with default parameters) or an unfitted policy.
    directory : Path, optional
        Default: ``policies`` in the cache directory of the settings. Where it cannot be written the policy is
        fitted and not kept, which is logged.

    Returns
    -------
    Policy

    Raises
    ------
    ParameterError
        If no policy has that name.
    PolicyError
        If the policy cannot be fitted.
    """
    return load_or_learn(
        meta_dataset, get_policy(policy) if isinstance(policy, str) else policy, directory=directory
    )


def load_or_learn(meta_dataset: MetaDataset, wanted: LearnedT, *, directory: Path | None = None) -> LearnedT:
    """Return anything that learns from a MetaDataset, fitted; see `load_or_fit`.

    It learns on one thread: on arrays of this size more threads gain nothing, and on a busy machine they wait for
    each other most of the time.

    Parameters
    ----------
    meta_dataset : MetaDataset
    wanted : Policy or Posterior
        Unfitted.
    directory : Path, optional

    Returns
    -------
    Policy or Posterior
    """
    folder = directory or get_settings().cache_directory / "policies"
    path = folder / f"{wanted.name}-{cache_key(meta_dataset, wanted)}.npz"
    if _restored(wanted, path):
        return wanted
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            if not _restored(wanted, path):
                _write(_fitted(wanted, meta_dataset), path)
    except (OSError, TimeoutError) as error:
        logger.warning("The policy is fitted but not kept in %s: %s", folder, error)
        _fitted(wanted, meta_dataset)
    return wanted


def _fitted(wanted: LearnedT, meta_dataset: MetaDataset) -> LearnedT:
    with one_thread():
        return wanted.fit(meta_dataset)


def _restored(policy: Learned, path: Path) -> bool:
    """Try to take up a file; a broken one is logged, and fitted and written anew by the caller."""
    if not path.exists():
        return False
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            policy.restore({name: file[name] for name in file.files})
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        logger.warning("The cached policy %s cannot be read (%r); it is fitted anew.", path, error)
        return False
    return True


def _write(policy: Learned, path: Path) -> None:
    """Write beside the target, then rename: a reader sees the whole file or none."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **policy.to_arrays())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
