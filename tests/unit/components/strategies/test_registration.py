from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from autometa.domain import Configuration, Task, check_configuration
from autometa.foundation.errors import ParameterError
from autometa.plugins.registry import get_registry


def test_the_built_in_strategies_are_found():
    assert {"linear", "svm", "kernel", "neural"} <= set(get_registry().strategies)
    assert not [record.error for record in get_registry().records if record.error]


def test_registration_imports_no_learner():
    heavy = ("torch", "optuna", "skrub", "openml", "sklearn.linear_model", "sklearn.svm", "sklearn.ensemble")
    code = (
        "import sys; from autometa.plugins.registry import get_registry; get_registry();"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["linear", "svm", "kernel", "neural"])
def test_values_outside_of_the_space_are_refused(name):
    task = Task.from_arrays(np.arange(20.0).reshape(10, 2), np.arange(10) % 2)
    with pytest.raises(ParameterError, match="has no parameter"):
        check_configuration(get_registry().strategy(name), Configuration(alpha=1.0), task)


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("name", ["linear", "svm"])
def test_balanced_weights_raise_the_rare_class(name, class_weight):
    generator = np.random.default_rng(0)
    y = (np.arange(300) % 10 == 0).astype(int)
    task = Task.from_arrays(generator.normal(size=(300, 2)) + y[:, None], y)
    configuration = Configuration(class_weight=class_weight)
    estimator = get_registry().strategy(name).build(configuration, task, random_state=0).fit(task.X, task.y)
    share = estimator.predict_proba(task.X)[:, 1].mean()
    assert (share > 0.25) == (class_weight == "balanced" and name == "linear")
