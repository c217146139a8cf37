"""Meta-features of plugins stand beside the built-in ones and cannot harm them."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from sklearn.datasets import load_wine

from autometa.components.metafeatures import describe, extract
from autometa.domain import Task
from autometa.foundation.errors import PluginWarning
from autometa.plugins import MetaFeatureFunction


@pytest.fixture(scope="module")
def task():
    return Task.from_arrays(*load_wine(return_X_y=True))


def function(answer, *names, plugin="words"):
    return MetaFeatureFunction(plugin, names or ("n",), answer)


def test_they_follow_the_built_in_ones_under_the_plugins_name(task):
    own = extract(task)
    found = describe(task, [function(lambda t: {"n": t.n_samples, "b": True, "more": 1}, "n", "b"), INFINITE])
    assert found.names == (*own.names, "words:n", "words:b", "odd:n")
    assert found.groups[-3:] == ("words", "words", "odd")
    np.testing.assert_array_equal(found.values[:-3], own.values)
    np.testing.assert_array_equal(found.values[-3:], [178, 1, np.nan])
    assert describe(task).names == own.names


INFINITE = function(lambda t: {"n": np.float32("inf")}, plugin="odd")


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self):
        raise ValueError("no words")


def raising(error):
    def fail(task):
        raise error

    return fail


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raising(ValueError("a bug")), "ValueError: a bug"),
        (raising(SystemExit(3)), "SystemExit: 3"),
        (raising(Mute()), "not known here: Mute."),
        (lambda t: None, "TypeError"),
        (lambda t: {"other": 1.0}, "KeyError: 'n'"),
        (lambda t: {"n": "many"}, "n must be a number; got 'many'"),
    ],
)
def test_a_failure_is_nan_with_a_reason(task, answer, reason):
    with pytest.warns(PluginWarning, match="words:n are not known here") as seen:
        found = describe(task, [function(answer), INFINITE])
    assert reason in str(seen[0].message)
    np.testing.assert_array_equal(found.values[-2:], [np.nan, np.nan])
    np.testing.assert_array_equal(found.values[:-2], extract(task).values)


def test_one_that_never_answers_is_left_behind(task):
    called, released = threading.Event(), threading.Event()
    calls = []

    def hang(task):
        calls.append(task)
        called.set()
        released.wait()

    endless = function(hang, plugin="endless")
    with pytest.warns(PluginWarning, match=r"no answer within 0\.01 s"):
        assert np.isnan(describe(task, [endless], seconds=0.01).values[-1])
    assert called.wait(30)
    assert np.isnan(describe(task, [endless], seconds=0.01).values[-1])  # not asked again, and no second warning
    released.set()
    assert len(calls) == 1


def test_what_they_do_to_the_task_reaches_nobody_else(task):
    def vandalise(task):
        task.X.iloc[:, 0] = 0.0
        return {"n": 1.0}

    describe(task, [function(vandalise)])
    assert (task.X.iloc[:, 0] != 0).all()
