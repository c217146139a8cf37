"""Collecting for real: bundled tables, killed with SIGKILL in the middle, resumed, exported, extended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest

from autometa.components.experiments import evaluations_frame, read_journal
from autometa.components.knowledge import KnowledgeBase
from autometa.components.metafeatures import extract
from autometa.components.openml.folder import OpenMLFolder
from autometa.domain import holdout_splits, nested_subsample
from autometa.engine import collection
from autometa.engine.collection import Protocol, build_knowledge, export_knowledge
from autometa.engine.extension import extend_knowledge
from autometa.foundation.errors import KnowledgeError, ParameterError, StoreError
from tests.experiment_helpers import Broken, Misbehaving, make_registry, write_folder

# A workspace's whole path, called as a user's script would; arguments: folder, workspace.
SCRIPT = """
import sys
from autometa.engine import collection
from tests.experiment_helpers import make_registry
if __name__ == "__main__":
    collection.get_registry = make_registry
    collection.build_knowledge(
        sys.argv[1], sys.argv[2], strategies=["misbehaving"], sizes=(0, 64), n_splits=2, n_jobs=2
    )
"""
OPTIONS = {"strategies": ["misbehaving"], "sizes": (0, 64), "n_splits": 2, "n_jobs": 1, "backend": "sequential"}
RANDOM_COLUMNS = ["fit_seconds", "predict_seconds", "peak_memory"]


@pytest.fixture(scope="module", autouse=True)
def installed():
    """Install the test's strategy beside the built-in linear one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collection, "get_registry", make_registry)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("data") / "openml")


