"""A benchmark is published once: whole runs on official splits, whatever the server and the connection do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openml
import pandas as pd
import pytest

from autometa.components.openml import OpenMLClient, OpenMLPublisher
from autometa.components.openml.uploads import FlowUpload, RunUpload
from autometa.engine.benchmark.publication import plan_publication
from autometa.engine.benchmark.publishing import Patience, RunState, publish, run_states
from autometa.engine.benchmark.upload_list import UploadList, upload_list_path
from autometa.foundation.errors import OfflineError, OpenMLError, OpenMLUnavailableError, StoreError
from autometa.foundation.settings import settings_context
from tests.integration.publishing.benchmark_tables import changed, rewrite_predictions, write_benchmark
from tests.openml_server import Fault, OpenMLServer
from tests.openml_server.sample import DIABETES, IRIS_TASK, WDBC_TASK

QUICK = Patience(settle=0.3, unavailable=5.0, pause=0.02)
FLOW, RUN = r"/xml/flow/$", r"/xml/run/$"

pytestmark = pytest.mark.usefixtures("quick_retries")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENML_API_KEY", "a key")


Publish = Callable[..., list[RunState]]


@pytest.fixture
def published(
    workspace: Path,
    client: OpenMLClient,
    openml_server: OpenMLServer,
    cache_directory: Path,
    results: pd.DataFrame,
) -> Publish:
    """Publishes the benchmark, or a changed one; returns what became of each run."""

    def run(table: pd.DataFrame | None = None, patience: Patience = QUICK, timeout: float = 5.0) -> list[RunState]:
        publication = plan_publication(results if table is None else table, workspace, client)
        publisher = OpenMLPublisher(openml_server.url, cache_directory, timeout=timeout)
        return list(publish(publication, workspace, publisher, patience))

    return run


def everything_is_up_once(server: OpenMLServer, tasks: tuple[int, ...] = (IRIS_TASK, WDBC_TASK)) -> bool:
    runs = [(run.task_id, run.flow.id) for run in server.published.runs.values()]
    return sorted(runs) == sorted((task, flow) for task in tasks for flow in (1, 2))


@pytest.fixture
def small(results: pd.DataFrame) -> pd.DataFrame:
    """Two systems on one task."""
    return results[results["task_id"] == IRIS_TASK]


def test_a_dry_run_sends_nothing(
    results: pd.DataFrame, workspace: Path, client: OpenMLClient, openml_server: OpenMLServer
) -> None:
    publication = plan_publication(results, workspace, client)
    states = run_states(publication, workspace, openml_server.url)
    assert [state.state for state in states] == ["to publish"] * 4
    assert "POST" not in {request.method for request in openml_server.requests}
    assert publication.left_out == ()
    assert not list(workspace.glob("published-*"))


def test_every_run_is_up_once_and_a_second_time_sends_nothing(
    published: Publish, openml_server: OpenMLServer
) -> None:
    assert [state.state for state in published()] == ["uploaded"] * 4
    assert everything_is_up_once(openml_server)
    sent = (openml_server.posts("flow"), openml_server.posts("run"))
    assert sent == (2, 4)
    again = published()
    assert [state.state for state in again] == ["was up"] * 4
    assert sorted(state.run_id or 0 for state in again) == [1, 2, 3, 4]
    assert (openml_server.posts("flow"), openml_server.posts("run")) == sent


def test_without_its_list_the_server_is_asked(
    published: Publish, openml_server: OpenMLServer, workspace: Path
) -> None:
    published()
    without_list(workspace)
    assert [state.state for state in published()] == ["was up"] * 4
    assert (openml_server.posts("flow"), openml_server.posts("run")) == (2, 4)


def without_list(workspace: Path) -> None:
    """Make what is up somebody else's."""
    for path in workspace.glob("published-*"):
        path.unlink()


def test_a_run_that_is_found_on_the_server_is_held_against_the_folder(
    published: Publish, openml_server: OpenMLServer, workspace: Path, small: pd.DataFrame
) -> None:
    published(small)
    without_list(workspace)
    for _, row in small[small["system"] == "prior"].iterrows():
        rewrite_predictions(workspace, row, lambda frame: frame.assign(**{"confidence.setosa": 0.25}))
    for _ in range(2):
        states = {state.system: state for state in published(small)}
        assert {system: state.state for system, state in states.items()} == {
            "prior": "changed",
            "tree@1s": "was up",
        }
        assert "with other predictions" in (states["prior"].reason or "")
    assert openml_server.posts("run") == 2


