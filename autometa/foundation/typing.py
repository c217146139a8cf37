"""Type aliases shared by all rooms."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["BoolArray", "FloatArray", "IntArray", "JsonValue", "LabelArray", "RandomState", "Status"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
LabelArray: TypeAlias = npt.NDArray[Any]  # class labels as given (int, str, bool), or float64 for regression
JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"
RandomState: TypeAlias = int | None
Status: TypeAlias = Literal["ok", "timeout", "memory", "error", "crash"]
