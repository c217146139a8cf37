"""The scikit-learn skin of the backbone: a classifier and a regressor; torch is imported when they are used."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_regressor
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_is_fitted, validate_data

from autometa.components.neural.backbone.codes import code_book, decode
from autometa.components.neural.backbone.columns import ColumnEncoder
from autometa.components.neural.devices import resolve_device
from autometa.foundation.errors import ParameterError, TargetError
from autometa.foundation.typing import FloatArray, LabelArray, RandomState

if TYPE_CHECKING:
    from autometa.components.neural.backbone.finetuning import FineTuning
    from autometa.components.neural.backbone.fitted import FittedTable
    from autometa.components.neural.backbone.model import Backbone

__all__ = ["BackboneClassifier", "BackboneRegressor"]

_TUNED: Final = ("none", "head", "full")


class _BaseBackbone(BaseEstimator):
    """Reading tables, keeping weights, and joining the two; subclasses say what targets are."""

    def __init__(
        self,
        weights: str | Path | None = None,
        fine_tune: str = "none",
        categorical_features: Any = None,
        max_context: int = 2_048,
        max_steps: int = 60,
        patience: int = 4,
        learning_rate: float | None = None,
        max_seconds: float = 60.0,
        device: str = "auto",
        random_state: RandomState = 0,
    ) -> None:
        self.weights = weights
        self.fine_tune = fine_tune
        self.categorical_features = categorical_features
        self.max_context = max_context
        self.max_steps = max_steps
        self.patience = patience
        self.learning_rate = learning_rate
        self.max_seconds = max_seconds
        self.device = device
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        """Declare that NaN and categories are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """Leave the cached contexts out: they are computed anew where they are needed."""
        state = dict(super().__getstate__())
        state.pop("_tables", None)
        return state

    def fit(self, X: Any, y: Any) -> Self:
        """Read the labelled rows, and fine-tune if asked to.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, n_features)
            NaN means missing.
        y : array-like of shape (n,)
            Classes; of a regressor finite numbers.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            A parameter is outside its allowed set.
        StoreError
            There are no weights at `weights`, or they are damaged.
        TargetError
            There is one class only.
        """
        self._check_parameters()
        X, y = self._validated_pair(X, y)
        digits, n_symbols = self._coded(y)
        self._fit(X, digits, n_symbols)
        return self

    def _coded(self, y: LabelArray) -> tuple[list[LabelArray], list[int]]:
        """Write the target in digits, each with its number of symbols: 0 for numbers."""
        raise NotImplementedError

    def _fit(self, X: Any, digits: list[LabelArray], n_symbols: list[int]) -> None:
        """Read the table and fine-tune, once for each digit of the target's code."""
        from autometa.components.neural.backbone.weights import load_weights
        from autometa.components.neural.execution import cpu_threads

        started = time.perf_counter()
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        loaded = load_weights(self.weights or "")
        self._columns = ColumnEncoder(self.categorical_features).fit(X)
        self._matrix, self._digits, self._symbols = self._columns.transform(X), digits, n_symbols
        self._spec, self._seed = loaded.spec, seed
        resolved = resolve_device(self.device)
        self.device_, self.device_reason_ = resolved.name, resolved.reason
        arrays = {name: tensor.numpy() for name, tensor in loaded.tensors.items()}
        self._weights = [arrays for _ in digits]
        self.kept_ = ["in_context" for _ in digits]
        self.validation_losses_: list[tuple[float, ...]] = [() for _ in digits]
        with cpu_threads():
            if self.fine_tune != "none":
                self._fine_tune_all(started)
            self._tables = self._read()
        self.fit_seconds_ = time.perf_counter() - started

    def _fine_tune_all(self, started: float) -> None:
        from autometa.components.neural.backbone.finetuning import MIN_ROWS, fine_tune
        from autometa.components.neural.model import to_arrays

        if len(self._matrix) < MIN_ROWS:
            return
        for number, (y, n_classes) in enumerate(zip(self._digits, self._symbols, strict=True)):
            left = self.max_seconds - (time.perf_counter() - started)
            plan = self._plan(left / (len(self._digits) - number))
            tuned = fine_tune(self._network(number), self._matrix, y, n_classes, plan)
            self.kept_[number], self.validation_losses_[number] = tuned.kept, tuned.losses
            self._weights[number] = to_arrays(tuned.network)

    def _plan(self, seconds: float) -> FineTuning:
        from autometa.components.neural.backbone.finetuning import FineTuning

        return FineTuning(
            trained="head" if self.fine_tune == "head" else "full",
            max_steps=self.max_steps,
            patience=self.patience,
            learning_rate=self.learning_rate,
            max_context=self.max_context,
            max_seconds=seconds,
            seed=self._seed,
        )

    def _network(self, number: int) -> Backbone:
        from autometa.components.neural.backbone.model import Backbone
        from autometa.components.neural.model import load_arrays

        network = Backbone(self._spec)
        load_arrays(network, self._weights[number])
        return network.to(resolve_device(self.device).name).eval()

    def _read(self) -> list[FittedTable]:
        from autometa.components.neural.backbone.fitted import FittedTable

        return [
            FittedTable(self._network(number), self._matrix, y, n_classes, self.max_context, self._seed)
            for number, (y, n_classes) in enumerate(zip(self._digits, self._symbols, strict=True))
        ]

    def _asked(self, X: Any) -> tuple[list[FittedTable], npt.NDArray[np.float32]]:
        """Contexts (computed again after unpickling) and the rows to predict."""
        check_is_fitted(self)
        X = self._validated(X)
        if not hasattr(self, "_tables"):
            self._tables = self._read()
        return self._tables, self._columns.transform(X)

    def _validated(self, X: Any) -> Any:
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=False, skip_check_array=True)
            if not len(X):
                raise ParameterError(
                    f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required."
                )
            return X
        return validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")

    def _validated_pair(self, X: Any, y: Any) -> tuple[Any, LabelArray]:
        y_numeric = is_regressor(self)
        if not isinstance(X, pd.DataFrame):
            checks: dict[str, Any] = {"dtype": np.float64, "ensure_all_finite": "allow-nan"}
            X, y = validate_data(self, X, y, y_numeric=y_numeric, ensure_min_samples=2, **checks)
            return X, y
        validate_data(self, X, skip_check_array=True)
        if len(X) < 2 or len(X) != len(y):
            raise ParameterError(
                f"X and y must have the same number of rows, 2 or more; got {len(X)} and {len(y)}."
            )
        return X, np.asarray(_check_y(y, y_numeric=y_numeric, estimator=self))

    def _check_parameters(self) -> None:
        self._check("fine_tune", self.fine_tune in _TUNED, f"one of {list(_TUNED)}")
        self._check("weights", bool(self.weights), "a folder with weights of a backbone; none ship with autometa")
        for name in ("max_context", "max_steps", "patience", "max_seconds"):
            self._check(name, getattr(self, name) > 0, "above 0")
        self._check("learning_rate", self.learning_rate is None or self.learning_rate > 0, "None or above 0")

    def _check(self, name: str, is_allowed: bool, allowed: str) -> None:
        if not is_allowed:
            raise ParameterError(f"{name} must be {allowed}; got {getattr(self, name)!r}.", parameter=name)


