"""Summaries of one number per column, named and defined as in pymfe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autometa.foundation.typing import FloatArray

__all__ = ["summaries"]


def _sd(values: FloatArray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan


_SUMMARIES: dict[str, Callable[[FloatArray], float]] = {
    "mean": np.mean,
    "median": np.median,
    "max": np.max,
    "sd": _sd,
}


def summaries(name: str, values: FloatArray, *kinds: str) -> dict[str, float]:
    """Summarise the finite values.

    Parameters
    ----------
    name : str
        Of the meta-feature.
    values : ndarray of float64
        One a column.
    *kinds : {"mean", "median", "max", "sd"}
        `sd` divides by n - 1.

    Returns
    -------
    dict of str to float
        ``name.kind`` to value; NaN where there are too few values.
    """
    finite = values[np.isfinite(values)]
    return {f"{name}.{kind}": float(_SUMMARIES[kind](finite)) if finite.size else np.nan for kind in kinds}
