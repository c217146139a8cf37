"""Meta-features on the scale a forest splits well: each one's rank among the known tasks."""

from __future__ import annotations

import numpy as np

from autometa.foundation.typing import FloatArray

__all__ = ["rank_scale"]


def rank_scale(known: FloatArray, values: FloatArray) -> FloatArray:
    """Return the share of known values below each value, ties counted half.

    Extra-trees draw thresholds uniformly between a node's extremes, so heavy-tailed meta-features (kurtosis,
    number of columns) would waste most of them.

    Parameters
    ----------
    known : ndarray of float64, shape (n_known, n_metafeatures)
        NaN where not defined.
    values : ndarray of float64, shape (n_rows, n_metafeatures)

    Returns
    -------
    ndarray of float64, shape (n_rows, n_metafeatures)
        In [0, 1]; 0.5 where a value, or every known one, is not defined.
    """
    scaled = np.full(values.shape, 0.5)
    for j in range(values.shape[1]):
        column = np.sort(known[np.isfinite(known[:, j]), j])
        defined = np.isfinite(values[:, j])
        if len(column):
            below = np.searchsorted(column, values[defined, j], side="left")
            not_above = np.searchsorted(column, values[defined, j], side="right")
            scaled[defined, j] = (below + not_above) / (2 * len(column))
    return scaled
