"""Ids of the built-in candidates are what they were: measured knowledge is filed under them.

``python -m tests.golden.test_candidate_ids`` writes the file anew; what was measured under a lost id is lost.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from autometa.domain import Task
from autometa.plugins.registry import BUILT_IN_DISTRIBUTION, get_registry

GOLDEN = Path(__file__).with_name("candidate_ids.json")


def candidate_ids():
    X = np.arange(40.0).reshape(20, 2)
    targets = {"classification": np.arange(20) % 2, "regression": np.linspace(0.1, 0.9, 20)}
    registry = get_registry()
    names = [name for r in registry.records if r.distribution == BUILT_IN_DISTRIBUTION for name in r.strategies]
    return {
        kind: {
            name: {
                candidate.id: dict(candidate.configuration)
                for candidate in registry.strategy(name).candidates(Task.from_arrays(X, y))
            }
            for name in names
            if registry.strategy(name).refusal(Task.from_arrays(X, y)) is None
        }
        for kind, y in targets.items()
    }


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_candidates_are_those_that_were_measured(kind):
    stored, found = json.loads(GOLDEN.read_text())[kind], candidate_ids()[kind]
    assert found == stored
    assert [list(found[name]) for name in stored] == [list(stored[name]) for name in stored]  # the default first


def test_an_id_names_one_configuration():
    listed = [id_ for families in candidate_ids().values() for family in families.values() for id_ in family]
    assert len(set(listed)) == len(listed)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(candidate_ids(), indent=1) + "\n")
