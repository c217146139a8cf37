"""What was learned travels as plain arrays: no code is stored, so none is run when it is read."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, ClassVar, Self

import numpy as np

from autometa.decision.policy._base import Arrays

__all__ = ["StoredFields"]


class StoredFields:
    """A mixin of dataclasses whose fields are arrays and numbers."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def to_arrays(self, prefix: str) -> dict[str, np.ndarray[Any, Any]]:
        """Return every field as an array.

        Parameters
        ----------
        prefix : str
            Put before the names of the fields.

        Returns
        -------
        dict of str to ndarray
        """
        return {prefix + each.name: np.asarray(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays, prefix: str) -> Self:
        """Read what `to_arrays` returned; an array of no dimension was a number.

        Parameters
        ----------
        arrays : mapping of str to ndarray
        prefix : str

        Returns
        -------
        StoredFields
            Of the class that is asked.
        """
        found = {each.name: arrays[prefix + each.name] for each in fields(cls)}
        return cls(**{name: array if array.ndim else array.item() for name, array in found.items()})
