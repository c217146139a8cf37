"""Columns of images: which cells are images, the one form that they have, and what tells two of them apart.

Pixels are not read here: a cell stays a file's path or an array until something learns from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np
import pandas as pd

from autometa.foundation.typing import LabelArray

__all__ = ["as_images", "hash_images", "holds_images", "is_image", "is_image_file_name", "missing_files"]

SUFFIXES: Final = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
# Whether files exist is asked of at most this many of them: on a network drive each answer takes a while.
_FILES_LOOKED_FOR: Final = 50


def is_image(cell: Any) -> bool:
    """Whether a cell holds an image itself: an array of numbers with two or three dimensions, or one of Pillow's.

    Parameters
    ----------
    cell : Any

    Returns
    -------
    bool
    """
    if isinstance(cell, np.ndarray):
        return cell.ndim in (2, 3) and cell.size > 0 and cell.dtype.kind in "buif"
    return _is_pillow(cell)


def _is_pillow(cell: Any) -> bool:
    return any(kind.__module__ == "PIL.Image" and kind.__name__ == "Image" for kind in type(cell).__mro__)


def is_image_file_name(cell: Any) -> bool:
    """Whether a cell is a path that ends as the files of images do.

    Parameters
    ----------
    cell : Any

    Returns
    -------
    bool
    """
    return isinstance(cell, (str, PurePath)) and PurePath(cell).suffix.lower() in SUFFIXES


def missing_files(cells: Sequence[str | PurePath] | LabelArray) -> list[str]:
    """Return which of at most 50 evenly spaced files do not exist.

    Parameters
    ----------
    cells : sequence of str or path

    Returns
    -------
    list of str
    """
    looked_for = cells[:: max(1, len(cells) // _FILES_LOOKED_FOR)]
    return [str(cell) for cell in looked_for if not _is_file(cell)]


def _is_file(cell: str | PurePath) -> bool:
    try:
        return Path(cell).is_file()
    except (OSError, ValueError):  # a name that is too long, or holds what no name may
        return False


def as_images(column: pd.Series) -> LabelArray:
    """Return the cells in canonical form: a `Path`, an array, or None where there is no image.

    Parameters
    ----------
    column : Series of shape (n_samples,)

    Returns
    -------
    ndarray of object, shape (n_samples,)
    """
    images = np.full(len(column), None, dtype=object)
    for row, cell in enumerate(column.to_numpy(dtype=object)):
        if isinstance(cell, (str, PurePath)):
            images[row] = Path(cell)
        elif isinstance(cell, np.ndarray) and is_image(cell):
            images[row] = cell
        elif _is_pillow(cell):
            images[row] = np.asarray(cell)
    return images


def holds_images(column: pd.Series) -> bool:
    """Whether a canonical column is one of images; canonical texts are strings, never paths or arrays.

    Parameters
    ----------
    column : Series of shape (n_samples,)

    Returns
    -------
    bool
        False if no row has an image.
    """
    if not pd.api.types.is_object_dtype(column.dtype):
        return False
    found = next((cell for cell in column.to_numpy() if cell is not None), None)
    return isinstance(found, (Path, np.ndarray))


def hash_images(column: pd.Series) -> int:
    """Return the sum of the images' hashes modulo 2**64: the same for every order of the rows.

    Parameters
    ----------
    column : Series of shape (n_samples,)
        Canonical. Files are read; one that cannot be is known by its name.

    Returns
    -------
    int
    """
    return sum(map(_hash, column.to_numpy(dtype=object))) % 2**64


def _hash(image: Any) -> int:
    if isinstance(image, np.ndarray):
        content = f"{image.dtype} {image.shape} ".encode() + np.ascontiguousarray(image).tobytes()
    elif image is None:
        content = b""
    else:
        try:
            content = image.read_bytes()
        except OSError:
            content = str(image).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
