"""Information-theoretic meta-features of binned columns."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from autometa.components.metafeatures.encoding import bin_numbers, bin_view, lump_rare
from autometa.components.metafeatures.summary import summaries
from autometa.components.metafeatures.view import TaskView
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["entropy", "info_theory"]

SIGNIFICANCE = 0.01


def entropy(counts: IntArray) -> float:
    """Return Shannon's entropy in bits.

    Parameters
    ----------
    counts : ndarray of int64
        How often each value was seen.

    Returns
    -------
    float
        In [0, log2 of the number of values].
    """
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def info_theory(view: TaskView) -> dict[str, float]:
    """Compute the group.

    Parameters
    ----------
    view : TaskView

    Returns
    -------
    dict of str to float
    """
    columns = bin_view(view)
    target = np.unique(view.codes if view.is_classification else bin_numbers(view.target), return_inverse=True)[1]
    target_ent = entropy(np.bincount(target))
    attr_ent = np.array([entropy(np.bincount(codes)) for codes in columns])
    mut_inf = np.array([mutual_information(codes, target) for codes in columns])
    total = mut_inf.sum()
    found = {
        **summaries("attr_ent", attr_ent, "mean"),
        **summaries("mut_inf", mut_inf, "mean", "max", "sd"),
        "ns_ratio": _ratio(attr_ent.sum() - total, total),
        "eq_num_attr": _ratio(len(columns) * target_ent, total),
        **_dependence(columns, mut_inf, target, target_ent),
    }
    return found | {"class_ent": entropy(view.class_counts)} if view.is_classification else found


def _ratio(above: float, below: float) -> float:
    """Return the ratio, not defined where no column tells anything about the target."""
    return above / below if below > 1e-9 else np.nan


def mutual_information(codes: IntArray, target: IntArray) -> float:
    """Return the mutual information of two columns of codes, in bits.

    Parameters
    ----------
    codes, target : ndarray of int64, shape (n_rows,)
        From 0 without gaps.

    Returns
    -------
    float
        Not below 0.
    """
    n_target = int(target.max()) + 1
    pairs = codes * n_target + target
    # Counting by address is five times as fast as sorting, but the table of all pairs must stay small.
    if (int(codes.max()) + 1) * n_target <= 100 * len(codes):
        joint = np.bincount(pairs)
    else:
        joint = np.unique(pairs, return_counts=True)[1]
    return max(0.0, entropy(np.bincount(codes)) + entropy(np.bincount(target)) - entropy(joint))


def _dependence(
    columns: list[IntArray], mut_inf: FloatArray, target: IntArray, target_ent: float
) -> dict[str, float]:
    """Return what is left of the mutual information when its bias is taken away.

    Rare levels are lumped first: a column of row numbers has the greatest possible mutual information with
    anything.
    """
    if not columns or target_ent == 0:
        return {"uncertainty_coef.max": np.nan, "informative_share": np.nan}
    n_rows, n_bins = len(target), max(2, int(len(target) ** (1 / 3)))
    lumped = [lump_rare(codes, n_bins) for codes in columns]
    shared = np.array(
        [
            known if new is old else mutual_information(new, target)
            for known, old, new in zip(mut_inf, columns, lumped, strict=True)
        ]
    )
    freedom = np.array([int(codes.max()) for codes in lumped]) * int(target.max())
    nats = 2 * n_rows * np.log(2) * shared
    share = (shared - freedom / (2 * n_rows * np.log(2))) / target_ent
    significant = (freedom > 0) & (chdtrc(np.maximum(freedom, 1), nats) < SIGNIFICANCE)
    return {
        "uncertainty_coef.max": max(0.0, float(share.max())),
        "informative_share": float(significant.mean()),
    }
