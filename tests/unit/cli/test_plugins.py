"""The command line of plugins: what is installed, install and uninstall, and commands that plugins bring."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from importlib.metadata import EntryPoint

import pytest
import typer
from typer.testing import CliRunner

from autometa.cli import installer, plugins, render
from autometa.cli.application import application
from autometa.foundation.errors import ParameterError, PluginError, PluginWarning
from autometa.foundation.settings import settings_context
from autometa.plugins import discovery
from autometa.plugins.loading import LoadedPlugin
from autometa.plugins.registry import PluginRecord, Registry

ENVIRONMENT = [("built_in", "autometa-ml"), ("trees", "autometa-trees")]


@pytest.fixture
def commands(monkeypatch):
    """Note what would be run instead of running it."""
    run = []

    def note(command, check):
        run.append(command)
        return types.SimpleNamespace(returncode=0)

    monkeypatch.setattr(installer.subprocess, "run", note)
    monkeypatch.setattr(installer, "_owners", lambda: list(ENVIRONMENT))
    return run


def test_plugins_are_listed_with_their_evidence():
    found = json.loads(CliRunner().invoke(application, ["plugins", "--json"]).stdout)
    (built_in,) = [plugin for plugin in found if plugin["distribution"] == "autometa-ml"]
    assert built_in["evidence"]["linear"] > 1000
    assert built_in["hooks"] == ["register_backbones", "register_strategies"]
    assert built_in["import_seconds"] >= 0
    assert built_in["error"] == ""


def test_a_plugin_that_failed_is_listed_with_its_error(monkeypatch):
    records = (PluginRecord("bad", "autometa-bad", "1.0", import_seconds=4.2, error="ImportError: no module x"),)
    monkeypatch.setattr(plugins, "get_registry", lambda: Registry(records=records))
    monkeypatch.setattr(plugins, "_command_errors", {"bad": "its commands were left out"})
    monkeypatch.setattr(render.console, "width", 200)
    process = CliRunner().invoke(application, ["plugins"])
    assert all(text in process.stdout for text in ("autometa-bad 1.0", "4.20 s", "ImportError: no module x"))
    (facts,) = json.loads(CliRunner().invoke(application, ["plugins", "--json"]).stdout)
    assert facts["error"] == "ImportError: no module x; its commands were left out"


def test_plugins_are_listed_even_if_the_knowledge_base_is_broken(tmp_path):
    with settings_context(knowledge=tmp_path), pytest.warns(PluginWarning, match="No evidence can be counted"):
        found = CliRunner().invoke(application, ["plugins", "--json"])
    assert json.loads(found.stdout)[0]["evidence"]["linear"] == 0


def test_the_environments_own_pip_installs(commands, monkeypatch):
    monkeypatch.setattr(installer.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(installer, "_owners", iter([[], [("trees", "autometa-trees")]]).__next__)
    assert installer.install(["autometa-trees", "x==1"], upgrade=True) == ["trees"]
    assert commands == [[sys.executable, "-m", "pip", "install", "--upgrade", "autometa-trees", "x==1"]]


def test_uv_serves_an_environment_without_pip(commands, monkeypatch):
    monkeypatch.setattr(installer.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(installer.shutil, "which", lambda name: "/bin/uv")
    assert installer.uninstall(["trees"]) == ["autometa-trees"]
    assert commands == [["/bin/uv", "pip", "uninstall", "--python", sys.executable, "autometa-trees"]]
    monkeypatch.setattr(installer.shutil, "which", lambda name: None)
    with pytest.raises(PluginError, match=r"neither pip nor uv.*ensurepip"):
        installer.install(["autometa-trees"])


@pytest.mark.parametrize("name", ["trees", "autometa-trees", "Autometa_Trees"])
def test_a_plugin_is_removed_by_its_own_or_its_distributions_name(commands, monkeypatch, name):
    monkeypatch.setattr(installer.importlib.util, "find_spec", lambda name: object())
    assert installer.uninstall([name]) == ["autometa-trees"]
    assert commands == [[sys.executable, "-m", "pip", "uninstall", "--yes", "autometa-trees"]]


@pytest.mark.parametrize("name", ["autometa-ml", "Autometa.ML", "built_in"])
def test_autometa_does_not_remove_itself(commands, name):
    with pytest.raises(ParameterError, match="is autometa itself"):
        installer.uninstall(["trees", name])
    assert commands == []


def installed(monkeypatch, *owners):
    points = [
        EntryPoint(plugin, "nothing", "autometa")._for(types.SimpleNamespace(name=name, version="0"))
        for plugin, name in owners
    ]
    monkeypatch.setattr(discovery, "entry_points", lambda group: points)


@pytest.mark.parametrize("last", ["aaa-forged", "zzz-forged"])
def test_the_plugin_that_has_the_name_is_removed_and_no_other_of_that_name(monkeypatch, last):
    run = []
    monkeypatch.setattr(installer, "_run", lambda command, doing: run.append(command[-1]))
    installed(monkeypatch, ("trees", "autometa-trees"), ("trees", last), ("nameless", None))
    assert installer.uninstall(["trees"]) == ["autometa-trees"]
    assert installer.uninstall([last]) == [last]
    assert run == ["autometa-trees", last]


def test_the_name_of_a_distribution_comes_before_that_of_a_plugin(monkeypatch):
    monkeypatch.setattr(installer, "_run", lambda command, doing: None)
    installed(monkeypatch, ("autometa-trees", "forger"), ("trees", "autometa-trees"))
    assert installer.uninstall(["autometa-trees"]) == ["autometa-trees"]


def test_a_name_that_several_distributions_claim_removes_none(monkeypatch):
    installed(monkeypatch, ("words", "one"), ("words", "two"))
    with pytest.raises(ParameterError, match=r"give the name of one of them: \['one', 'two'\]"):
        installer.uninstall(["words"])


def test_only_plugins_are_removed(commands):
    with pytest.raises(ParameterError, match=r"\['numpy'\] are no installed plugins; installed are \['trees'\]"):
        installer.uninstall(["trees", "numpy"])
    for name in ("--index-url", "", "-r"):
        with pytest.raises(ParameterError, match="no name of a distribution"):
            installer.install([name])
    assert commands == []


def test_an_installer_that_fails_is_an_error(commands, monkeypatch):
    monkeypatch.setattr(installer.subprocess, "run", lambda *a, **k: types.SimpleNamespace(returncode=3))
    with pytest.raises(PluginError, match=r"install nothing: .* ended with exit code 3"):
        installer.install(["nothing"])

    def absent(*arguments, **options):
        raise FileNotFoundError(2, "No such file")

    monkeypatch.setattr(installer.subprocess, "run", absent)
    with pytest.raises(PluginError, match="does not start"):
        installer.install(["nothing"])


def test_nothing_is_installed_offline(commands):
    with settings_context(offline=True), pytest.raises(PluginError, match="AUTOMETA_OFFLINE"):
        installer.install(["autometa-trees"])


def test_installing_says_what_is_new(monkeypatch):
    monkeypatch.setattr(installer, "install", lambda names, upgrade: names if upgrade else [])
    assert (
        "New plugins: trees"
        in CliRunner().invoke(application, ["plugins", "install", "trees", "--upgrade"]).output
    )
    assert "no new plugin appeared" in CliRunner().invoke(application, ["plugins", "install", "trees"]).output
    monkeypatch.setattr(installer, "uninstall", lambda names: names)
    assert "Removed trees." in CliRunner().invoke(application, ["plugins", "uninstall", "trees"]).output


def with_commands(monkeypatch, **adding):
    loaded = tuple(
        LoadedPlugin(name, None, hooks=("register_commands",), add_commands=add) for name, add in adding.items()
    )
    monkeypatch.setattr(plugins, "get_registry", lambda: Registry(plugins=loaded))
    monkeypatch.setattr(plugins, "_command_errors", {})
    host = typer.Typer()
    host.command("recommend")(lambda: None)
    host.command("explain")(lambda: None)
    return host


def test_plugins_bring_commands(monkeypatch):
    def add(application):
        @application.command()
        def greet():
            """Say hello."""
            typer.echo("hello")

        application.add_typer(typer.Typer(callback=lambda: None), name="more")

    host = with_commands(monkeypatch, good=add)
    plugins.add_plugin_commands(host)
    assert set(typer.main.get_group(host).commands) == {"recommend", "explain", "greet", "more"}
    assert CliRunner().invoke(host, ["greet"]).stdout == "hello\n"


def test_what_a_plugin_prints_while_it_adds_commands_stays_out_of_the_answers(monkeypatch, capsys):
    def loud(application):
        print("hello")  # noqa: T201
        application.command("good")(lambda: None)

    plugins.add_plugin_commands(with_commands(monkeypatch, loud=loud))
    assert capsys.readouterr() == ("", "hello\n")


def test_the_evidence_is_counted_once_for_all_plugins(monkeypatch):
    counted = []
    monkeypatch.setattr(plugins, "_evidence", lambda: counted.append(1) or ({"b": 3}, {}))
    records = tuple(PluginRecord(name, strategies=(name,)) for name in "abc")
    monkeypatch.setattr(plugins, "get_registry", lambda: Registry(records=records))
    found = json.loads(CliRunner().invoke(application, ["plugins", "--json"]).stdout)
    assert [each["evidence"] for each in found] == [{"a": 0}, {"b": 3}, {"c": 0}]
    assert counted == [1]


def test_commands_that_fail_or_steal_a_name_are_left_out_whole(monkeypatch):
    def stealing(application):
        application.command("mine")(lambda: None)
        application.command("recommend")(lambda: typer.echo("stolen"))

    def half(application):
        application.command("half")(lambda: None)
        raise SystemExit(3)

    def good(application):
        application.command("good")(lambda: None)

    host = with_commands(monkeypatch, stealing=stealing, half=half, good=good)
    with pytest.warns(PluginWarning) as seen:
        plugins.add_plugin_commands(host)
    assert set(typer.main.get_group(host).commands) == {"recommend", "explain", "good"}
    assert len(seen) == 2
    assert "there is a command 'recommend' already" in str(seen[0].message)
    assert set(plugins._command_errors) == {"stealing", "half"}


def test_the_list_is_there_without_a_subcommand():
    process = subprocess.run(
        [sys.executable, "-m", "autometa", "plugins"], capture_output=True, text=True, check=True
    )
    assert "built_in" in process.stdout


def test_all_that_a_plugin_brings_is_listed(monkeypatch):
    hooks = ("register_commands", "register_knowledge", "register_metafeatures", "register_strategies")
    record = PluginRecord("all", "autometa-all", "2.0", hooks, ("mine",), ("all:n",))
    monkeypatch.setattr(plugins, "get_registry", lambda: Registry(records=(record,)))
    monkeypatch.setattr(render.console, "width", 200)
    assert "mine, all:n, commands, knowledge" in CliRunner().invoke(application, ["plugins"]).stdout
