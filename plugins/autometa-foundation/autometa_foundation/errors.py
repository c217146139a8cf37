"""What this plugin raises."""

from __future__ import annotations

from autometa import AutoMetaError

__all__ = ["FoundationError", "LicenceError", "WeightsError"]


class FoundationError(AutoMetaError):
    """A foundation model cannot be used; the message says why and what to do."""


class WeightsError(FoundationError):
    """A file of weights is missing, damaged, or not what it should be."""


class LicenceError(FoundationError):
    """The weights are behind a licence that has not been accepted."""
