"""Configurations, candidates, and what lies inside a search space."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.dummy import DummyClassifier

from autometa.domain.strategy import Candidate, Configuration, Strategy, check_configuration
from autometa.domain.task import Task
from autometa.foundation.errors import ParameterError


class Dummy(Strategy):
    name = "dummy"

    def search_space(self, task):
        return {
            "kind": CategoricalDistribution(["a", None, 1]),
            "C": FloatDistribution(0.1, 10.0, log=True),
            "n": IntDistribution(1, 9),
        }

    def portfolio(self, task):
        return [Configuration(C=1.0), Configuration(C=2.0, n=3)]

    def build(self, configuration, task, *, device="auto", random_state=None):
        return DummyClassifier()


@pytest.fixture
def task():
    return Task.from_arrays(pd.DataFrame({"x": [1.0, 2.0]}), [0.5, 1.5])


def test_configurations_are_mappings_with_sorted_names():
    configuration = Configuration({"b": 1}, a=None)
    assert list(configuration) == ["a", "b"]
    assert dict(configuration) == {"a": None, "b": 1}
    assert (len(configuration), configuration["b"]) == (2, 1)
    assert repr(configuration) == "Configuration(a=None, b=1)"


def test_json_goes_there_and_back():
    configuration = Configuration(C=0.1, kernel="rbf", shrinking=True, seed=None, n=3)
    assert configuration.to_json() == '{"C":0.1,"kernel":"rbf","n":3,"seed":null,"shrinking":true}'
    assert Configuration.from_json(configuration.to_json()) == configuration
    assert Configuration.from_json("{}") == Configuration()


@pytest.mark.parametrize("text", ["", "[1]", "3", "{", '{"a": [1]}', '{"a": NaN}'])
def test_what_is_no_configuration_is_refused(text):
    with pytest.raises(ParameterError, match="configuration"):
        Configuration.from_json(text)


@pytest.mark.parametrize("value", [[1], {}, object(), 1j, float("nan"), float("inf"), np.arange(2)])
def test_values_are_finite_scalars(value):
    with pytest.raises(ParameterError, match="a="):
        Configuration(a=value)
    with pytest.raises(ParameterError, match="names of a configuration are strings"):
        Configuration({1: "a"})


def test_numpy_scalars_become_plain():
    configuration = Configuration(a=np.int64(3), b=np.float32(0.5), c=np.bool_(True), d=np.str_("x"))
    assert configuration.to_json() == '{"a":3,"b":0.5,"c":true,"d":"x"}'
    assert {type(value) for value in configuration.values()} == {int, float, bool, str}


def test_equality_hash_and_identity_agree():
    one, same, other = Configuration(a=1, b="x"), Configuration(b="x", a=1), Configuration(a=1.0, b="x")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert Candidate("s", one).id != Candidate("s", other).id
    assert one == {"a": 1, "b": "x"}
    assert one != "x"
    assert len({one, same, other}) == 2
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one


@pytest.mark.parametrize(
    ("configuration", "identifier"),
    [
        (Configuration(), "s-44136fa3"),
        (Configuration(C=1.0, kernel="rbf"), "s-3322803e"),
        (Configuration(a=None, b=True, c=3), "s-9f5b69e5"),
    ],
)
def test_ids_stay_the_same_for_ever(configuration, identifier):
    # Knowledge bases name candidates by these ids.
    assert Candidate("s", configuration).id == identifier


def test_candidates_show_themselves(task):
    assert str(Candidate("svm", Configuration(C=1.0, kernel="rbf"))) == "svm(C=1.0, kernel=rbf)"
    assert [candidate.strategy for candidate in Dummy().candidates(task)] == ["dummy", "dummy"]
    assert Dummy().supports(task) is None


@pytest.mark.parametrize("values", [{}, {"C": 0.1}, {"C": 10}, {"kind": None, "n": 9}, {"kind": 1}])
def test_what_lies_inside_the_space_is_taken(task, values):
    check_configuration(Dummy(), values, task)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"D": 1}, r"has no parameter 'D'; it has \['C', 'kind', 'n'\]"),
        ({"C": 0.05}, "'C' of strategy 'dummy' must be in .*; got 0.05"),
        ({"C": "1"}, "got '1'"),
        ({"C": True}, "got True"),
        ({"C": float("nan")}, "got nan"),
        ({"n": 2.5}, "got 2.5"),
        ({"n": 10}, "got 10"),
        ({"kind": "b"}, "got 'b'"),
    ],
)
def test_what_lies_outside_the_space_is_named(task, values, message):
    with pytest.raises(ParameterError, match=message):
        check_configuration(Dummy(), values, task)
