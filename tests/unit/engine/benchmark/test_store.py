from __future__ import annotations

import json

import numpy as np
import pytest

from autometa.components.experiments import Outcome
from autometa.engine.benchmark import store as store_module
from autometa.engine.benchmark.store import JOURNAL_FILE, BenchmarkStore, export_results
from autometa.engine.benchmark.table import RESULTS_FILE, predictions_path, read_predictions, read_results
from autometa.engine.benchmark.work import BenchmarkCell, CellResult, Predictions, TaskFacts
from autometa.foundation.errors import StoreError
from tests.benchmark_helpers import Toy

PROTOCOL = {"benchmark": 1, "suite": "small", "seconds": 5.0}
FACTS = TaskFacts(
    "openml-task:3", "three", "binary", "official", 3, 30, 100, 4, 2, ((0, 0, 0, 90, 10), (0, 1, 0, 90, 2))
)
CLASSES = np.array(["a", "b"])


def cell(place=0, **changes):
    return BenchmarkCell(
        **{
            "task": "openml-task:3",
            "place": place,
            "repeat": 0,
            "fold": place,
            "sample": 0,
            "system": "toy-tree",
            "seed": 0,
            **changes,
        }
    )


def outcome(status="ok", **changes):
    predicted = Predictions(
        np.array([7, 9]), CLASSES, CLASSES[::-1], np.array([[0.25, 0.75], [0.5, 0.5]]), CLASSES
    )
    facts = {
        "scores": {"log_loss": 0.5},
        "chosen": "linear-1",
        "fit_seconds": 0.1,
        "predict_seconds": 0.2,
        "started_at": "2026-11-21T12:00:00+00:00",
        "versions": '{"numpy": "2"}',
        "platform": "Linux",
        "predictions": predicted if status == "ok" else None,
    }
    return Outcome("ok", CellResult(status, **{**facts, **changes}), peak_memory=1000)


@pytest.fixture
def store(tmp_path):
    with BenchmarkStore(tmp_path, PROTOCOL) as opened:
        opened.add_task(FACTS)
        opened.add_system(Toy(), Toy().configuration())
        yield opened


def test_a_result_is_a_row_with_its_predictions(store, tmp_path):
    assert store.add_result(cell(1), outcome(), cores=2) == "ok"
    results = read_results([export_results(tmp_path)])
    row = results.iloc[0]
    assert len(results) == 1
    assert row[["suite", "task", "task_id", "dataset", "split_source", "fold"]].tolist() == [
        "small",
        "openml-task:3",
        3,
        "three",
        "official",
        1,
    ]
    assert row[["n_train", "n_test", "n_features", "n_classes", "cores"]].tolist() == [90, 2, 4, 2, 2]
    assert json.loads(row["configuration"]) == {"kind": "toy", "mode": "tree"}
    assert row[["status", "message", "log_loss", "peak_memory"]].tolist() == ["ok", None, 0.5, 1000]
    predictions = read_predictions(tmp_path, row)
    assert predictions.to_dict(orient="list") == {
        "row_id": [7, 9],
        "truth": ["a", "b"],
        "prediction": ["b", "a"],
        "confidence.a": [0.25, 0.5],
        "confidence.b": [0.75, 0.5],
    }


def test_a_cell_that_did_not_come_back_is_a_row_too(store, tmp_path):
    crash = Outcome("crash", message="The process died of SIGSEGV.", peak_memory=5)
    assert store.add_result(cell(), crash, cores=1) == "crash"
    row = read_results([export_results(tmp_path)]).iloc[0]
    assert row[["status", "message", "peak_memory"]].tolist() == ["crash", "The process died of SIGSEGV.", 5]
    assert not np.isfinite(row["log_loss"])
    assert not predictions_path(tmp_path, row).exists()


def test_a_cell_that_did_not_come_back_ran_where_it_said_as_it_began(store, tmp_path):
    note = {"started_at": "2026-11-21T12:00:00+00:00", "versions": '{"numpy": "2"}', "platform": "a worker's"}
    store.add_result(cell(0), Outcome("timeout", message="Ran past 5 s.", seconds=5.0, note=note), cores=1)
    store.add_result(cell(1), Outcome("crash", message="The process died of SIGKILL."), cores=1)
    rows = read_results([export_results(tmp_path)]).set_index("fold")
    assert rows.loc[0, ["versions", "platform", "fit_seconds"]].tolist() == ['{"numpy": "2"}', "a worker's", 5.0]
    assert rows.loc[0, "started_at"].isoformat() == note["started_at"]
    assert rows.loc[1, ["versions", "platform"]].tolist() == ["{}", "unknown"]


