from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.metrics import log_loss

from autometa.preprocessing import EarlyStoppedClassifier, EarlyStoppedRegressor


class Dialect:
    """scikit-learn's gradient boosting, judged stage by stage; says what it was asked to do."""

    def __init__(self):
        self.asked = []

    def fit(self, learner, X, y, weight, n_rounds):
        self.asked.append(("fit", len(X), n_rounds))
        return learner.set_params(n_estimators=n_rounds).fit(X, y, sample_weight=weight)

    def count_rounds(self, learner, training, held_out, patience):
        X, y, weight = training
        self.asked.append(("count", X, y, held_out))
        learner.fit(X, y, sample_weight=weight)
        losses = [
            log_loss(held_out[1], p, labels=range(y.max() + 1)) for p in learner.staged_predict_proba(held_out[0])
        ]
        return int(np.argmin(losses)) + 1

    def prepare(self, X):
        return X


def noise(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, 3)), columns=["f0", "f1", "f2"]), rng.choice(["no", "yes"], n)


def classifier(dialect=None, **settings):
    learner = GradientBoostingClassifier(n_estimators=80, learning_rate=0.3, random_state=0)
    return EarlyStoppedClassifier(learner, dialect or Dialect(), random_state=0, **settings)


def test_noise_stops_at_once_and_structure_does_not():
    X, y = noise(800)
    structured = np.where(X["f0"] + X["f1"] > 0, "yes", "no")
    assert classifier().fit(X, y).n_rounds_ <= 5
    assert classifier().fit(X, structured).n_rounds_ >= 15


def test_the_last_fit_sees_every_row_and_the_first_one_none_that_judges():
    X, y = noise()
    model = classifier().fit(X, y)
    (_, seen, labels, held_out), (_, n_rows, n_rounds) = model.dialect.asked
    assert n_rows == len(X)
    assert n_rounds == model.n_rounds_
    assert len(seen) == len(labels) == 170
    assert seen.index.union(held_out[0].index).equals(X.index)
    assert not len(seen.index.intersection(held_out[0].index))


def test_a_class_with_one_row_is_never_held_out():
    X, y = noise(60)
    y = np.where(np.arange(60) == 17, "rare", y)
    for seed in range(12):
        model = classifier().set_params(random_state=seed, learner__n_estimators=5).fit(X, y)
        assert len(set(model.dialect.asked[0][2])) == 3
        assert model.predict_proba(X).shape == (60, 3)


def test_a_column_without_values_among_the_kept_rows_is_left_out_of_the_first_fit():
    X, y = noise(60)
    kept = classifier()
    kept.fit(X, y)
    held_out = kept.dialect.asked[0][3][0].index
    X = X.assign(f2=np.where(X.index.isin(held_out), 1.0, np.nan))
    seen = classifier()
    seen.dialect.fit = lambda *_: GradientBoostingClassifier()
    seen.fit(X, y)
    assert list(seen.dialect.asked[0][1].columns) == ["f0", "f1"]


def test_few_rows_get_the_default_number_of_rounds():
    X, y = noise(30)
    assert classifier(default_rounds=7).fit(X, y).n_rounds_ == 7


def test_nothing_to_learn_from_gives_the_shares_of_the_classes():
    _, y = noise(50)
    constant = pd.DataFrame({"f0": np.ones(50)})
    expected = [(y == "no").mean(), (y == "yes").mean()]
    np.testing.assert_allclose(classifier().fit(constant, y).predict_proba(constant)[0], expected)


def test_labels_come_back_as_they_were():
    X, y = noise(60)
    assert set(classifier().fit(X, y == "yes").predict(X)) <= {True, False}
    np.testing.assert_array_equal(classifier().fit(X, y).classes_, ["no", "yes"])


def test_weights_count():
    X, y = noise(30)
    weight = np.where(y == "yes", 50.0, 1.0)
    plain, weighted = (classifier(default_rounds=2).fit(X, y, sample_weight=w) for w in (None, weight))
    assert weighted.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean()


def test_regression_predicts_numbers():
    X, _ = noise(30)
    model = EarlyStoppedRegressor(GradientBoostingRegressor(random_state=0), Dialect(), default_rounds=20)
    predicted = model.fit(X, X["f0"]).predict(X)
    assert predicted.shape == (30,)
    assert np.corrcoef(predicted, X["f0"])[0, 1] > 0.9


def test_it_refuses_to_predict_before_it_is_fitted():
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        classifier().predict(noise()[0])


@pytest.mark.filterwarnings("ignore:The number of unique classes is greater than 50%:UserWarning")
def test_only_lone_classes_to_hold_out_means_the_default_number_of_rounds():
    X, _ = noise(40)
    y = np.array([f"c{min(i, 19)}" for i in range(40)])  # nineteen classes of one row
    for seed in (191, 192):  # with the second, six lone rows are drawn and no other
        model = classifier(default_rounds=3).set_params(random_state=seed).fit(X, y)
        assert model.predict_proba(X).shape == (40, 20)


def test_that_a_value_is_missing_can_be_the_whole_signal():
    missing = np.arange(60) % 2 == 0
    X = pd.DataFrame({"f0": np.where(missing, np.nan, 1.0)})
    dialect = Dialect()
    dialect.prepare = lambda table: table.fillna(0.0)
    dialect.fit = lambda learner, table, y, weight, n_rounds: learner.fit(table.fillna(0.0), y)
    dialect.count_rounds = lambda *_: 5
    model = classifier(dialect).fit(X, missing)
    assert (model.predict(X) == missing).all()
