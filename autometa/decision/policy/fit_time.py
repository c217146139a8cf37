"""Predicted seconds of a fit: log-linear in the sizes, pooled over strategies and candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import Arrays, Query
from autometa.decision.policy.log_linear import LogLinear, Sizes
from autometa.foundation.typing import FloatArray

__all__ = ["FitTimes"]

_LEAST_SECONDS = 1e-3
# Beyond the greatest n known, no learner that reads its rows grows slower than linearly, and none of those
# built in faster than cubically.
_SLOPE_LIMITS = (1.0, 3.0)


@dataclass(frozen=True, eq=False)
class FitTimes:
    """A log-linear model of fit time per candidate.

    A fit that was stopped at a limit says that it takes longer: a forecast above the limit is not an error, one
    below is.

    Attributes
    ----------
    model : LogLinear
        Of seconds, on the sizes of the training table.
    """

    model: LogLinear

    @classmethod
    def fit(cls, meta_dataset: MetaDataset) -> FitTimes:
        """Learn from what was timed.

        Parameters
        ----------
        meta_dataset : MetaDataset

        Returns
        -------
        FitTimes
            All NaN if nothing was timed.
        """
        model = LogLinear.fit(
            Sizes(*(meta_dataset.numbers(column) for column in ("n_train", "n_features", "n_classes"))),
            meta_dataset.fit_seconds,
            [candidate.strategy for candidate in meta_dataset.candidates],
            least=_LEAST_SECONDS,
            is_bound=meta_dataset.timed_out,
        )
        return cls(model)

    def predict(self, query: Query) -> FloatArray:
        """Return the seconds that one fit of every candidate will take on one core.

        Parameters
        ----------
        query : Query

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
            At least 0.001; beyond the known numbers of rows, growth with a power of n between 1 and 3.
        """
        return np.asarray(np.maximum(self.model.predict(query, slope_limits=_SLOPE_LIMITS), _LEAST_SECONDS))

    def to_arrays(self, prefix: str) -> dict[str, np.ndarray[Any, Any]]:
        """Return everything as arrays."""
        return self.model.to_arrays(prefix)

    @classmethod
    def from_arrays(cls, arrays: Arrays, prefix: str) -> FitTimes:
        """Read what `to_arrays` returned."""
        return cls(LogLinear.from_arrays(arrays, prefix))