@pytest.mark.parametrize(
    "error", [OpenMLError("Run already exists."), OpenMLUnavailableError("No answer.")], ids=str
)
def test_a_run_that_is_found_after_an_upload_failed_is_held_against_the_folder(
    published: Publish, small: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, error: OpenMLError
) -> None:
    """Somebody else was faster, with other predictions."""
    upload_run = OpenMLPublisher.upload_run

    def overtaken(publisher: OpenMLPublisher, upload: RunUpload, flow: FlowUpload) -> int:
        theirs = upload.predictions.assign(**{"confidence.setosa": 0.25})
        upload_run(publisher, replace(upload, predictions=theirs), flow)
        raise error

    monkeypatch.setattr(OpenMLPublisher, "upload_run", overtaken)
    for _ in range(2):
        states = published(small)
        assert [state.state for state in states] == ["changed"] * 2
        assert "with other predictions" in (states[0].reason or "")


def test_a_class_that_no_training_row_had_is_no_difference(
    published: Publish, openml_server: OpenMLServer, workspace: Path, small: pd.DataFrame
) -> None:
    for _, row in small.iterrows():
        rewrite_predictions(workspace, row, lambda frame: frame.drop(columns="confidence.setosa"))
    assert [state.state for state in published(small)] == ["uploaded"] * 2
    without_list(workspace)
    assert [state.state for state in published(small)] == ["was up"] * 2
    assert openml_server.posts("run") == 2


def test_a_run_that_is_found_and_cannot_be_read_is_not_said_to_be_ours(
    published: Publish, openml_server: OpenMLServer, workspace: Path, small: pd.DataFrame
) -> None:
    first, _ = published(small)
    without_list(workspace)
    run = openml_server.published.runs[first.run_id or 0]
    openml_server.published.runs[run.id] = replace(run, predictions=run.predictions.replace("row_id", "row"))
    states = published(small)
    assert [state.state for state in states] == ["failed", "was up"]
    assert f"run {run.id} of the same flow and settings is up" in (states[0].reason or "")
    assert openml_server.posts("run") == 2
    openml_server.published.runs[run.id] = run
    assert [state.state for state in published(small)] == ["was up"] * 2


def test_the_client_reads_back_what_was_published(
    published: Publish,
    openml_server: OpenMLServer,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    results: pd.DataFrame,
) -> None:
    states = published()
    monkeypatch.setattr(openml.config, "server", openml_server.url)
    monkeypatch.setattr(openml.config, "_root_cache_directory", workspace / "plain-client")
    state = next(s for s in states if (s.task_id, s.system) == (IRIS_TASK, "tree@1s"))
    run = openml.runs.get_run(state.run_id)
    flow = openml.flows.get_flow(run.flow_id)
    rows = results[(results["task_id"] == IRIS_TASK) & (results["system"] == "tree@1s")]
    assert flow.name == "autometa.benchmark.tree_1s"
    assert flow.dependencies == "autometa-ml==0.1\nscikit-learn==1.9.1"
    assert flow.external_version.startswith("autometa==0.1,sha256-")
    settings = {each["oml:name"]: json.loads(each["oml:value"]) for each in run.parameter_settings}
    assert settings["max_depth"] == 3
    assert settings["benchmark.time_budget"] == 1.0
    assert settings["benchmark.seed"] == 0
    assert run.fold_evaluations["wall_clock_time_millis_training"][0] == dict.fromkeys(range(10), 250.0)
    assert len(run.predictions) == 150
    assert run.evaluations["predictive_accuracy"] == pytest.approx(
        np.average(rows["accuracy"], weights=rows["n_test"]), abs=1e-6
    )


def test_seeds_are_runs_of_one_flow_and_a_second_suite_is_left_out(
    client: OpenMLClient, published: Publish, openml_server: OpenMLServer, workspace: Path
) -> None:
    table = write_benchmark(
        workspace, client, tasks=[IRIS_TASK], systems=["prior"], suites=["a", "b"], seeds=[0, 1]
    )
    publication = plan_publication(table, workspace, client)
    assert [each.reason for each in publication.left_out] == ["the same run stands in another suite"] * 2
    assert [state.run_id for state in published(table)] == [1, 2]
    assert {run.flow.id for run in openml_server.published.runs.values()} == {1}
    assert [dict(run.settings)["benchmark.seed"] for run in openml_server.published.runs.values()] == ["0", "1"]


def test_a_dry_run_is_possible_while_another_process_publishes(
    published: Publish, results: pd.DataFrame, workspace: Path, client: OpenMLClient, openml_server: OpenMLServer
) -> None:
    published()
    publication = plan_publication(results, workspace, client)
    with UploadList(upload_list_path(workspace, openml_server.url), openml_server.url):
        states = run_states(publication, workspace, openml_server.url)
    assert sorted(state.run_id or 0 for state in states) == [1, 2, 3, 4]


