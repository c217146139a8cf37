"""TabPFN: tables up to some ten thousand rows, a transformer over cells."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from autometa_foundation.in_context import InContextClassifier, InContextModel, InContextRegressor, resolve_device
from autometa_foundation.models import PretrainedModel

__all__ = ["TabPFNClassifier", "TabPFNRegressor"]

# How TabPFN's members see the columns; "default" is what the checkpoint itself says, or its version's default.
_TABPFN_VIEWS: dict[str, list[tuple[str, str, str | None]]] = {
    "raw": [("none", "numeric", None)],
    "quantile": [("quantile_uni_coarse", "ordinal_very_common_categories_shuffled", None)],
    "power": [("safepower", "onehot", None)],
    "robust": [("robust", "ordinal_very_common_categories_shuffled", "svd")],
}


class _TabPFN(InContextModel):
    library: ClassVar[str] = "tabpfn"

    n_estimators: int
    softmax_temperature: float
    average_before_softmax: bool
    views: str
    feature_shift: str
    fingerprint: bool
    polynomials: int

    def _settings(self, path: str) -> dict[str, Any]:
        import torch

        device = resolve_device(self.device)
        return {
            "n_estimators": self.n_estimators,
            "categorical_features_indices": self.categorical_,
            "softmax_temperature": self.softmax_temperature,
            "average_before_softmax": self.average_before_softmax,
            "model_path": path,
            "device": device,
            # In half precision on a CPU a row's prediction depends on the rows that it is predicted with.
            "inference_precision": torch.float32 if device == "cpu" else "auto",
            "random_state": self.seed_,
            "inference_config": self._inference_config(),
        }

    def _inference_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "FEATURE_SHIFT_METHOD": None if self.feature_shift == "none" else self.feature_shift,
            "FINGERPRINT_FEATURE": self.fingerprint,
            "POLYNOMIAL_FEATURES": self.polynomials or "no",
        }
        if self.views != "default":
            from tabpfn.preprocessing import PreprocessorConfig

            config["PREPROCESS_TRANSFORMS"] = [
                PreprocessorConfig(name, categorical_name=categories, global_transformer_name=more)
                for name, categories, more in _TABPFN_VIEWS[self.views]
            ]
        return config


class TabPFNClassifier(InContextClassifier, _TabPFN):
    """TabPFN (Hollmann et al., Nature 2025) with the training rows as its context.

    Parameters
    ----------
    version : {"v2", "v2.5", "v2.6", "v3"}
        Of the weights.
    n_estimators : int
        Members of the ensemble: each sees the columns and classes in another order.
    softmax_temperature : float
        Below 1 sharpens the probabilities.
    average_before_softmax : bool
        Average the members' logits instead of their probabilities.
    balance_probabilities : bool
        Weigh the classes as if they were equally frequent.
    views : {"default", "raw", "quantile", "power", "robust"}
        How the members see the columns.
    feature_shift : {"shuffle", "rotate", "none"}
        How the columns' order differs between members.
    fingerprint : bool
        Give each row a hash of itself, so that equal rows are told apart.
    polynomials : int
        Number of products of two columns that are added.
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
        average_before_softmax: bool = False,
        balance_probabilities: bool = False,
        views: str = "default",
        feature_shift: str = "shuffle",
        fingerprint: bool = True,
        polynomials: int = 0,
        context_rows: int = 10_000,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.version = version
        self.n_estimators = n_estimators
        self.softmax_temperature = softmax_temperature
        self.average_before_softmax = average_before_softmax
        self.balance_probabilities = balance_probabilities
        self.views = views
        self.feature_shift = feature_shift
        self.fingerprint = fingerprint
        self.polynomials = polynomials
        self.context_rows = context_rows
        self.device = device
        self.random_state = random_state

    def _learner(self, model: PretrainedModel, path: str) -> Any:
        import tabpfn

        return tabpfn.TabPFNClassifier(balance_probabilities=self.balance_probabilities, **self._settings(path))


class TabPFNRegressor(InContextRegressor, _TabPFN):
    """TabPFN (Hollmann et al., Nature 2025) with the training rows as its context.

    Parameters
    ----------
    version : {"v2", "v2.5", "v2.6", "v3"}
        Of the weights.
    n_estimators : int
        Members of the ensemble: each sees the columns in another order.
    softmax_temperature : float
        Below 1 sharpens the predicted distribution.
    average_before_softmax : bool
        Average the members' logits instead of their probabilities.
    views : {"default", "raw", "quantile", "power", "robust"}
        How the members see the columns.
    target_views : {"both", "identity", "power"}
        Whether members see the target as it is, power-transformed, or in turn.
    feature_shift : {"shuffle", "rotate", "none"}
        How the columns' order differs between members.
    fingerprint : bool
        Give each row a hash of itself, so that equal rows are told apart.
    polynomials : int
        Number of products of two columns that are added.
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
        softmax_temperature: float = 0.9,
        average_before_softmax: bool = False,
        views: str = "default",
        target_views: str = "both",
        feature_shift: str = "shuffle",
        fingerprint: bool = True,
        polynomials: int = 0,
        context_rows: int = 10_000,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.version = version
        self.n_estimators = n_estimators
        self.softmax_temperature = softmax_temperature
        self.average_before_softmax = average_before_softmax
        self.views = views
        self.target_views = target_views
        self.feature_shift = feature_shift
        self.fingerprint = fingerprint
        self.polynomials = polynomials
        self.context_rows = context_rows
        self.device = device
        self.random_state = random_state

    def _learner(self, model: PretrainedModel, path: str) -> Any:
        import tabpfn

        return tabpfn.TabPFNRegressor(**self._settings(path))

    def _inference_config(self) -> dict[str, Any]:
        transforms = {"both": (None, "safepower"), "identity": (None,), "power": ("safepower",)}
        return {
            **super()._inference_config(),
            "REGRESSION_Y_PREPROCESS_TRANSFORMS": transforms[self.target_views],
        }
