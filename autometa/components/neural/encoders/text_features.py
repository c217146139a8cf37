"""What a frozen text encoder says, as features that any learner can use."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from autometa.components.neural.devices import resolve_device
from autometa.components.neural.encoders import tables
from autometa.components.neural.encoders.text import PACKAGED, LoadedText, load_text_encoder
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import FloatArray

__all__ = ["TextEmbeddings"]


class TextEmbeddings(TransformerMixin, BaseEstimator):
    """Texts as the numbers that a pretrained encoder, which learns nothing here, says of them.

    All columns of a row are read as one text. A fitted one holds no weights: the encoder is loaded again where it
    is used, and has to be the same.

    Parameters
    ----------
    backbone : str
        ``"minilm"`` (all-MiniLM-L6-v2 from the extra ``text``), a backbone of a plugin, a folder with safetensors,
        or ``owner/model`` on the Hugging Face hub, which is downloaded unless the setting ``offline`` is on.
    max_tokens : int
        Tokens of a row that are read; several columns share them.
    batch_size : int
        Rows that are read at once; halved when a GPU's memory runs out.
    device : {"auto", "cpu", "cuda", "cuda:N"}

    Attributes
    ----------
    n_features_in_ : int
    mean_, scale_ : ndarray of float64, shape (n_features_out,)
        Of the training rows: the output has mean 0 and variance 1 there.
    fingerprint_ : str
        SHA-256 of the encoder's weights.

    References
    ----------
    Reimers, Gurevych (2019). Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks. EMNLP.
    """

    def __init__(
        self, backbone: str = PACKAGED, max_tokens: int = 128, batch_size: int = 64, device: str = "auto"
    ) -> None:
        self.backbone = backbone
        self.max_tokens = max_tokens
        self.batch_size = batch_size
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the scale of what the encoder says.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features), or sequence of str
            Columns of texts; missing ones are read as empty.
        y : ignored

        Returns
        -------
        TextEmbeddings

        Raises
        ------
        ParameterError
            If the extra ``text`` is absent, or the backbone cannot be loaded.
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> FloatArray:
        """Learn the scale and return the features of the training rows, which are read once.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features), or sequence of str
        y : ignored
        **params : ignored

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features_out)
        """
        table = tables.as_table(X, "text")
        validate_data(self, table, reset=True, skip_check_array=True)
        loaded = load_text_encoder(self.backbone)
        self.fingerprint_ = loaded.fingerprint
        features = self._features(table, loaded)
        self.mean_, scale = features.mean(axis=0), features.std(axis=0)
        self.scale_ = np.where(scale > 1e-6, scale, 1.0)
        return np.asarray((features - self.mean_) / self.scale_)

    def transform(self, X: Any) -> FloatArray:
        """Return the features.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features), or sequence of str

        Returns
        -------
        ndarray of float64, shape (n_samples, n_features_out)

        Raises
        ------
        ParameterError
            If the backbone's weights are others than those of `fit`.
        """
        check_is_fitted(self)
        table = tables.as_table(X, "text")
        validate_data(self, table, reset=False, skip_check_array=True)
        loaded = load_text_encoder(self.backbone)
        if loaded.fingerprint != self.fingerprint_:
            raise ParameterError(
                f"The text encoder {self.backbone!r} has other weights here than where this was fitted; install "
                "the same version, or fit again.",
                parameter="backbone",
            )
        return np.asarray((self._features(table, loaded) - self.mean_) / self.scale_)

    def _features(self, table: pd.DataFrame, loaded: LoadedText) -> FloatArray:
        import torch

        from autometa.components.neural import execution
        from autometa.components.neural.encoders.fine_tuning import Reader
        from autometa.components.neural.encoders.rows import JoinedRows, TokenRows
        from autometa.components.neural.encoders.text_network import TextEncoder

        device = resolve_device(self.device).name
        ids = loaded.reader.read(tables.texts(table, [str(name) for name in table]), self.max_tokens)
        order = np.argsort([len(row) for row in ids], kind="stable")  # batches of like lengths are padded little
        rows = TokenRows(tuple(ids[place] for place in order), loaded.reader.padding, torch.device(device))
        with execution.cpu_threads():
            found = execution.forward_in_batches(
                Reader(TextEncoder(loaded.network).to(device)),
                JoinedRows(rows, torch.empty((len(ids), 0), device=device)),
                self.batch_size,
            )
        features = np.empty((len(ids), found.shape[2]))
        features[order] = found[:, 0].cpu().numpy()
        return features
