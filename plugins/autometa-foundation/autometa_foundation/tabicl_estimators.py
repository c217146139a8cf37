"""TabICL: a transformer over columns, then rows, then the table."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from autometa_foundation.context import as_matrix
from autometa_foundation.in_context import InContextClassifier, InContextModel, InContextRegressor, resolve_device
from autometa_foundation.models import PretrainedModel

__all__ = ["TabICLClassifier", "TabICLRegressor"]

# How TabICL's members see the columns: each method is taken in turn.
_TABICL_VIEWS: dict[str, list[str]] = {
    "default": ["none", "power"],
    "raw": ["none"],
    "power": ["power"],
    "quantile": ["quantile"],
    "robust": ["robust"],
    "all": ["none", "power", "quantile", "robust"],
}


class _TabICL(InContextModel):
    library: ClassVar[str] = "tabicl"

    n_estimators: int
    views: str
    feature_shift: str
    outlier_threshold: float

    def _as_matrix(self, X: Any) -> npt.NDArray[np.float64]:
        return as_matrix(X, missing_category=-1.0)  # as its own encoder of categories has it

    def _settings(self, model: PretrainedModel, path: str) -> dict[str, Any]:
        return {
            "n_estimators": self.n_estimators,
            "norm_methods": _TABICL_VIEWS[self.views],
            "feat_shuffle_method": self.feature_shift,
            "outlier_threshold": self.outlier_threshold,
            "model_path": path,
            "checkpoint_version": model.files[self.kind],
            "allow_auto_download": False,
            "device": resolve_device(self.device),
            "random_state": self.seed_,
        }


class TabICLClassifier(InContextClassifier, _TabICL):
    """TabICL (Qu et al., ICML 2025 and 2026) with the training rows as its context.

    Parameters
    ----------
    version : {"v2"}
        Of the weights.
    n_estimators : int
        Members of the ensemble: each sees the columns and classes in another order.
    softmax_temperature : float
        Below 1 sharpens the probabilities.
    average_logits : bool
        Average the members' logits instead of their probabilities.
    views : {"default", "raw", "power", "quantile", "robust", "all"}
        How the members see the columns.
    feature_shift : {"latin", "shift", "random", "none"}
        How the columns' order differs between members.
    outlier_threshold : float
        Standard deviations beyond which a value is clipped.
    context_rows : int
        Training rows the model sees at most: a stratified sample of more.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
    random_state : int, RandomState or None

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    context_ : ndarray of float64, shape (n_context_rows, n_features)
    target_ : ndarray of int64, shape (n_context_rows,)
    """

    def __init__(
        self,
        version: str = "v2",
        n_estimators: int = 8,
        softmax_temperature: float = 0.9,
        average_logits: bool = True,
        views: str = "default",
        feature_shift: str = "latin",
        outlier_threshold: float = 4.0,
        context_rows: int = 10_000,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.version = version
        self.n_estimators = n_estimators
        self.softmax_temperature = softmax_temperature
        self.average_logits = average_logits
        self.views = views
        self.feature_shift = feature_shift
        self.outlier_threshold = outlier_threshold
        self.context_rows = context_rows
        self.device = device
        self.random_state = random_state

    def _learner(self, model: PretrainedModel, path: str) -> Any:
        import tabicl

        return tabicl.TabICLClassifier(
            softmax_temperature=self.softmax_temperature,
            average_logits=self.average_logits,
            **self._settings(model, path),
        )


class TabICLRegressor(InContextRegressor, _TabICL):
    """TabICL (Qu et al., ICML 2025 and 2026) with the training rows as its context.

    Parameters
    ----------
    version : {"v2"}
        Of the weights.
    n_estimators : int
        Members of the ensemble: each sees the columns in another order.
    views : {"default", "raw", "power", "quantile", "robust", "all"}
        How the members see the columns.
    feature_shift : {"latin", "shift", "random", "none"}
        How the columns' order differs between members.
    outlier_threshold : float
        Standard deviations beyond which a value is clipped.
    context_rows : int
        Training rows the model sees at most: a random sample of more.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
    random_state : int, RandomState or None

    Attributes
    ----------
    context_ : ndarray of float64, shape (n_context_rows, n_features)
    target_ : ndarray of float64, shape (n_context_rows,)
    """

    def __init__(
        self,
        version: str = "v2",
        n_estimators: int = 8,
        views: str = "default",
        feature_shift: str = "latin",
        outlier_threshold: float = 4.0,
        context_rows: int = 10_000,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.version = version
        self.n_estimators = n_estimators
        self.views = views
        self.feature_shift = feature_shift
        self.outlier_threshold = outlier_threshold
        self.context_rows = context_rows
        self.device = device
        self.random_state = random_state

    def _learner(self, model: PretrainedModel, path: str) -> Any:
        import tabicl

        return tabicl.TabICLRegressor(**self._settings(model, path))
