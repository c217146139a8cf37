"""Plugins are found, chosen and isolated: one that fails takes nothing else down."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

from autometa.domain.strategy import Configuration, Strategy
from autometa.domain.task import Task
from autometa.foundation.errors import ParameterError, PluginWarning
from autometa.foundation.settings import settings_context
from autometa.plugins import hookimpl, registry
from autometa.plugins.registry import Registry, load_registry, unsupported


def strategy(name, reason=None):
    class Dummy(Strategy):
        def supports(self, task):
            if isinstance(reason, Exception):
                raise reason
            return reason

        def search_space(self, task):
            return {}

        def portfolio(self, task):
            return [Configuration()]

        def build(self, configuration, task, *, device="auto", random_state=None):
            return DummyRegressor()

    Dummy.name = name
    return Dummy()


class Point:
    """What the loader needs of an entry point, around an object instead of an import."""

    def __init__(self, name, plugin, distribution="autometa-test"):
        self.name, self.plugin = name, plugin
        self.dist = types.SimpleNamespace(name=distribution, version="1.2")

    def load(self):
        if isinstance(self.plugin, BaseException):
            raise self.plugin
        return self.plugin


def bringing(*strategies, folders=()):
    class Plugin:
        @hookimpl
        def register_strategies(self, register):
            for each in strategies:
                register(each)

        @hookimpl
        def register_knowledge(self, register):
            for folder in folders:
                register(folder)

    return Plugin()


class HalfWay:
    @hookimpl
    def register_strategies(self, register):
        register(strategy("half"))
        raise RuntimeError("after the first")

    @hookimpl
    def register_commands(self, application):
        application.append("half")


class WrongSignature:
    @hookimpl
    def register_strategies(self, registry):
        """Take an argument that the hook does not have."""

    @hookimpl
    def register_commands(self, application):
        application.append("wrong")


class UnknownHook:
    @hookimpl
    def register_learners(self, register):
        """Implement a hook that does not exist."""


GOOD = Point("good", bringing(strategy("alpha")))


def load(*points):
    return load_registry(points)


def test_plugins_are_registered_in_order_with_a_record(tmp_path):
    found = load(
        GOOD, Point("more", bringing(strategy("beta"), strategy("gamma"), folders=[tmp_path, str(tmp_path)]))
    )
    assert list(found.strategies) == ["alpha", "beta", "gamma"]
    assert found.knowledge == (tmp_path, tmp_path)
    record = found.records[1]
    assert (record.name, record.distribution, record.version) == ("more", "autometa-test", "1.2")
    assert record.strategies == ("beta", "gamma")
    assert record.hooks == ("register_knowledge", "register_strategies")
    assert record.error == ""


BROKEN = {
    "import": (ImportError("no module named x"), "ImportError: no module named x"),
    "syntax": (SyntaxError("bad"), "SyntaxError: bad"),
    "exit": (SystemExit(3), "SystemExit: 3"),
    "half": (HalfWay(), "RuntimeError: after the first"),
    "signature": (WrongSignature(), "PluginValidationError"),
    "nothing": (None, "NoneType brings nothing"),
    "no marks": (types.SimpleNamespace(register_strategies=print), "Mark its functions with @autometa.hookimpl"),
    "unknown hook": (UnknownHook(), "register_learners"),
    "no strategy": (bringing("alpha"), "takes an instance of autometa.Strategy"),
    "class": (bringing(type(strategy("x"))), "takes an instance"),
    "bad name": (bringing(strategy("Not-Lower")), "lower-case identifier"),
    "capitals": (bringing(strategy("Upper")), "lower-case identifier"),
    "taken name": (bringing(strategy("new"), strategy("alpha")), "'alpha' is already registered"),
    "twice": (bringing(strategy("new"), strategy("new")), "'new' is already registered"),
    "no folder": (bringing(strategy("new"), folders=["/does/not/exist"]), "'/does/not/exist' is none"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_left_out_whole(name):
    plugin, message = BROKEN[name]
    with pytest.warns(PluginWarning, match=r"Plugin 'broken' \(autometa-test 1.2\) was left out"):
        found = load(GOOD, Point("broken", plugin), Point("last", bringing(strategy("omega"))))
    assert list(found.strategies) == ["alpha", "omega"]
    assert found.knowledge == ()
    assert message in found.records[1].error
    assert [record.error == "" for record in found.records] == [True, False, True]
    assert not found.manager.has_plugin("broken")
    commands = []
    found.manager.hook.register_commands(application=commands)
    assert commands == []


def test_two_plugins_of_one_name_leave_the_first_alone():
    class Commanding:
        @hookimpl
        def register_commands(self, application):
            application.append("first")

    with pytest.warns(PluginWarning, match="Another plugin is called 'same'"):
        found = load(Point("same", Commanding()), Point("same", bringing(strategy("beta"))))
    commands = []
    found.manager.hook.register_commands(application=commands)
    assert commands == ["first"]
    assert list(found.strategies) == []


def test_one_object_under_two_names_is_registered_once():
    plugin = bringing(strategy("alpha"))
    with pytest.warns(PluginWarning, match="registered already, as 'one'"):
        found = load(Point("one", plugin), Point("two", plugin))
    assert list(found.strategies) == ["alpha"]


@pytest.fixture
def installed(monkeypatch):
    """Three fake modules behind real entry points; the built-in one is of the product's own distribution."""
    points = []
    for name, distribution in [("zeta", "autometa-zeta"), ("built_in", "autometa-ml"), ("beta", "autometa-beta")]:
        module = types.ModuleType(f"autometa_fake_{name}")
        module.register_strategies = hookimpl(lambda register, name=name: register(strategy(name)))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        point = EntryPoint(name, module.__name__, "autometa")
        points.append(point._for(types.SimpleNamespace(name=distribution, version="0")))
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "autometa" else [])
    registry._cached_registry.cache_clear()
    yield
    registry._cached_registry.cache_clear()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("selection", "names"),
    [(None, ["built_in", "beta", "zeta"]), ("", ["built_in"]), (" zeta ,", ["built_in", "zeta"])],
)
def test_the_setting_chooses_plugins_and_the_built_in_ones_stay(selection, names):
    with settings_context(plugins=selection):
        assert list(registry.get_registry().strategies) == names
        assert registry.get_registry() is registry.get_registry()