@pytest.fixture(scope="module")
def workspace(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "workspace"
    build_knowledge(folder, path, **OPTIONS, output=path.parent / "kb")
    return path


def records(workspace):
    return list(read_journal(workspace / "journal.jsonl"))


def evaluations(workspace):
    return evaluations_frame(records(workspace)).drop(columns=RANDOM_COLUMNS)


def test_every_cell_is_evaluated_breadth_first(workspace):
    cells = [r for r in records(workspace) if r["kind"] == "evaluation"]
    assert Counter(r["status"] for r in cells) == {"ok": 3 * 2 * 2 * 4}
    passes = [(r["split"], r["train_size"]) for r in cells]
    assert sorted(set(passes), key=passes.index) == [(0, 0), (0, 64), (1, 0), (1, 64)]
    assert passes == sorted(passes, key=[(0, 0), (0, 64), (1, 0), (1, 64)].index)


def test_datasets_that_cannot_be_used_are_left_out_with_their_reason(workspace):
    reasons = {r["task"]: r["reason"] for r in records(workspace) if r["kind"] == "skip"}
    assert set(reasons) == {"openml-11", "openml-12", "openml-13"}
    assert "15 rows" in reasons["openml-11"]
    assert "2001 features" in reasons["openml-12"]
    assert "FileFormatError" in reasons["openml-13"]


def test_no_test_row_gets_into_the_metafeatures(workspace, folder):
    rows = {(r["task"], r["train_size"]): r for r in records(workspace) if r["kind"] == "metafeatures"}
    task = OpenMLFolder(folder).load("openml-1")
    split = holdout_splits(task, 1)[0]
    train = nested_subsample(task.y, split.train, 64)
    for size, chosen in ((0, split.train), (64, train)):
        expected = extract(task.take(chosen))
        stored = [np.nan if value is None else value for value in rows["openml-1", size]["values"].values()]
        np.testing.assert_allclose(stored, expected.values, rtol=1e-9)
        assert rows["openml-1", size]["n_train"] == len(chosen)


def test_the_knowledge_base_holds_it_all(workspace):
    base = KnowledgeBase.load(workspace.parent / "kb")
    meta = base.meta_dataset(True, "log_loss")
    assert meta.loss.shape == (4, 4)
    assert np.isfinite(meta.loss).all()
    assert meta.tasks["n_train"].tolist() == [125, 64, 105, 64]
    assert np.isfinite(meta.metafeatures).mean() > 0.8
    story = base.manifest.provenance
    assert story["protocol"] == Protocol().to_dict()
    assert story["runs"][0]["seconds_per_cell"] == 30.0
    assert set(story["skipped"]) == {"openml-11", "openml-12", "openml-13"}
    assert str(workspace) not in json.dumps(story)


def test_the_same_call_does_nothing_twice(workspace, folder):
    before = evaluations(workspace)
    build_knowledge(folder, workspace, **OPTIONS)
    assert Counter(r["kind"] for r in records(workspace))["evaluation"] == len(before)


def test_other_caps_are_not_mixed_in(workspace, folder):
    with pytest.raises(StoreError, match="max_train: 2000 there, 50 asked"):
        build_knowledge(folder, workspace, **OPTIONS, protocol=Protocol(max_train=50))


def test_caps_cut_the_rows(folder, tmp_path):
    rules = Protocol(max_train=50, max_test=20)
    base = build_knowledge(folder, tmp_path, **{**OPTIONS, "sizes": (0,), "n_splits": 1}, protocol=rules)
    assert set(base.evaluations["n_train"]) == {50}
    assert set(base.evaluations["n_test"]) == {20}


def test_a_description_that_failed_is_made_again_when_asked_for(workspace, folder, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    lines = (workspace / "journal.jsonl").read_text().splitlines(keepends=True)
    spoilt = [json.loads(line) for line in lines]
    for record in spoilt:
        if record.get("kind") == "metafeatures" and (record["task"], record["train_size"]) == ("openml-1", 64):
            record.update(status="error", message="on purpose", values={})
    (again / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in spoilt))

    def described():
        table = export_knowledge(again).metafeatures
        return len(table[(table["task"] == "openml-1") & (table["train_size"] == 64)])

    build_knowledge(folder, again, **OPTIONS)
    assert described() == 0
    build_knowledge(folder, again, **OPTIONS, run_again=["error"])
    assert described() == 1
    n_records = len(records(again))
    build_knowledge(folder, again, **OPTIONS, run_again=["error"])
    assert len(records(again)) == n_records + 3  # the run, and two surveys that fail again; no cell


@pytest.mark.parametrize(
    "protocol",
    [{"test_share": 0.3}, {**Protocol().to_dict(), "folds": 10}, {**Protocol().to_dict(), "max_train": "many"}, 7],
)
def test_a_knowledge_base_with_a_foreign_protocol_is_not_extended(workspace, folder, tmp_path, protocol):
    base = KnowledgeBase.load(workspace.parent / "kb")
    provenance = {**base.manifest.provenance, "protocol": protocol}
    foreign = replace(base, manifest=base.manifest.model_copy(update={"provenance": provenance}))
    with pytest.raises(KnowledgeError, match="protocol"):
        extend_knowledge(foreign, folder, tmp_path / "w", strategies=["linear"])
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": ()}, "sizes must be"),
        ({"sizes": (0, -1)}, "sizes must be"),
        ({"n_splits": 0}, "n_splits must be"),
        ({"strategies": ["nobody"]}, "No strategy is called 'nobody'"),
        ({"strategies": []}, "No strategy"),
        ({"seconds_per_cell": 0}, "limit of seconds"),
    ],
)
def test_arguments_are_checked_before_anything_is_written(folder, tmp_path, change, message):
    with pytest.raises(ParameterError, match=message):
        build_knowledge(folder, tmp_path / "w", **{**OPTIONS, **change})
    assert not (tmp_path / "w").exists()


def start(folder, workspace, script):
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([sys.executable, str(script), str(folder), str(workspace)], env=environment)


def wait_for(workspace, process, n):
    """Wait until the journal holds n more evaluations than now (the last may be cut off)."""
    journal = workspace / "journal.jsonl"
    end = time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b'"evaluation"') >= n):
        assert process.poll() is None, "the collection ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)


