from __future__ import annotations

import json
import math

from autometa.components.experiments import EVALUATION, done_keys, evaluation_record, evaluations_frame
from autometa.domain import Evaluation


def record(status="ok", split=0, **more):
    found = evaluation_record(Evaluation("t", split, 0, "c-1", status, **more))
    return {"kind": EVALUATION, **json.loads(json.dumps(found).replace("NaN", "null"))}


def test_an_evaluation_survives_the_journal():
    frame = evaluations_frame([{"kind": "run"}, record(scores={"accuracy": 0.5}, fit_seconds=1.5, n_train=9)])
    row = frame.iloc[0]
    assert (row["task"], row["split"], row["train_size"], row["candidate"]) == ("t", 0, 0, "c-1")
    assert (row["status"], row["accuracy"], row["fit_seconds"], row["n_train"]) == ("ok", 0.5, 1.5, 9)
    assert math.isnan(row["log_loss"])
    assert math.isnan(row["predict_seconds"])


def test_the_last_result_of_a_cell_counts():
    records = [record("error", message="no"), record("ok", split=1), record("ok")]
    assert evaluations_frame(records)[["split", "status"]].values.tolist() == [[0, "ok"], [1, "ok"]]


def test_cells_to_run_again_are_not_done():
    records = [record("error"), record("timeout", split=1)]
    assert done_keys(records) == {("t", 0, 0, "c-1"), ("t", 1, 0, "c-1")}
    assert done_keys(records, again=["error"]) == {("t", 1, 0, "c-1")}
    assert done_keys([*records, record("ok")], again=["error"]) == done_keys(records)


def test_nothing_makes_an_empty_table():
    assert evaluations_frame([]).empty
    assert "log_loss" in evaluations_frame([])
