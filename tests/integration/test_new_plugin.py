"""From nothing to a recommended strategy: `autometa plugins new`, a wheel, a fresh environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest


def run(*command, cwd=None):
    process = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env=os.environ | {"AUTOMETA_PLUGINS": "nearest_mean"},
    )
    assert process.returncode == 0, f"{process.args}\n{process.stdout[-6000:]}\n{process.stderr[-3000:]}"
    return process.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    said = run(sys.executable, "-m", "autometa", "plugins", "new", "nearest-mean", "--folder", folder, "--json")
    return Path(json.loads(said)["folder"])


@pytest.fixture(scope="module")
def wheel(package):
    """Built as an installer would, but by the tools at hand: nothing is fetched."""
    folder = package.parent / "wheels"
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", *options, package)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory, wheel):
    """An environment with the plugin, and with what this one has."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    scripts = "Scripts" if os.name == "nt" else "bin"
    interpreter = folder / scripts / Path(sys.executable).name
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    # As --system-site-packages would do, but with the packages of this environment, editable ones included.
    parent = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (packages / "parent.pth").write_text(parent, encoding="utf-8")
    options = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", interpreter, "install", *options, wheel)
    return interpreter


def test_the_new_plugin_is_listed(python, tmp_path):
    listed = {
        plugin["name"]: plugin
        for plugin in json.loads(run(python, "-m", "autometa", "plugins", "--json", cwd=tmp_path))
    }
    found = listed["nearest_mean"]
    assert (found["distribution"], found["version"], found["error"]) == ("autometa-nearest-mean", "0.1.0", "")
    assert found["strategies"] == ["nearest_mean"]


def test_its_strategy_is_recommended_as_one_without_evidence(python, tmp_path):
    said = run(python, "-m", "autometa", "recommend", "sklearn:iris", "--top-k", "100", "--json", cwd=tmp_path)
    ranking = json.loads(said)["ranking"]
    own = [place for place in ranking if place["strategy"] == "nearest_mean"]
    assert len(own) == 3
    assert all(place["evidence"].startswith("no history") for place in own)
    assert {place["strategy"] for place in ranking[:3]}.isdisjoint({"nearest_mean"})


def test_its_own_tests_pass(python, package, tmp_path):
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", package)
    said = run(
        python, "-m", "pytest", *options, package / "tests", cwd=tmp_path
    )  # of the wheel, not of the folder
    assert " passed" in said
    assert "failed" not in said
