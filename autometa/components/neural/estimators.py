"""The scikit-learn skin of the network: a classifier and a regressor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from autometa.components.neural._base import BaseTabularNetwork
from autometa.components.neural.targets import ClassTarget, NumberTarget
from autometa.foundation.typing import FloatArray, RandomState

__all__ = ["TabularNetworkClassifier", "TabularNetworkRegressor"]


class TabularNetworkClassifier(ClassTarget, BaseTabularNetwork):
    """Classify rows of numbers with an ensemble of small networks that are trained as one.

    Parameters
    ----------
    architecture : {"mlp", "packed", "tabm"}
        One network; `k` independent ones, each holding out another part of the rows, so that all rows are both
        learned from and judged on; or `k` that share their weights but for scalings and biases (TabM).
    embedding : {"none", "piecewise", "periodic"}
        What becomes of a numeric column before the first layer. Columns of two values are never embedded.
    k : int or None
        Members; "mlp" has one. None: 5 independent ones or 8 that share.
    width, n_blocks : int
        Units of a hidden layer, number of hidden layers.
    dropout : float
    activation : {"ReLU", "SiLU", "Mish", "SELU", "GELU"}
    d_embedding : int
        Numbers that a column becomes; fewer where columns are many.
    n_bins : int
        Pieces of a piecewise linear embedding at most.
    frequency_scale : float
        Standard deviation of the initial frequencies of a periodic embedding, per standard deviation of a column.
    learning_rate, weight_decay : float
        Of AdamW.
    label_smoothing : float
        Share of the target probability that is spread over all classes.
    max_epochs : int or None
        None: about 700 steps, but at least 25 epochs; on a CPU fewer where they are many and wide.
    patience : int
        Epochs without a better held-out loss.
    batch_size : int or None
        None: about a twelfth of the rows, a power of two.
    validation_share : float
        Of the rows, stratified; in (0, 0.5].
    class_weight : dict, "balanced" or None
    calibrate : bool
        Divide the logits by the temperature with the least held-out log loss.
    max_seconds : float
        Wall time of a fit, seconds; checked before every batch.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
    random_state : int, RandomState or None
        On the same CPU and with as many threads, fits with the same seed are the same to the bit, unless they
        take more than two fifths of `max_seconds`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    device_, device_reason_ : str
        Where it was trained, and why there.
    temperature_ : float
    validation_losses_ : ndarray of float64, shape (n_epochs_,)
        Held-out log loss after each epoch, nats; NaN without held-out rows (fewer than 30).
    n_epochs_, best_epoch_ : int
    stopped_by_ : {"epochs", "patience", "time"}
    batch_size_ : int
    fit_seconds_ : float

    References
    ----------
    Gorishniy, Kotelnikov, Babenko (2025). TabM: Advancing Tabular Deep Learning with Parameter-Efficient
    Ensembling. ICLR.
    """

    def __init__(
        self,
        architecture: str = "tabm",
        embedding: str = "none",
        k: int | None = None,
        width: int = 128,
        n_blocks: int = 2,
        dropout: float = 0.1,
        activation: str = "ReLU",
        d_embedding: int = 8,
        n_bins: int = 16,
        frequency_scale: float = 0.1,
        learning_rate: float = 6e-3,
        weight_decay: float = 3e-2,
        label_smoothing: float = 0.0,
        max_epochs: int | None = None,
        patience: int = 16,
        batch_size: int | None = None,
        validation_share: float = 0.2,
        class_weight: dict[Any, float] | str | None = None,
        calibrate: bool = True,
        max_seconds: float = 60.0,
        device: str = "auto",
        random_state: RandomState = None,
    ) -> None:
        self.architecture = architecture
        self.embedding = embedding
        self.k = k
        self.width = width
        self.n_blocks = n_blocks
        self.dropout = dropout
        self.activation = activation
        self.d_embedding = d_embedding
        self.n_bins = n_bins
        self.frequency_scale = frequency_scale
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.max_epochs = max_epochs
        self.patience = patience
        self.batch_size = batch_size
        self.validation_share = validation_share
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.max_seconds = max_seconds
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Not negative; rows of weight 0 are left out.

        Returns
        -------
        TabularNetworkClassifier

        Raises
        ------
        TargetError
            If there is only one class.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        codes = self._codes(y)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        weights = self._class_weighted(weights, y)
        kept = weights > 0
        self._fit_network(X[kept], codes[kept], weights[kept], n_outputs=len(self.classes_), classification=True)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the members' mean probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.
        """
        check_is_fitted(self)
        return self._probabilities(self._outputs(X))


class TabularNetworkRegressor(NumberTarget, BaseTabularNetwork):
    """Predict a number from rows of numbers with an ensemble of small networks that are trained as one.

    The target is standardised for training, and predictions are clipped to its training range, widened
    by a quarter.

    Parameters
    ----------
    architecture, embedding, k, width, n_blocks, dropout, activation, d_embedding, n_bins, frequency_scale, \
learning_rate, weight_decay, max_epochs, patience, batch_size, validation_share, max_seconds, device, random_state
        As of `TabularNetworkClassifier`.

    Attributes
    ----------
    n_features_in_ : int
    target_mean_, target_scale_ : float
    target_range_ : tuple of float
    device_, device_reason_, validation_losses_, n_epochs_, best_epoch_, stopped_by_, batch_size_, fit_seconds_
        As of `TabularNetworkClassifier`; losses are mean squared errors of the standardised target.
    """

    def __init__(
        self,
        architecture: str = "tabm",
        embedding: str = "none",
        k: int | None = None,
        width: int = 128,
        n_blocks: int = 2,
        dropout: float = 0.1,
        activation: str = "ReLU",
        d_embedding: int = 8,
        n_bins: int = 16,
        frequency_scale: float = 0.3,
        learning_rate: float = 1e-2,
        weight_decay: float = 1e-2,
        max_epochs: int | None = None,
        patience: int = 16,
        batch_size: int | None = None,
        validation_share: float = 0.2,
        max_seconds: float = 60.0,
        device: str = "auto",
        random_state: RandomState = None,
    ) -> None:
        self.architecture = architecture
        self.embedding = embedding
        self.k = k
        self.width = width
        self.n_blocks = n_blocks
        self.dropout = dropout
        self.activation = activation
        self.d_embedding = d_embedding
        self.n_bins = n_bins
        self.frequency_scale = frequency_scale
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.patience = patience
        self.batch_size = batch_size
        self.validation_share = validation_share
        self.max_seconds = max_seconds
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Not negative; rows of weight 0 are left out.

        Returns
        -------
        TabularNetworkRegressor
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        kept = weights > 0
        X, y, weights = X[kept], np.asarray(y, dtype=np.float64)[kept], weights[kept]
        self._fit_network(X, self._standardised(y, weights), weights, n_outputs=1, classification=False)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Return the members' mean.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples,)
        """
        check_is_fitted(self)
        return self._on_target_scale(self._outputs(X))
