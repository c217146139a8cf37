from __future__ import annotations

import pickle

from autometa.components.experiments import Cell, breadth_first
from autometa.domain import Candidate, Configuration

A, B = (Candidate("s", Configuration(i=i)) for i in range(2))


def test_breadth_first_finishes_what_is_broad_before_what_is_deep():
    cells = list(
        breadth_first([("t1", 300), ("t2", 2000)], {"t1": [A, B], "t2": [A]}, sizes=(0, 1024, 256), n_splits=2)
    )
    order = [(cell.split, cell.train_size, cell.task, cell.candidate) for cell in cells]
    one_split = [
        (0, "t1", A),
        (0, "t1", B),
        (0, "t2", A),
        (1024, "t2", A),
        (256, "t1", A),
        (256, "t1", B),
        (256, "t2", A),
    ]
    assert order == [(split, *rest) for split in (0, 1) for rest in one_split]


def test_sizes_that_equal_the_full_size_are_left_out():
    cells = list(breadth_first([("t", 256)], {"t": [A]}, sizes=(0, 256, 255), n_splits=1))
    assert [cell.train_size for cell in cells] == [0, 255]


def test_a_cell_travels_and_has_a_stable_key():
    cell = Cell("t", 1, 256, A)
    assert pickle.loads(pickle.dumps(cell)) == cell
    assert cell.key == ("t", 1, 256, A.id)
