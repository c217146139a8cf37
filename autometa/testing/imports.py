"""Which libraries a plugin loads, seen in a fresh interpreter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final

__all__ = ["HEAVY_MODULES", "heavy_imports"]

# What takes a noticeable part of a second to import, or claims a device. Importing one of them before a fit is
# asked for makes every command of every user slower.
HEAVY_MODULES: Final = (
    "catboost",
    "jax",
    "lightgbm",
    "matplotlib",
    "openml",
    "sklearn.ensemble",
    "sklearn.gaussian_process",
    "sklearn.neural_network",
    "sklearn.svm",
    "tabicl",
    "tabpfn",
    "tensorflow",
    "torch",
    "transformers",
    "xgboost",
)


def heavy_imports(function: Callable[..., object], *arguments: Any, heavy_modules: Iterable[str]) -> list[str]:
    """Call a function in a fresh interpreter and say which heavy libraries that imported.

    Parameters
    ----------
    function : callable
        Module-level, as are the classes of its arguments: they travel to another process.
    *arguments : Any
    heavy_modules : iterable of str

    Returns
    -------
    list of str
        Those that were not loaded with autometa itself, sorted.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        before = executor.submit(_loaded).result()
        executor.submit(_run, function, *arguments).result()
        after = executor.submit(_loaded).result()
    return sorted(set(heavy_modules) & (after - before))


def _run(function: Callable[..., object], *arguments: Any) -> None:
    function(*arguments)  # what it returns stays there


def _loaded() -> set[str]:
    # What autometa needs for describing a table is not the plugin's doing.
    from autometa.testing.tables import make_task

    make_task("mixed", "binary")
    return set(sys.modules)
