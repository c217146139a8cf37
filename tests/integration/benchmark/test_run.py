"""Benchmarks with real processes and a real server: how cells end, and what survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from autometa.engine.benchmark.run import BenchmarkPlan, run_benchmark
from autometa.engine.benchmark.sources import BenchmarkSource
from autometa.engine.benchmark.store import JOURNAL_FILE
from autometa.engine.benchmark.suites import OPENML
from autometa.engine.benchmark.systems import parse_systems
from autometa.engine.benchmark.table import KEY, predictions_path, read_predictions, read_results
from autometa.foundation.errors import BenchmarkError, OpenMLUnavailableError, StoreError
from autometa.foundation.settings import get_settings
from tests.benchmark_helpers import Toy, same_results
from tests.experiment_helpers import write_folder
from tests.openml_server import Fault

ROOT = Path(__file__).parents[3]
PLAN = BenchmarkPlan((Toy(), Toy("dummy")), max_folds=2, seconds=60.0)


def started(server, tmp_path, name, **options):
    """Start a run of 60 cells in a process of its own."""
    given = {
        "server": server.url,
        "cache": str(tmp_path / "cache"),
        "workspace": str(tmp_path / name),
        "log": "",
        "seconds": 0.0,
        "folds": 10,
        "n_jobs": 1,
        **options,
    }
    command = [sys.executable, "-m", "tests.integration.benchmark.running", json.dumps(given)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})


def _ends(run, code):
    """Wait for a run to end with a code; return what it said."""
    _, said = run.communicate(timeout=300)
    assert run.returncode == code, said.decode()
    return said.decode()


def test_cells_end_each_on_its_own_and_on_official_rows(tmp_path):
    systems = (Toy(), Toy("raise"), Toy("segfault"), Toy("loop"))
    plan = BenchmarkPlan(systems, tasks=["59"], max_folds=1, seconds=1.5)
    results = read_results([run_benchmark("small", tmp_path / "w", plan)]).set_index("system")
    assert results["status"].to_dict() == {
        "toy-tree": "ok",
        "toy-raise": "error",
        "toy-segfault": "crash",
        "toy-loop": "timeout",
    }
    assert results.loc["toy-raise", "message"] == "ValueError: on purpose"
    assert "SIGSEGV" in results.loc["toy-segfault", "message"]
    assert results.loc["toy-loop", "fit_seconds"] == 1.5
    assert results["platform"].nunique() == results["versions"].nunique() == 1
    assert "unknown" not in set(results["platform"])
    assert set(results["split_source"]) == {"official"}
    good = results.reset_index().set_index("status").loc["ok"]
    predictions = read_predictions(tmp_path / "w", good)
    posed = BenchmarkSource(None, get_settings().openml_server, get_settings().cache_directory).load(f"{OPENML}59")
    assert predictions["row_id"].tolist() == posed.folds[0].test.tolist()
    assert predictions["truth"].tolist() == posed.task.y[posed.folds[0].test].tolist()
    assert (predictions["prediction"] == predictions["truth"]).mean() == pytest.approx(good["accuracy"])


@pytest.mark.slow
def test_a_coordinator_that_is_killed_twice_loses_nothing_and_counts_nothing_twice(openml_server, tmp_path):
    log = tmp_path / "fits"
    journal = tmp_path / "killed" / JOURNAL_FILE
    for least in (10, 30):
        run = started(openml_server, tmp_path, "killed", log=str(log), seconds=0.02, n_jobs=2)
        while not journal.exists() or journal.read_bytes().count(b'"kind":"result"') < least:
            assert run.poll() is None, run.stderr.read()
            time.sleep(0.05)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    _ends(started(openml_server, tmp_path, "killed", log=str(log), seconds=0.02), 0)
    killed = read_results([tmp_path / "killed"])
    assert len(killed) == 60
    assert not killed.duplicated(list(KEY)).any()
    assert all(predictions_path(tmp_path / "killed", row).exists() for _, row in killed.iterrows())
    # The toy tree was fitted 30 times, and again for what two workers had been given at each of two kills.
    assert 30 <= len(log.read_text().splitlines()) <= 30 + 2 * 4
    _ends(started(openml_server, tmp_path, "whole"), 0)
    assert same_results(killed, read_results([tmp_path / "whole"]))


@pytest.mark.slow
def test_a_full_disk_stops_the_run_with_what_is_done_kept_and_room_lets_it_go_on(openml_server, tmp_path):
    assert "ake room" in _ends(started(openml_server, tmp_path, "w", file_size=9000), 3)
    before = (tmp_path / "w" / JOURNAL_FILE).read_bytes()
    assert 0 < before.count(b'"kind":"result"') < 60
    _ends(started(openml_server, tmp_path, "w"), 0)
    assert (tmp_path / "w" / JOURNAL_FILE).read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert len(read_results([tmp_path / "w"])) == 60


def test_a_second_call_runs_only_what_is_new(openml_server, tmp_path):
    log = tmp_path / "fits"
    one = BenchmarkPlan((Toy(log=str(log)),), tasks=["59"], max_folds=2, seconds=60.0)
    run_benchmark("small", tmp_path / "w", one)
    asked = len(openml_server.requests)
    more = replace(one, systems=(*one.systems, Toy("dummy")), max_folds=3)
    results = read_results([run_benchmark("small", tmp_path / "w", more)])
    assert Counter(results["system"]) == {"toy-tree": 3, "toy-dummy": 3}
    assert len(log.read_text().splitlines()) == 3
    assert len(openml_server.requests) == asked


def test_a_server_that_is_away_for_a_while_is_waited_for(openml_server, tmp_path, monkeypatch):
    calls = pytest.importorskip("openml._api_calls")
    monkeypatch.setattr(calls, "_human_delay", lambda n: 0.01)
    source = BenchmarkSource(None, openml_server.url, tmp_path / "other", patience=60.0)
    openml_server.faults.add(r"/task/59$", *[Fault.html(503)] * 4)
    assert len(source.load(f"{OPENML}59").folds) == 10
    openml_server.faults.add(r"/task/9946$", *[Fault.html(503)] * 40)
    with pytest.raises(OpenMLUnavailableError):
        replace(source, patience=1.5).load(f"{OPENML}9946")


def test_tasks_that_cannot_be_read_do_not_stop_the_others(openml_server, tmp_path):
    (tmp_path / "mine.toml").write_text('name = "mine"\ntasks = [59, 123456]')
    with pytest.raises(BenchmarkError, match=r"1 tasks could not be read \(openml-task:123456"):
        run_benchmark(str(tmp_path / "mine.toml"), tmp_path / "w", PLAN)
    assert Counter(read_results([tmp_path / "w"])["task"]) == {"openml-task:59": 4}


def test_own_splits_are_made_only_if_asked_for_and_are_marked(tmp_path):
    folder = write_folder(tmp_path / "data")
    plan = BenchmarkPlan((Toy(),), tasks=["openml-2"], seconds=60.0)
    with pytest.raises(BenchmarkError, match="has no official splits"):
        run_benchmark(str(folder), tmp_path / "w", plan)
    asked = replace(plan, own_splits=2)
    results = read_results([run_benchmark(str(folder), tmp_path / "own", asked)])
    assert results[["repeat", "fold", "split_source"]].to_numpy().tolist() == [[0, 0, "own"], [1, 0, "own"]]
    assert results["task_id"].isna().all()
    assert set(results["task"]) == {"folder:openml-2"}


def test_other_data_under_the_same_name_are_not_mixed(tmp_path):
    folder = write_folder(tmp_path / "data")
    plan = BenchmarkPlan((Toy(),), tasks=["openml-2"], own_splits=1, seconds=60.0)
    table = read_results([run_benchmark(str(folder), tmp_path / "w", plan)])
    (file,) = (folder / "parquet").glob("2*")
    data = file.read_bytes()
    pd.read_parquet(file).iloc[::-1].reset_index(drop=True).to_parquet(file)
    with pytest.raises(StoreError, match="other data under the name folder:openml-2"):
        run_benchmark(str(folder), tmp_path / "w", replace(plan, max_repeats=1))
    file.write_bytes(data)
    assert read_results([run_benchmark(str(folder), tmp_path / "w", plan)]).equals(table)


@pytest.mark.slow
def test_the_policy_is_judged_without_what_it_knows_of_the_task(tmp_path):
    systems = parse_systems(["autometa", "best:linear", "default:linear"])
    plan = BenchmarkPlan(systems, tasks=["59"], max_folds=1, seconds=60.0)
    results = read_results([run_benchmark("small", tmp_path / "w", plan)]).set_index("system")
    assert set(results["status"]) == {"ok"}
    assert results.loc["best:linear", "chosen"].startswith("linear-")
    assert json.loads(results.loc["autometa", "configuration"])["knowledge"]
    assert results["accuracy"].min() > 0.8
