"""What a knowledge base calls a task that it knows."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KnownTask"]


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task of the knowledge base.

    Attributes
    ----------
    task : str
        Its key.
    name, group : str
    dataset_id : int or None
        OpenML id.
    """

    task: str
    name: str
    group: str
    dataset_id: int | None
