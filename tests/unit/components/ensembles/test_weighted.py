"""Weighted ensembles are ordinary estimators that average their members."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from autometa.components.ensembles import WeightedEnsembleClassifier, WeightedEnsembleRegressor
from autometa.engine.persistence import load_model, save_model
from autometa.foundation.errors import ParameterError

CLASSIFIERS = [("logistic", LogisticRegression(max_iter=1000)), ("bayes", GaussianNB())]
REGRESSORS = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3, random_state=0))]


@pytest.mark.filterwarnings("ignore")  # the checks themselves fit degenerate tables that warn by design
@parametrize_with_checks(
    [WeightedEnsembleClassifier(CLASSIFIERS, weights=[2, 1]), WeightedEnsembleRegressor(REGRESSORS)]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_probabilities_are_the_weighted_mean_of_the_members():
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = y.map({0: "setosa", 1: "versicolor", 2: "virginica"})
    model = WeightedEnsembleClassifier(CLASSIFIERS, weights=[3, 1]).fit(X, names)
    expected = 0.75 * clone(CLASSIFIERS[0][1]).fit(X, names).predict_proba(X) + 0.25 * clone(
        CLASSIFIERS[1][1]
    ).fit(X, names).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected)
    np.testing.assert_array_equal(model.predict(X), model.classes_[expected.argmax(axis=1)])
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X.rename(columns={X.columns[0]: "other"}))


def test_numbers_are_the_weighted_mean_of_the_members():
    X, y = load_diabetes(return_X_y=True)
    model = WeightedEnsembleRegressor(REGRESSORS, weights=[1, 3]).fit(X, y)
    ridge, tree = (clone(member).fit(X, y).predict(X) for _, member in REGRESSORS)
    np.testing.assert_allclose(model.predict(X), 0.25 * ridge + 0.75 * tree)


def test_members_are_parameters():
    model = WeightedEnsembleClassifier(CLASSIFIERS).set_params(logistic__C=0.5)
    assert clone(model).get_params()["logistic__C"] == 0.5
    CLASSIFIERS[0][1].set_params(C=1.0)


@pytest.mark.parametrize(
    ("estimators", "weights", "complaint"),
    [
        ([], None, "at least one"),
        ([("a", GaussianNB()), ("a", GaussianNB())], None, "a name of its own"),
        (CLASSIFIERS, [1.0], "2 numbers"),
        (CLASSIFIERS, [1.0, -0.5], "not negative"),
        (CLASSIFIERS, [0.0, 0.0], "not all zero"),
        (CLASSIFIERS, [1.0, np.nan], "not negative"),
    ],
)
def test_members_and_weights_must_fit(estimators, weights, complaint):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ParameterError, match=complaint):
        WeightedEnsembleClassifier(estimators, weights=weights).fit(X, y)


def test_it_travels_without_pickle(tmp_path: Path):
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = WeightedEnsembleClassifier(CLASSIFIERS, weights=[3, 1]).fit(pd.DataFrame(X), y)
    again = load_model(save_model(model, tmp_path / "model.skops"))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
