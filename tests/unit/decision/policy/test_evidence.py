"""Evidence: what runs say relative to each other, and how much they are trusted."""

from __future__ import annotations

import numpy as np
import pytest

from autometa.decision.policy.evidence import RelativeEvidence, Run, compressed, least_loss

UNIT = 0.05


def evidence(runs: list[Run], n_test: int = 200) -> RelativeEvidence:
    return RelativeEvidence.of(runs, unit=UNIT, n_test=n_test)


def test_the_hardness_of_a_repetition_is_not_held_against_those_that_were_run_on_it() -> None:
    quality = [0.10, 0.20, 0.30]
    hardness = [0.0, 0.5]
    runs = [Run(c, 256, r, quality[c] + hardness[r]) for c in range(2) for r in range(2)]
    found = evidence([*runs, Run(2, 256, 1, quality[2] + hardness[1])])
    np.testing.assert_allclose(found.loss - found.loss.min(), [0.0, 0.1, 0.2], atol=1e-2)
    assert found.n_runs.tolist() == [2, 2, 1]


def test_sizes_are_compared_within_themselves() -> None:
    found = evidence([Run(0, 256, 0, 0.9), Run(1, 256, 0, 0.8), Run(0, 512, 0, 0.3), Run(1, 512, 0, 0.4)])
    assert found.n_train.tolist() == [256, 256, 512, 512]
    np.testing.assert_allclose(found.value, compressed(np.array([0.1, 0.0, 0.0, 0.1]), UNIT))


def test_repetitions_teach_how_noisy_a_run_is() -> None:
    rng = np.random.default_rng(0)
    calm, wild = (
        evidence([Run(c, 256, r, 0.3 + 0.1 * c + noise * rng.normal()) for c in range(4) for r in range(6)])
        for noise in (0.001, 0.1)
    )
    assert np.sqrt(wild.variance) == pytest.approx(0.1, rel=0.5)
    assert calm.variance < wild.variance / 10


def test_repetitions_make_a_point_surer_and_more_rows_to_score_on_do_too() -> None:
    once = evidence([Run(0, 256, 0, 0.3), Run(1, 256, 0, 0.4)])
    often = evidence([Run(c, 256, r, 0.3 + 0.1 * c) for c in range(2) for r in range(5)])
    assert (np.diag(often.covariance()) < np.diag(once.covariance())).all()
    assert evidence([Run(0, 256, 0, 0.3)], n_test=2000).variance < evidence([Run(0, 256, 0, 0.3)]).variance


def test_failed_runs_and_disasters_do_not_spoil_the_others() -> None:
    found = evidence([Run(0, 256, 0, 0.3), Run(1, 256, 0, float("nan")), Run(2, 256, 0, 50.0)])
    assert found.candidate.tolist() == [0, 2]
    assert found.value[1] == pytest.approx(np.log1p(1.0 / UNIT))


def test_nothing_is_evidence_of_nothing() -> None:
    assert len(evidence([]).value) == 0
    assert evidence([]).covariance().shape == (0, 0)


@pytest.mark.parametrize(("metric", "least"), [("log_loss", 0.0), ("accuracy", -1.0), ("r2", -1.0), ("own", 0.0)])
def test_least_loss(metric: str, least: float) -> None:
    assert least_loss(metric) == least
