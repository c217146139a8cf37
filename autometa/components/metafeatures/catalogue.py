"""Every meta-feature: its name, group, definition, range and source, in the order of the vectors."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATALOGUE", "SCHEMA_VERSION", "MetaFeature", "metafeature_names"]

# Raise whenever a definition, a name or the order changes: vectors of different versions do not compare.
SCHEMA_VERSION = 1

CLASSIFICATION, REGRESSION = "classification", "regression"
BOTH = (CLASSIFICATION, REGRESSION)
CLASSES = (CLASSIFICATION,)
NUMBERS = (REGRESSION,)

PYMFE = "pymfe"
STATLOG = "Michie, Spiegelhalter & Taylor 1994"
PFAHRINGER = "Pfahringer, Bensusan & Giraud-Carrier 2000"
SOARES = "Soares, Petrak & Brazdil 2001"
AUTOSKLEARN = "Feurer et al. 2015"
LORENA = "after Lorena et al. 2018"
OWN = "autometa"

# Of a landmarker, and of the difference of two.
SCORE, DIFFERENCE = "[-1, 1]", "[-2, 2]"


@dataclass(frozen=True, slots=True)
class MetaFeature:
    """One number that describes a task.

    Attributes
    ----------
    name : str
        ``what`` or ``what.summary``; the same as in pymfe where `source` is "pymfe".
    group : {"general", "statistical", "info_theory", "landmarking"}
    description : str
        The definition.
    range : str
        Interval of possible values; every meta-feature may also be NaN where it is not defined.
    source : str
        "pymfe" where the definition is pymfe's, else a paper, or "autometa".
    families : tuple of {"classification", "regression"}
        The task families whose vector holds it.
    """

    name: str
    group: str
    description: str
    range: str
    source: str
    families: tuple[str, ...] = BOTH


def _group(group: str, *rows: tuple[str, str, str, str, tuple[str, ...]]) -> tuple[MetaFeature, ...]:
    return tuple(MetaFeature(name, group, text, limits, source, kind) for name, text, limits, source, kind in rows)


_GENERAL = _group(
    "general",
    ("nr_inst", "n: rows of the whole task, however many were sampled", "[2, inf)", PYMFE, BOTH),
    ("nr_attr", "p: columns of the whole task, the target not counted", "[1, inf)", PYMFE, BOTH),
    ("inst_to_attr", "n / p", "(0, inf)", PYMFE, BOTH),
    ("nr_class", "k: classes", "[2, n / 2]", PYMFE, CLASSES),
    ("freq_class.max", "share of the largest class", "[1 / k, 1)", PYMFE, CLASSES),
    ("freq_class.min", "share of the smallest class", "(0, 1 / k]", PYMFE, CLASSES),
    ("class_balance", "class_ent / log2(k)", "(0, 1]", OWN, CLASSES),
    ("inst_to_class", "n / k", "[1, n / 2]", OWN, CLASSES),
    ("nr_cat", "categorical and boolean columns", "[0, p]", PYMFE, BOTH),
    ("cat_share", "nr_cat / p", "[0, 1]", AUTOSKLEARN, BOTH),
    ("text_share", "text columns / p", "[0, 1]", OWN, BOTH),
    ("bin_share", "columns with exactly two values / p (pymfe's nr_bin as a share)", "[0, 1]", STATLOG, BOTH),
    (
        "whole_share",
        "numeric columns that hold whole numbers only / numeric columns; 0 if there are none",
        "[0, 1]",
        OWN,
        BOTH,
    ),
    ("missing_share", "missing cells / cells", "[0, 1]", AUTOSKLEARN, BOTH),
    ("missing_attr_share", "columns with a missing cell / p", "[0, 1]", AUTOSKLEARN, BOTH),
    (
        "cat_levels.mean",
        "mean number of values of the categorical and boolean columns; 0 if there are none",
        "[0, rows]",
        AUTOSKLEARN,
        BOTH,
    ),
    (
        "cat_levels.max",
        "greatest number of values of a categorical or boolean column; 0 if there are none",
        "[0, rows]",
        AUTOSKLEARN,
        BOTH,
    ),
)

_STATISTICAL = _group(
    "statistical",
    (
        "sparsity.mean",
        "mean over columns of (rows / values - 1) / (rows - 1), values = number of different values",
        "[0, 1]",
        PYMFE,
        BOTH,
    ),
    (
        "mode_share.mean",
        "mean over numeric columns of the share of the most frequent value among the non-missing",
        "(0, 1]",
        OWN,
        BOTH,
    ),
    ("skewness.mean", "mean over numeric columns of m3 / s^3, s with n - 1", "(-inf, inf)", PYMFE, BOTH),
    ("skewness.sd", "standard deviation over numeric columns of the same", "[0, inf)", PYMFE, BOTH),
    ("kurtosis.mean", "mean over numeric columns of m4 / s^4 - 3, s with n - 1", "[-3, inf)", PYMFE, BOTH),
    ("kurtosis.median", "median over numeric columns of the same", "[-3, inf)", PYMFE, BOTH),
    ("outlier_share", "numeric cells outside [q1 - 1.5 iqr, q3 + 1.5 iqr]", "[0, 1]", OWN, BOTH),
    (
        "outlier_attr_share",
        "numeric columns with such a cell / numeric columns (pymfe's nr_outliers as a share)",
        "[0, 1]",
        "Kopf & Iglezakis 2002",
        BOTH,
    ),
    ("cor.mean", "mean absolute correlation of two encoded columns", "[0, 1]", PYMFE, BOTH),
    ("cor.sd", "standard deviation of the same", "[0, 1]", PYMFE, BOTH),
    ("nr_cor_attr", "share of pairs of encoded columns with absolute correlation >= 0.5", "[0, 1]", PYMFE, BOTH),
    (
        "pca_first",
        "greatest eigenvalue of the correlation matrix of the encoded columns / their number",
        "(0, 1]",
        OWN,
        BOTH,
    ),
    (
        "pca_95_share",
        "principal components for 95 % of the variance of the standardised encoded columns / their number",
        "(0, 1]",
        AUTOSKLEARN,
        BOTH,
    ),
    (
        "target_cor.mean",
        "mean over encoded columns of sqrt(max(0, adjusted share of the column's variance that the target "
        "explains)): by classes 1 - (1 - eta^2)(n - 1)/(n - k), by a numeric target 1 - (1 - r^2)(n - 1)/(n - 2)",
        "[0, 1]",
        LORENA,
        BOTH,
    ),
    ("target_cor.max", "maximum of the same", "[0, 1]", LORENA, BOTH),
    ("target_cor.sd", "standard deviation of the same", "[0, 1]", LORENA, BOTH),
    (
        "can_cor.mean",
        "mean of the min(k - 1, rank) canonical correlations of the encoded columns with the classes",
        "[0, 1]",
        PYMFE,
        CLASSES,
    ),
    ("can_cor.max", "greatest of the same", "[0, 1]", PYMFE, CLASSES),
    (
        "linear_r2",
        "adjusted share of the target's variance that a linear function of the encoded columns explains; "
        "not below -1",
        "[-1, 1]",
        OWN,
        NUMBERS,
    ),
    ("target_skewness", "m3 / s^3 of the target, s with n - 1", "(-inf, inf)", OWN, NUMBERS),
    ("target_kurtosis", "m4 / s^4 - 3 of the target, s with n - 1", "[-3, inf)", OWN, NUMBERS),
    ("target_outlier_share", "target values outside [q1 - 1.5 iqr, q3 + 1.5 iqr]", "[0, 1]", OWN, NUMBERS),
    ("target_distinct_share", "different target values / rows", "(0, 1]", OWN, NUMBERS),
    ("target_mode_share", "share of the most frequent target value", "(0, 1]", OWN, NUMBERS),
)

_INFO_THEORY = _group(
    "info_theory",
    ("class_ent", "H(y) in bits, over the rows of the whole task", "(0, log2 k]", PYMFE, CLASSES),
    ("attr_ent.mean", "mean over binned columns of H(x) in bits", "[0, log2 rows]", PYMFE, BOTH),
    ("mut_inf.mean", "mean over binned columns of I(x; y) = H(x) + H(y) - H(x, y)", "[0, H(y)]", PYMFE, BOTH),
    ("mut_inf.max", "maximum of the same", "[0, H(y)]", PYMFE, BOTH),
    ("mut_inf.sd", "standard deviation of the same", "[0, H(y)]", PYMFE, BOTH),
    ("ns_ratio", "(sum of H(x) - sum of I(x; y)) / sum of I(x; y), over binned columns", "[0, inf)", PYMFE, BOTH),
    ("eq_num_attr", "H(y) / mean of I(x; y), over binned columns", "[1, inf)", PYMFE, BOTH),
    (
        "uncertainty_coef.max",
        "maximum over lumped columns of I(x; y) / H(y), I less its bias (b - 1)(k - 1) / (2 n ln 2), b and k the "
        "numbers of values of x and y; not below 0",
        "[0, 1]",
        "Theil 1970; Miller 1955",
        BOTH,
    ),
    (
        "informative_share",
        "share of lumped columns that depend on the target by a G-test at the 1 % level",
        "[0, 1]",
        OWN,
        BOTH,
    ),
)

_LANDMARKING = _group(
    "landmarking",
    (
        "landmark_ridge",
        "score of ridge regression of the target (classes: of their indicators)",
        SCORE,
        PFAHRINGER,
        BOTH,
    ),
    ("landmark_1nn", "score of the nearest neighbour", SCORE, PFAHRINGER, BOTH),
    ("landmark_knn", "score of the 10 nearest neighbours", SCORE, OWN, BOTH),
    ("landmark_rbf", "score of kernel ridge regression, Gaussian kernel of median width", SCORE, OWN, BOTH),
    ("landmark_naive_bayes", "score of Gaussian naive Bayes", SCORE, PFAHRINGER, CLASSES),
    ("landmark_stump", "score of a decision tree with one split", SCORE, PFAHRINGER, BOTH),
    ("landmark_tree", "score of a decision tree with leaves of at least 5 rows", SCORE, PFAHRINGER, BOTH),
    ("gap_knn_1nn", "landmark_knn - landmark_1nn: noise", DIFFERENCE, OWN, BOTH),
    ("gap_knn_ridge", "landmark_knn - landmark_ridge", DIFFERENCE, OWN, BOTH),
    ("gap_rbf_ridge", "landmark_rbf - landmark_ridge: smooth non-linearity", DIFFERENCE, OWN, BOTH),
    ("gap_tree_ridge", "landmark_tree - landmark_ridge: axis-parallel non-linearity", DIFFERENCE, OWN, BOTH),
    (
        "gap_quadratic_ridge",
        "score of kernel ridge regression with the kernel (1 + linear)^2, less landmark_ridge: interactions",
        DIFFERENCE,
        OWN,
        BOTH,
    ),
    (
        "gap_rank_ridge",
        "score of ridge regression on the ranks of the numeric columns, less landmark_ridge: heavy tails",
        DIFFERENCE,
        OWN,
        BOTH,
    ),
    ("slope_ridge", "landmark_ridge less its score with a quarter of the training rows", DIFFERENCE, SOARES, BOTH),
    ("slope_knn", "landmark_knn less its score with a quarter of the training rows", DIFFERENCE, SOARES, BOTH),
)

CATALOGUE: tuple[MetaFeature, ...] = (*_GENERAL, *_STATISTICAL, *_INFO_THEORY, *_LANDMARKING)


def metafeature_names(classification: bool) -> tuple[str, ...]:
    """Return the names of one family's vector, in its order.

    Parameters
    ----------
    classification : bool
        True for classification, False for regression.

    Returns
    -------
    tuple of str
    """
    family = CLASSIFICATION if classification else REGRESSION
    return tuple(feature.name for feature in CATALOGUE if family in feature.families)
