from __future__ import annotations

import numpy as np
import pytest

from autometa.components.strategies import Linear
from autometa.domain import Configuration, Task


@pytest.mark.parametrize("model", ["ridge", "lasso", "huber", "bayesian"])
def test_three_rows_are_enough_for_every_regression(model):
    task = Task.from_arrays(np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0]]), [1.0, 2.0, 3.5], type="regression")
    fitted = Linear().build(Configuration(model=model), task, random_state=0).fit(task.X, task.y)
    assert np.isfinite(fitted.predict(task.X)).all()