class BackboneClassifier(ClassifierMixin, _BaseBackbone):
    """Classify rows with a pretrained in-context transformer that corrects the kernel ensemble.

    Without fine-tuning nothing is trained: the labelled rows are the context of one forward pass. Columns of a
    DataFrame may be categories, texts of few levels, or booleans; values may be missing.

    Parameters
    ----------
    weights : str or Path
        Folder of exported weights, or of a pretraining run. No weights ship with autometa.
    fine_tune : {"none", "head", "full"}
        Train nothing, the outputs and normalisations, or everything, on the rows given. Fine-tuned weights are
        kept only where they are better on held-out rows; with fewer than 60 rows nothing is trained.
    categorical_features : sequence of int, optional
        Positions of nominal columns; by default those of a DataFrame that are not numeric.
    max_context : int
        Rows of a context; larger tables are dealt to several, whose answers are averaged.
    max_steps, patience : int
        Of fine-tuning; patience counts looks at held-out rows, one each five steps.
    learning_rate : float, optional
        Of fine-tuning.
    max_seconds : float
        Wall time of fine-tuning.
    device : {"auto", "cpu", "cuda", "cuda:N"}
    random_state : int or None
        Decides how rows are dealt to contexts and which are held out.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    kept_ : list of {"in_context", "fine_tuned"}
        Which weights are used, for each digit of the classes' code: one up to ten classes.
    validation_losses_ : list of tuple of float
        Held-out log-loss before and during fine-tuning, nats.
    device_, device_reason_ : str
    fit_seconds_ : float

    References
    ----------
    N. Hollmann, S. Mueller, K. Eggensperger, F. Hutter (2023). TabPFN. ICLR.
    """

    def _coded(self, y: LabelArray) -> tuple[list[LabelArray], list[int]]:
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise TargetError(f"A classifier needs two classes or more; got 1 class: {self.classes_[0]!r}.")
        self._book = code_book(len(self.classes_), 0)
        digits = [digit[labels].astype(np.int64) for digit in self._book]
        return digits, [int(digit.max()) + 1 for digit in self._book]

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the classes.

        Parameters
        ----------
        X : DataFrame or array-like of shape (q, n_features)

        Returns
        -------
        ndarray of shape (q, n_classes), float64
            In the order of ``classes_``.
        """
        tables, rows = self._asked(X)
        likely = np.exp(decode([table.log_probabilities(rows) for table in tables], self._book))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> LabelArray:
        """Most probable class of each row, ndarray of shape (q,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])