def test_regression_is_published(
    client: OpenMLClient, published: Publish, openml_server: OpenMLServer, workspace: Path
) -> None:
    table = write_benchmark(workspace, client, tasks=[900_000 + DIABETES], systems=["tree@1s"])
    assert [state.state for state in published(table)] == ["uploaded"]
    (run,) = openml_server.published.runs.values()
    assert run.error == ""
    assert 40 < run.figures["root_mean_squared_error"].value < 80


# No answer: it was stored, will be stored, or never is.
SILENT = [(Fault.accepted(),), (Fault.late(0.15),), (Fault.reset(),), (Fault.reset(), Fault.accepted())]
ANSWERED = [
    (Fault.html(500),),
    (Fault.html(503, retry_after="0"),),
    (Fault.html(429, retry_after="0"),),
    (Fault.openml_error(107, "Database connection error. Usually due to high server load."),),
    (Fault.truncated(),),
    (Fault.empty(),),
    (Fault.accepted(), Fault.accepted()),
]


@pytest.mark.parametrize(
    ("place", "faults"),
    [*((FLOW, faults) for faults in SILENT), *((RUN, faults) for faults in SILENT + ANSWERED)],
    ids=lambda value: (
        value if isinstance(value, str) else "+".join(f"{each.kind}-{each.status}" for each in value)
    ),
)
def test_no_failure_of_an_upload_stores_anything_twice(
    published: Publish, openml_server: OpenMLServer, small: pd.DataFrame, place: str, faults: tuple[Fault, ...]
) -> None:
    openml_server.faults.add(place, *faults)
    # Only what arrives late needs time to settle, and is found as soon as it is there.
    settle = 60.0 if any(fault.kind == "late" for fault in faults) else 0.05
    states = published(small, patience=Patience(settle, unavailable=60.0, pause=0.02))
    assert {state.state for state in states} <= {"uploaded", "was up"}
    assert everything_is_up_once(openml_server, (IRIS_TASK,))
    assert len(openml_server.published.flows) == 2


def test_what_arrives_after_the_client_gave_up_is_not_sent_again(
    published: Publish, openml_server: OpenMLServer, small: pd.DataFrame
) -> None:
    openml_server.faults.add(RUN, Fault.slow(1.0))
    published(small, patience=Patience(settle=10.0, unavailable=5.0, pause=0.05), timeout=0.5)
    assert everything_is_up_once(openml_server, (IRIS_TASK,))
    assert openml_server.posts("run") == 2


def test_a_server_that_is_down_for_a_while_is_waited_for(
    published: Publish, openml_server: OpenMLServer, small: pd.DataFrame
) -> None:
    timer = threading.Timer(1.0, openml_server.faults.clear)
    openml_server.faults.add("/flow/|/run/|exists", Fault.html(503), forever=True)
    timer.start()
    assert [state.state for state in published(small, patience=Patience(0.3, 60.0, 0.1))] == ["uploaded"] * 2
    timer.join()
    assert everything_is_up_once(openml_server, (IRIS_TASK,))


def test_a_server_that_stays_down_ends_it_and_a_later_call_goes_on(
    published: Publish, openml_server: OpenMLServer, small: pd.DataFrame
) -> None:
    openml_server.faults.add(RUN, Fault.accepted(), forever=True)
    openml_server.faults.add("setup/exists|run/list", Fault.html(503), forever=True)
    with pytest.raises(OpenMLUnavailableError):
        published(small, patience=Patience(settle=0.1, unavailable=0.1, pause=0.02))
    openml_server.faults.clear()
    published(small)
    assert everything_is_up_once(openml_server, (IRIS_TASK,))


def test_a_run_that_is_refused_does_not_stop_the_others(
    published: Publish, openml_server: OpenMLServer, small: pd.DataFrame
) -> None:
    openml_server.faults.add(RUN, Fault.openml_error(213, "Parameter in run xml unknown"))
    states = published(small)
    assert [state.state for state in states] == ["failed", "uploaded"]
    assert "Parameter in run xml unknown" in (states[0].reason or "")
    assert [state.state for state in published(small)] == ["uploaded", "was up"]
    assert {(run.task_id, run.flow.id) for run in openml_server.published.runs.values()} == {(59, 1), (59, 2)}
    assert len(openml_server.published.runs) == 2


