"""Folds: stratified, repeated where rows are few, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from autometa.domain import Task
from autometa.engine.refinement.folds import Folds, n_folds
from autometa.foundation.errors import TargetError


def table(y) -> Task:
    return Task.from_arrays(np.arange(len(y), dtype=float)[:, None], np.asarray(y))


@pytest.mark.parametrize(
    ("rows", "plan"),
    [(20, (5, 3)), (300, (5, 3)), (301, (5, 2)), (5_000, (5, 1)), (15_000, (3, 1)), (10**6, (3, 1))],
)
def test_the_fewer_rows_the_more_often(rows, plan):
    assert n_folds(rows) == plan


def test_every_repetition_tests_every_row_once_and_is_stratified():
    folds = Folds.of(table([0] * 60 + [1] * 40), random_state=3)
    splits = folds.task.splits
    assert len(splits) == 15
    for repetition in range(3):
        part = splits[repetition * 5 : repetition * 5 + 5]
        assert sorted(np.concatenate([split.test for split in part]).tolist()) == list(range(100))
        for split in part:
            assert np.bincount(folds.task.y[split.test].astype(int)).tolist() == [12, 8]
            assert not set(split.train) & set(split.test)
    assert not np.array_equal(splits[0].test, splits[5].test)


def test_repetitions_can_be_cut_and_the_first_ones_stay():
    task = table(np.arange(50) % 2)
    few, all_of_them = Folds.of(task, max_repetitions=1), Folds.of(task)
    assert (few.n_repetitions, len(few.task.splits), len(all_of_them.task.splits)) == (1, 5, 15)
    for cut, full in zip(few.task.splits, all_of_them.task.splits, strict=False):
        np.testing.assert_array_equal(cut.test, full.test)


def test_the_seed_decides():
    task = table(np.arange(50) % 2)
    first, same, other = (Folds.of(task, random_state=seed).task.splits[0].test for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.filterwarnings("ignore::autometa.foundation.errors.DataWarning")  # says that a class has one row
def test_a_class_with_one_row_is_always_learned_from_and_never_tested():
    folds = Folds.of(table(["a"] * 30 + ["b"] * 30 + ["rare"]))
    for split in folds.task.splits:
        assert "rare" in folds.task.y[split.train]
        assert "rare" not in folds.task.y[split.test]


def test_no_more_rows_than_workers_are_sent():
    assert Folds.of(table(np.linspace(0, 1, 25_000))).task.n_samples == 20_000


@pytest.mark.filterwarnings("ignore::autometa.foundation.errors.DataWarning")  # says that a class has one row
def test_rows_that_are_too_few_are_an_error_that_says_so():
    with pytest.raises(TargetError, match="too few rows"):
        Folds.of(table(["a", "a", "b", "c"]))
