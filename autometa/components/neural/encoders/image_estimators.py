"""Fine-tuned image encoders: a classifier and a regressor."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from sklearn.utils.validation import validate_data

from autometa.components.neural.encoders import tables
from autometa.components.neural.encoders._base import BaseFineTuned
from autometa.components.neural.encoders.heads import FineTunedClassification, FineTunedRegression
from autometa.foundation.typing import RandomState

if TYPE_CHECKING:
    from torch import nn

    from autometa.components.neural.encoders.rows import JoinedRows
    from autometa.components.neural.training import Rows

__all__ = ["PACKAGED", "FineTunedImageClassifier", "FineTunedImageRegressor"]

PACKAGED: Final = "efficientnet_lite0"
_MAX_SETTLED: Final = 1_024  # training rows that statistics are estimated on; more would say the same


class _BaseFineTunedImages(BaseFineTuned):
    """Reading tables of images and numbers, and building the encoder again."""

    def __init__(
        self,
        backbone: str = PACKAGED,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.01,
        max_epochs: int = 10,
        patience: int = 3,
        batch_size: int = 32,
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

    def _pretrained(self) -> nn.Module:
        from autometa.components.neural.encoders.image import ImageModule, load_image_encoder

        loaded = load_image_encoder(self.backbone)
        self.side_ = loaded.side_for(self.format_.side)
        return copy.deepcopy(ImageModule(loaded))

    def _empty(self) -> nn.Module:
        from autometa.components.neural.encoders.image import ImageModule, load_image_encoder

        return copy.deepcopy(ImageModule(load_image_encoder(self.backbone)))

    def _read(self, X: pd.DataFrame, device: str) -> JoinedRows:
        import torch

        from autometa.components.neural.encoders.pixels import image_batch
        from autometa.components.neural.encoders.rows import JoinedRows

        cells = tables.image_cells(X, self.image_columns_)
        images = image_batch(list(cells.flat), self.side_, self.format_)  # (N * K, 3, S, S)
        missing = tables.missing_cells(cells)[:, self.gappy_].astype(np.float32)
        plain = np.hstack([tables.plain_numbers(X, self.image_columns_, "image"), missing])
        rows = images.view(*cells.shape, *images.shape[1:])  # (N, K, 3, S, S)
        return JoinedRows(rows.to(device), torch.as_tensor(plain, device=device))

    def _contents(self, rows: JoinedRows) -> list[Any]:
        images = rows.encoded.cpu().numpy()
        return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]

    def _settler(self, rows: Rows) -> Callable[[nn.Module], None] | None:
        import torch
        from torch.optim.swa_utils import update_bn

        learned = torch.nonzero(rows.weights[:, 0] > 0).squeeze(1)
        # Shuffled: rows are ordered by content, and statistics are averaged over batches.
        order = torch.randperm(len(learned), generator=torch.Generator().manual_seed(0))
        learned = learned[order.to(learned.device)][:_MAX_SETTLED]
        batches = [part for part in torch.split(learned, self.batch_size) if len(part) > 1] or [learned]

        def settle(network: nn.Module) -> None:
            with torch.no_grad():
                update_bn((rows.X[batch] for batch in batches), network)

        return settle

    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        from autometa.components.neural.encoders.pixels import look_at_images

        table = tables.as_table(X, "image")
        validate_data(self, table, reset=reset, skip_check_array=True)
        if reset:
            self.image_columns_ = tables.encoded_columns(table, "image")
            cells = tables.image_cells(table, self.image_columns_)
            self.format_ = look_at_images(list(cells.flat))
            self.gappy_ = [int(place) for place in np.flatnonzero(tables.missing_cells(cells).any(axis=0))]
        return table


class FineTunedImageClassifier(_BaseFineTunedImages, FineTunedClassification):
    """Classify images with a fine-tuned encoder.

    The head starts as a logistic regression on what the frozen encoder says (and on the table's numbers), then
    encoder and head learn together; what was best on held-out rows is kept, the start included.

    Batch normalisation decides what fine-tuning on few rows comes to: encoders learn with the statistics of the
    batches, and after each epoch those that predictions use are forgotten and estimated anew on the training rows.

    Parameters
    ----------
    backbone : str
        A backbone of autometa (``"efficientnet_lite0"``, from the extra ``image``) or of a plugin; a folder with
        safetensors; or a model of the Hugging Face hub, ``timm/...`` included, which is downloaded unless the
        setting ``offline`` is on.
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
    image_columns_ : list of str
        Columns that are read as images: those that are not numeric. All others go to the head as they are.
    side_ : int
        Pixels of the square that images are resized to.
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
    Kumar, Raghunathan, Jones, Ma, Liang (2022). Fine-Tuning can Distort Pretrained Features and Underperform
    Out-of-Distribution. ICLR.
    """

    def __init__(
        self,
        backbone: str = PACKAGED,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.01,
        max_epochs: int = 10,
        patience: int = 3,
        batch_size: int = 32,
        validation_share: float = 0.2,
        class_weight: dict[Any, float] | str | None = None,
        calibrate: bool = True,
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
        self.class_weight = class_weight
        self.calibrate = calibrate


class FineTunedImageRegressor(_BaseFineTunedImages, FineTunedRegression):
    """Predict a number from images with a fine-tuned encoder.

    The target is standardised for training, and predictions are clipped to its training range, widened by a
    quarter.

    Parameters
    ----------
    backbone, learning_rate, weight_decay, max_epochs, patience, batch_size, validation_share, max_seconds, \
device, random_state
        As of `FineTunedImageClassifier`.

    Attributes
    ----------
    target_mean_, target_scale_ : float
    target_range_ : tuple of float
    n_features_in_, image_columns_, side_, validation_losses_, best_epoch_, stopped_by_, device_, device_reason_, \
batch_size_, fit_seconds_
        As of `FineTunedImageClassifier`; losses are mean squared errors of the standardised target.
    """