def test_killed_and_resumed_equals_uninterrupted(workspace, folder, tmp_path):
    killed = tmp_path / "killed"
    process = start(folder, killed, tmp_path / "run.py")
    wait_for(killed, process, 10)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 4  # two workers, two sandboxes
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]

    survived = len(evaluations(killed))
    assert survived >= 10 - 1
    assert len(export_knowledge(killed).evaluations) == survived
    with (killed / "journal.jsonl").open("ab") as file:
        file.write(b'{"kind":"evaluation","task":"openml-1","spl')  # as if killed in the middle of a line

    build_knowledge(folder, killed, **OPTIONS)
    again = [r for r in records(killed) if r["kind"] == "evaluation"]
    assert len(again) == len(evaluations(killed))  # nothing was done twice
    pd.testing.assert_frame_equal(evaluations(killed), evaluations(workspace))


def test_cells_that_failed_can_be_run_again(folder, tmp_path, monkeypatch):
    options = {**OPTIONS, "tasks": ["openml-2"], "sizes": (0,), "n_splits": 1}
    with monkeypatch.context() as patch:
        patch.setattr(collection, "get_registry", lambda: make_registry(Broken()))
        build_knowledge(folder, tmp_path, **options)
    assert Counter(evaluations(tmp_path)["message"]) == {"AttributeError: a bug": 4}
    build_knowledge(folder, tmp_path, **options)
    assert set(evaluations(tmp_path)["status"]) == {"error"}
    build_knowledge(folder, tmp_path, **options, run_again=["error"])
    assert Counter(evaluations(tmp_path)["status"]) == {"ok": 4}


def test_a_strategy_is_not_run_on_a_kind_of_task_that_it_refuses(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(
        Misbehaving, "supports", lambda self, task: None if task.is_classification else "no numbers"
    )
    both = ["misbehaving", "linear"]
    options = {**OPTIONS, "strategies": both, "tasks": ["openml-2", "openml-3"], "sizes": (64,), "n_splits": 1}
    build_knowledge(folder, tmp_path, **options)
    table = evaluations(tmp_path)
    strategies = table["candidate"].str.partition("-")[0].groupby(table["task"]).agg(set)
    kinds = {entry.key: entry.task_type for entry in OpenMLFolder(folder).entries.values()}
    for task, found in strategies.items():
        assert ("misbehaving" in found) == (kinds[task] == "classification")
    assert {kinds[task] for task in strategies.index} == {"classification", "regression"}


def test_a_knowledge_base_is_extended_on_its_own_splits(workspace, folder, tmp_path):
    base = KnowledgeBase.load(workspace.parent / "kb")
    options = {"n_jobs": 1, "backend": "sequential", "sizes": (64,), "tasks": ["openml-2"], "n_splits": 1}
    extended = extend_knowledge(
        base, folder, tmp_path / "w", strategies=["linear"], output=tmp_path / "kb", **options
    )
    assert set(extended.candidates["strategy"]) == {"linear", "misbehaving"}
    saved = KnowledgeBase.load(tmp_path / "kb")
    new = saved.evaluations[saved.evaluations["candidate"].astype(str).str.startswith("linear")]
    assert set(new["task"]) == {"openml-2"}
    assert set(new["train_size"]) == {64}
    assert len(saved.evaluations) == len(base.evaluations) + len(new)


def test_an_unknown_protocol_cannot_be_extended(workspace, folder, tmp_path):
    base = KnowledgeBase.load(workspace.parent / "kb")
    object.__setattr__(base, "manifest", base.manifest.model_copy(update={"provenance": {}}))
    with pytest.raises(KnowledgeError, match="does not state the protocol"):
        extend_knowledge(base, folder, tmp_path, strategies=["svm"])


def test_an_empty_workspace_cannot_be_exported(tmp_path):
    with pytest.raises(StoreError, match="Cannot read the journal"):
        export_knowledge(tmp_path)
