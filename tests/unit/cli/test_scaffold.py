"""`autometa plugins new`: which names it takes, what it writes, and that the example is what it writes."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from autometa.cli import scaffold
from autometa.foundation.errors import InputError, ParameterError
from autometa.plugins import discovery
from autometa.plugins.registry import PluginRecord, Registry

EXAMPLE = Path(__file__).parents[3] / "plugins" / "autometa-example"


@pytest.fixture(scope="module")
def application():
    application = typer.Typer()
    application.command("new")(scaffold.new)
    return application


def run(application, *arguments):
    return CliRunner().invoke(application, [str(argument) for argument in arguments])


def test_the_example_is_what_the_command_writes():
    for path, text in scaffold.rendered("example").items():
        assert (EXAMPLE / path).read_text(encoding="utf-8") == text, f"{path}: run `autometa plugins new example`"


def test_names_are_spelled_as_their_place_asks():
    found = scaffold.rendered("nearest-mean")
    project = tomllib.loads(found["pyproject.toml"])
    assert project["project"]["name"] == "autometa-nearest-mean"
    assert project["project"]["entry-points"]["autometa"] == {"nearest_mean": "autometa_nearest_mean"}
    source = found["autometa_nearest_mean/__init__.py"]
    assert "NearestMeanStrategy" in {
        node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)
    }
    assert 'name: ClassVar[str] = "nearest_mean"' in source
    ast.parse(found["tests/test_conformance.py"])
    assert not [path for path, text in found.items() if "$name" in text or "$module" in text]


@pytest.mark.parametrize(
    "name",
    ["", "Nearest", "nearest_mean", "nearest--mean", "-mean", "mean-", "2nd", "näher", "a b", "../up", "a/b"],
)
def test_names_that_no_distribution_should_have_are_refused(name):
    with pytest.raises(ParameterError, match="lower-case letters and digits"):
        scaffold.rendered(name)


def test_the_prefix_is_not_given_twice():
    with pytest.raises(ParameterError, match="leave the prefix of 'autometa-mean' out"):
        scaffold.rendered("autometa-mean")


@pytest.mark.parametrize("name", ["linear", "built-in", "forest", "old-trees"])
def test_names_of_plugins_and_strategies_are_refused(application, tmp_path, monkeypatch, name):
    built_in = PluginRecord("built_in", "autometa-ml", strategies=("linear",))
    others = (PluginRecord("old_trees", error="no module"), PluginRecord("woods", strategies=("woods:forest",)))
    monkeypatch.setattr(scaffold, "get_registry", lambda: Registry(records=(built_in, *others)))
    result = run(application, name, "--folder", tmp_path)
    assert isinstance(result.exception, ParameterError)
    assert f"called '{name}'; choose a name other than ['built_in', 'forest', 'linear'" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["ml", "old-trees"])
def test_names_of_installed_distributions_are_refused(application, tmp_path, monkeypatch, name):
    found = [SimpleNamespace(name="Autometa_Old.Trees"), SimpleNamespace(name=None), SimpleNamespace(name="numpy")]
    monkeypatch.setattr(discovery, "distributions", lambda: found)
    result = run(application, name, "--folder", tmp_path)
    assert isinstance(result.exception, ParameterError)
    assert f"would be called 'autometa-{name}', and there is one" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_package_and_says_where(application, tmp_path):
    result = run(application, "mean", "--folder", tmp_path / "deep" / "er", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert said["folder"] == str(tmp_path / "deep" / "er" / "autometa-mean")
    assert {path: (Path(said["folder"]) / path).read_text(encoding="utf-8") for path in said["files"]} == (
        scaffold.rendered("mean")
    )


def test_the_command_says_what_comes_next(application, tmp_path):
    result = run(application, "mean", "--folder", tmp_path)
    assert result.exit_code == 0, result.output
    assert "autometa_mean/__init__.py" in result.output
    assert f"python -m pip install --editable '{tmp_path}/autometa-mean[test]'" in result.output


def test_a_folder_that_exists_is_left_alone(application, tmp_path):
    (tmp_path / "autometa-mean").mkdir()
    result = run(application, "mean", "--folder", tmp_path)
    assert isinstance(result.exception, InputError)
    assert "exists already" in str(result.exception)
    assert list((tmp_path / "autometa-mean").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(application, tmp_path):
    (tmp_path / "file").touch()
    result = run(application, "mean", "--folder", tmp_path / "file")
    assert isinstance(result.exception, InputError)
    assert "Cannot write" in str(result.exception)
