"""The runner with real processes: what cells do to their sandbox, and what happens to the others."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from autometa.components.experiments import Cell, EvaluationWork, Limits, TaskCache, as_evaluation, run_jobs
from autometa.components.experiments.sandbox import Sandbox
from autometa.components.experiments.scratch import LOCK_FILE, PREFIX, Scratch
from autometa.foundation.errors import EvaluationError
from tests.experiment_helpers import Misbehaving, WineSource, candidate

MEBIBYTE = 1024**2
LIMITS = Limits(seconds=20.0, memory=2048 * MEBIBYTE)


@pytest.fixture(scope="module", autouse=True)
def no_workers_left():
    yield
    loky = importlib.import_module("loky" if importlib.util.find_spec("loky") else "joblib.externals.loky")
    loky.get_reusable_executor().shutdown(wait=True, kill_workers=True)


def work(log=""):
    return EvaluationWork(TaskCache(WineSource(str(log))), {"misbehaving": Misbehaving()})


def cell(mode="ok", key="wine", **more):
    return Cell(key, 0, 0, candidate(mode, **more))


def run(jobs, *, log="", **options):
    results = run_jobs(work(log), jobs, **{"limits": LIMITS, "n_jobs": 1, "backend": "threading", **options})
    return [(job, as_evaluation(job, outcome)) for job, outcome in results]


def test_each_cell_ends_alone_however_it_ends():
    ends = {
        "print": ("ok", ""),
        "exit": ("crash", "exit code 7"),
        "exit at once": ("crash", "exit code 7"),
        "segfault": ("crash", "SIGSEGV"),
        "hog": ("memory", "0.15 GiB are allowed"),
        "spike": ("memory", "0.15 GiB are allowed"),
        "raise": ("error", "ValueError: on purpose"),
        "ok": ("ok", ""),
    }
    jobs = [cell(mode) for mode in ends]
    found = run(jobs, limits=Limits(seconds=20.0, memory=150 * MEBIBYTE), n_jobs=2, backend="loky")
    assert sorted(job.key for job, _ in found) == sorted(job.key for job in jobs)
    for job, evaluation in found:
        status, text = ends[job.candidate.configuration["mode"]]
        assert (evaluation.status, text in evaluation.message) == (status, True), (job, evaluation)
        assert (evaluation.peak_memory > 150 * MEBIBYTE) == (status == "memory")


def test_an_endless_loop_is_ended_at_the_limit():
    started = time.monotonic()
    (_, late), (_, next_one) = run([cell("loop"), cell()], limits=Limits(seconds=0.5))
    assert (late.status, late.message, late.fit_seconds) == ("timeout", "Ran past 0.5 s.", 0.5)
    assert next_one.status == "ok"
    assert time.monotonic() - started < 45


def test_preparations_that_do_not_end_are_said_to_be_those():
    box = Sandbox()
    try:
        outcome = box.run(pickle.dumps(_never_begins), "w", None, replace(LIMITS, preparation=0.2))
    finally:
        box.close()
    assert (outcome.status, outcome.message[-15:]) == ("error", "ran past 0.2 s.")
    assert "loading the task" in outcome.message
    assert outcome.seconds != outcome.seconds  # no cell was measured


def _never_begins(job, begin):
    time.sleep(600)


def test_a_killed_worker_costs_nothing_but_its_time(tmp_path):
    jobs = [cell(number=i) for i in range(6)] + [cell("kill worker once", marker=str(tmp_path / "killed"))]
    found = run(jobs, n_jobs=2, backend="loky")
    assert (tmp_path / "killed").exists()
    assert Counter(job.key for job, _ in found) == Counter(job.key for job in jobs)
    assert {evaluation.status for _, evaluation in found} == {"ok"}


def test_workers_that_die_again_and_again_are_an_error(monkeypatch):
    from concurrent.futures.process import BrokenProcessPool

    def broken(*args, **kwargs):
        raise BrokenProcessPool("dead")
        yield

    monkeypatch.setattr("autometa.components.experiments.runner._pass", broken)
    with pytest.raises(EvaluationError, match="died 5 times in a row"):
        run([cell()])


@pytest.mark.parametrize("backend", ["threading", "multiprocessing", "sequential"])
def test_any_backend_gives_the_same_results_and_loads_a_task_once(backend, tmp_path):
    jobs = [cell(key=key, number=i) for key in ("a", "b") for i in range(5)]
    log = tmp_path / "loads"
    found = run(jobs, log=log, backend=backend, n_jobs=1 if backend == "sequential" else 2)
    assert {job.key for job, _ in found} == {job.key for job in jobs}
    assert len({(e.status, e.scores["log_loss"]) for _, e in found}) == 1
    loads = Counter(log.read_text().splitlines())
    assert set(loads.values()) == {1}
    assert len({line.split()[0] for line in loads}) <= 2


def test_a_strategy_that_cannot_be_imported_travels_by_value():
    class InANotebook(Misbehaving):
        pass

    local = EvaluationWork(TaskCache(WineSource()), {"misbehaving": InANotebook()})
    ((_, outcome),) = run_jobs(local, [cell()], limits=LIMITS, backend="sequential")
    assert (outcome.status, outcome.value.status) == ("ok", "ok")


def test_a_child_that_is_killed_between_jobs_is_replaced():
    box, pickled = Sandbox(), pickle.dumps(work())
    try:
        first = box.run(pickled, "w", cell(), LIMITS)
        process = psutil.Process(box.pid)
        os.kill(box.pid, signal.SIGKILL)
        time.sleep(0.1)
        second = box.run(pickled, "w", cell(), LIMITS)
        assert (first.status, second.status) == ("ok", "ok")
        assert box.pid != process.pid
    finally:
        last = psutil.Process(box.pid)
        box.close()
    assert not last.is_running()


def test_work_that_cannot_be_read_is_an_error_of_the_cell():
    box = Sandbox()
    try:
        outcome = box.run(b"not a pickle", "w", cell(), LIMITS)
        assert (outcome.status, "Unpickling" in outcome.message) == ("error", True)
        assert box.run(pickle.dumps(work()), "x", cell(), LIMITS).status == "ok"
    finally:
        box.close()


def test_temporary_files_go_with_the_child_that_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    box = Sandbox()
    try:
        outcome = box.run(pickle.dumps(_leaves_files), "w", str(tmp_path / "where"), Limits(seconds=1.0))
    finally:
        box.close()
    assert outcome.status == "timeout"
    folder = Path((tmp_path / "where").read_text())
    assert folder.is_relative_to(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["where"]


def _leaves_files(job, begin):
    folder = tempfile.mkdtemp()
    (Path(folder) / "model").write_text("weights")
    Path(job).write_text(folder)
    begin()
    time.sleep(600)


def test_temporary_files_of_an_owner_that_was_killed_are_removed_by_a_later_one(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    owner = "import os, sys; from autometa.components.experiments.scratch import Scratch; held = Scratch();"
    owner += "os.write(1, str(held.path).encode()); sys.stdin.read()"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        for _ in range(2)
    ]
    gone, held = (Path(os.read(process.stdout.fileno(), 1000).decode()) for process in owners)
    young = tmp_path / f"{PREFIX}young"
    young.mkdir()
    (young / LOCK_FILE).touch()
    for path in (gone, held):
        os.utime(path / LOCK_FILE, (0, 0))
    owners[0].kill()
    owners[0].wait()
    own = Scratch()
    assert (gone.exists(), held.exists(), young.exists()) == (False, True, True)
    own.remove()
    assert not own.path.exists()
    for process in owners:
        process.kill()
        process.communicate()


def test_a_folder_for_temporary_files_is_given_up_by_any_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held = Scratch()
    thread = threading.Thread(target=held.remove)
    thread.start()
    thread.join()
    assert not held._lock.is_locked


def test_no_place_for_temporary_files_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(EvaluationError, match="TMPDIR"):
        Sandbox().run(pickle.dumps(_threads), "w", None, LIMITS)


def test_a_sandbox_computes_with_one_thread():
    box = Sandbox()
    try:
        assert box.run(pickle.dumps(_threads), "w", None, LIMITS).value == 1
    finally:
        box.close()


def _threads(job, begin):
    from threadpoolctl import threadpool_info

    begin()
    return max(library["num_threads"] for library in threadpool_info())
