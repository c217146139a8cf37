"""Where arrays live: the one place that decides between the CPU and a GPU, and says why."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from typing import Final

from autometa.foundation.errors import ParameterError

__all__ = ["ResolvedDevice", "resolve_device"]

_DRIVERS: Final = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


@dataclass(frozen=True, slots=True)
class ResolvedDevice:
    """A device that can be used.

    Attributes
    ----------
    name : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``, as torch names it.
    reason : str
        Why this device, in a sentence without a full stop.
    """

    name: str
    reason: str


def resolve_device(requested: str = "auto") -> ResolvedDevice:
    """Turn what was asked for into a device that is there.

    Parameters
    ----------
    requested : {"auto", "cpu", "cuda"} or "cuda:N"
        ``"auto"`` takes a GPU when one can be used and the CPU otherwise. On a machine without an NVIDIA
        driver it answers without importing torch.

    Returns
    -------
    ResolvedDevice
        The device and the reason for it.

    Raises
    ------
    ParameterError
        The request is none of the above, or a GPU is demanded that is not there.
    """
    if requested == "cpu":
        return ResolvedDevice("cpu", "the CPU was asked for")
    if requested != "auto" and not _names_cuda(requested):
        raise ParameterError(
            f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N' with a number N; got {requested!r}."
        )
    obstacle = _obstacle_to_cuda(requested)
    if requested == "auto":
        return ResolvedDevice("cpu", obstacle) if obstacle else ResolvedDevice("cuda", "a GPU is there")
    if obstacle:
        raise ParameterError(f"device {requested!r} cannot be used: {obstacle}. Use device='auto' or 'cpu'.")
    return ResolvedDevice(requested, "this GPU was asked for")


def _names_cuda(requested: str) -> bool:
    name, colon, number = requested.partition(":")
    return name == "cuda" and (not colon or number.isdecimal())


def _obstacle_to_cuda(requested: str) -> str:
    """Why CUDA cannot be used, or an empty string."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "unset").strip() in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    if not _driver_loads():
        return "no NVIDIA driver was found"
    import torch

    if torch.version.cuda is None:
        return "the installed torch was built without CUDA"
    if not torch.cuda.is_available():
        return "torch finds no GPU that it can use"
    number = int(requested.partition(":")[2] or 0)
    count = torch.cuda.device_count()
    return f"there are only {count} GPUs, numbered from 0" if number >= count else ""


def _driver_loads() -> bool:
    """Whether the driver's library is there; loading it starts no CUDA context, so the process may still fork."""
    library = _DRIVERS.get(sys.platform)
    if library is None:
        return False
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
