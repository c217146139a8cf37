"""What is published: flows and runs, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

__all__ = ["CONFIDENCE", "MAX_VALUE_LENGTH", "FlowUpload", "RunUpload"]

# The server's schema takes parameter values of at most so many characters, of Basic Latin only.
MAX_VALUE_LENGTH = 2048
# Predictions have one column a class: this and the class's name.
CONFIDENCE = "confidence."


@dataclass(frozen=True, slots=True)
class FlowUpload:
    """A flow: something that learns, with its parameters.

    Attributes
    ----------
    name, external_version : str
        Together they say which flow it is; the server has each pair once.
    description : str
    dependencies : str
        One ``package==version`` a line.
    parameters : mapping of str to str
        Default values by name, in ASCII, none empty, at most `MAX_VALUE_LENGTH` characters.
    """

    name: str
    external_version: str
    description: str
    dependencies: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class RunUpload:
    """A run: a flow with values of its parameters, and what it predicted in every split of a task.

    Attributes
    ----------
    task_id, flow_id : int
    settings : mapping of str to str
        Values of the flow's parameters.
    predictions : DataFrame
        One row a test row of each split: ``repeat``, ``fold``, ``row_id``, ``prediction``, ``truth``, and for
        classification ``confidence.<class>``, float64, for each class that the learner knew.
    fold_evaluations : mapping
        What was measured: measure -> repeat -> fold -> value.
    """

    task_id: int
    flow_id: int
    settings: Mapping[str, str]
    predictions: pd.DataFrame
    fold_evaluations: Mapping[str, Mapping[int, Mapping[int, float]]] = field(default_factory=dict)
