from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from autometa.components.strategies.preprocessing import Recipe, TablePreprocessor, make_recipe
from autometa.domain import ColumnCanonicalizer, Task


def canonical(table, roles=None):
    return ColumnCanonicalizer(roles=roles).fit_transform(table)


@pytest.fixture
def y():
    return np.arange(80) % 2


@pytest.fixture
def generator():
    return np.random.default_rng(0)


class TestWidths:
    def test_numbers_stay_one_column_each_and_gaps_get_an_indicator(self, y, generator):
        table = canonical(pd.DataFrame({"a": generator.normal(size=80), "b": [np.nan, 1.0, 2.0, 3.0] * 20}))
        matrix = TablePreprocessor().fit_transform(table, y)
        assert matrix.shape == (80, 3)
        np.testing.assert_array_equal(matrix[:, 2], table["b"].isna())

    def test_constant_and_empty_columns_are_dropped(self, y, generator):
        table = canonical(pd.DataFrame({"a": generator.normal(size=80), "b": 1.0, "c": np.nan}))
        assert TablePreprocessor().fit_transform(table, y).shape == (80, 1)

    @pytest.mark.parametrize("features", ["linear", "splines", "bins", "interactions", "full"])
    def test_a_table_without_information_gives_zeros(self, y, features):
        matrix = TablePreprocessor(features=features).fit_transform(canonical(pd.DataFrame({"b": np.ones(80)})), y)
        np.testing.assert_array_equal(matrix, np.zeros((80, 2 if features in ("interactions", "full") else 1)))

    def test_a_hundred_thousand_categories_stay_narrow(self):
        table = pd.DataFrame({"id": [f"u{i}" for i in range(100_000)]})
        target = np.arange(100_000) % 2
        matrix = TablePreprocessor(random_state=0).fit_transform(canonical(table), target)
        assert matrix.shape[1] <= 32
        assert np.isfinite(matrix).all()

    def test_many_categorical_columns_share_the_width(self, generator):
        table = pd.DataFrame({f"c{j}": generator.integers(0, 25, 60).astype(str) for j in range(150)})
        roles = dict.fromkeys(table, "categorical")
        matrix = TablePreprocessor().fit_transform(canonical(table, roles), np.arange(60) % 3)
        assert matrix.shape[1] <= 1_500 + 150

    def test_target_encodings_are_left_out_for_many_classes(self):
        table = canonical(pd.DataFrame({"many": [f"v{i % 40}" for i in range(200)]}))
        few = TablePreprocessor(random_state=0).fit_transform(table, np.arange(200) % 10)
        many = TablePreprocessor(random_state=0).fit_transform(table, np.arange(200) % 20)
        assert few.shape[1] == many.shape[1] + 10


class TestEncodings:
    def test_target_encoding_of_an_identifier_does_not_leak_the_label(self, y):
        table = canonical(pd.DataFrame({"id": [f"u{i}" for i in range(80)]}))
        labels = np.random.default_rng(3).permutation(y)
        matrix = TablePreprocessor(random_state=0).fit_transform(table, labels)
        assert abs(np.corrcoef(matrix[:, -1], labels)[0, 1]) < 0.4  # encoded with its own label it would be 1

    def test_target_encoding_tells_informative_levels_apart(self):
        table = canonical(pd.DataFrame({"many": [f"v{i % 40}" for i in range(400)]}))
        target = (np.arange(400) % 40 < 20).astype(float)
        matrix = TablePreprocessor(classification=False, random_state=0).fit_transform(table, target)
        assert np.corrcoef(matrix[:, -1], target)[0, 1] > 0.95

    def test_unseen_levels_and_missing_cells_are_taken(self, y):
        table = pd.DataFrame({"c": ["p", "q"] * 40})
        canonicalizer = ColumnCanonicalizer().fit(table)
        preprocessor = TablePreprocessor().fit(canonicalizer.transform(table), y)
        new = preprocessor.transform(canonicalizer.transform(pd.DataFrame({"c": ["r", None, "p"]})))
        np.testing.assert_array_equal(new, [[0, 0], [0, 0], [1, 0]])

    def test_dates_become_numbers_that_grow_with_time(self):
        table = canonical(pd.DataFrame({"when": pd.date_range("2020-01-01", periods=80, freq="31h")}))
        matrix = TablePreprocessor(classification=False).fit_transform(table, np.arange(80.0))
        growth = [np.corrcoef(column, np.arange(80))[0, 1] for column in matrix.T if np.ptp(column)]
        assert max(growth) > 0.999
        assert np.isfinite(matrix).all()

    def test_text_separates_topics(self, generator):
        topics = {0: ["ore", "mine", "steel"], 1: ["loaf", "oven", "flour"]}
        y = np.arange(80) % 2
        texts = pd.DataFrame(
            {"text": [" ".join(generator.choice(topics[k], 5)) + f" {i}" for i, k in enumerate(y)]}
        )
        matrix = TablePreprocessor(random_state=0).fit_transform(canonical(texts, {"text": "text"}), y)
        assert LogisticRegression().fit(matrix[:40], y[:40]).score(matrix[40:], y[40:]) == 1.0

    def test_empty_texts_are_taken(self, y):
        texts = canonical(pd.DataFrame({"text": [""] * 79 + ["one word"]}), {"text": "text"})
        assert np.isfinite(TablePreprocessor(random_state=0).fit_transform(texts, y)).all()

    def test_without_scaling_numbers_and_gaps_come_through(self, y, generator):
        values = generator.normal(size=80) * 1e6
        values[5] = np.nan
        matrix = TablePreprocessor(scaling="none").fit_transform(canonical(pd.DataFrame({"a": values})), y)
        np.testing.assert_array_equal(matrix[:, 0], values)


class TestRecipe:
    def test_roles_of_the_task_are_kept_and_a_clone_fits(self, y):
        table = pd.DataFrame({"code": np.arange(80) % 3})
        task = Task.from_arrays(table, y, roles={"code": "categorical"})
        recipe = clone(make_recipe(task, TablePreprocessor(), LogisticRegression())).fit(task.X, task.y)
        assert isinstance(recipe, Recipe)
        assert recipe.named_steps["table"].n_features_out_ == 3

    def test_capped_iterations_do_not_warn(self, y, generator):
        task = Task.from_arrays(generator.normal(size=(80, 5)), y)
        recipe = make_recipe(task, TablePreprocessor(), LogisticRegression(C=1e6, max_iter=1)).fit(task.X, task.y)
        assert recipe.named_steps["learner"].n_iter_[0] == 1  # a ConvergenceWarning would be an error here

    def test_the_matrix_of_new_rows_does_not_depend_on_each_other(self, y, generator):
        table = canonical(pd.DataFrame({"a": generator.lognormal(size=80), "b": ["p", "q"] * 40}))
        for scaling in ("standard", "quantile", "squash"):
            for features in ("linear", "splines", "bins", "interactions", "full"):
                preprocessor = TablePreprocessor(scaling=scaling, features=features, random_state=0).fit(table, y)
                batch = preprocessor.transform(table)
                np.testing.assert_allclose(preprocessor.transform(table.iloc[[9]])[0], batch[9])
                assert batch.shape[1] == preprocessor.n_features_out_ == len(preprocessor.get_feature_names_out())
