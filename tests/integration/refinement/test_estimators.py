"""The AutoMeta estimators with a time budget: refined, kept to, stored."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes

from autometa import AutoMetaClassifier, AutoMetaRegressor
from autometa.engine import estimators
from autometa.engine.persistence import load_model, save_model
from autometa.engine.refinement import Choice, Member
from autometa.plugins import Registry
from tests.integration.evidence.strategies import Drowsy, Good, Guess


def test_a_candidate_that_sleeps_on_more_rows_is_dropped_and_the_budget_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the subsamples it is as good as the other; on the folds and on the whole table it would take minutes."""
    registry = Registry({strategy.name: strategy for strategy in (Good(), Drowsy(), Guess())})
    for module in ("recommend", "recommendation", "estimators", "refinement.outcome"):
        monkeypatch.setattr(f"autometa.engine.{module}.get_registry", lambda: registry)
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    started = time.monotonic()
    model = AutoMetaClassifier(time_budget=30, random_state=0).fit(X, y)
    assert time.monotonic() - started < 120, "one fit sleeps for 200 s"
    assert "drowsy" not in set(model.leaderboard_["strategy"])
    assert model.leaderboard_["weight"].sum() == pytest.approx(1.0)


def test_without_a_budget_the_first_choice_is_fitted_and_listed_alone() -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = AutoMetaRegressor(strategies=["linear"], random_state=0).fit(X, y)
    (row,) = model.leaderboard_.to_dict(orient="records")
    best = model.recommendation_.best.candidate
    assert (row["candidate"], row["weight"], row["origin"]) == (best.id, 1.0, "recommended")
    assert np.isnan(row["cross_validated_score"])
    assert model.recommendation_.evidence is None


def test_an_ensemble_predicts_and_travels_without_pickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice is made up, so that no time matters."""
    monkeypatch.setattr(estimators, "refine", lambda task, recommendation, *_, **__: combined(recommendation))
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X, y = X.iloc[::3], y.iloc[::3]
    model = AutoMetaClassifier(strategies=["linear", "svm"], time_budget=0.5, random_state=0).fit(X, y)
    assert type(model.model_).__name__ == "WeightedEnsembleClassifier"
    assert model.model_.weights_.tolist() == [0.75, 0.25]
    again = load_model(save_model(model, tmp_path / "model.skops"))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    pd.testing.assert_frame_equal(again.leaderboard_, model.leaderboard_)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X.iloc[:, ::-1])


def combined(recommendation) -> Choice:
    first, second = (place.candidate for place in recommendation.ranking[:2])
    return Choice((Member(first, 0.75), Member(second, 0.25)))


def test_a_budget_buys_a_refined_regressor() -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = AutoMetaRegressor(strategies=["linear"], time_budget=6, ensemble=False, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.4
    board = model.leaderboard_
    assert board["weight"].sum() == pytest.approx(1.0)
    assert board["weight"].max() == 1.0
