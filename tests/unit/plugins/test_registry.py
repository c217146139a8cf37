"""Plugins are found, chosen and isolated: one that fails takes nothing else down."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

from autometa.domain.strategy import Candidate, Configuration, Strategy
from autometa.domain.task import Task
from autometa.foundation.errors import ParameterError, PluginError, PluginWarning
from autometa.foundation.settings import settings_context
from autometa.plugins import discovery, hookimpl, registry
from autometa.plugins.isolation import portfolio, unsupported
from autometa.plugins.registry import Registry, load_registry


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


class NoArgument:
    @hookimpl
    def register_strategies(self):
        """Take nothing, so that nothing can be registered."""


class HalfMarked:
    @hookimpl
    def register_strategies(self, register):
        register(strategy("half"))

    def register_knowledge(self, register):
        """Lack the mark."""


class Asking:
    @hookimpl
    def register_strategies(self, register):
        register(registry.load_registry([Point("inner", bringing(strategy("inner")))]).strategy("inner"))


def stubborn(**members):
    mould = strategy("stubborn")
    return type("Stubborn", (type(mould),), members)()


def describing(names, function=len):
    class Plugin:
        @hookimpl
        def register_metafeatures(self, register):
            register(["first"], len)
            register(names, function)

        @hookimpl
        def register_commands(self, application):
            application.append("describing")

    return Plugin()


def commands_of(found):
    commands = []
    for plugin in found.plugins:
        plugin.add_commands(commands)
    return commands


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
    "no argument": (NoArgument(), "register_strategies takes ['register']; got []"),
    "no copies": (bringing(stubborn(__copy__=lambda self: 1 / 0)), "(ZeroDivisionError: division by zero)"),
    "fixed name": (bringing(stubborn(name=property(lambda self: "fixed"))), "cannot be copied under another name"),
    "half marked": (HalfMarked(), "register_knowledge is not marked with @autometa.hookimpl"),
    "asks what is installed": (Asking(), "asks what is installed while it is itself being loaded"),
    "base exception": (BaseException("of its own kind"), "BaseException: of its own kind"),
    "late names": (describing(["ok", "not ok"]), "are identifiers, dots allowed; got ['not ok']"),
    "no names": (describing([]), "are identifiers, dots allowed; got []"),
    "names twice": (describing(["a", "a"]), "['a', 'a'] are registered twice"),
    "no function": (describing(["a"], function=3), "takes names and a function of a task; got 3"),
    "nothing": (None, "NoneType brings nothing"),
    "no marks": (types.SimpleNamespace(register_strategies=print), "Mark its functions with @autometa.hookimpl"),
    "unknown hook": (UnknownHook(), "register_learners"),
    "no strategy": (bringing("alpha"), "takes an instance of autometa.Strategy"),
    "class": (bringing(type(strategy("x"))), "takes an instance"),
    "bad name": (bringing(strategy("Not-Lower")), "lower-case identifier"),
    "capitals": (bringing(strategy("Upper")), "lower-case identifier"),
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
    assert [plugin.name for plugin in found.plugins] == ["good", "last"]
    assert found.metafeatures == ()
    assert commands_of(found) == []


def test_two_plugins_of_one_name_leave_the_first_alone():
    class Commanding:
        @hookimpl
        def register_commands(self, application):
            application.append("first")

    with pytest.warns(PluginWarning, match="Another plugin is called 'same'"):
        found = load(Point("same", Commanding()), Point("same", bringing(strategy("beta"))))
    assert commands_of(found) == ["first"]
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
    monkeypatch.setattr(discovery, "entry_points", lambda group: points if group == "autometa" else [])
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


def test_two_plugins_with_the_same_strategy_name_do_not_knock_each_other_out():
    one, two = strategy("forest"), strategy("forest")
    found = load(GOOD, Point("a", bringing(one)), Point("b", bringing(two, strategy("other"))))
    assert list(found.strategies) == ["alpha", "a:forest", "b:forest", "other"]
    assert [record.strategies for record in found.records] == [("alpha",), ("a:forest",), ("b:forest", "other")]
    assert (one.name, two.name) == ("forest", "forest")  # the plugins' own objects stay as they are
    assert found.strategy("a:forest").name == "a:forest"
    assert type(found.strategy("b:forest")) is type(two)
    assert found.strategy("b:other") is found.strategy("other")  # the full name always works
    with pytest.raises(ParameterError, match=r"say which: \['a:forest', 'b:forest'\]"):
        found.strategy("forest")
    for unknown in ("a:other", "c:forest", "a:"):
        with pytest.raises(ParameterError, match="No strategy is called"):
            found.strategy(unknown)
    assert list(found.select(["b:other", "b:forest"], exclude=["a:forest"])) == ["other", "b:forest"]


def test_the_name_of_a_built_in_strategy_cannot_be_stolen():
    own = strategy("kernel")
    thieves = [Point(name, bringing(strategy("kernel"))) for name in ("thief", "other")]
    found = load(Point("built_in", bringing(own), "autometa-ml"), *thieves)
    assert list(found.strategies) == ["kernel", "thief:kernel", "other:kernel"]
    assert found.strategy("kernel") is own
    with pytest.raises(TypeError):
        found.strategies["kernel"] = thieves


def test_candidates_carry_the_name_that_is_unique():
    found = load(Point("a", bringing(strategy("forest"))), Point("b", bringing(strategy("forest"))))
    task = Task.from_arrays(pd.DataFrame({"x": [1.0, 2.0]}), [0.5, 1.5])
    (candidate,) = portfolio("a:forest", found.strategy("a:forest"), task)
    assert candidate.strategy == "a:forest"
    (alone,) = portfolio("alpha", load(GOOD).strategy("alpha"), task)
    assert candidate.id.removeprefix("a:forest-") == alone.id.removeprefix("alpha-")


def test_the_knowledge_of_a_plugin_says_what_its_strategies_are_called_here(tmp_path):
    found = load(
        Point("a", bringing(strategy("forest"), strategy("own"), folders=[tmp_path])),
        Point("b", bringing(strategy("forest"))),
    )
    (supplement,) = found.supplements
    assert (supplement.plugin, supplement.folder) == ("a", tmp_path)
    assert dict(supplement.names) == {"forest": "a:forest"}
    assert supplement.strategies == ("forest", "own")


def test_metafeatures_are_called_after_their_plugin():
    found = load(Point("words", describing(["n", "length.mean"])), Point("more", describing("n")))
    assert [name for f in found.metafeatures for name in f.full_names] == [
        "words:first",
        "words:n",
        "words:length.mean",
        "more:first",
        "more:n",
    ]
    assert found.records[0].metafeatures == ("words:first", "words:n", "words:length.mean")


def test_a_plugins_name_is_usable_in_a_list():
    with pytest.warns(PluginWarning, match="entry point is called 'a:b'"):
        assert load(Point("a:b", bringing(strategy("x")))).strategies == {}


def test_a_distribution_cannot_take_the_name_of_anothers_plugin():
    points = [Point("trees", None, name) for name in ("aaa", "Autometa_Trees", "zzz")]
    points.append(Point("trees", None, "autometa-ml"))
    names = [point.dist.name for point in discovery.ordered(points)]
    assert names == ["autometa-ml", "Autometa_Trees", "aaa", "zzz"]


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self):
        raise SystemExit("no words")

    __repr__ = __str__


def test_an_error_without_words_is_called_by_its_type():
    with pytest.warns(PluginWarning, match=r"Plugin 'mute' .* was left out: Mute$"):
        found = load(GOOD, Point("mute", Mute()))
    assert [record.error for record in found.records] == ["", "Mute"]
    task = Task.from_arrays(pd.DataFrame({"x": [1.0, 2.0]}), [0.5, 1.5])
    assert unsupported({"mute": strategy("mute", Mute())}, task)["mute"] == "supports() failed with Mute"
    quiet = strategy("quiet")
    quiet.supports = lambda task: Mute()
    assert "it returned <Mute>" in unsupported({"quiet": quiet}, task)["quiet"]
    quiet.candidates = lambda task: [Mute()]
    with pytest.raises(PluginError, match="offers <Mute>, which is no candidate"):
        portfolio("quiet", quiet, task)


def test_a_distribution_without_metadata_takes_nothing_down(tmp_path, monkeypatch):
    folder = tmp_path / "nameless.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text("[autometa]\nnameless = autometa_fake_nameless\n")
    module = types.ModuleType("autometa_fake_nameless")
    module.register_strategies = hookimpl(lambda register: register(strategy("nameless")))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.syspath_prepend(tmp_path)
    found = load_registry(discovery.discover("nameless"))
    assert found.record("nameless").strategies == ("nameless",)
    assert (found.record("nameless").distribution, found.record("nameless").version) == ("", "")
    assert "linear" in found.strategies


def test_metadata_that_cannot_be_read_states_nothing():
    class Unreadable:
        version = None

        @property
        def name(self):
            raise OSError("no such file")

    point = Point("odd", bringing(strategy("odd")))
    point.dist = Unreadable()
    assert discovery.distribution_of(point) == ("", "")
    assert [each.name for each in discovery.ordered([point, GOOD])] == ["good", "odd"]
    assert load(point).record("odd").error == ""


def test_a_slow_import_is_measured(monkeypatch):
    times = iter([10.0, 13.5])
    monkeypatch.setattr("autometa.plugins.loading.time.perf_counter", lambda: next(times))
    with pytest.warns(PluginWarning):
        found = load(Point("slow", ImportError("after long")))
    assert found.records[0].import_seconds == 3.5


def test_what_a_plugin_prints_stays_out_of_the_answers(capsys):
    class Printing:
        @hookimpl
        def register_strategies(self, register):
            print("hello")  # noqa: T201

    load(Point("loud", Printing()))
    assert capsys.readouterr() == ("", "hello\n")


def test_what_a_strategy_does_to_a_task_reaches_nobody_else():
    class Vandal(type(strategy("vandal"))):
        def supports(self, task):
            task.X.loc[:, "x"] = 0.0
            task.X["more"] = 1.0
            task.roles.clear()
            task.y[:] = 0.0

        def portfolio(self, task):
            del task.X["x"]
            return [Configuration()]

    X, y = pd.DataFrame({"x": [1.0, 2.0]}), [0.5, 1.5]
    task = Task.from_arrays(X, y)
    assert "read-only" in unsupported({"vandal": Vandal()}, task)["vandal"]
    portfolio("vandal", Vandal(), task)
    assert task.X["x"].tolist() == X["x"].tolist() == [1.0, 2.0]
    assert list(task.X) == list(task.roles) == ["x"]
    assert task.y.tolist() == y


def test_portfolios_hold_the_strategys_own_candidates_once():
    class Offering(type(strategy("mine"))):
        def __init__(self, *offered):
            self.offered = offered

        def candidates(self, task):
            return self.offered

    task = Task.from_arrays(pd.DataFrame({"x": [1.0, 2.0]}), [0.5, 1.5])
    own = Candidate("mine", Configuration(a=1))
    assert portfolio("mine", Offering(own, own), task) == (own,)
    for foreign in (Candidate("kernel", Configuration()), "mine"):
        with pytest.raises(PluginError, match="is no candidate of 'mine'"):
            portfolio("mine", Offering(own, foreign), task)
    with pytest.raises(PluginError, match=r"portfolio\(\) failed with TypeError"):
        portfolio("mine", Raising(), task)
    assert "returned True" in unsupported({"odd": strategy("odd", True)}, task)["odd"]


class Raising(type(strategy("mine"))):
    def portfolio(self, task):
        raise TypeError("a bug")
