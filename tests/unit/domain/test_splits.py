"""Splits and subsamples are disjoint, stratified, nested, and the same in every process."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from autometa.domain.splits import holdout_splits, nested_subsample
from autometa.domain.task import Task
from autometa.foundation.errors import ParameterError, TargetError


def make_task(y, **facts):
    return Task.from_arrays(pd.DataFrame({"x": np.arange(float(len(y)))}), y, **facts)


SHARES = {"a": 0.7, "b": 0.25, "c": 0.05}
LABELS = np.random.default_rng(0).permutation(np.repeat(list(SHARES), [700, 250, 50]).astype(object))


def test_parts_are_disjoint_sorted_and_complete():
    for split in holdout_splits(make_task(LABELS), 3):
        both = np.concatenate([split.train, split.test])
        assert np.array_equal(np.sort(both), np.arange(1000))
        assert np.array_equal(split.train, np.sort(split.train))
        assert len(split.test) == 300


def test_classes_keep_their_shares():
    for split in holdout_splits(make_task(LABELS), 3):
        for label, share in SHARES.items():
            assert np.mean(LABELS[split.test] == label) == pytest.approx(share, abs=0.005)


def test_more_splits_do_not_change_the_first():
    task = make_task(LABELS)
    few, many = holdout_splits(task, 2), holdout_splits(task, 4)
    assert all(np.array_equal(a.test, b.test) for a, b in zip(few, many, strict=False))
    assert not np.array_equal(many[0].test, many[1].test)
    assert [split.index for split in many] == [0, 1, 2, 3]


def test_a_capped_test_part_is_stratified_and_part_of_the_whole():
    task = make_task(LABELS)
    (whole,), (capped,) = holdout_splits(task, 1), holdout_splits(task, 1, max_test=100)
    assert np.isin(capped.test, whole.test).all()
    assert np.array_equal(capped.train, whole.train)
    assert np.mean(LABELS[capped.test] == "a") == pytest.approx(0.7, abs=0.02)


@pytest.mark.filterwarnings("ignore:1 class")
def test_a_class_with_one_row_is_trained_on():
    y = np.array(["a"] * 10 + ["b"] * 10 + ["c"])
    for split in holdout_splits(make_task(y), 20):
        assert 20 in split.train


def test_every_tested_class_is_trained_on():
    y = np.repeat(np.arange(10), 2)
    for split in holdout_splits(make_task(y, type="classification"), 20):
        assert np.isin(y[split.test], y[split.train]).all()


@pytest.mark.filterwarnings("ignore:3 class")
def test_nothing_but_single_rows_cannot_be_split():
    with pytest.raises(TargetError, match="needs a second row to learn from"):
        holdout_splits(make_task(["a", "b", "c"]), 1)


@pytest.mark.parametrize("share", [0, 1, -0.5, 1.5])
def test_shares_are_checked(share):
    with pytest.raises(ParameterError, match="test_share must be above 0 and below 1"):
        holdout_splits(make_task([0.5, 1.5]), 1, test_share=share)


def test_regression_splits():
    (split,) = holdout_splits(make_task(np.linspace(0, 1, 11)), 1)
    assert (len(split.train), len(split.test)) == (8, 3)


def test_subsamples_are_nested_and_stratified():
    rows = np.arange(0, 1000, 2)
    samples = [nested_subsample(LABELS, rows, size, random_state=3) for size in (10, 50, 200, 499)]
    for small, large in itertools.pairwise(samples):
        assert np.isin(small, large).all()
    assert [len(sample) for sample in samples] == [10, 50, 200, 499]
    assert all(np.isin(sample, rows).all() and np.array_equal(sample, np.sort(sample)) for sample in samples)
    assert np.mean(LABELS[samples[2]] == "a") == pytest.approx(np.mean(LABELS[rows] == "a"), abs=0.02)


def test_every_class_is_in_a_subsample_that_has_room_for_it():
    y = np.array(["common"] * 995 + [f"rare{i}" for i in range(5)])
    for seed in range(5):
        sample = nested_subsample(y, np.arange(1000), 6, random_state=seed)
        assert len(set(y[sample])) == 6


def test_a_size_of_all_rows_gives_all_rows_sorted():
    rows = np.array([5, 1, 3])
    for size in (0, 3, 99):
        assert nested_subsample(None, rows, size).tolist() == [1, 3, 5]


def test_the_same_rows_for_ever():
    (split,) = holdout_splits(make_task(LABELS[:20]), 1)
    assert split.test.tolist() == GOLDEN_TEST
    assert nested_subsample(LABELS[:20], np.arange(20), 5).tolist() == GOLDEN_SAMPLE


# What a knowledge base holds was measured on these rows; they must not move under it.
GOLDEN_TEST = [2, 4, 6, 13, 16, 19]
GOLDEN_SAMPLE = [2, 4, 6, 13, 19]