def test_an_upload_that_fails_again_and_again_does_not_stop_the_others(
    published: Publish, openml_server: OpenMLServer, small: pd.DataFrame
) -> None:
    openml_server.faults.add(RUN, *[Fault.html(500)] * 3)
    patience = Patience(settle=0.0, unavailable=60.0, pause=0.01, attempts=3)
    states = published(small, patience=patience)
    assert [state.state for state in states] == ["failed", "uploaded"]
    assert "status 500" in (states[0].reason or "")
    assert "sent 3 times" in (states[0].reason or "")
    assert [state.state for state in published(small)] == ["uploaded", "was up"]
    assert openml_server.posts("run") == 5


def test_a_wrong_address_is_told_at_once(published: Publish, openml_server: OpenMLServer) -> None:
    openml_server.faults.add("exists", Fault.html(404), forever=True)
    with pytest.raises(OpenMLUnavailableError, match="404"):
        published(patience=Patience(unavailable=600.0))


def test_a_run_that_vanished_and_one_that_changed_are_told_and_not_sent(
    published: Publish, openml_server: OpenMLServer, workspace: Path, small: pd.DataFrame
) -> None:
    first, second = published(small)
    del openml_server.published.runs[first.run_id]
    row = small[small["system"] == second.system].iloc[0]
    confidences = [f"confidence.{label}" for label in ("setosa", "versicolor", "virginica")]
    rewrite_predictions(workspace, row, lambda frame: frame.assign(**dict.fromkeys(confidences, 1 / 3 + 1e-4)))
    again = published(small)
    assert [state.state for state in again] == ["gone", "changed"]
    assert "run 1" in (again[0].reason or "")
    assert openml_server.posts("run") == 2


def drop_fold(folder: Path, results: pd.DataFrame) -> pd.DataFrame:
    return results[results["fold"] != 3]


def one_failed(folder: Path, results: pd.DataFrame) -> pd.DataFrame:
    return changed(folder, results, results["fold"] == 4, status="timeout", message="too slow")


def other_rows(folder: Path, results: pd.DataFrame) -> pd.DataFrame:
    for _, row in results[results["fold"] == 2].iterrows():
        rewrite_predictions(folder, row, lambda frame: frame.assign(row_id=frame["row_id"] - 1))
    return results


def other_truth(folder: Path, results: pd.DataFrame) -> pd.DataFrame:
    for _, row in results[results["fold"] == 2].iterrows():
        rewrite_predictions(folder, row, lambda frame: frame.assign(truth=frame["truth"].iloc[::-1].to_numpy()))
    return results


def not_finite(folder: Path, results: pd.DataFrame) -> pd.DataFrame:
    for _, row in results[results["fold"] == 2].iterrows():
        rewrite_predictions(folder, row, lambda frame: frame.assign(**{frame.columns[-1]: np.nan}))
    return results


def no_predictions(folder: Path, results: pd.DataFrame) -> pd.DataFrame:
    for path in (folder / "predictions").rglob("*-5-0-0-*"):
        path.unlink()
    return results


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f, r: changed(f, r, split_source="own"), "official splits only"),
        (lambda f, r: changed(f, r, task_id=None), "no OpenML task"),
        (lambda f, r: changed(f, r, task_id=4242), "does not know task 4242"),
        (lambda f, r: changed(f, r, r["fold"] == 1, cores=8), "differ in cores"),
        (lambda f, r: changed(f, r, r["fold"] == 1, versions='{"a": "1"}'), "differ in versions"),
        (one_failed, "fold 4: timeout"),
        (drop_fold, "9 of the task.s 10 splits"),
        (other_rows, "not for the official test rows .*fold 2"),
        (other_truth, "the truth beside its predictions"),
        (not_finite, "no finite numbers"),
        (no_predictions, "cannot be read"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_no_whole_run_on_official_splits_is_left_out_with_the_reason(
    results: pd.DataFrame, workspace: Path, client: OpenMLClient, change: Any, reason: str
) -> None:
    publication = plan_publication(change(workspace, results), workspace, client)
    assert publication.runs == ()
    assert len(publication.left_out) == 4
    for left_out in publication.left_out:
        assert pd.Series([left_out.reason]).str.contains(reason).all()


def test_two_processes_do_not_publish_from_one_folder(
    published: Publish, openml_server: OpenMLServer, workspace: Path
) -> None:
    path = upload_list_path(workspace, openml_server.url)
    with UploadList(path, openml_server.url), pytest.raises(StoreError, match="another process"):
        published()
    assert openml_server.posts("flow") == 0


def test_neither_offline_nor_without_a_key_is_anything_sent(
    published: Publish, openml_server: OpenMLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with settings_context(offline=True), pytest.raises(OfflineError):
        published()
    monkeypatch.delenv("OPENML_API_KEY")
    with pytest.raises(OpenMLError, match="OPENML_API_KEY"):
        published()
    assert "POST" not in {request.method for request in openml_server.requests}
