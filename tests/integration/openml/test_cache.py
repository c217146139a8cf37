"""The cache: warm, offline, rotten, read-only, shared."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from autometa.components.openml import OpenMLClient
from autometa.foundation.errors import OfflineError, OpenMLError
from autometa.foundation.settings import settings_context
from tests.integration.openml.conftest import MakeClient
from tests.integration.openml.test_bad_servers import ENDPOINTS, entries
from tests.openml_server import Fault, OpenMLServer
from tests.openml_server.sample import IRIS, IRIS_TASK, WDBC, WDBC_TASK


def entry(cache_directory: Path, name: str) -> Path:
    (found,) = cache_directory.glob(f"openml/1/0/0/*/{name}")
    return found


def test_a_warm_cache_needs_no_request(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    cold = client.task(IRIS_TASK)
    openml_server.requests.clear()
    warm, same_data = client.task(IRIS_TASK), client.dataset(IRIS)
    assert openml_server.paths() == []
    pd.testing.assert_frame_equal(warm.frame, cold.frame)
    pd.testing.assert_frame_equal(same_data.frame, cold.frame)
    assert same_data.qualities == warm.qualities == cold.qualities != {}


def test_a_task_on_data_that_is_there_does_not_fetch_it_again(
    client: OpenMLClient, openml_server: OpenMLServer
) -> None:
    client.dataset(IRIS)
    openml_server.requests.clear()
    client.task(IRIS_TASK)
    assert not [path for path in openml_server.paths() if path.startswith("/data/")]


def test_the_cache_holds_no_pickle_and_nothing_half_done(client: OpenMLClient, cache_directory: Path) -> None:
    client.task(IRIS_TASK)
    client.task(IRIS_TASK)
    assert {Path(name).name for name in entries(cache_directory)} == {
        "dataset.arff",
        "datasplits.arff",
        "description.xml",
        "features.xml",
        "manifest.json",
        "qualities.xml",
        "task.xml",
    }


def test_offline_serves_the_cache_and_nothing_else(make_client: MakeClient, openml_server: OpenMLServer) -> None:
    make_client().task(IRIS_TASK)
    make_client().suite(99)
    make_client().datasets_list(limit=3)
    openml_server.requests.clear()
    offline = make_client(offline=True)
    assert len(offline.task(IRIS_TASK).frame) == 150
    assert offline.suite("OpenML-CC18").task_ids == (WDBC_TASK,)
    assert len(offline.datasets_list(limit=3)) == 3
    for ask in (
        lambda: offline.task(WDBC_TASK),
        lambda: offline.dataset(WDBC),
        lambda: offline.suite("small"),
        lambda: offline.suite(99, refresh=True),
        lambda: offline.datasets_list(),
    ):
        with pytest.raises(OfflineError, match="offline"):
            ask()
    assert openml_server.paths() == []


def test_settings_decide_what_is_not_given(cache_directory: Path, openml_server: OpenMLServer) -> None:
    with settings_context(openml_server=openml_server.url + "/", cache_directory=cache_directory):
        assert OpenMLClient().suite(99).id == 99
    with settings_context(openml_server=openml_server.url, cache_directory=cache_directory, offline=True):
        assert OpenMLClient().suite(99).id == 99
        with pytest.raises(OfflineError):
            OpenMLClient().suite("small")
    assert len(openml_server.requests) == 1


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(bytes(content))


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [cut, flip, empty, Path.unlink])
@pytest.mark.parametrize(
    "name",
    [f"datasets/{IRIS}/{file}" for file in ("dataset.arff", "description.xml", "features.xml", "qualities.xml")]
    + [f"tasks/{IRIS_TASK}/{file}" for file in ("task.xml", "datasplits.arff")],
)
def test_a_rotten_file_is_found_and_healed(
    make_client: MakeClient,
    cache_directory: Path,
    openml_server: OpenMLServer,
    name: str,
    harm: Callable[[Path], None],
) -> None:
    good = make_client().task(IRIS_TASK)
    before = entries(cache_directory)
    harm(entry(cache_directory, name))
    with pytest.raises(OfflineError, match=r"changed|missing"):
        make_client(offline=True).task(IRIS_TASK)
    healed = make_client().task(IRIS_TASK)
    pd.testing.assert_frame_equal(healed.frame, good.frame)
    after = entries(cache_directory)
    assert {k: v for k, v in after.items() if "manifest" not in k} == {
        k: v for k, v in before.items() if "manifest" not in k
    }
    openml_server.requests.clear()
    make_client().task(IRIS_TASK)
    assert openml_server.paths() == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 3}', '{"date": "x", "files": {}, "missing": {}}'])
def test_a_rotten_manifest_is_healed(make_client: MakeClient, cache_directory: Path, content: str) -> None:
    make_client().task(IRIS_TASK)
    entry(cache_directory, f"datasets/{IRIS}/manifest.json").write_text(content)
    assert len(make_client().task(IRIS_TASK).frame) == 150
    assert set(json.loads(entry(cache_directory, f"datasets/{IRIS}/manifest.json").read_text())["files"]) >= {
        "dataset.arff"
    }


def test_files_of_the_plain_client_are_taken_if_they_are_whole(
    make_client: MakeClient, cache_directory: Path, openml_server: OpenMLServer
) -> None:
    make_client().task(IRIS_TASK)
    for path in cache_directory.rglob("manifest.json"):
        path.unlink()
    openml_server.requests.clear()
    assert len(make_client(offline=True).task(IRIS_TASK).frame) == 150
    arff = entry(cache_directory, f"datasets/{IRIS}/dataset.arff")
    arff.write_text(arff.read_text()[:-30])  # 148 rows and a piece: the plain client reads it without a word
    with pytest.raises(OfflineError, match="MD5"):
        make_client(offline=True).task(IRIS_TASK)
    splits = entry(cache_directory, f"tasks/{IRIS_TASK}/datasplits.arff")
    splits.write_text(splits.read_text()[:-4])
    with pytest.raises(OfflineError, match="damaged"):
        make_client(offline=True).task(IRIS_TASK)
    assert len(make_client().task(IRIS_TASK).frame) == 150


@pytest.mark.parametrize("content", ["", "{", '{"date": "2026-01-01"}', "[1]"])
def test_a_rotten_list_is_asked_for_again(make_client: MakeClient, cache_directory: Path, content: str) -> None:
    suite = make_client().suite(99)
    entry(cache_directory, "lists/suite-99.json").write_text(content)
    with pytest.raises(OfflineError):
        make_client(offline=True).suite(99)
    assert make_client().suite(99) == suite
    assert make_client(offline=True).suite(99) == suite


def test_lists_carry_server_and_date(
    client: OpenMLClient, cache_directory: Path, openml_server: OpenMLServer
) -> None:
    client.suite(99)
    stored = json.loads(entry(cache_directory, "lists/suite-99.json").read_text())
    assert stored["server"] == openml_server.url
    assert abs(datetime.now(UTC) - datetime.fromisoformat(stored["date"])) < timedelta(minutes=1)


@pytest.mark.parametrize("fault", [Fault.generate_folds(), Fault.openml_error(1, "failed to perform action")])
def test_a_task_whose_splits_cannot_be_made(
    make_client: MakeClient,
    cache_directory: Path,
    openml_server: OpenMLServer,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
) -> None:
    openml_server.faults.add(ENDPOINTS["splits"], fault, forever=True)
    assert make_client().task(IRIS_TASK).splits is None
    assert "gives no datasplits.arff" in caplog.text
    openml_server.requests.clear()
    assert make_client().task(IRIS_TASK).splits is None
    assert openml_server.paths() == []
    _make_older(entry(cache_directory, f"tasks/{IRIS_TASK}/manifest.json"))
    assert make_client(offline=True).task(IRIS_TASK).splits is None
    openml_server.faults.clear()
    assert len(make_client().task(IRIS_TASK).splits or ()) == 10


@pytest.mark.usefixtures("quick_retries")
def test_asking_again_for_splits_may_fail(
    make_client: MakeClient, cache_directory: Path, openml_server: OpenMLServer
) -> None:
    openml_server.faults.add(ENDPOINTS["splits"], Fault.generate_folds(), forever=True)
    make_client().task(IRIS_TASK)
    _make_older(entry(cache_directory, f"tasks/{IRIS_TASK}/manifest.json"))
    openml_server.stop()
    table = make_client(timeout=0.5).task(IRIS_TASK)
    assert table.splits is None
    assert len(table.frame) == 150


def test_a_dataset_without_qualities(client: OpenMLClient, openml_server: OpenMLServer) -> None:
    openml_server.faults.add(
        ENDPOINTS["qualities"], Fault.openml_error(363, "Dataset not processed yet"), forever=True
    )
    assert client.dataset(IRIS).qualities == {}
    openml_server.requests.clear()
    assert client.dataset(IRIS).qualities == {}
    assert openml_server.paths() == []


def test_a_cache_that_cannot_be_written_can_be_read(
    make_client: MakeClient, cache_directory: Path, openml_server: OpenMLServer
) -> None:
    make_client().task(IRIS_TASK)
    make_client().suite(99)
    for name in ("locks", "staging"):  # files in place of these folders: not even root can write there
        shutil.rmtree(cache_directory / "openml" / name)
        (cache_directory / "openml" / name).write_text("")
    assert len(make_client().task(IRIS_TASK).frame) == 150
    assert make_client().suite(99).id == 99
    assert len(make_client().suite("small").task_ids) == 3  # served, though it cannot be stored
    with pytest.raises(OpenMLError, match="cannot be written"):
        make_client().task(WDBC_TASK)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_without_write_permission_can_be_read(make_client: MakeClient, cache_directory: Path) -> None:
    make_client().task(IRIS_TASK)
    folders = [path for path in [cache_directory, *cache_directory.rglob("*")] if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        assert len(make_client().task(IRIS_TASK).frame) == 150
    finally:
        for path in folders:
            path.chmod(0o755)


@pytest.mark.parametrize("refused", [["link"], ["link", "symlink"]])
def test_file_systems_without_links(
    client: OpenMLClient, cache_directory: Path, monkeypatch: pytest.MonkeyPatch, refused: list[str]
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(1, "Operation not permitted")

    for name in refused:
        monkeypatch.setattr(os, name, refuse)
    assert len(client.task(IRIS_TASK).frame) == 150
    assert len(client.task(IRIS_TASK).frame) == 150
    assert entry(cache_directory, f"datasets/{IRIS}/dataset.arff").is_file()


def test_left_overs_of_killed_processes_are_removed(client: OpenMLClient, cache_directory: Path) -> None:
    old, new = (cache_directory / "openml" / "staging" / name for name in ("old", "new"))
    for path in (old, new):
        path.mkdir(parents=True)
        (path / "file").write_text("")
    os.utime(old, (0, 0))
    client.dataset(IRIS)
    assert not old.exists()
    assert new.exists()


def test_two_servers_do_not_share_entries(make_client: MakeClient, openml_folder: Path) -> None:
    from tests.openml_server import Folder

    make_client().task(IRIS_TASK)
    with OpenMLServer(Folder(openml_folder)) as other:
        make_client(server=other.url).task(IRIS_TASK)
        assert other.paths() != []


def test_many_threads_on_a_cold_cache(make_client: MakeClient, openml_server: OpenMLServer) -> None:
    barrier = threading.Barrier(16)

    def read(number: int) -> tuple[int, int]:
        client = make_client()
        barrier.wait()
        return len(client.task((IRIS_TASK, WDBC_TASK)[number % 2]).frame), client.suite(99).id

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(read, range(16))) == [(150, 99), (120, 99)] * 8
    downloads = [path for path in openml_server.paths() if path.startswith("/data/")]
    assert len(downloads) == 2


def _read_in_process(server: str, cache_directory: str, number: int) -> int:
    client = OpenMLClient(server, Path(cache_directory))
    return len(client.task((IRIS_TASK, WDBC_TASK)[number % 2]).frame)


def test_many_processes_on_a_cold_cache(cache_directory: Path, openml_server: OpenMLServer) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["openml", "tests.integration.openml.test_cache"])  # one import for all of them
    with ProcessPoolExecutor(6, mp_context=context) as pool:
        jobs = [pool.submit(_read_in_process, openml_server.url, str(cache_directory), i) for i in range(6)]
        assert [job.result(timeout=100) for job in jobs] == [150, 120] * 3
    assert len([path for path in openml_server.paths() if path.startswith("/data/")]) == 2


def _make_older(manifest: Path) -> None:
    content = json.loads(manifest.read_text())
    content["date"] = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    manifest.write_text(json.dumps(content))
