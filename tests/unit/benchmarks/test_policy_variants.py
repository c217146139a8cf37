"""The variants of the policy differ from it, and a group's correlation is what it is called."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from autometa.decision.policy import experience, proximity, trust

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def variants(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import policy_variants

    yield policy_variants
    sys.modules.pop("policy_variants", None)


def test_copies_correlate_wholly_and_strangers_not_at_all(variants):
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(400), 3)
    own, shared = generator.normal(size=(1200, 4)), generator.normal(size=(400, 4))[groups]
    assert variants.intraclass_correlation(shared, groups) == pytest.approx(1.0)
    assert variants.intraclass_correlation(own, groups) == pytest.approx(0.0, abs=0.03)
    assert variants.intraclass_correlation(own + 2 * shared, groups) == pytest.approx(0.8, abs=0.03)


def test_groups_of_different_sizes_may_stand_side_by_side(variants):
    generator = np.random.default_rng(0)
    groups = np.concatenate([np.arange(300), np.repeat(np.arange(300, 400), 7)])
    values = generator.normal(size=(1000, 4)) + generator.normal(size=(400, 4))[groups]
    assert variants.intraclass_correlation(values, groups) == pytest.approx(0.5, abs=0.07)


def test_a_change_lasts_as_long_as_it_is_asked_for(variants):
    def parts():
        return experience.task_shares, trust.CAUTIONS, trust.USUAL_CAUTION, proximity.standardised

    shipped = parts()
    for name, (policy, change) in variants.VARIANTS.items():
        with change():
            changed = [is_now is not was for is_now, was in zip(parts(), shipped, strict=True)]
        assert any(changed) or policy.min_samples_leaf == 8 or name == "as shipped"
        assert parts() == shipped
