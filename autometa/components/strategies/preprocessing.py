"""From a canonical table to a matrix of finite numbers, decided at fit time from the columns' dtypes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from autometa.components.strategies.columns import CategoryCodes, DateFeatures, TextFeatures
from autometa.components.strategies.expansion import Interactions, StrongestExpanded, make_scaler
from autometa.domain import ColumnCanonicalizer, Task
from autometa.domain.images import holds_images
from autometa.foundation.typing import FloatArray, LabelArray, RandomState

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

__all__ = ["Recipe", "TablePreprocessor", "make_recipe"]

# A categorical column with more levels than this also gets a target encoding of all its levels.
ONE_HOT_LEVELS = 30
# Width that all one-hot columns together may have; the levels per column are cut (rarest first) to keep it.
ONE_HOT_WIDTH = 1_500
# A target encoding has one column a class: beyond this many classes the frequent levels have to do.
TARGET_ENCODED_CLASSES = 12


class TablePreprocessor(TransformerMixin, BaseEstimator):
    """Encode, impute, scale and expand the columns of a canonical table.

    ==============  ==================================================================================
    dtype           becomes
    ==============  ==================================================================================
    float64         median-imputed, scaled, perhaps expanded; an indicator where values are missing
    category        one-hot, rare levels grouped (missing is a level of its own); above 30 levels also
                    a cross-fitted target encoding
    datetime64      year, day of year, weekday, seconds, ...: then as float64
    object (text)   hashed character and word TF-IDF, reduced by truncated SVD
    object (image)  pixels of a square of 32 at most; then imputed and scaled, not expanded
    ==============  ==================================================================================

    Columns without two different values are dropped. The output has at least one column.

    Parameters
    ----------
    classification : bool
    scaling : {"standard", "quantile", "squash", "none"}
        Mean 0 and variance 1; normal scores clipped at 3; skrub's robust, softly clipped scaling; numbers as they
        are, missing values kept, for learners that see to both themselves.
    features : {"linear", "splines", "bins", "interactions", "full"}
        Cubic B-splines or quantile bins of the numeric columns, products of the strongest columns, or products of
        the strongest columns and splines.
    n_knots : int
        Knots of a spline, or number of bins.
    n_interacting : int
        Columns that "interactions" multiplies with each other.
    random_state : int or None
    text_features : transformer, optional
        What makes numbers on a common scale of all text columns together, in place of TF-IDF.
    image_features : transformer, optional
        What makes numbers of all image columns together, in place of pixels.

    Attributes
    ----------
    transformer_ : Pipeline
    n_features_out_ : int
    """

    def __init__(
        self,
        classification: bool = True,
        scaling: str = "standard",
        features: str = "linear",
        n_knots: int = 6,
        n_interacting: int = 30,
        random_state: RandomState = None,
        text_features: Any = None,
        image_features: Any = None,
    ) -> None:
        self.classification = classification
        self.scaling = scaling
        self.features = features
        self.n_knots = n_knots
        self.n_interacting = n_interacting
        self.random_state = random_state
        self.text_features = text_features
        self.image_features = image_features

    def fit(self, X: pd.DataFrame, y: LabelArray) -> Self:
        """Learn the encodings.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical.
        y : ndarray of shape (n_samples,)

        Returns
        -------
        TablePreprocessor
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: LabelArray) -> FloatArray:
        """Learn the encodings and return the training matrix, its target encodings cross-fitted.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical.
        y : ndarray of shape (n_samples,)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features_out)
        """
        steps: list[tuple[str, Any]] = [
            ("columns", self._column_transformer(X, y)),
            ("at_least_one", FunctionTransformer(_at_least_one_column)),
        ]
        if self.features in ("interactions", "full"):
            steps.append(("interactions", Interactions(self.n_interacting, self.classification)))
        self.transformer_ = Pipeline(steps)
        matrix: FloatArray = self.transformer_.fit_transform(X, y)
        self.n_features_out_ = matrix.shape[1]
        return matrix

    def transform(self, X: pd.DataFrame) -> FloatArray:
        """Return the matrix of a table.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Canonical.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features_out)
        """
        check_is_fitted(self)
        return np.asarray(self.transformer_.transform(X))

    def _column_transformer(self, X: pd.DataFrame, y: LabelArray) -> ColumnTransformer:
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import MissingIndicator

        numeric = [name for name in X if _kind(X[name]) == "numeric" and X[name].nunique() > 1]
        gappy = [name for name in X if _kind(X[name]) == "numeric" and 0 < X[name].isna().sum() < len(X)]
        categorical = [name for name in X if _kind(X[name]) == "categorical" and _n_levels(X[name]) > 1]
        dates = [name for name in X if _kind(X[name]) == "date" and X[name].nunique() > 1]
        texts = [name for name in X if _kind(X[name]) == "text" and X[name].nunique() > 1]
        images = [name for name in X if _kind(X[name]) == "image"]
        many = [name for name in categorical if _n_levels(X[name]) > ONE_HOT_LEVELS]
        parts: list[tuple[str, Any, Any]] = [
            ("numeric", self._numbers(), numeric),
            ("missing", MissingIndicator(features="all", error_on_new=False), gappy if self._imputes else []),
            ("categories", self._one_hot(len(categorical)), categorical),
            ("dates", Pipeline([("parts", DateFeatures()), ("numbers", self._numbers())]), dates),
            ("texts", self._texts(), texts),
            ("images", self._images() if images else None, images),
        ]
        if not self.classification or len(np.unique(y)) <= TARGET_ENCODED_CLASSES:
            parts.append(("targets", self._target_encoding(y), many))
        return ColumnTransformer(
            [part for part in parts if part[2]], sparse_threshold=0.0, verbose_feature_names_out=True
        )

    @property
    def _imputes(self) -> bool:
        return self.scaling != "none"

    def _numbers(self, *, expanded: bool = True) -> Any:
        from sklearn.impute import SimpleImputer

        if not self._imputes:
            return FunctionTransformer(_within_float32)
        steps: list[tuple[str, Any]] = [
            ("clip", FunctionTransformer(_within_float32)),  # scalers square: 1e300 would overflow
            ("impute", SimpleImputer(strategy="median")),
            ("scale", make_scaler(self.scaling, self.random_state)),
        ]
        if expanded and self.features in ("splines", "bins", "full"):
            kind = "bins" if self.features == "bins" else "splines"
            steps.append(("expand", StrongestExpanded(kind, self.n_knots, self.classification)))
        return Pipeline(steps)

    def _texts(self) -> Any:
        if self.text_features is None:
            return TextFeatures(random_state=self.random_state)
        return clone(self.text_features)

    def _images(self) -> Any:
        if self.image_features is None:
            from autometa.components.neural.encoders.image_features import ImageFeatures

            features = ImageFeatures()
        else:
            features = clone(self.image_features)
        return Pipeline([("features", features), ("numbers", self._numbers(expanded=False))])

    def _one_hot(self, n_columns: int) -> Pipeline:
        from sklearn.preprocessing import OneHotEncoder

        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=2,
            max_categories=int(np.clip(ONE_HOT_WIDTH // max(n_columns, 1), 3, ONE_HOT_LEVELS)),
            sparse_output=False,
        )
        return Pipeline([("codes", CategoryCodes()), ("one_hot", encoder)])

    def _target_encoding(self, y: LabelArray) -> Pipeline:
        from sklearn.model_selection import KFold
        from sklearn.preprocessing import StandardScaler, TargetEncoder

        kind = "continuous"
        if self.classification:
            kind = "binary" if len(np.unique(y)) <= 2 else "multiclass"
        folds = KFold(min(5, len(y)), shuffle=True, random_state=self.random_state)
        return Pipeline(
            [
                ("codes", CategoryCodes()),
                ("means", TargetEncoder(target_type=kind, cv=folds)),
                ("scale", StandardScaler()),
            ]
        )

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:
        """Return a name for every output column.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str, shape (n_features_out,)
        """
        check_is_fitted(self)
        return np.asarray([f"f{j}" for j in range(self.n_features_out_)], dtype=object)


def _kind(column: pd.Series) -> str:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "categorical"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "date"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return "numeric"
    return "image" if holds_images(column) else "text"


def _n_levels(column: pd.Series) -> int:
    """Number of different cells, missing counted as one."""
    return int(np.count_nonzero(np.bincount(column.cat.codes.to_numpy() + 1)))


def _within_float32(columns: Any) -> FloatArray:
    """Clip to what float32, in which trees compute, takes for finite."""
    return np.asarray(columns, dtype=np.float64).clip(-1e37, 1e37)


def _at_least_one_column(matrix: FloatArray) -> FloatArray:
    return np.asarray(matrix, dtype=np.float64) if matrix.shape[1] else np.zeros((len(matrix), 1))


class Recipe(Pipeline):
    """A pipeline whose fit does not warn of what its configuration intends: capped iterations, ties, lone rows."""

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit all steps.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **params : Any

        Returns
        -------
        Recipe
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", message="Bins whose width are too small")
            warnings.filterwarnings("ignore", message="Variables are collinear")
            warnings.filterwarnings("ignore", message="Only one sample available")
            super().fit(X, y, **params)
        return self


def make_recipe(task: Task, preprocessor: Any, learner: BaseEstimator, *between: tuple[str, Any]) -> Recipe:
    """Return the pipeline that takes the task's raw table.

    Parameters
    ----------
    task : Task
        Gives the column roles.
    preprocessor : transformer
        Takes the canonical table.
    learner : estimator
    *between : tuple of (str, transformer)
        Steps between the two.

    Returns
    -------
    Recipe
    """
    return Recipe(
        [
            ("columns", ColumnCanonicalizer(roles=dict(task.roles))),
            ("table", preprocessor),
            *between,
            ("learner", learner),
        ]
    )
