"""Images as numbers, nothing learned: what a frozen encoder says of them, or their pixels."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from autometa.components.neural.devices import resolve_device
from autometa.components.neural.encoders.fingerprint import weights_fingerprint
from autometa.components.neural.encoders.tables import as_table, encoded_columns, image_cells, missing_cells
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import FloatArray, LabelArray

__all__ = ["PIXELS", "ImageFeatures"]

PIXELS: Final = "pixels"
_LARGEST_PIXEL_SIDE: Final = 32
_ROWS_AT_ONCE: Final = 256  # images that are held in memory as pixels


class ImageFeatures(TransformerMixin, BaseEstimator):
    """Turn columns of images into numbers with a pretrained encoder that stays as it is.

    Parameters
    ----------
    encoder : str
        ``"pixels"`` for the pixels themselves, in a square of 32 at most; a backbone of autometa
        (``"efficientnet_lite0"``, from the extra ``image``) or of a plugin; a folder with safetensors; or a
        model of the Hugging Face hub, ``timm/...`` included, which is downloaded unless the setting ``offline`` is
        on.
    batch_size : int
        Images that the encoder is given at once; halved when a GPU's memory runs out.
    device : {"auto", "cpu", "cuda", "cuda:N"}

    Attributes
    ----------
    image_columns_ : list of str
        Columns that are not numeric.
    side_ : int
        Pixels of the square that images are resized to.
    format_ : ImageFormat
    mean_ : ndarray of float64, shape (n_image_columns, n_features_per_image)
        Stands in for an image that is missing.
    gappy_ : list of int
        Places of the columns with missing images, each of which gets an indicator behind the features.
    fingerprint_ : str
        Hash of the encoder's weights, so that a stored model is never applied to the features of others; empty for
        pixels.
    """

    def __init__(self, encoder: str = PIXELS, batch_size: int = 32, device: str = "auto") -> None:
        self.encoder = encoder
        self.batch_size = batch_size
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Self:
        """Look at the images, and find what stands in for a missing one.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns), or sequence of paths and arrays
        y : ignored

        Returns
        -------
        ImageFeatures
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> FloatArray:
        """Look at the images and return their features, encoding each once.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns), or sequence of paths and arrays
        y : ignored
        **params : ignored

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features)

        Raises
        ------
        TableError
            If a file cannot be read.
        ParameterError
            If the encoder cannot be loaded.
        """
        from autometa.components.neural.encoders.image import load_image_encoder
        from autometa.components.neural.encoders.pixels import look_at_images

        table = as_table(X, "image")
        self.image_columns_ = encoded_columns(table, "image")
        cells = image_cells(table, self.image_columns_)
        self.format_ = look_at_images(list(cells.flat))
        if self.encoder == PIXELS:
            self.side_, self.fingerprint_ = min(self.format_.side, _LARGEST_PIXEL_SIDE), ""
        else:
            loaded = load_image_encoder(self.encoder)
            self.side_, self.fingerprint_ = (
                loaded.side_for(self.format_.side),
                weights_fingerprint(loaded.network),
            )
        missing = missing_cells(cells)
        self.gappy_ = [int(place) for place in np.flatnonzero(missing.any(axis=0))]
        features = self._features(cells)  # (N, K, D)
        there = ~missing[:, :, None]
        self.mean_ = np.where(there, features, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        return self._joined(features, missing)

    def transform(self, X: Any) -> FloatArray:
        """Return the features of images.

        Parameters
        ----------
        X : DataFrame with the columns seen in `fit`, or sequence of paths and arrays

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features)

        Raises
        ------
        TableError
            If a file cannot be read.
        ParameterError
            If the encoder cannot be loaded, or has other weights than in `fit`.
        """
        check_is_fitted(self)
        table: pd.DataFrame = as_table(X, "image")
        cells = image_cells(table, self.image_columns_)
        return self._joined(self._features(cells), missing_cells(cells))

    def _joined(self, features: FloatArray, missing: Any) -> FloatArray:
        filled = np.where(missing[:, :, None], self.mean_, features)
        return np.hstack([filled.reshape(len(filled), -1), missing[:, self.gappy_].astype(np.float64)])

    def _features(self, cells: LabelArray) -> FloatArray:
        """Return (n_samples, n_image_columns, n_features_per_image)."""
        from autometa.components.neural import execution

        encode = self._encode_pixels if self.encoder == PIXELS else self._make_encode()
        flat = list(cells.flat)
        with execution.cpu_threads():
            parts = [encode(flat[start : start + _ROWS_AT_ONCE]) for start in range(0, len(flat), _ROWS_AT_ONCE)]
        found = np.concatenate(parts).astype(np.float64)
        return found.reshape(*cells.shape, -1)

    def _encode_pixels(self, cells: Sequence[Any]) -> FloatArray:
        from autometa.components.neural.encoders.pixels import image_batch

        batch = image_batch(cells, self.side_, self.format_, n_channels=1 if self.format_.is_gray else 3)
        return np.asarray(batch.flatten(1).numpy() / 255.0)

    def _make_encode(self) -> Any:
        from autometa.components.neural import execution
        from autometa.components.neural.encoders.image import ImageModule, load_image_encoder
        from autometa.components.neural.encoders.pixels import image_batch

        loaded = load_image_encoder(self.encoder)
        if weights_fingerprint(loaded.network) != self.fingerprint_:
            raise ParameterError(
                f"The image encoder {self.encoder!r} has other weights here than where the model was fitted; "
                "install the same version, or fit again.",
                parameter="encoder",
            )
        device = resolve_device(self.device).name
        module = copy.deepcopy(ImageModule(loaded)).to(device)

        def encode(cells: Sequence[Any]) -> FloatArray:
            batch = image_batch(cells, self.side_, self.format_)[:, None].to(device)
            outputs: FloatArray = execution.forward_in_batches(module, batch, self.batch_size).cpu().numpy()
            return outputs

        return encode
