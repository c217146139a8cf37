"""AutoMetaClassifier and AutoMetaRegressor: recommend, then fit the best, as ordinary scikit-learn estimators."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from autometa.domain.columns import as_frame
from autometa.domain.table_checks import TableChecks
from autometa.domain.task import Task
from autometa.domain.weights import fit_estimator
from autometa.engine.constraints import Constraints
from autometa.engine.evidence import SearchProgress, Workers
from autometa.engine.inputs import as_task
from autometa.engine.recommend import recommend
from autometa.engine.refinement import (
    LEADERBOARD_COLUMNS,
    Choice,
    Member,
    Reserve,
    build,
    leaderboard,
    refine,
)
from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import FloatArray, LabelArray, RandomState
from autometa.plugins import get_registry

if TYPE_CHECKING:
    import os

    from autometa.engine.recommendation import Recommendation

__all__ = ["AutoMetaClassifier", "AutoMetaRegressor"]


class _AutoMetaEstimator(TableChecks, BaseEstimator):
    """What the classifier and the regressor share."""

    _type: str

    def __init__(
        self,
        *,
        metric: Any = None,
        roles: Mapping[str, str] | None = None,
        strategies: Iterable[str] | None = None,
        exclude: Iterable[str] = (),
        max_fit_seconds: float | None = None,
        max_predict_ms_per_row: float | None = None,
        max_memory_gb: float | None = None,
        interpretable: bool = False,
        time_budget: float | None = None,
        ensemble: bool = True,
        adjust: bool = True,
        policy: str = "proximity",
        knowledge: str | os.PathLike[str] | None = None,
        device: str = "auto",
        random_state: RandomState = None,
    ) -> None:
        self.metric = metric
        self.roles = roles
        self.strategies = strategies
        self.exclude = exclude
        self.max_fit_seconds = max_fit_seconds
        self.max_predict_ms_per_row = max_predict_ms_per_row
        self.max_memory_gb = max_memory_gb
        self.interpretable = interpretable
        self.time_budget = time_budget
        self.ensemble = ensemble
        self.adjust = adjust
        self.policy = policy
        self.knowledge = knowledge
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Recommend for the table, refine if there is a time budget, then fit what was chosen.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            Numbers, categories, strings, booleans, dates, missing values.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, in fits and scores. Candidates that take none are left out; preprocessing is not
            weighted.

        Returns
        -------
        self

        Raises
        ------
        AutoMetaError
            If the table or the target cannot be used, or no candidate is left: all are left out before anything is
            run, or, with a time budget, all were seen to break a limit.
        """
        started = time.monotonic()
        X, y = self._validated(X, y)
        task = Task.from_arrays(
            X, y, type=self._type, roles=self.roles, metric=self.metric, sample_weight=sample_weight
        )
        return self._fitted(task, started)

    def fit_task(self, task: Task, *, progress: Callable[[SearchProgress], None] | None = None) -> Self:
        """Fit on a `Task`: of a file, of OpenML, or of anything else that `autometa.as_task` takes.

        Parameters
        ----------
        task : Task
            Its metric and roles hold where the estimator's parameters say nothing.
        progress : callable, optional
            Called with a `SearchProgress` after every fit on a subsample.

        Returns
        -------
        self

        Raises
        ------
        AutoMetaError
            If the task is of the other kind, or no candidate is left.
        """
        started = time.monotonic()
        if task.is_classification != (self._type == "classification"):
            name = type(self).__name__
            raise ParameterError(f"{name} fits tasks of {self._type}; {task.name!r} is {task.type.value}.")
        validate_data(self, task.X, task.y, skip_check_array=True)
        return self._fitted(as_task(task, roles=self.roles, metric=self.metric), started, progress)

    def _fitted(
        self, task: Task, started: float, progress: Callable[[SearchProgress], None] | None = None
    ) -> Self:
        self._remember(task)
        # Stopped before the final fit, which has all cores.
        with nullcontext() if self.time_budget is None else Workers() as workers:
            self.recommendation_ = self._recommended(task, workers, progress)
            choice = self._refined(task, workers, started)
        self.leaderboard_: pd.DataFrame = leaderboard(choice, task)
        self.model_ = fit_estimator(build(choice, task, self.recommendation_), task.X, task.y, task.sample_weight)
        # A fitted estimator carries no training rows.
        self.recommendation_ = replace(self.recommendation_, source=None)
        return self

    def _recommended(
        self, task: Task, workers: Workers | None, progress: Callable[[SearchProgress], None] | None
    ) -> Recommendation:
        budget = self.time_budget
        return recommend(
            task,
            strategies=self.strategies,
            exclude=self.exclude,
            max_fit_seconds=self.max_fit_seconds,
            max_predict_ms_per_row=self.max_predict_ms_per_row,
            max_memory_gb=self.max_memory_gb,
            interpretable=self.interpretable,
            time_budget=budget,
            reserve_fit=False if workers is None else Reserve(budget or 0.0, task.n_samples, workers.n_workers),
            policy=self.policy,
            knowledge=self.knowledge,
            device=self.device,
            random_state=self.random_state,
            top_k=None,
            workers=workers,
            progress=progress,
        )

    def _refined(self, task: Task, workers: Workers | None, started: float) -> Choice:
        """Spend what is left of the time budget, unless there is none or the search was interrupted."""
        evidence = self.recommendation_.evidence
        choice = None
        if workers is not None and self.time_budget and evidence and evidence.ending != "interrupted":
            choice = refine(
                task,
                self.recommendation_,
                get_registry().select(self.strategies, self.exclude),
                workers=workers,
                deadline=started + self.time_budget,
                ensemble=self.ensemble,
                adjust=self.adjust,
                constraints=self._constraints(),
            )
        return choice or Choice((Member(self.recommendation_.best.candidate, 1.0),))

    def _constraints(self) -> Constraints:
        return Constraints(
            self.max_fit_seconds, self.max_predict_ms_per_row, self.max_memory_gb, self.interpretable
        )

    def _validated(self, X: Any, y: Any) -> tuple[Any, Any]:
        return self._checked_table(_with_names(X), y, ensure_min_samples=2)

    def _remember(self, task: Task) -> None:
        """Keep what the target tells; nothing by default."""

    def predict(self, X: Any) -> LabelArray:
        """Predict the target.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        checked = self._checked(X)
        return np.asarray(self.model_.predict(checked))

    def _checked(self, X: Any) -> Any:
        return super()._checked(_with_names(X))

    def __getstate__(self) -> dict[str, Any]:
        """Travel with the recommendation as text, so that the model can be stored without pickle."""
        state = dict(super().__getstate__())
        if "recommendation_" in state:
            state["recommendation_"] = state["recommendation_"].to_json()
            state["leaderboard_"] = state["leaderboard_"].to_dict(orient="list")
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        from autometa.engine.recommendation import Recommendation

        if "recommendation_" in state:
            recommendation = Recommendation.from_json(state["recommendation_"])
            board = pd.DataFrame(state["leaderboard_"], columns=LEADERBOARD_COLUMNS)
            state = {**state, "recommendation_": recommendation, "leaderboard_": board}
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _with_names(X: Any) -> Any:
    """Turn frames of other libraries (polars, pyarrow) into pandas; leave everything else as it is."""
    is_named = hasattr(X, "columns") or hasattr(X, "column_names")
    return as_frame(X) if is_named and not isinstance(X, pd.DataFrame) else X


class AutoMetaClassifier(ClassifierMixin, _AutoMetaEstimator):
    """A classifier that asks the policy which learner to be.

    Parameters
    ----------
    metric : str or scorer, optional
        One of log_loss (default), roc_auc, balanced_accuracy, accuracy, brier; or the name of a scorer of
        scikit-learn, or what ``make_scorer`` returns (see `recommend`).
    roles : mapping of column name to role, optional
        Overrides of the column roles that are found.
    strategies, exclude : iterables of str, optional
        Names of the strategies to choose from (default: all installed) and to leave out.
    max_fit_seconds : float, optional
        Candidates whose predicted fit takes longer are left out, and with a time budget those that were seen to.
    max_predict_ms_per_row : float, optional
        Candidates that are predicted to take more milliseconds per row, in batches of 1,000 rows, are left out;
        with a time budget, what was measured decides, and holds for all members of an ensemble together.
    max_memory_gb : float, optional
        Candidates whose fit is predicted to take more memory (1e9 bytes, besides the table) are left out, and with
        a time budget those that were seen to.
    interpretable : bool
        Whether only candidates may be chosen whose fitted model a person can read (`Strategy.is_interpretable`).
        No ensemble is made then.
    time_budget : float, optional
        Seconds for `fit`: fits on growing subsamples on all cores, cross-validation of the best candidates, tuning
        of the best strategies, then the final fit, which is the one part that is not stopped when it takes longer
        than predicted. Where the seconds do not suffice for cross-validation, the first choice after the
        subsamples is fitted. None fits the first choice at once.
    ensemble : bool
        Whether the result may be a weighted ensemble of several candidates, where cross-validation says that it is
        better than the best one by more than the standard error. It takes a time budget.
    adjust : bool
        Whether, where cross-validation says that it pays by more than the standard error, labels are chosen by
        weights of the classes (a decision threshold) for a metric of labels, or probabilities are tempered for
        ``log_loss`` and ``brier``. It takes a time budget. Then `predict` need not name the most probable class.
    policy : str
        Name of the policy.
    knowledge : path, optional
        Folder of a knowledge base to use instead of the shipped one.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
    random_state : int, optional

    Attributes
    ----------
    recommendation_ : Recommendation
    model_ : fitted estimator
        The chosen candidate, fitted, or a `WeightedEnsembleClassifier` of several; in an `AdjustedClassifier`
        where labels or probabilities are adjusted.
    leaderboard_ : DataFrame
        One row per cross-validated candidate, best first: candidate, strategy, configuration,
        cross_validated_score (in the metric's direction), fit_seconds (mean of the folds), weight (share in the
        prediction, 0 if it is not used) and origin ("recommended" or "refined"). Without cross-validation: the
        fitted candidate alone, score and seconds NaN.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features,)

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from autometa import AutoMetaClassifier
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> model = AutoMetaClassifier(random_state=0).fit(X, y)
    >>> model.predict_proba(X).shape
    (178, 3)
    """

    _type = "classification"

    def _validated(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = super()._validated(X, y)
        check_classification_targets(y)
        return X, y

    def _remember(self, task: Task) -> None:
        self.classes_ = task.classes

    def predict_proba(self, X: Any) -> FloatArray:
        """Predict class probabilities.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of float64, shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to one.
        """
        checked = self._checked(X)
        return np.asarray(self.model_.predict_proba(checked), dtype=np.float64)


class AutoMetaRegressor(RegressorMixin, _AutoMetaEstimator):
    """A regressor that asks the policy which learner to be.

    Parameters
    ----------
    metric : str or scorer, optional
        One of nrmse (default), nmae, r2, spearman; or the name of a scorer of scikit-learn, or what
        ``make_scorer`` returns (see `recommend`).
    roles : mapping of column name to role, optional
        Overrides of the column roles that are found.
    strategies, exclude : iterables of str, optional
        Names of the strategies to choose from (default: all installed) and to leave out.
    max_fit_seconds : float, optional
        Candidates whose predicted fit takes longer are left out, and with a time budget those that were seen to.
    max_predict_ms_per_row : float, optional
        Candidates that are predicted to take more milliseconds per row, in batches of 1,000 rows, are left out;
        with a time budget, what was measured decides, and holds for all members of an ensemble together.
    max_memory_gb : float, optional
        Candidates whose fit is predicted to take more memory (1e9 bytes, besides the table) are left out, and with
        a time budget those that were seen to.
    interpretable : bool
        Whether only candidates may be chosen whose fitted model a person can read (`Strategy.is_interpretable`).
        No ensemble is made then.
    time_budget : float, optional
        Seconds for `fit`: fits on growing subsamples on all cores, cross-validation of the best candidates, tuning
        of the best strategies, then the final fit, which is the one part that is not stopped when it takes longer
        than predicted. Where the seconds do not suffice for cross-validation, the first choice after the
        subsamples is fitted. None fits the first choice at once.
    ensemble : bool
        Whether the result may be a weighted ensemble of several candidates, where cross-validation says that it is
        better than the best one by more than the standard error. It takes a time budget.
    adjust : bool
        Nothing is adjusted in a regression.
    policy : str
        Name of the policy.
    knowledge : path, optional
        Folder of a knowledge base to use instead of the shipped one.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
    random_state : int, optional

    Attributes
    ----------
    recommendation_ : Recommendation
    model_ : fitted estimator
        The chosen candidate, fitted, or a `WeightedEnsembleRegressor` of several.
    leaderboard_ : DataFrame
        One row per cross-validated candidate, best first: candidate, strategy, configuration,
        cross_validated_score (in the metric's direction), fit_seconds (mean of the folds), weight (share in the
        prediction, 0 if it is not used) and origin ("recommended" or "refined"). Without cross-validation: the
        fitted candidate alone, score and seconds NaN.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features,)
    """

    _type = "regression"
