from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autometa.foundation.errors import KnowledgeError
from tests.policy_worlds import make_world


def test_take_by_position_and_by_mask_agree():
    world = make_world(6, sizes=(0, 256))
    mask = world.full_size
    taken = world.take(mask)
    assert taken.n_rows == 6
    assert taken.content_hash() == world.take(np.flatnonzero(mask)).content_hash()
    assert taken.tasks.index.tolist() == list(range(6))
    np.testing.assert_array_equal(taken.loss, world.loss[:6])


def test_select_candidates_moves_columns():
    world = make_world(4)
    ids = [world.candidates[j].id for j in (5, 0)]
    chosen = world.select_candidates(ids)
    assert [candidate.id for candidate in chosen.candidates] == ids
    np.testing.assert_array_equal(chosen.loss, world.loss[:, [5, 0]])
    with pytest.raises(KnowledgeError, match="no candidates"):
        world.select_candidates(["nothing-0"])


def test_groups_are_codes():
    assert make_world(4).groups.tolist() == [0, 0, 1, 1]


def test_arrays_that_do_not_fit_are_refused():
    world = make_world(4)
    with pytest.raises(KnowledgeError, match="loss"):
        replace(world, loss=world.loss[:, 1:])
    with pytest.raises(KnowledgeError, match="lack the columns"):
        replace(world, tasks=world.tasks.drop(columns="group"))
    with pytest.raises(KnowledgeError, match="twice"):
        replace(world, candidates=(world.candidates[0],) * world.n_candidates)


def test_the_hash_sees_words_too():
    world = make_world(4)
    assert replace(world, metric="brier").content_hash() != world.content_hash()
    renamed = world.tasks.assign(group=["a", "b", "c", "d"])
    assert replace(world, tasks=renamed).content_hash() != world.content_hash()
    names = ("other", *world.metafeature_names[1:])
    assert replace(world, metafeature_names=names).content_hash() != world.content_hash()
