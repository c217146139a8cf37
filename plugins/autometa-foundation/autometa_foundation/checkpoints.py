"""Files of weights are pickles: here they are read so that nothing in them can run."""

from __future__ import annotations

import pickle
from pathlib import Path

from autometa_foundation.errors import WeightsError

__all__ = ["check_checkpoint"]


def check_checkpoint(path: Path) -> None:
    """Check that a file holds tensors and plain values, and nothing that would have to be executed.

    `tabicl` reads with ``weights_only=True`` itself. `tabpfn` leaves the choice to torch, whose default is the
    same unless ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD`` is set; with this check first, that variable changes nothing,
    because no file that needs more than tensors comes to the library.

    Parameters
    ----------
    path : Path

    Raises
    ------
    WeightsError
        If the file is missing, cannot be read, holds anything else, or is no checkpoint of these models.
    """
    import torch

    if not path.is_file():
        raise WeightsError(f"There is no file {path}. Run `autometa foundation status` to see what is missing.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} was refused: it holds more than tensors and plain values, or is no checkpoint, and reading "
            f"it could run code of whoever made it. Get it from where it is published. torch says: {error}",
            path=str(path),
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} cannot be read: {error}. Delete it and get it again (`autometa foundation fetch`).",
            path=str(path),
        ) from error
    absent = [name for name in ("config", "state_dict") if not isinstance(content, dict) or name not in content]
    if absent:
        raise WeightsError(
            f"{path} is a file of torch but no checkpoint of TabPFN or TabICL: no {' and no '.join(absent)}.",
            path=str(path),
        )