@pytest.mark.usefixtures("installed")
def test_a_chosen_plugin_that_is_not_installed_is_a_warning():
    with (
        settings_context(plugins="beta,gama"),
        pytest.warns(PluginWarning, match=r"names \['gama'\], which are not"),
    ):
        assert list(registry.get_registry().strategies) == ["built_in", "beta"]


def test_strategies_are_selected_by_name():
    found = load(GOOD, Point("more", bringing(strategy("beta"), strategy("gamma"))))
    assert list(found.select()) == ["alpha", "beta", "gamma"]
    assert list(found.select(["gamma", "alpha"])) == ["gamma", "alpha"]
    assert list(found.select("beta")) == ["beta"]
    assert list(found.select(exclude="beta")) == ["alpha", "gamma"]
    assert found.select(["beta"], exclude=["beta"]) == {}
    for names, exclude in [(["delta"], ()), (None, ["delta"])]:
        with pytest.raises(ParameterError, match=r"'delta'; installed are \['alpha', 'beta', 'gamma'\]"):
            found.select(names, exclude)
    with pytest.raises(ParameterError, match="No strategy is called 'x'"):
        Registry().strategy("x")


def test_strategies_say_why_they_do_not_take_a_task():
    task = Task.from_arrays(pd.DataFrame({"x": [1.0, 2.0]}), [0.5, 1.5])
    strategies = {
        "a": strategy("a"),
        "b": strategy("b", "too few rows"),
        "c": strategy("c", ZeroDivisionError("oh")),
    }
    assert unsupported(strategies, task) == {
        "b": "too few rows",
        "c": "supports() failed with ZeroDivisionError: oh",
    }
