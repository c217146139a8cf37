"""What describes a task beside the fixed vector: its texts, and the meta-features that plugins bring.

The functions of plugins are third parties' code in this very process: a failure is NaN and a warning, and one that
takes too long is left behind in its thread, since Python cannot stop it; it is not asked again in this process.
"""

from __future__ import annotations

import math
import numbers
import queue
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autometa.components.metafeatures.extract import MetaFeatures, extract
from autometa.components.metafeatures.text import GROUP, text_metafeatures
from autometa.domain.task import Task
from autometa.foundation.errors import PluginWarning
from autometa.plugins import MetaFeatureFunction
from autometa.plugins.guarding import said

__all__ = ["SECONDS", "describe"]

# For one function: all built-in meta-features together take 0.2 s on a million rows.
SECONDS = 1.0
_NAN = float("nan")

_left_behind: set[tuple[str, ...]] = set()


def describe(
    task: Task, functions: Sequence[MetaFeatureFunction] = (), *, random_state: int = 0, seconds: float = SECONDS
) -> MetaFeatures:
    """Compute the built-in meta-features of a task, those of its texts if it has any, then those of plugins.

    Parameters
    ----------
    task : Task
    functions : sequence of MetaFeatureFunction
    random_state : int
        Seed of the built-in ones.
    seconds : float
        Limit of each function.

    Returns
    -------
    MetaFeatures
        Those of plugins last, their group called as the plugin; NaN where a function failed or took too long, with
        a `PluginWarning`.
    """
    own = extract(task, random_state=random_state)
    texts = text_metafeatures(task, random_state=random_state)
    if not functions and not texts:
        return own
    found = [_numbers(function, task, seconds) for function in functions]
    return MetaFeatures(
        (*own.names, *texts, *(name for function in functions for name in function.full_names)),
        np.concatenate([own.values, np.array([*texts.values()], dtype=np.float64), *found]),
        (
            *own.groups,
            *(GROUP for _ in texts),
            *(function.plugin for function in functions for _ in function.names),
        ),
    )


def _numbers(function: MetaFeatureFunction, task: Task, seconds: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    nothing = np.full(len(function.names), _NAN)
    if function.full_names in _left_behind:
        return nothing
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_answer, args=(function, task.lent(), answers), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        _left_behind.add(function.full_names)
        _warn(function, f"no answer within {seconds:g} s; it is not asked again in this process")
        return nothing
    if not isinstance(answer, Mapping):
        _warn(function, str(answer))
        return nothing
    return np.array([answer[name] for name in function.names], dtype=np.float64)


def _answer(function: MetaFeatureFunction, task: Task, answers: queue.SimpleQueue[Any]) -> None:
    """Put a mapping of numbers into the queue, or in words why there is none."""
    try:
        found = function.function(task)
        answers.put({name: _number(name, found[name]) for name in function.names})
    except BaseException as error:  # a plugin's own code, in a thread of its own: nothing may get lost here
        answers.put(said(error))


def _number(name: str, value: Any) -> float:
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number; got {value!r}")
    return float(value) if math.isfinite(value) else _NAN


def _warn(function: MetaFeatureFunction, reason: str) -> None:
    names = ", ".join(function.full_names)
    warnings.warn(f"The meta-features {names} are not known here: {reason}.", PluginWarning, stacklevel=5)
