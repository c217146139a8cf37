"""General meta-features: sizes, classes, kinds of columns, missing cells."""

from __future__ import annotations

import numpy as np

from autometa.components.metafeatures.info_theory import entropy
from autometa.components.metafeatures.view import TaskView
from autometa.domain.columns import ColumnRole

__all__ = ["general"]


def general(view: TaskView, distinct: list[int]) -> dict[str, float]:
    """Compute the group.

    Parameters
    ----------
    view : TaskView
    distinct : list of int
        Number of different values of each numeric and categorical column.

    Returns
    -------
    dict of str to float
    """
    n, p = view.n_samples, view.n_features
    n_categorical = view.role_counts[ColumnRole.CATEGORICAL] + view.role_counts[ColumnRole.BOOLEAN]
    found = {
        "nr_inst": n,
        "nr_attr": p,
        "inst_to_attr": n / p,
        "nr_cat": n_categorical,
        "cat_share": n_categorical / p,
        "text_share": view.role_counts[ColumnRole.TEXT] / p,
        "bin_share": distinct.count(2) / view.n_columns,
        "whole_share": view.whole.mean() if view.whole.size else 0.0,
        "missing_share": view.missing.mean(),
        "missing_attr_share": (view.missing > 0).mean(),
        "cat_levels.mean": np.mean(view.n_levels) if view.levels else 0.0,
        "cat_levels.max": max(view.n_levels, default=0),
    }
    return found | _classes(view) if view.is_classification else found


def _classes(view: TaskView) -> dict[str, float]:
    shares = view.class_counts / view.n_samples
    return {
        "nr_class": view.n_classes,
        "freq_class.max": shares.max(),
        "freq_class.min": shares.min(),
        "class_balance": entropy(view.class_counts) / np.log2(view.n_classes),
        "inst_to_class": view.n_samples / view.n_classes,
    }
