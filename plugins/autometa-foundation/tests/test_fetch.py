"""Downloads, from a hub on this machine: by the libraries' own clients, compared with the hub's hash."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from autometa import settings_context
from foundation_samples import KINDS, LIBRARIES, need, write_tabicl, write_tabpfn
from typer.testing import CliRunner

from autometa_foundation.availability import weights_obstacle
from autometa_foundation.commands import application
from autometa_foundation.errors import FoundationError, LicenceError, WeightsError
from autometa_foundation.fetch import fetch
from autometa_foundation.models import TABICL, TABPFN
from autometa_foundation.weights import find_weights

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODELS = {"tabpfn": TABPFN["v2"], "tabicl": TABICL["v2"]}
both = pytest.mark.parametrize("library", LIBRARIES)


class Hub(ThreadingHTTPServer):
    """As much of the Hugging Face hub as a download of one file takes."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Answers)
        self.folder = folder
        self.stated = {}  # hashes that are not those of the files
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, *, with_body):
        name = self.path.partition("?")[0].rpartition("/")[2]
        self.server.asked.append(name)
        path = self.server.folder / name
        if "/resolve/" not in self.path or not path.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = path.read_bytes()
        digest = self.server.stated.get(name) or hashlib.sha256(body).hexdigest()
        self.send_response(200)
        self.send_header("ETag", f'"{digest}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants", reason="huggingface_hub is not installed")
    folder = tmp_path / "published"
    folder.mkdir()
    server = Hub(folder)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    monkeypatch.setenv("TABPFN_MODEL_CACHE_DIR", str(tmp_path / "tabpfn"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    yield server
    server.shutdown()
    server.server_close()


def publish(hub, library, kind):
    need(library)
    return (write_tabpfn if library == "tabpfn" else write_tabicl)(hub.folder, kind)


@both
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_fetched_is_found_and_compared(library, kind, hub):
    published, model = publish(hub, library, kind), MODELS[library]
    assert weights_obstacle(model, kind) is not None
    fetched = fetch(model, kind)
    assert fetched.path == find_weights(model, kind)
    assert fetched.sha256 == hashlib.sha256(published.read_bytes()).hexdigest()
    assert fetched.stated
    assert weights_obstacle(model, kind) is None


@both
def test_an_own_folder_is_filled(library, hub, tmp_path, monkeypatch):
    publish(hub, library, "regression")
    monkeypatch.setenv("AUTOMETA_FOUNDATION_WEIGHTS", str(tmp_path / "own"))
    fetched = fetch(MODELS[library], "regression")
    assert fetched.path == tmp_path / "own" / MODELS[library].files["regression"]


@both
def test_another_hash_than_stated_deletes_the_file(library, hub):
    published = publish(hub, library, "regression")
    hub.stated[published.name] = "f" * 64
    with pytest.raises(WeightsError, match=r"was deleted: its SHA-256 is .* and the hub states ffff"):
        fetch(MODELS[library], "regression")
    assert find_weights(MODELS[library], "regression") is None


@both
def test_what_is_no_checkpoint_is_deleted(library, hub):
    publish(hub, library, "regression").write_bytes(b"no checkpoint")
    with pytest.raises(WeightsError):
        fetch(MODELS[library], "regression")
    assert find_weights(MODELS[library], "regression") is None


@both
def test_nothing_is_asked_for_where_the_network_is_forbidden(library, hub):
    publish(hub, library, "regression")
    with settings_context(offline=True), pytest.raises(FoundationError, match="the network is forbidden"):
        fetch(MODELS[library], "regression")
    assert hub.asked == []


def test_a_download_that_fails_is_this_plugin_s_error(hub):
    need("tabicl")
    with pytest.raises(FoundationError, match="TabICL v2 was not downloaded"):
        fetch(TABICL["v2"], "regression")


def test_a_licence_that_was_not_accepted_stops_the_download(hub, monkeypatch):
    need("tabpfn")
    from tabpfn import browser_auth
    from tabpfn.errors import TabPFNLicenseError

    def refuse(hf_repo_id):
        raise TabPFNLicenseError("accept it first")

    monkeypatch.setattr(browser_auth, "ensure_license_accepted", refuse)
    with pytest.raises(LicenceError, match=r"non-commercial TabPFN-3 licence.*TABPFN_TOKEN.*accept it first"):
        fetch(TABPFN["v3"], "classification")
    assert hub.asked == []


@both
class TestCommands:
    def run(self, *arguments, **more):
        return CliRunner().invoke(application, arguments, **more)

    def test_fetch_shows_the_licence_and_asks(self, library, hub):
        publish(hub, library, "classification")
        answer = self.run("fetch", library, input="n\n")
        assert answer.exit_code == 1
        assert MODELS[library].licence in answer.output
        assert hub.asked == []

    def test_fetch_gets_both_files(self, library, hub):
        for kind in KINDS:
            publish(hub, library, kind)
        answer = self.run("fetch", library, "--accept-licence")
        assert answer.exit_code == 0, answer.output
        assert answer.output.count("(as the hub states)") == 2

    def test_status_says_what_is_missing(self, library, hub):
        rows = json.loads(self.run("status", "--json").output)
        obstacles = {(row["library"], row["kind"]): row["obstacle"] for row in rows}
        assert len(obstacles) == 4
        assert all(obstacles.values())

    def test_status_says_what_is_ready(self, library, hub, monkeypatch):
        publish(hub, library, "regression")
        monkeypatch.setenv("AUTOMETA_FOUNDATION_WEIGHTS", str(hub.folder))
        rows = json.loads(self.run("status", "--json").output)
        ready = [(row["library"], row["kind"]) for row in rows if row["obstacle"] is None]
        assert ready == [(library, "regression")]
        assert "regression: ready" in self.run("status").output


def test_an_unknown_model_is_named():
    error = CliRunner().invoke(application, ["fetch", "tabnet"]).exception
    assert isinstance(error, FoundationError)
    assert "'tabpfn' and 'tabicl'; got 'tabnet'" in str(error)