def test_what_is_done_is_known_after_opening_again_and_a_second_result_takes_the_place_of_the_first(tmp_path):
    with BenchmarkStore(tmp_path, PROTOCOL) as first:
        first.add_task(FACTS)
        first.add_system(Toy(), Toy().configuration())
        first.add_result(cell(0), outcome("error", message="no"), cores=1)
        first.add_result(cell(1), outcome(), cores=1)
    with BenchmarkStore(tmp_path, PROTOCOL) as second:
        assert second.facts == {FACTS.task: FACTS}
        assert second.done() == {cell(0).key, cell(1).key}
        assert second.done(again=["error"]) == {cell(1).key}
        second.add_system(Toy(), Toy().configuration())
        second.add_result(cell(0), outcome(chosen="later"), cores=1)
        assert second.done(again=["error"]) == {cell(0).key, cell(1).key}
    results = read_results([export_results(tmp_path)]).set_index("fold")
    assert results["status"].to_dict() == {0: "ok", 1: "ok"}
    assert results.loc[0, "chosen"] == "later"


def test_a_process_that_dies_while_it_replaces_predictions_leaves_a_cell_to_be_run(tmp_path, monkeypatch):
    class Killed(BaseException):
        """Stands for SIGKILL between two steps."""

    path = predictions_path(tmp_path, ("small", *cell().key))
    with BenchmarkStore(tmp_path, PROTOCOL) as store:
        store.add_task(FACTS)
        store.add_system(Toy(), Toy().configuration())
        store.add_result(cell(0), outcome(), cores=1)
        store.add_result(cell(1), outcome(), cores=1)
        before = path.read_bytes()
        others = Predictions(np.array([7, 9]), CLASSES, CLASSES, np.array([[1.0, 0.0], [0.0, 1.0]]), CLASSES)

        def append(kind, record, to_the_file=store.journal.append):
            if kind == "result":
                raise Killed
            to_the_file(kind, record)

        monkeypatch.setattr(store.journal, "append", append)
        with pytest.raises(Killed):
            store.add_result(cell(0), outcome(predictions=others), cores=1)
    assert path.read_bytes() != before
    with BenchmarkStore(tmp_path, PROTOCOL) as again:
        assert again.done() == {cell(1).key}
        assert read_results([export_results(tmp_path)])["fold"].tolist() == [1]
        again.add_result(cell(0), outcome(predictions=others), cores=1)
    assert read_results([export_results(tmp_path)])["fold"].tolist() == [1, 0]


def test_a_failure_in_place_of_a_result_leaves_no_predictions(store, tmp_path):
    store.add_result(cell(), outcome(), cores=1)
    store.add_result(cell(), Outcome("timeout", message="Ran past 5 s.", seconds=5.0), cores=1)
    row = read_results([export_results(tmp_path)]).iloc[0]
    assert row["status"] == "timeout"
    assert not predictions_path(tmp_path, row).exists()


def test_a_line_that_was_cut_off_costs_that_result_only(store, tmp_path):
    store.add_result(cell(0), outcome(), cores=1)
    store.add_result(cell(1), outcome(), cores=1)
    store.close()
    journal = tmp_path / JOURNAL_FILE
    journal.write_bytes(journal.read_bytes()[:-9])
    with BenchmarkStore(tmp_path, PROTOCOL) as again:
        assert again.done() == {cell(0).key}
        again.add_result(cell(1), outcome(), cores=1)
    assert len(read_results([export_results(tmp_path)])) == 2


def test_a_table_that_another_process_is_just_writing_is_left_to_it(store, tmp_path):
    store.add_result(cell(), outcome(), cores=1)
    other = tmp_path / f"{RESULTS_FILE}.0.partial"
    other.write_text("half a table")
    assert len(read_results([export_results(tmp_path)])) == 1
    assert other.read_text() == "half a table"
    assert {path.name for path in tmp_path.glob("results*")} == {RESULTS_FILE, other.name}


def test_an_interrupted_export_leaves_the_table_as_it_was(store, tmp_path, monkeypatch):
    store.add_result(cell(), outcome(), cores=1)
    before = export_results(tmp_path).read_bytes()
    store.add_result(cell(1), outcome(), cores=1)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(store_module, "_row", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_results(tmp_path)
    assert [path.name for path in tmp_path.glob("results*")] == [RESULTS_FILE]
    assert (tmp_path / RESULTS_FILE).read_bytes() == before


def test_results_under_other_settings_are_not_mixed(store, tmp_path):
    with pytest.raises(StoreError, match="with another configuration"):
        store.add_system(Toy(), {"kind": "toy", "mode": "other"})
    store.close()
    with pytest.raises(StoreError, match=r"seconds: 5\.0 there, 9\.0 asked"):
        BenchmarkStore(tmp_path, {**PROTOCOL, "seconds": 9.0})
    with BenchmarkStore(tmp_path, PROTOCOL), pytest.raises(StoreError, match="written by another process"):
        BenchmarkStore(tmp_path, PROTOCOL)


def test_numbers_are_kept_as_numbers(store, tmp_path):
    values = np.array([0.1, 1 / 3])
    store.add_result(cell(1), outcome(predictions=Predictions(np.array([1, 2]), values, values)), cores=1)
    found = read_predictions(tmp_path, ("small", *cell(1).key))
    assert found["prediction"].tolist() == values.tolist()
    assert list(found.columns) == ["row_id", "truth", "prediction"]
