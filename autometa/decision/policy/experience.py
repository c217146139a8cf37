"""What every policy keeps of the past, and how weights over past tasks become an answer."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autometa.components.knowledge.meta_dataset import TASK_COLUMNS, MetaDataset
from autometa.decision.policy._base import INTERVAL_LEVEL, NEAR_BEST, Arrays, NearTask, Query, Ranking
from autometa.decision.policy.calibration import Calibration, Forecast
from autometa.decision.policy.fit_time import FitTimes
from autometa.decision.policy.level import Level
from autometa.decision.policy.performance import Performance, prepare_performance
from autometa.decision.policy.portfolio import weighted_quantiles
from autometa.decision.policy.scaling import rank_scale
from autometa.decision.policy.shares import task_shares
from autometa.domain.metrics import METRICS
from autometa.domain.strategy import Candidate, Configuration
from autometa.foundation.errors import PolicyError
from autometa.foundation.typing import FloatArray, IntArray

__all__ = ["Experience"]

_TAILS = ((1 - INTERVAL_LEVEL) / 2, (1 + INTERVAL_LEVEL) / 2)
# Neighbours with a smaller share are noise in an explanation.
_LEAST_SHARE = 1e-4
_SIZE_NAMES = {"n_train": "rows", "n_features": "columns", "n_classes": "classes"}


@dataclass(frozen=True, eq=False)
class Experience:
    """The past that can be learned from: one row per (task, training size) where anything succeeded.

    Attributes
    ----------
    candidates : tuple of Candidate
    tasks : DataFrame of n_rows rows
        As in `MetaDataset`.
    metafeature_names : tuple of str
    metafeatures : ndarray of float64, shape (n_rows, n_metafeatures)
    performance : Performance
    level : Level
    fit_times : FitTimes
    metric : str
    """

    candidates: tuple[Candidate, ...]
    tasks: pd.DataFrame
    metafeature_names: tuple[str, ...]
    metafeatures: FloatArray
    performance: Performance
    level: Level
    fit_times: FitTimes
    metric: str

    @classmethod
    def fit(cls, meta_dataset: MetaDataset, *, random_state: int = 0) -> Experience:
        """Prepare performance, level and fit times.

        Parameters
        ----------
        meta_dataset : MetaDataset
        random_state : int

        Returns
        -------
        Experience

        Raises
        ------
        PolicyError
            If there are no candidates.
        """
        if meta_dataset.n_candidates == 0:
            raise PolicyError(
                "There is no candidate to rank: no installed strategy has a portfolio in the knowledge base. "
                "See `autometa strategies` and `autometa kb info`."
            )
        performance, rows = prepare_performance(meta_dataset)
        kept = meta_dataset.take(rows)
        scaled = rank_scale(kept.metafeatures, kept.metafeatures)
        return cls(
            candidates=kept.candidates,
            tasks=kept.tasks[list(TASK_COLUMNS)],
            metafeature_names=kept.metafeature_names,
            metafeatures=kept.metafeatures,
            performance=performance,
            level=Level.fit(
                scaled, performance.best, kept.groups, task_shares(kept.tasks), random_state=random_state
            ),
            fit_times=FitTimes.fit(kept),
            metric=kept.metric,
        )

    @property
    def n_rows(self) -> int:
        """Number of known (task, training size) pairs."""
        return len(self.tasks)

    @property
    def groups(self) -> IntArray:
        """Codes of the dataset groups, shape (n_rows,)."""
        return pd.factorize(self.tasks["group"].astype(str))[0].astype(np.int64)

    @property
    def shares(self) -> FloatArray:
        """What every row counts among the others of its size, shape (n_rows,); see `task_shares`."""
        return task_shares(self.tasks)

    def even_weights(self) -> FloatArray:
        """Return the shares of all known tasks where none is closer, each at its greatest training size.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
            They sum to 1. Tasks weigh alike but for their dataset group, which weighs less than two tasks.
        """
        n_train = self.tasks["n_train"].to_numpy(dtype=np.int64)
        order = np.lexsort((-n_train, self.tasks["train_size"].to_numpy(dtype=np.int64) != 0))
        first = ~self.tasks["task"].iloc[order].duplicated().to_numpy()
        weights = np.zeros(self.n_rows)
        weights[order[first]] = self.shares[order[first]]
        return weights / weights.sum() if self.n_rows else weights

    def scaled(self, values: FloatArray) -> FloatArray:
        """Return meta-features on the forest's scale, same shape."""
        return rank_scale(self.metafeatures, values)

    def check(self, query: Query) -> None:
        """Check that a query fits.

        Parameters
        ----------
        query : Query

        Raises
        ------
        PolicyError
            If it has another number of meta-features.
        """
        if query.metafeatures.shape != (len(self.metafeature_names),):
            raise PolicyError(
                f"The policy was fitted on {len(self.metafeature_names)} meta-features; the query has shape "
                f"{query.metafeatures.shape}. Use the meta-features of the same schema version."
            )

    def size_notes(self, query: Query) -> tuple[str, ...]:
        """Say which sizes of a query lie beyond everything known."""
        notes = []
        for column, word in _SIZE_NAMES.items():
            greatest = int(self.tasks[column].max()) if self.n_rows else 0
            if greatest and getattr(query, column) > 2 * greatest:
                notes.append(
                    f"{getattr(query, column):,} {word} are more than any known task has ({greatest:,}): "
                    "what is said rests on smaller ones."
                )
        return tuple(notes)

    def answer(
        self,
        query: Query,
        weights: FloatArray,
        order: Sequence[int] | IntArray,
        *,
        closeness: FloatArray | None = None,
        calibration: Calibration | None = None,
        stretch: float = 1.0,
        influences: Mapping[str, float] | None = None,
        familiarity: float = 1.0,
        fallback: bool = False,
        notes: tuple[str, ...] = (),
    ) -> Ranking:
        """Turn shares of the past rows and an order into a `Ranking`.

        Parameters
        ----------
        query : Query
        weights : ndarray of float64, shape (n_rows,)
            Shares of the past rows; they sum to 1.
        order : sequence of int
            Positions of the candidates, best first; those without history are moved to the end.
        closeness : ndarray of float64, shape (n_rows,), optional
            Shares by which the neighbours are named; default `weights`.
        calibration : Calibration, optional
            Of the intervals; default: they stay as the past has them.
        stretch : float
            How many times wider than usual the intervals are.
        influences, familiarity, fallback, notes
            As in `Ranking`.

        Returns
        -------
        Ranking
        """
        is_known = self.performance.is_known
        places = np.asarray(order, dtype=np.int64)
        places = np.concatenate([places[is_known[places]], places[~is_known[places]]])
        calibrated = calibration or Calibration.none()
        expected, low, high = self._losses(query, weights, calibrated, int(places[0]), stretch)
        return Ranking(
            candidates=self.candidates,
            order=places,
            near_best=np.where(is_known, weights @ (self.performance.regret <= NEAR_BEST), np.nan),
            expected_loss=expected,
            low=low,
            high=high,
            fit_seconds=self.fit_times.predict(query),
            n_evaluations=self.performance.n_evaluations,
            neighbours=self._neighbours(weights if closeness is None else closeness),
            influences=influences or {},
            familiarity=familiarity,
            fallback=fallback,
            notes=notes + self.size_notes(query),
            stretch=stretch,
        )

    def forecast(self, weights: FloatArray, first: IntArray) -> Forecast:
        """Return what would have been said of every known row, not calibrated.

        Parameters
        ----------
        weights : ndarray of float64, shape (n_rows, n_rows)
            Shares of the past rows for each of them; none of a row's own group.
        first : ndarray of int64, shape (n_rows,)

        Returns
        -------
        Forecast
        """
        crossed = weights if self.level.crossed is None else self.level.crossed
        parts = [
            self._spread(float(own @ self.level.best), own, row) for own, row in zip(crossed, weights, strict=True)
        ]
        expected, low, high = (np.stack(part) for part in zip(*parts, strict=True))
        return Forecast(expected, low, high, first)

    def _spread(
        self, level: float, level_weights: FloatArray, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return expected loss and the ends of its interval: level + regret, each with its own doubt."""
        expected = level + weights @ self.performance.regret
        past = self.level.residual[:, None] + self.performance.regret
        low, high = level + weighted_quantiles(past, (weights + level_weights) / 2, _TAILS)
        return expected, np.minimum(low, expected), np.maximum(high, expected)

    def _losses(
        self, query: Query, weights: FloatArray, calibration: Calibration, first: int, stretch: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return expected loss and the ends of its calibrated interval, within what the metric can be."""
        if not self.n_rows:
            nothing = np.full(len(self.candidates), np.nan)
            return nothing, nothing, nothing
        level_weights = self.level.weights(self.scaled(query.metafeatures[None])[0])
        expected, low, high = self._spread(float(level_weights @ self.level.best), level_weights, weights)
        low, high = calibration.apply(expected, low, high, first, stretch=stretch)
        cold = ~self.performance.is_known
        low[cold], high[cold] = low.min(), high.max()
        floor, ceiling = _loss_range(self.metric)
        expected, low, high = (np.clip(values, floor, ceiling) for values in (expected, low, high))
        return expected, low, high

    def _neighbours(self, weights: FloatArray) -> tuple[NearTask, ...]:
        tasks = self.tasks.assign(weight=weights, row=np.arange(self.n_rows))
        tasks = tasks[tasks["weight"] > 0].sort_values("weight", ascending=False, kind="stable")
        shares = tasks.groupby("task", sort=False)["weight"].sum()
        shares = shares[shares >= _LEAST_SHARE].sort_values(ascending=False, kind="stable")
        heaviest = tasks.drop_duplicates("task").set_index("task").to_dict("index")
        return tuple(self._near_task(str(task), float(share), heaviest[task]) for task, share in shares.items())

    def _near_task(self, task: str, share: float, facts: Mapping[Hashable, Any]) -> NearTask:
        regret = np.where(self.performance.is_known, self.performance.regret[int(facts["row"])], np.inf)
        dataset_id = None if pd.isna(facts["dataset_id"]) else int(facts["dataset_id"])
        return NearTask(task, str(facts["name"]), dataset_id, share, int(facts["n_train"]), int(regret.argmin()))

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return everything as arrays, none of dtype object."""
        words = {
            "candidates": [
                [candidate.strategy, candidate.configuration.to_json()] for candidate in self.candidates
            ],
            "tasks": json.loads(self.tasks.astype({"dataset_id": "Float64"}).to_json(orient="records")),
            "metafeature_names": list(self.metafeature_names),
            "metric": self.metric,
        }
        return {
            "words": np.frombuffer(json.dumps(words).encode(), dtype=np.uint8),
            "metafeatures": self.metafeatures,
            "regret": self.performance.regret,
            "n_evaluations": self.performance.n_evaluations,
            **self.level.to_arrays("level."),
            **self.fit_times.to_arrays("fit_times."),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Experience:
        """Read what `to_arrays` returned.

        Raises
        ------
        KeyError, ValueError
            If an array is missing or not what it should be.
        """
        words = json.loads(arrays["words"].tobytes())
        level = Level.from_arrays(arrays, "level.")
        return cls(
            candidates=tuple(Candidate(name, Configuration.from_json(text)) for name, text in words["candidates"]),
            tasks=pd.DataFrame(words["tasks"], columns=list(TASK_COLUMNS)),
            metafeature_names=tuple(words["metafeature_names"]),
            metafeatures=arrays["metafeatures"],
            performance=Performance(arrays["regret"], level.best, arrays["n_evaluations"]),
            level=level,
            fit_times=FitTimes.from_arrays(arrays, "fit_times."),
            metric=words["metric"],
        )


def _loss_range(metric: str) -> tuple[float, float]:
    """Return the least and greatest loss that a metric can have."""
    if metric not in METRICS:
        return -np.inf, np.inf
    definition = METRICS[metric]
    return definition.loss(definition.best), definition.loss(definition.worst)
