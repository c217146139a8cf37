"""Models travel without pickle, and nothing that is not trusted is built."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autometa.domain.columns import ColumnCanonicalizer
from autometa.engine.persistence import load_model, save_model
from autometa.foundation.errors import FileFormatError, InputError


@pytest.fixture(scope="module")
def model() -> object:
    data = load_wine(as_frame=True)
    pipeline = make_pipeline(ColumnCanonicalizer(), StandardScaler(), LogisticRegression(max_iter=500))
    return pipeline.fit(data.data, data.target)


def test_round_trip_predicts_the_same(model: object, tmp_path: Path) -> None:
    X = load_wine(as_frame=True).data
    again = load_model(save_model(model, tmp_path / "model.skops"))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(FileFormatError, match="not a model"):
        load_model(path)


def test_foreign_types_are_refused_until_trusted(tmp_path: Path) -> None:
    from fractions import Fraction

    path = save_model([Fraction(1, 2)], tmp_path / "model.skops")
    with pytest.raises(FileFormatError, match="not trusted"):
        load_model(path)


def test_missing_file_and_folder_say_so(model: object, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="Cannot read"):
        load_model(tmp_path / "none.skops")
    with pytest.raises(InputError, match="Cannot write"):
        save_model(model, tmp_path / "no" / "folder.skops")


def test_functions_are_refused_even_of_trusted_packages(tmp_path: Path) -> None:
    from sklearn.preprocessing import FunctionTransformer

    path = save_model(FunctionTransformer(np.testing.measure), tmp_path / "model.skops")
    with pytest.raises(FileFormatError, match="not trusted"):
        load_model(path)


@pytest.mark.parametrize("strategy", ["linear", "svm", "kernel"])
def test_every_built_in_pipeline_travels(strategy: str, tmp_path: Path) -> None:
    from autometa.domain import Task
    from autometa.plugins import get_registry

    data = load_wine(as_frame=True)
    X = data.data.assign(letter=["a", "b"] * 89)
    task = Task.from_arrays(X, data.target)
    for candidate in get_registry().strategy(strategy).candidates(task)[::4]:
        recipe = get_registry().strategy(strategy).build(candidate.configuration, task, random_state=0)
        fitted = recipe.fit(task.X, task.y)
        again = load_model(save_model(fitted, tmp_path / "model.skops"))
        np.testing.assert_allclose(again.predict_proba(X), fitted.predict_proba(X))


def test_a_fitted_classifier_travels_without_training_rows(tmp_path: Path) -> None:
    from autometa import AutoMetaClassifier

    data = load_wine(as_frame=True)
    fitted = AutoMetaClassifier(strategies=["linear"], random_state=0).fit(data.data, data.target)
    assert fitted.recommendation_.source is None
    again = load_model(save_model(fitted, tmp_path / "model.skops"))
    np.testing.assert_allclose(again.predict_proba(data.data), fitted.predict_proba(data.data))
    assert again.recommendation_.best == fitted.recommendation_.best
