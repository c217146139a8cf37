"""Backbones: pretrained encoders of texts and images that anybody can bring, as declarations without torch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final

from autometa.foundation.errors import ParameterError

__all__ = ["MODALITIES", "EncoderBackbone", "ImageEncoder"]

MODALITIES: Final = ("text", "image")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class EncoderBackbone:
    """A pretrained encoder: what it is called, what it reads, and how it is loaded.

    Attributes
    ----------
    name : str
        Lower-case letters, digits, ``_``, ``.`` and ``-``.
    modality : {"text", "image"}
    loader : callable
        Takes nothing and returns the encoder with its pretrained weights, on the CPU and the same at each call:
        for images an `ImageEncoder`, for texts a pair ``(tokenizer, network)`` as transformers has them. It is
        called when something is fitted or applied, never before, so it may import whatever it needs.
    licence : str
        Of the weights, as an SPDX identifier where there is one.
    source : str
        Where the weights come from: a package, a hub's name, an address.
    packages : tuple of str
        Top-level modules that `loader` imports; the backbone is not offered where one of them is not installed.
    install : str
        Command that installs them.

    Raises
    ------
    ParameterError
        If a field is not as described.
    """

    name: str
    modality: str
    loader: Callable[[], Any] = field(repr=False)
    licence: str
    source: str
    packages: tuple[str, ...] = ()
    install: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and _NAME.fullmatch(self.name)):
            raise ParameterError(
                f"A backbone's name is lower-case letters, digits, '_', '.' and '-'; got {self.name!r}.",
                parameter="name",
            )
        if self.modality not in MODALITIES:
            raise ParameterError(
                f"Backbone {self.name!r} reads one of {list(MODALITIES)}; its modality is {self.modality!r}.",
                parameter="modality",
            )
        if not callable(self.loader):
            raise ParameterError(
                f"The loader of backbone {self.name!r} must be a function without arguments; got {self.loader!r}.",
                parameter="loader",
            )
        for fact in ("licence", "source"):
            if not (isinstance(getattr(self, fact), str) and getattr(self, fact).strip()):
                raise ParameterError(
                    f"Backbone {self.name!r} must state its {fact}; got {getattr(self, fact)!r}.", parameter=fact
                )
        # To look for a module within a package is to import the package.
        if not isinstance(self.packages, tuple) or not all(
            isinstance(package, str) and package.isidentifier() for package in self.packages
        ):
            raise ParameterError(
                f"The packages of backbone {self.name!r} are a tuple of names of modules without dots; got "
                f"{self.packages!r}.",
                parameter="packages",
            )

    def obstacle(self) -> str:
        """Say why the backbone cannot be loaded here, without importing anything.

        Returns
        -------
        str
            Empty if everything that it needs is installed.
        """
        absent = [package for package in self.packages if find_spec(package) is None]
        if not absent:
            return ""
        remedy = f": {self.install}" if self.install else ""
        return f"backbone {self.name!r} needs {', '.join(absent)}, not installed here{remedy}"


@dataclass(frozen=True, slots=True)
class ImageEncoder:
    """A network that turns images into features, and how it wants them.

    Attributes
    ----------
    network : torch.nn.Module
        float32 (B, 3, image_size, image_size) -> float32 (B, n_features). It has no classification head.
    image_size : int
        Pixels of a side; images are resized to it.
    smallest_size : int or None
        Pixels of a side that are enough: smaller images are enlarged to this only, and those in between to the
        next multiple of 32. None: always `image_size`.
    mean, std : tuple of float
        Of the three channels, on the scale 0 to 1; images are standardised with them.
    """

    network: Any = field(repr=False)
    image_size: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    smallest_size: int | None = None

    def side_for(self, pixels: int) -> int:
        """Return the side that images are resized to.

        Parameters
        ----------
        pixels : int
            Longest side of the images as they came.

        Returns
        -------
        int
        """
        if self.smallest_size is None:
            return self.image_size
        return min(self.image_size, max(self.smallest_size, -(-pixels // 32) * 32))
