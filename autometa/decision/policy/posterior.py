"""The posterior: what runs on subsamples are worth, learned from how past tasks went at small and at full size."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy._base import Arrays, Policy, Query, Ranking
from autometa.decision.policy.belief import Assumptions, Belief
from autometa.decision.policy.calibration import Calibration, Forecast
from autometa.decision.policy.covariance import Kinship
from autometa.decision.policy.drift import Drifts, centred
from autometa.decision.policy.evaluation import true_regrets
from autometa.decision.policy.evidence import RelativeEvidence, Run, compressed, least_loss
from autometa.decision.policy.fit_time import FitTimes
from autometa.decision.policy.moments import equal_levels, mean_of_rows, root_mean_square, slope_between
from autometa.decision.policy.near_best import Likelihood
from autometa.decision.policy.pooled import Opinion, PooledModel, Records
from autometa.decision.policy.rehearsal import own_runs, rehearse
from autometa.decision.policy.shares import task_shares
from autometa.decision.policy.states import draw_examples, known_tasks
from autometa.decision.policy.weighted import WeightedPolicy
from autometa.domain.strategy import Candidate, Configuration
from autometa.foundation.errors import PolicyError
from autometa.foundation.typing import BoolArray, FloatArray, IntArray, JsonValue

__all__ = ["Posterior"]

_LEAST_SCALE = 0.05
# Fewer dataset groups than this with a smaller training size teach nothing about learning curves.
_LEAST_GROUPS = 10
# Share of the measured covariances of surprises that is believed: candidates that went together on some hundred
# tasks go together less on the next one. Of 0.5 and 1, 0.5 cost less in folds inside the training groups of all
# three that were asked: the shipped log_loss and nrmse, and LCDB.
_KIN_TRUST = 0.5
# What was measured on the knowledge base that is shipped (log-loss), for one that holds full sizes only.
_ASSUMED_CURVE = (0.1, 0.05)
_ASSUMED_KIN = 0.3
_ASSUMED_UNIT = 0.05
_ASSUMED_LEVEL_SPREAD = 0.05
_ASSUMED_SCALES = (0.25, 0.5, 1.0)
_NUMBERS = ("unit", "slope", "cold_variance", "level_trend", "level_spread")


@dataclass(frozen=True, eq=False)
class _Lessons:
    """What was learned. `trend` and the matrices are in the order of the MetaDataset's candidates."""

    unit: float
    slope: float
    surprise: Kinship
    cold_variance: float
    drift: Kinship
    trend: FloatArray
    curve: FloatArray
    scales: FloatArray
    level_trend: float
    level_spread: float
    n_curve_groups: int
    fit_times: FitTimes | None
    calibration: Calibration = field(default_factory=Calibration.none)
    likelihood: Likelihood = field(default_factory=Likelihood.none)
    pooled: PooledModel | None = None