class BackboneRegressor(RegressorMixin, _BaseBackbone):
    """Predict numbers, and their distribution, with a pretrained in-context transformer on the kernel ensemble.

    Parameters
    ----------
    weights : str or Path
        Folder of exported weights, or of a pretraining run. No weights ship with autometa.
    fine_tune : {"none", "head", "full"}
    categorical_features : sequence of int, optional
    max_context, max_steps, patience : int
    learning_rate : float, optional
    max_seconds : float
    device : {"auto", "cpu", "cuda", "cuda:N"}
    random_state : int or None
        All as in `BackboneClassifier`.

    Attributes
    ----------
    n_features_in_ : int
    kept_ : list of one of {"in_context", "fine_tuned"}
    validation_losses_ : list of tuple of float
        Held-out negative log-likelihood of the standardised target before and during fine-tuning, nats.
    device_, device_reason_ : str
    fit_seconds_ : float
    """

    def _coded(self, y: LabelArray) -> tuple[list[LabelArray], list[int]]:
        numbers = y.astype(np.float64)
        self._centre, self._spread = float(numbers.mean()), float(numbers.std()) or 1.0
        return [(numbers - self._centre) / self._spread], [0]

    def predict(self, X: Any) -> FloatArray:
        """Expected target of each row, ndarray of shape (q,), float64."""
        tables, rows = self._asked(X)
        return np.asarray(self._centre + self._spread * tables[0].means(rows))

    def predict_quantiles(self, X: Any, levels: tuple[float, ...] = (0.05, 0.5, 0.95)) -> FloatArray:
        """Quantiles of the target's distribution.

        Parameters
        ----------
        X : DataFrame or array-like of shape (q, n_features)
        levels : tuple of float
            Each between 0 and 1.

        Returns
        -------
        ndarray of shape (q, n_levels), float64

        Raises
        ------
        ParameterError
            A level is not between 0 and 1.
        """
        wanted = np.asarray(levels, dtype=np.float64)
        if not np.all((wanted > 0) & (wanted < 1)):
            raise ParameterError(f"levels must lie between 0 and 1; got {levels!r}.", parameter="levels")
        tables, rows = self._asked(X)
        return np.asarray(self._centre + self._spread * tables[0].quantiles(rows, wanted))
