"""Two encodings of the sampled columns: standardised numbers, and codes of bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autometa.components.metafeatures.view import MAX_COLUMNS, TaskView
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["Encoded", "bin_numbers", "bin_view", "encode", "lump_rare"]

# Frequent levels of a categorical column that get an indicator of their own.
MAX_INDICATORS = 20
# A column whose standard deviation is smaller than this share of its greatest cell is constant up to rounding.
CONSTANT = 1e-12
# Differences below this share of a column's range are rounding.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Encoded:
    """Columns as numbers without gaps, centred; the numeric ones first.

    Attributes
    ----------
    values : ndarray of float64, shape (n_rows, n_encoded)
        Numeric columns standardised, missing cells at 0 (the mean); indicators of levels centred only, so that a
        categorical column weighs about as much as a numeric one.
    n_numeric : int
        How many columns are numeric.
    """

    values: FloatArray
    n_numeric: int

    def standardised(self) -> FloatArray:
        """Return all columns with variance 1.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_encoded)
        """
        indicators = self.values[:, self.n_numeric :]
        return np.hstack([self.values[:, : self.n_numeric], indicators / indicators.std(axis=0)])


def encode(view: TaskView) -> Encoded:
    """Encode the numeric columns and the most frequent levels of the others.

    Parameters
    ----------
    view : TaskView

    Returns
    -------
    Encoded
        At most 500 columns, constant ones left out.
    """
    numbers = _standardise(view.numeric)
    room = (MAX_COLUMNS - numbers.shape[1]) // max(1, len(view.levels))
    indicators = [_indicators(codes, min(max(room, 1), MAX_INDICATORS)) for codes in view.levels]
    values = np.hstack([numbers, *indicators])[:, :MAX_COLUMNS]
    return Encoded(values, numbers.shape[1])


def _standardise(numeric: FloatArray) -> FloatArray:
    known = np.isfinite(numeric)
    n_known = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, numeric, 0.0).sum(axis=0) / n_known
    centred = np.where(known, numeric - centre, 0.0)
    scale = np.sqrt((centred**2).mean(axis=0))
    varies = scale > CONSTANT * np.fmax.reduce(np.abs(numeric), axis=0, initial=0.0)
    standardised: FloatArray = centred[:, varies] / scale[varies]
    return standardised


def _indicators(codes: IntArray, limit: int) -> FloatArray:
    """Return centred indicators of the most frequent levels: one column for two levels, none for one."""
    counts = np.bincount(codes[codes >= 0])
    levels = np.argsort(-counts, kind="stable")[:limit]
    if (counts > 0).sum() == 2 and counts.sum() == len(codes):
        levels = levels[:1]
    levels = levels[(counts[levels] > 0) & (counts[levels] < len(codes))]
    found = (codes[:, None] == levels).astype(np.float64)
    centred: FloatArray = found - found.mean(axis=0)
    return centred


def bin_view(view: TaskView) -> list[IntArray]:
    """Return every column as codes from 0: numbers in equal-frequency bins, levels as they are.

    What is missing has a code of its own.

    Parameters
    ----------
    view : TaskView

    Returns
    -------
    list of ndarray of int64, shape (n_rows,)
    """
    numbers = [bin_numbers(view.numeric[:, j]) for j in range(view.numeric.shape[1])]
    return numbers + [np.where(codes < 0, codes.max() + 1, codes) for codes in view.levels]


def bin_numbers(column: FloatArray) -> IntArray:
    """Cut a column into floor(n^(1/3)) bins of about equal frequency, as pymfe does; missing is a bin of its own.

    Parameters
    ----------
    column : ndarray of float64, shape (n_rows,)

    Returns
    -------
    ndarray of int64, shape (n_rows,)
    """
    known = column[~np.isnan(column)]
    if not known.size:
        return np.zeros(len(column), dtype=np.int64)
    n_bins = max(1, int(len(column) ** (1 / 3)))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, n_bins + 1)[1:]))
    # An edge that should be a value may come out a rounding error below it, which puts the value in the next bin.
    # NaN sorts behind every edge.
    return np.searchsorted(edges + ROUNDING * np.ptp(known), column, side="left").astype(np.int64)


def lump_rare(codes: IntArray, n_levels: int) -> IntArray:
    """Keep the most frequent levels and put the others together.

    Parameters
    ----------
    codes : ndarray of int64, shape (n_rows,)
        From 0 without gaps.
    n_levels : int
        Levels to keep.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
    """
    counts = np.bincount(codes)
    if len(counts) <= n_levels:
        return codes
    place = np.empty(len(counts), dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(place, n_levels)[codes]