@dataclass
class Posterior:
    """Turns a prior's ranking into assumptions that evidence can be held against.

    What is believed after evidence is the average of two beliefs. The Gaussian one: from past tasks at full size,
    each judged by a prior that had not seen its group, how far candidates end up from where the prior puts them,
    how that goes together among relatives, and how it would be without any history (the prior masked). From past
    tasks at several sizes, how far a standing on a subsample is from that at full size, by the log of the size
    ratio, and which candidates gain from more rows. A strategy without history gets what strategies have in
    common. The other is the pooled model: a forest over candidates in long format, grown on known tasks as they
    were when some runs had been made, the history of candidates hidden at random; see `PooledModel`.

    Parameters
    ----------
    prior : Policy
        Fitted on the same MetaDataset.
    pooled : bool
        Whether the pooled model has a say. If not, the Gaussian belief stands alone.
    """

    prior: Policy
    pooled: bool = True
    name: ClassVar[str] = "posterior"
    version: ClassVar[int] = 3

    def __post_init__(self) -> None:
        self._lessons: _Lessons | None = None
        self._known: tuple[Candidate, ...] = ()

    def without_history(self) -> Self:
        """Take up what is assumed where no candidate has a history.

        Returns
        -------
        Posterior
        """
        self._lessons = _Lessons(
            unit=_ASSUMED_UNIT,
            slope=1.0,
            surprise=Kinship(np.empty((0, 0)), 1.0, _ASSUMED_KIN),
            cold_variance=1.0,
            drift=Kinship(np.empty((0, 0)), 1.0, _ASSUMED_KIN),
            trend=np.empty(0),
            curve=np.asarray(_ASSUMED_CURVE),
            scales=np.asarray(_ASSUMED_SCALES),
            level_trend=0.0,
            level_spread=_ASSUMED_LEVEL_SPREAD,
            n_curve_groups=0,
            fit_times=None,
        )
        return self

    def parameters(self) -> dict[str, JsonValue]:
        """Return everything that the lessons depend on besides the MetaDataset."""
        prior: list[JsonValue] = [self.prior.name, self.prior.version, self.prior.parameters()]
        return {"prior": prior, "pooled": self.pooled}

    @property
    def lessons(self) -> _Lessons:
        """What was learned.

        Raises
        ------
        PolicyError
            If it is not fitted.
        """
        if self._lessons is None:
            raise PolicyError("The posterior is not fitted; call fit(meta_dataset) first.")
        return self._lessons

    @property
    def notes(self) -> tuple[str, ...]:
        """What a careful reader should know of how evidence is weighed."""
        if self.lessons.n_curve_groups >= _LEAST_GROUPS:
            return ()
        return (
            "How much a run on a subsample counts is a fixed rule: the knowledge base holds smaller training "
            f"sizes of {self.lessons.n_curve_groups} groups of datasets, and at least {_LEAST_GROUPS} teach it.",
        )

    def fit(
        self,
        meta_dataset: MetaDataset,
        *,
        runs: Mapping[str, Sequence[Run]] | None = None,
        n_scored: Mapping[str, int] | None = None,
    ) -> Self:
        """Learn from past tasks.

        Parameters
        ----------
        meta_dataset : MetaDataset
            The one that the prior was fitted on.
        runs : mapping of str to sequence of Run, optional
            Evidence by task that the pooled model learns from and the intervals are calibrated on; default: the
            evaluations at smaller sizes.
        n_scored : mapping of str to int, optional
            Rows that the runs of a task were scored on.

        Returns
        -------
        Posterior
        """
        self._known = meta_dataset.candidates
        rows = np.flatnonzero(meta_dataset.full_size & np.isfinite(meta_dataset.loss).any(axis=1))
        if not len(rows):
            self._lessons = self._without_rows(meta_dataset)
            return self
        regret = np.stack([true_regrets(meta_dataset.loss[i], meta_dataset.failed[i]) for i in rows])
        unit = max(float(np.nanmedian(regret)), 1e-6)
        standing = centred(compressed(regret, unit))
        said = self._said(meta_dataset, rows)
        forecasts = self._forecasts(said, regret.shape, unit)
        forecast = centred(np.where(np.isfinite(regret), forecasts, np.nan))
        weights = task_shares(meta_dataset.tasks.iloc[rows])
        slope = slope_between(forecast, standing, weights)
        scale = np.maximum(root_mean_square(standing - slope * forecast), _LEAST_SCALE)
        strategies = [candidate.strategy for candidate in meta_dataset.candidates]
        masked = np.square(standing / scale[:, None])
        self._lessons = _Lessons(
            unit=unit,
            slope=slope,
            surprise=Kinship.fit((standing - slope * forecast) / scale[:, None], weights, strategies).loosened(
                _KIN_TRUST
            ),
            cold_variance=mean_of_rows(masked, weights),
            scales=equal_levels(scale, weights),
            fit_times=FitTimes.fit(meta_dataset),
            **self._curves(meta_dataset, rows, standing, scale, unit),
        )
        if said is not None:
            shown = own_runs(meta_dataset) if runs is None else runs
            pooled = self._pooled(meta_dataset, rows, slope * centred(forecasts), standing, shown, n_scored or {})
            self._lessons = replace(self._lessons, pooled=pooled)
            calibration, likelihood = rehearse(self, meta_dataset, rows, said, runs=runs, n_scored=n_scored)
            self._lessons = replace(self.lessons, calibration=calibration, likelihood=likelihood)
        return self

    def _pooled(
        self,
        meta_dataset: MetaDataset,
        rows: IntArray,
        forecast: FloatArray,
        standing: FloatArray,
        runs: Mapping[str, Sequence[Run]],
        n_scored: Mapping[str, int],
    ) -> PooledModel | None:
        """Grow the pooled model; None if it is not wanted, or of too few groups."""
        if not self.pooled:
            return None
        weights, groups = task_shares(meta_dataset.tasks.iloc[rows]), meta_dataset.groups[rows]
        records = Records.of(standing, weights, groups)
        tasks = known_tasks(meta_dataset, rows, forecast, standing, records, runs=runs, n_scored=n_scored)
        if len({task.group for task in tasks}) < _LEAST_GROUPS:
            return None
        examples = draw_examples(tasks, unit=self.lessons.unit, perfect=least_loss(meta_dataset.metric))
        return PooledModel.fit(examples, records)

    def _without_rows(self, meta_dataset: MetaDataset) -> _Lessons:
        """Return what is assumed where no task was measured at full size."""
        strategies = self._strategies()
        return replace(
            self.without_history().lessons,
            surprise=Kinship.assumed(1.0, _ASSUMED_KIN, strategies),
            drift=Kinship.assumed(1.0, _ASSUMED_KIN, strategies),
            trend=np.zeros(len(strategies)),
            fit_times=FitTimes.fit(meta_dataset),
        )

    def _strategies(self) -> list[str]:
        return [candidate.strategy for candidate in self._known]

    def _said(self, meta_dataset: MetaDataset, rows: IntArray) -> Forecast | None:
        """Return what the prior would have said of past tasks without their groups; None if it does not know."""
        hindsight = self.prior.hindsight if isinstance(self.prior, WeightedPolicy) else None
        if hindsight is None or not isinstance(self.prior, WeightedPolicy):
            return None
        keys = pd.MultiIndex.from_frame(self.prior.experience.tasks[["task", "train_size"]])
        places = keys.get_indexer(pd.MultiIndex.from_frame(meta_dataset.tasks.iloc[rows][["task", "train_size"]]))
        return Forecast(*(getattr(hindsight, name)[places] for name in ("expected", "low", "high", "first")))

    @staticmethod
    def _forecasts(said: Forecast | None, shape: tuple[int, ...], unit: float) -> FloatArray:
        """Return the prior's compressed regrets of past tasks, each from tasks of other groups."""
        if said is None:
            return np.zeros(shape)
        return compressed(said.expected - said.expected.min(axis=1, keepdims=True), unit)

    def _curves(
        self, meta_dataset: MetaDataset, rows: IntArray, standing: FloatArray, scale: FloatArray, unit: float
    ) -> dict[str, Any]:
        """Learn what becomes of a standing between a smaller size and the full one."""
        strategies = self._strategies()
        drift = Drifts.of(meta_dataset, rows, standing, scale, unit)
        if drift.n_groups < _LEAST_GROUPS:
            return {
                "drift": Kinship.assumed(1.0, _ASSUMED_KIN, strategies),
                "trend": np.zeros(len(strategies)),
                "curve": np.asarray(_ASSUMED_CURVE),
                "level_trend": 0.0,
                "level_spread": _ASSUMED_LEVEL_SPREAD,
                "n_curve_groups": drift.n_groups,
            }
        trend = drift.trend()
        curve = drift.curve(trend)
        return {
            "drift": Kinship.fit(drift.normalised(trend, curve), drift.weights, strategies),
            "trend": trend,
            "curve": curve,
            "level_trend": drift.level_trend(),
            "level_spread": drift.level_spread(),
            "n_curve_groups": drift.n_groups,
        }

    def assumptions(
        self,
        ranking: Ranking,
        query: Query,
        cold: Sequence[Candidate] = (),
        *,
        cold_loss: FloatArray | None = None,
        available: BoolArray | None = None,
        unseen: Collection[int] = (),
    ) -> Assumptions:
        """Return what is assumed of all candidates before any run.

        Parameters
        ----------
        ranking : Ranking
            The prior's, of the MetaDataset's candidates.
        query : Query
        cold : sequence of Candidate
            Candidates without history; they follow the ranking's.
        cold_loss : ndarray of float64, shape (n_cold,), optional
            Losses expected of them nevertheless; NaN, and by default, as usual among the others.
        available : ndarray of bool, shape (n_known,), optional
            Which candidates of the ranking can be chosen: the scale of losses begins at the best of them.
        unseen : collection of int, optional
            Codes of the dataset groups that the pooled model must not have seen: those of a known task, while a
            verdict on it is rehearsed.

        Returns
        -------
        Assumptions

        Raises
        ------
        PolicyError
            If the ranking is of other candidates.
        """
        lessons = self.lessons
        if ranking.candidates != self._known:
            raise PolicyError("The ranking is of other candidates than the posterior was fitted on.")
        loss = ranking.expected_loss
        offered = loss if available is None or not available.any() else loss[available]
        least = float(offered.min()) if len(loss) else 0.0
        forecast = _compressed_about(least, loss, lessons.unit)
        usual = float(forecast.mean()) if len(loss) else 0.0
        newcomers = np.full(len(cold), usual)
        if cold_loss is not None and len(loss):
            told = _compressed_about(least, cold_loss, lessons.unit)
            newcomers = np.where(np.isnan(told), usual, told)
        known, new = self._strategies(), [candidate.strategy for candidate in cold]
        mean = lessons.slope * (np.concatenate([forecast, newcomers]) - usual)
        surprise = lessons.surprise.extended(known, new, variance=lessons.cold_variance)
        return Assumptions(
            mean=mean,
            surprise=surprise.matrix,
            drift=lessons.drift.extended(known, new).matrix,
            trend=np.concatenate([lessons.trend, np.zeros(len(cold))]),
            curve=(float(lessons.curve[0]), float(lessons.curve[1])),
            scales=lessons.scales,
            unit=lessons.unit,
            n_full=query.n_train,
            opinion=self._opinion(mean, [*known, *new], query, unseen),
        )

    def _opinion(
        self, forecast: FloatArray, strategies: Sequence[str], query: Query, unseen: Collection[int]
    ) -> Opinion | None:
        """Ask the pooled model, if there is one, to prepare for a task."""
        if self.lessons.pooled is None:
            return None
        return self.lessons.pooled.opinion(
            forecast,
            np.unique(strategies, return_inverse=True)[1],
            n_full=query.n_train,
            n_features=query.n_features,
            unseen=unseen,
        )

    def believe(self, assumptions: Assumptions, evidence: RelativeEvidence) -> Belief:
        """Return what is believed of all candidates after evidence.

        Parameters
        ----------
        assumptions : Assumptions
        evidence : RelativeEvidence

        Returns
        -------
        Belief
        """
        return Belief.given(assumptions, evidence)

    def fit_seconds(self, query: Query, n_cold: int = 0) -> FloatArray:
        """Predict the seconds of one fit of every candidate; those without history take the median of the others.

        Parameters
        ----------
        query : Query
        n_cold : int
            Candidates without history behind the known ones.

        Returns
        -------
        ndarray of float64, shape (n_known + n_cold,)
            NaN if nothing is known.
        """
        times = self.lessons.fit_times
        seconds = np.empty(0) if times is None else times.predict(query)
        usual = float(np.nanmedian(seconds)) if np.isfinite(seconds).any() else float("nan")
        return np.concatenate([seconds, np.full(n_cold, usual)])

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what was learned as plain arrays."""
        lessons = self.lessons
        facts = [[candidate.strategy, candidate.configuration.to_json()] for candidate in self._known]
        plain = (*_NUMBERS, "trend", "curve", "scales", "n_curve_groups")
        return {
            "candidates": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8),
            **{name: np.asarray(getattr(lessons, name)) for name in plain},
            **lessons.surprise.to_arrays("surprise."),
            **lessons.drift.to_arrays("drift."),
            **lessons.calibration.to_arrays("calibration."),
            **lessons.likelihood.to_arrays("likelihood."),
            **(lessons.fit_times.to_arrays("fit_times.") if lessons.fit_times is not None else {}),
            **(lessons.pooled.to_arrays("pooled.") if lessons.pooled is not None else {}),
        }

    def restore(self, arrays: Arrays) -> Self:
        """Take up what `to_arrays` returned.

        Raises
        ------
        KeyError, ValueError
            If an array is missing or not what it should be.
        """
        facts = json.loads(arrays["candidates"].tobytes())
        self._known = tuple(Candidate(name, Configuration.from_json(text)) for name, text in facts)
        self._lessons = _Lessons(
            **{name: float(arrays[name]) for name in _NUMBERS},
            surprise=Kinship.from_arrays(arrays, "surprise."),
            drift=Kinship.from_arrays(arrays, "drift."),
            trend=arrays["trend"],
            curve=arrays["curve"],
            scales=arrays["scales"],
            n_curve_groups=int(arrays["n_curve_groups"]),
            fit_times=FitTimes.from_arrays(arrays, "fit_times."),
            calibration=Calibration.from_arrays(arrays, "calibration."),
            likelihood=Likelihood.from_arrays(arrays, "likelihood."),
            pooled=PooledModel.from_arrays(arrays, "pooled.") if "pooled.value" in arrays else None,
        )
        return self


def _compressed_about(least: float, loss: FloatArray, unit: float) -> FloatArray:
    """Return losses on the compressed scale that begins at `least`; what is below it is mirrored."""
    above = loss - least
    return np.asarray(np.sign(above) * compressed(np.abs(above), unit))
