"""What a task counts in an average, and in the draws of the bootstrap."""

from __future__ import annotations

import pandas as pd
import pytest

from autometa.decision.policy.averages import JudgedGroups

GROUPS = JudgedGroups.of(pd.Series(["fri", "iris", "fri", "wine", "fri"]))


def test_over_groups_each_counts_one_and_over_tasks_each_counts_one():
    assert GROUPS.n_groups == 3
    assert GROUPS.weights("groups") == pytest.approx([1 / 3, 1, 1 / 3, 1, 1 / 3])
    assert GROUPS.weights("tasks") == pytest.approx([1, 1, 1, 1, 1])


def test_every_draw_has_as_many_groups_as_there_are():
    assert GROUPS.draws() @ GROUPS.weights("groups") == pytest.approx(3.0)


def test_the_draws_are_the_same_every_time():
    assert (GROUPS.draws() == GROUPS.draws()).all()
