"""What was learned comes back from plain arrays as it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from autometa.decision.policy.arrays import StoredFields
from autometa.decision.policy.trust import Trust


@dataclass(frozen=True, eq=False)
class Learned(StoredFields):
    places: np.ndarray
    count: int
    share: float


def test_fields_come_back_as_arrays_and_numbers():
    arrays = Learned(np.array([[1, 2]]), 3, 0.5).to_arrays("of.")
    assert list(arrays) == ["of.places", "of.count", "of.share"]
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    found = Learned.from_arrays({**arrays, "others.count": np.asarray(7)}, "of.")
    assert found.places.tolist() == [[1, 2]]
    assert (found.count, found.share) == (3, 0.5)
    assert (type(found.count), type(found.share)) == (int, float)


def test_infinite_numbers_come_back():
    trust = Trust(float("inf"), 0.25)
    assert Trust.from_arrays(trust.to_arrays(""), "") == trust


def test_what_is_missing_is_named():
    with pytest.raises(KeyError, match="share"):
        Learned.from_arrays({"places": np.zeros(1), "count": np.asarray(1)}, "")
