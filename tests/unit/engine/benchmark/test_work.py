from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris

from autometa.components.openml import OpenMLTable
from autometa.domain import Task
from autometa.engine.benchmark import sources
from autometa.engine.benchmark.sources import BenchmarkSource, Fold, PosedTask
from autometa.engine.benchmark.work import BenchmarkCell, BenchmarkWork, NotLoaded, SurveyJob
from autometa.foundation.errors import BenchmarkError, OpenMLNotFoundError
from autometa.foundation.settings import settings_context
from tests.benchmark_helpers import Toy


@dataclass
class Bundled:
    """Poses bundled tables, and counts."""

    loads: Counter = field(default_factory=Counter)

    def load(self, key):
        self.loads[key] += 1
        if key == "gone":
            raise OpenMLNotFoundError("There is no such task.")
        X, y = (load_diabetes if key == "numbers" else load_iris)(return_X_y=True)
        task = Task.from_arrays(X, y, name=key, task_id=59)
        rows = np.random.default_rng(0).permutation(task.n_samples)
        return PosedTask(task, rows + 1000, (Fold(0, 0, 0, rows[:100], rows[100:]),), "official")

    def content(self, key):
        return f"of {key}"


@pytest.fixture
def work():
    toys = [Toy(), Toy("dummy"), Toy("raise")]
    return BenchmarkWork(Bundled(), {toy.name: toy for toy in toys}, seconds=5.0)


def do(work, system="toy-tree", task="iris"):
    return work(BenchmarkCell(task, 0, 0, 0, 0, system, 0), lambda note=None: None)


def test_a_task_is_loaded_once_for_all_cells_on_it_and_the_last_two_are_kept(work):
    for task in ("iris", "iris", "numbers", "iris", "other", "iris"):
        do(work, task=task)
    assert work.source.loads == {"iris": 2, "numbers": 1, "other": 1}


def test_the_test_rows_are_scored_and_kept_with_their_published_positions(work):
    found = do(work)
    posed = Bundled().load("iris")
    test = posed.folds[0].test
    assert (found.status, found.message) == ("ok", None)
    assert found.scores["accuracy"] == np.mean(found.predictions.values == posed.task.y[test])
    assert found.predictions.row_ids.tolist() == posed.row_ids[test].tolist()
    assert found.predictions.probabilities.shape == (50, 3)
    assert found.fit_seconds > 0
    numbers = do(work, task="numbers")
    assert numbers.predictions.probabilities is None
    assert set(numbers.scores) == {"nrmse", "nmae", "r2", "spearman"}


def test_a_system_that_raises_is_a_result_and_a_task_that_cannot_be_read_is_none(work):
    found = do(work, "toy-raise")
    assert (found.status, found.message) == ("error", "ValueError: on purpose")
    assert found.started_at
    assert do(work, task="gone") == NotLoaded("OpenMLNotFoundError: There is no such task.")


def test_a_survey_notes_sizes_and_splits(work):
    facts = work(SurveyJob("iris"), lambda note=None: None)
    assert (facts.dataset, facts.task_type, facts.task_id, facts.n_classes) == ("iris", "multiclass", 59, 3)
    assert facts.splits == ((0, 0, 0, 100, 50),)
    assert facts.content == "of iris"
    assert work(SurveyJob("numbers"), lambda note=None: None).n_classes is None


class Server:
    """Gives one table with a row that has no target."""

    def __init__(self, *args):
        pass

    def task(self, key):
        frame = pd.DataFrame({"a": np.arange(80.0), "target": pd.Categorical(["x", "y"] * 40)})
        frame.loc[3, "target"] = None
        rows = np.arange(80)
        splits = tuple((rows[rows % 4 != fold], rows[rows % 4 == fold]) for fold in range(4))
        numbers = tuple((0, fold) for fold in range(4))
        return OpenMLTable(
            frame,
            "target",
            "made up",
            7,
            int(key),
            "classification",
            splits if key != "5" else None,
            ("target",),
            split_numbers=numbers if key != "5" else (),
        )


def test_rows_without_a_target_are_in_no_split_and_the_others_keep_their_positions(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "OpenMLClient", Server)
    posed = BenchmarkSource(None, "", tmp_path).load("openml-task:59")
    assert posed.task.n_samples == 79
    assert [(fold.repeat, fold.fold) for fold in posed.folds] == [(0, 0), (0, 1), (0, 2), (0, 3)]
    for number, fold in enumerate(posed.folds):
        published = posed.row_ids[fold.test]
        assert published.tolist() == [row for row in range(number, 80, 4) if row != 3]
        assert posed.task.X["a"].iloc[fold.test].tolist() == published.tolist()
        assert len(np.intersect1d(fold.train, fold.test)) == 0
        assert len(fold.train) + len(fold.test) == 79


def test_a_task_whose_splits_the_server_cannot_make_gets_own_ones_only_if_asked(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "OpenMLClient", Server)
    source = BenchmarkSource(None, "", tmp_path)
    with pytest.raises(BenchmarkError, match="--own-splits N"):
        source.load("openml-task:5")
    posed = replace(source, own_splits=3).load("openml-task:5")
    assert (posed.split_source, [fold.repeat for fold in posed.folds]) == ("own", [0, 1, 2])
    assert replace(source, own_splits=3).load("openml-task:59").split_source == "official"


def test_a_worker_that_cannot_write_to_the_coordinators_cache_uses_its_own(monkeypatch, tmp_path):
    used = []
    monkeypatch.setattr(sources, "OpenMLClient", lambda server, cache, offline: used.append(cache) or Server())
    (tmp_path / "file").write_text("")
    with settings_context(cache_directory=tmp_path / "own"):
        BenchmarkSource(None, "", tmp_path / "file" / "cache").load("openml-task:59")
        BenchmarkSource(None, "", tmp_path / "shared").load("openml-task:59")
    assert used == [tmp_path / "own", tmp_path / "shared"]
