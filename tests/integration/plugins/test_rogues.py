"""Rogue plugins are installed: the command line, `recommend` and a collection go on, and say what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.experiment_helpers import write_folder
from tests.integration.plugins.rogues import ROGUES, write_rogues

VIOLENT = ("exiting", "leaking", "endless")
RECOMMEND = """
import json, sys, warnings
warnings.simplefilter("ignore")
from sklearn.datasets import load_iris
import autometa
found = autometa.recommend("sklearn:iris", top_k=None)
facts = {"strategies": sorted({p.candidate.strategy for p in found.ranking}), "excluded": dict(found.excluded)}
facts["score"] = found.fit().score(*load_iris(return_X_y=True, as_frame=True))
facts["evidence"] = {p.candidate.strategy: p.evidence for p in found.ranking}
print(json.dumps(facts))
"""
COLLECT = """
import json, sys, warnings
warnings.simplefilter("ignore")
from autometa.engine.collection import build_knowledge
if __name__ == "__main__":
    strategies = ["exiting", "leaking", "endless", "empty_handed", "moody", "slow_learner"]
    build_knowledge(sys.argv[1], sys.argv[2], strategies=strategies, tasks=["openml-2"], sizes=(0,), n_splits=1,
                    n_jobs=1, backend="sequential", seconds_per_cell=3.0, memory_per_cell=100 * 2**20)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What a process needs to find the rogues and no plugin else."""
    path = write_rogues(tmp_path_factory.mktemp("rogues"))
    paths = os.pathsep.join([str(path), *filter(None, sys.path)])
    names = ",".join(ROGUES)
    return {**os.environ, "PYTHONPATH": paths, "AUTOMETA_PLUGINS": names, "PYTHONWARNINGS": "default"}


def run(environment, *command):
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def listing(environment):
    return run(environment, sys.executable, "-m", "autometa", "plugins", "--json")


@pytest.fixture(scope="module")
def plugins(listing):
    return {
        plugin["name"] + ("" if plugin["distribution"] != "aaa-impostor" else "*"): plugin
        for plugin in json.loads(listing.stdout)
    }


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("built_in", ""),
        ("broken", "ImportError: a library that is not there"),
        ("leaving", "SystemExit: I leave"),
        ("slow", ""),
        ("slow*", "Another plugin is called 'slow' already, that of 'autometa-slow'"),
        ("half", "RuntimeError: in the middle"),
        ("thief", "there is a command 'recommend' already"),
        ("liar", "schema version 99"),
        ("vague", ""),
        ("violent", ""),
    ],
)
def test_what_failed_is_listed_with_its_reason(plugins, listing, name, error):
    assert (error in plugins[name]["error"]) if error else plugins[name]["error"] == ""
    if error:
        assert error.partition(":")[2] in " ".join(listing.stderr.split())  # and a warning


def test_names_are_not_stolen_and_nothing_half_registered_stays(plugins):
    assert "linear" in plugins["built_in"]["strategies"]
    assert plugins["thief"]["strategies"] == ["thief:linear", "thief:shared"]
    assert plugins["other"]["strategies"] == ["other:shared"]
    assert plugins["half"]["strategies"] == []
    assert plugins["built_in"]["evidence"]["linear"] > 1000
    assert set(plugins["thief"]["evidence"].values()) == {0}


def test_a_slow_import_is_seen(plugins):
    assert plugins["slow"]["import_seconds"] >= 0.25 > plugins["other"]["import_seconds"]


def test_recommend_goes_on(environment):
    found = json.loads(run(environment, sys.executable, "-c", RECOMMEND).stdout)
    assert found["score"] > 0.9
    assert {"linear", "svm", "thief:linear", "other:shared", "slow_learner", *VIOLENT} <= set(found["strategies"])
    assert "half_one" not in found["strategies"]
    assert found["excluded"]["moody"] == "supports() failed with ZeroDivisionError: on purpose"
    assert found["excluded"]["empty_handed"] == "portfolio() failed with ZeroDivisionError: on purpose"
    assert "no history" in found["evidence"]["thief:linear"]
    assert "known runs" in found["evidence"]["linear"]


def test_a_collection_goes_on_and_records_each_evaluation_as_what_it_was(environment, tmp_path):
    folder = write_folder(tmp_path / "openml")
    (tmp_path / "collect.py").write_text(COLLECT)
    run(environment, sys.executable, str(tmp_path / "collect.py"), str(folder), str(tmp_path / "workspace"))
    lines = (tmp_path / "workspace" / "journal.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines[1:]]
    ends = {
        r["candidate"].rpartition("-")[0]: (r["status"], r["message"])
        for r in records
        if r["kind"] == "evaluation"
    }
    assert ends["exiting"] == ("crash", "The process left with exit code 7.")
    assert ends["leaking"][0] == "memory"
    assert "0.10 GiB are allowed" in ends["leaking"][1]
    assert ends["endless"][0] == "timeout"
    assert ends["moody"][0] == "error"
    assert "ZeroDivisionError: on purpose" in ends["moody"][1]
    assert ends["slow_learner"] == ("ok", "")
    assert "empty_handed" not in ends
    (described,) = [r for r in records if r["kind"] == "metafeatures"]
    assert described["status"] == "ok"
    assert described["values"]["vague:fails"] is None
    assert described["values"]["nr_inst"] == 105
