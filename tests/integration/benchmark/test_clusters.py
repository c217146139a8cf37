"""Dask and Ray: the same results to the last digit, and workers that are killed."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from autometa.components.experiments import Limits, cluster, run_jobs
from autometa.engine.benchmark.run import BenchmarkPlan, run_benchmark
from autometa.engine.benchmark.store import JOURNAL_FILE
from autometa.engine.benchmark.table import KEY, read_predictions, read_results
from autometa.foundation.errors import EvaluationError, ParameterError
from tests.benchmark_helpers import Toy, same_results

ROOT = Path(__file__).parents[3]
PLAN = BenchmarkPlan((Toy(), Toy("dummy")), tasks=["59", "9946"], max_folds=3, seconds=60.0)

# Libraries of clusters leave sockets and loops to the garbage collector, and warn of what their own threads do.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def is_absent(library):
    return importlib.util.find_spec(library) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("dask", marks=pytest.mark.skipif(is_absent("distributed"), reason="Dask is not installed")),
        pytest.param("ray", marks=pytest.mark.skipif(is_absent("ray"), reason="Ray is not installed")),
    ],
)
def test_a_cluster_gives_the_same_results_to_the_last_digit(backend, tmp_path):
    here = read_results([run_benchmark("small", tmp_path / "here", PLAN)])
    there = read_results([run_benchmark("small", tmp_path / "there", PLAN, n_jobs=2, backend=backend)])
    assert len(here) == 12
    assert same_results(here, there)
    for _, row in here.iterrows():
        one, other = (read_predictions(tmp_path / place, row) for place in ("here", "there"))
        assert one.equals(other)


@pytest.mark.slow
@pytest.mark.skipif(is_absent("distributed"), reason="Dask is not installed")
def test_workers_of_a_dask_cluster_may_be_killed_all_the_time(tmp_path):
    from distributed import LocalCluster

    plan = replace(PLAN, systems=(Toy(seconds=0.1), Toy("dummy", seconds=0.1)), tasks=None, max_folds=None)
    journal = tmp_path / "w" / JOURNAL_FILE
    killed, stop = [], threading.Event()
    with LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as workers:

        def kill():
            """Kill one worker after every twelve results."""
            while not stop.wait(0.05):
                done = journal.read_bytes().count(b'"kind":"result"') if journal.exists() else 0
                alive = [nanny.pid for nanny in workers.workers.values() if nanny.pid]
                if alive and done >= 12 * (len(killed) + 1):
                    os.kill(alive[len(killed) % len(alive)], signal.SIGKILL)
                    killed.append(done)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            table = run_benchmark(
                "small", tmp_path / "w", plan, backend="dask", scheduler=workers.scheduler_address
            )
        finally:
            stop.set()
            killer.join()
    results = read_results([table])
    assert len(killed) >= 2
    assert len(results) == 60
    assert not results.duplicated(list(KEY)).any()
    assert set(results["status"]) == {"ok"}


@pytest.mark.slow
@pytest.mark.skipif(is_absent("distributed"), reason="Dask is not installed")
def test_a_cluster_of_one_worker_does_the_work_and_not_the_coordinator():
    from distributed import LocalCluster

    limits = Limits(seconds=60.0)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as workers,
        cluster("dask", scheduler=workers.scheduler_address),
    ):
        owners = {outcome.value for _, outcome in run_jobs(_owner, range(3), limits=limits, backend="dask")}
    assert len(owners) == 1
    assert os.getpid() not in owners


def _owner(job, begin):
    begin()
    return os.getppid()


def dask_process(tmp_path, what, *arguments):
    """Start a Dask scheduler or worker that can be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "DASK_TEMPORARY_DIRECTORY": str(tmp_path)},
    )


@pytest.mark.slow
@pytest.mark.skipif(is_absent("distributed"), reason="Dask is not installed")
def test_a_scheduler_that_dies_ends_the_run_with_what_is_done_kept_and_another_goes_on(tmp_path):
    plan = replace(PLAN, systems=(Toy(seconds=0.2), Toy("dummy", seconds=0.2)), tasks=None, max_folds=None)
    journal, file = tmp_path / "w" / JOURNAL_FILE, tmp_path / "scheduler.json"
    scheduler = dask_process(
        tmp_path, "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)
    )
    worker = dask_process(tmp_path, "worker", "--scheduler-file", str(file), "--nthreads", "1")

    def kill():
        while not journal.exists() or journal.read_bytes().count(b'"kind":"result"') < 5:
            time.sleep(0.02)
        scheduler.kill()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        while not file.exists() or not file.read_text():
            assert scheduler.poll() is None
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        with pytest.raises(EvaluationError, match="scheduler of the cluster is gone"):
            run_benchmark("small", tmp_path / "w", plan, backend="dask", scheduler=address)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    before = journal.read_bytes()
    assert 5 <= before.count(b'"kind":"result"') < 60
    results = read_results([run_benchmark("small", tmp_path / "w", plan, n_jobs=2, backend="dask")])
    assert journal.read_bytes().startswith(before)
    assert len(results) == 60
    assert not results.duplicated(list(KEY)).any()
    assert set(results["status"]) == {"ok"}


def test_a_scheduler_is_for_clusters_only():
    with pytest.raises(ParameterError, match="takes no scheduler"), cluster("loky", scheduler="tcp://x:1"):
        pass


@pytest.mark.parametrize(("backend", "library"), [("dask", "distributed"), ("ray", "ray")])
def test_a_cluster_that_is_not_installed_says_how(backend, library, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(ParameterError, match=rf"autometa-ml\[{backend}\]"), cluster(backend):
        pass


@pytest.mark.slow
@pytest.mark.skipif(is_absent("distributed"), reason="Dask is not installed")
def test_a_scheduler_that_is_not_there_is_said_to_be_so(monkeypatch):
    monkeypatch.setattr("autometa.components.experiments.clusters.CONNECT_SECONDS", 1)
    with pytest.raises(EvaluationError, match="cannot be reached"), cluster("dask", scheduler="tcp://127.0.0.1:9"):
        pass
