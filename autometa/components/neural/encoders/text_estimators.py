"""The scikit-learn skin of fine-tuned text encoders: a classifier and a regressor."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.utils.validation import validate_data

from autometa.components.neural.encoders import tables
from autometa.components.neural.encoders._base import BaseFineTuned
from autometa.components.neural.encoders.heads import FineTunedClassification, FineTunedRegression
from autometa.components.neural.encoders.text import PACKAGED, load_text_encoder
from autometa.foundation.typing import RandomState

if TYPE_CHECKING:
    from torch import nn

    from autometa.components.neural.encoders.rows import JoinedRows

__all__ = ["FineTunedTextClassifier", "FineTunedTextRegressor"]


class _BaseFineTunedText(BaseFineTuned):
    """Reading tables of texts and numbers, and storing the encoder with its tokenizer."""

    def __init__(
        self,
        backbone: str = PACKAGED,
        max_tokens: int = 128,
        trained_layers: int | None = None,
        learning_rate: float = 5e-5,
        weight_decay: float = 0.01,
        max_epochs: int = 4,
        patience: int = 2,
        batch_size: int = 16,
        validation_share: float = 0.2,
        max_seconds: float = 120.0,
        device: str = "auto",
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            backbone,
            learning_rate,
            weight_decay,
            max_epochs,
            patience,
            batch_size,
            validation_share,
            max_seconds,
            device,
            random_state,
        )
        self.max_tokens = max_tokens
        self.trained_layers = trained_layers

    def _pretrained(self) -> nn.Module:
        from autometa.components.neural.encoders.text_network import TextEncoder, freeze_below

        loaded = load_text_encoder(self.backbone)
        self._reader, self._configuration = loaded.reader, loaded.configuration
        network = copy.deepcopy(loaded.network)
        freeze_below(network, self.trained_layers)
        return TextEncoder(network)

    def _empty(self) -> nn.Module:
        from autometa.components.neural.encoders.text_network import TextEncoder, empty_network

        return TextEncoder(empty_network(self._configuration))

    def _read(self, X: pd.DataFrame, device: str) -> JoinedRows:
        import torch

        from autometa.components.neural.encoders.rows import JoinedRows, TokenRows

        ids = self._reader.read(tables.texts(X, self.text_columns_), self.max_tokens)
        plain = tables.plain_numbers(X, self.text_columns_, "text")
        return JoinedRows(
            TokenRows(ids, self._reader.padding, torch.device(device)), torch.as_tensor(plain, device=device)
        )

    def _contents(self, rows: JoinedRows) -> list[Any]:
        return [(len(row), row.tobytes()) for row in rows.encoded.ids]  # short rows first

    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        table = tables.as_table(X, "text")
        validate_data(self, table, reset=reset, skip_check_array=True)
        if reset:
            self.text_columns_ = tables.encoded_columns(table, "text")
        return table

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._check("max_tokens", self.max_tokens >= 8, "at least 8")
        self._check(
            "trained_layers", self.trained_layers is None or self.trained_layers >= 1, "None or at least 1"
        )


class FineTunedTextClassifier(_BaseFineTunedText, FineTunedClassification):
    """Classify texts with a fine-tuned encoder of the BERT family.

    The head starts as a logistic regression on what the frozen encoder says (and on the table's numbers), then
    encoder and head learn together; what was best on held-out rows is kept, the start included.

    Parameters
    ----------
    backbone : str
        ``"minilm"`` (all-MiniLM-L6-v2 from the extra ``text``), a backbone of a plugin, a folder with safetensors,
        or ``owner/model`` on the Hugging Face hub, which is downloaded unless the setting ``offline`` is on.
    max_tokens : int
        Tokens of a row that are read; several columns share them.
    trained_layers : int or None
        Layers that learn, counted from the top; None: all. Embeddings of words and places never do.
    learning_rate, weight_decay : float
        Of AdamW.
    max_epochs, patience : int
        Epochs at most; epochs without a better held-out loss after which to stop.
    batch_size : int
        Halved when a GPU's memory runs out.
    validation_share : float
        Of the rows, stratified, in (0, 0.5]; fewer than 60 rows are all learned from.
    class_weight : dict, "balanced" or None
    calibrate : bool
        Divide the logits by the temperature with the least held-out log loss.
    max_seconds : float
        Wall time of a fit; checked before every batch.
    device : {"auto", "cpu", "cuda", "cuda:N"}
    random_state : int, RandomState or None
        On the CPU, fits with one seed are the same, whatever the order of the rows, unless they run into
        `max_seconds`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    text_columns_ : list of str
        Columns that are read as texts: those that are not numeric. All others go to the head as they are.
    temperature_ : float
    validation_losses_ : ndarray of float64
        Held-out log loss of the start and after each epoch, nats; NaN, and none of the start, without held-out
        rows.
    best_epoch_ : int
        Epoch that was kept; 0 is the start.
    stopped_by_ : {"epochs", "patience", "time"}
    device_, device_reason_ : str
    batch_size_ : int
    fit_seconds_ : float

    References
    ----------
    Devlin, Chang, Lee, Toutanova (2019). BERT: Pre-training of Deep Bidirectional Transformers for Language
    Understanding. NAACL.
    Kumar, Raghunathan, Jones, Ma, Liang (2022). Fine-Tuning can Distort Pretrained Features and Underperform
    Out-of-Distribution. ICLR.
    """

    def __init__(
        self,
        backbone: str = PACKAGED,
        max_tokens: int = 128,
        trained_layers: int | None = None,
        learning_rate: float = 5e-5,
        weight_decay: float = 0.01,
        max_epochs: int = 4,
        patience: int = 2,
        batch_size: int = 16,
        validation_share: float = 0.2,
        class_weight: dict[Any, float] | str | None = None,
        calibrate: bool = True,
        max_seconds: float = 120.0,
        device: str = "auto",
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            backbone,
            max_tokens,
            trained_layers,
            learning_rate,
            weight_decay,
            max_epochs,
            patience,
            batch_size,
            validation_share,
            max_seconds,
            device,
            random_state,
        )
        self.class_weight = class_weight
        self.calibrate = calibrate


class FineTunedTextRegressor(_BaseFineTunedText, FineTunedRegression):
    """Predict a number from texts with a fine-tuned encoder of the BERT family.

    The target is standardised for training, and predictions are clipped to its training range, widened by a
    quarter.

    Parameters
    ----------
    backbone, max_tokens, trained_layers, learning_rate, weight_decay, max_epochs, patience, batch_size, \
validation_share, max_seconds, device, random_state
        As of `FineTunedTextClassifier`.

    Attributes
    ----------
    target_mean_, target_scale_ : float
    target_range_ : tuple of float
    n_features_in_, text_columns_, validation_losses_, best_epoch_, stopped_by_, device_, device_reason_, \
batch_size_, fit_seconds_
        As of `FineTunedTextClassifier`; losses are mean squared errors of the standardised target.
    """
