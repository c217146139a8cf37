"""From cells of a column of images to pixels: files and arrays of any size and depth become one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from autometa.foundation.errors import ParameterError, TableError

__all__ = ["INSTALL", "ImageFormat", "image_batch", "look_at_images", "read_image"]

INSTALL: Final = "pip install 'autometa-ml[image]'"
_LOOKED_AT: Final = 256  # training images that say how large and how deep images are
_BLANK: Final = 128  # of 255: what stands where there is no image


@dataclass(frozen=True)
class ImageFormat:
    """What training images are like.

    Attributes
    ----------
    low, high : float
        Least and greatest value of those that are neither 8-bit nor boolean; these are scaled to 0..255.
    side : int
        Longest side among them, in pixels.
    is_gray : bool
        Whether all have one channel.
    """

    low: float
    high: float
    side: int
    is_gray: bool


def read_image(cell: Path | npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an image as channels first.

    Parameters
    ----------
    cell : Path or ndarray of shape (H, W), (H, W, C) or (C, H, W), C in {1, 2, 3, 4}
        Of two or four channels the last one, transparency, is left out.

    Returns
    -------
    ndarray of shape (1, H, W) or (3, H, W)

    Raises
    ------
    TableError
        If the file cannot be read, or an array has no such shape.
    ParameterError
        If the file can only be read with a package that is not installed.
    """
    array = cell if isinstance(cell, np.ndarray) else _read_file(cell)
    shape = array.shape
    if array.ndim == 2:
        return array[None]
    if array.shape[2] in (1, 2, 3, 4):
        array = np.moveaxis(array, 2, 0)
    if array.shape[0] not in (1, 2, 3, 4):
        raise TableError(
            f"An image must be an array of shape (height, width), (height, width, channels) or (channels, "
            f"height, width) with one to four channels; got {shape}.",
        )
    return array[: 3 if array.shape[0] >= 3 else 1]


def _read_file(path: Path) -> npt.NDArray[Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ParameterError(
            f"Reading files of images needs Pillow: {INSTALL}. Or give arrays instead of paths.", path=str(path)
        ) from error
    try:
        with Image.open(path) as file:
            upright = ImageOps.exif_transpose(file)
            is_plain = upright.mode in ("1", "L", "I", "F", "RGB") or upright.mode.startswith("I;")
            return np.asarray(upright if is_plain else upright.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise TableError(
            f"The image {path} cannot be read: {error}. Repair or remove it, or leave its cell empty.",
            path=str(path),
        ) from error


def look_at_images(cells: Sequence[Any]) -> ImageFormat:
    """Find out what images are like, on at most 256 evenly spaced ones.

    Parameters
    ----------
    cells : sequence of Path, ndarray or None

    Returns
    -------
    ImageFormat
    """
    there = [cell for cell in cells if cell is not None]
    low, high, side, is_gray = np.inf, -np.inf, 1, True
    for cell in there[:: max(1, len(there) // _LOOKED_AT)]:
        image = read_image(cell)
        side, is_gray = max(side, *image.shape[1:]), is_gray and len(image) == 1
        if image.dtype not in (np.uint8, np.bool_):
            values = image[np.isfinite(image)]
            if values.size:
                low, high = min(low, float(values.min())), max(high, float(values.max()))
    if not low < high:
        low, high = 0.0, 1.0
    return ImageFormat(low, high, int(side), bool(is_gray))


def image_batch(cells: Sequence[Any], side: int, form: ImageFormat, *, n_channels: int = 3) -> Tensor:
    """Return images as one tensor, resized to a square whatever their aspect ratio.

    Parameters
    ----------
    cells : sequence of Path, ndarray or None
        Where there is none all pixels are grey.
    side : int
        Pixels of the square.
    form : ImageFormat
        Values outside of its range are clipped.
    n_channels : {1, 3}

    Returns
    -------
    Tensor of uint8, shape (n_cells, n_channels, side, side)
    """
    batch = torch.full((len(cells), n_channels, side, side), _BLANK, dtype=torch.uint8)
    for row, cell in enumerate(cells):
        if cell is not None:
            batch[row] = _resized(_as_bytes(read_image(cell), form), side, n_channels)
    return batch


def _as_bytes(image: npt.NDArray[Any], form: ImageFormat) -> Tensor:
    """Return float32 on the scale 0..255, (1 or 3, H, W)."""
    if image.dtype == np.bool_:
        return torch.from_numpy(image.astype(np.float32) * 255)
    if image.dtype != np.uint8:
        known = np.nan_to_num(image.astype(np.float64), nan=form.low, posinf=form.high, neginf=form.low)
        image = (known - form.low) / (form.high - form.low) * 255
    return torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32)).clamp(0, 255)


def _resized(image: Tensor, side: int, n_channels: int) -> Tensor:
    if tuple(image.shape[1:]) != (side, side):
        image = functional.interpolate(image[None], (side, side), mode="bilinear", antialias=True)[0]
    if n_channels == 1 and len(image) == 3:
        image = image.mean(dim=0, keepdim=True)
    return image.round().clamp(0, 255).to(torch.uint8).expand(n_channels, side, side)
