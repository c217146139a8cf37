"""Which run comes next: gain per second, and only what is allowed."""

from __future__ import annotations

import numpy as np

from autometa.decision.policy.acquisition import Action, Costs, best_action
from autometa.decision.policy.belief import Assumptions, Belief
from autometa.decision.policy.evidence import RelativeEvidence, Run

SIZES = np.array([256, 512])
UNIT = 0.05


def believe(mean: list[float], doubt: list[float], runs: list[Run] = []) -> Belief:  # noqa: B006
    n = len(mean)
    assumptions = Assumptions(
        mean=np.asarray(mean),
        surprise=np.diag(np.square(doubt)),
        drift=np.eye(n),
        trend=np.zeros(n),
        curve=(0.05, 0.0),
        scales=np.ones(1),
        unit=UNIT,
        n_full=1000,
    )
    return Belief.given(assumptions, RelativeEvidence.of(runs, unit=UNIT, n_test=300))


def choose(belief: Belief, seconds: list[list[float]], allowed: object = True, excluded: object = False) -> Action:
    shape = (len(belief.mean), 2)
    action = best_action(
        belief,
        belief.outlook(SIZES),
        np.asarray(seconds),
        np.broadcast_to(np.asarray(allowed), shape),
        excluded=np.broadcast_to(np.asarray(excluded), shape[:1]),
    )
    assert action is not None
    return action


EVEN = [[1.0, 1.0]] * 3


def test_the_doubtful_rival_is_tried_not_the_one_that_is_known_to_be_bad() -> None:
    action = choose(believe([0.0, 0.1, 3.0], [0.1, 0.8, 0.1]), EVEN)
    assert action.candidate == 1
    assert action.gain > 0


def test_of_two_equals_the_cheaper_is_tried() -> None:
    belief = believe([0.0, 0.1, 0.1], [0.05, 0.5, 0.5])
    assert choose(belief, [[1.0, 2.0], [4.0, 8.0], [1.0, 2.0]]).candidate == 2
    assert choose(belief, [[1.0, 2.0], [1.0, 2.0], [4.0, 8.0]]).candidate == 1


def test_more_rows_tell_more_where_they_cost_the_same() -> None:
    assert choose(believe([0.0, 0.1, 0.1], [0.3, 0.3, 0.3]), EVEN).size == 1


def test_only_what_is_allowed() -> None:
    belief = believe([0.0, 0.1, 0.2], [0.5, 0.5, 0.5])
    allowed = np.array([[False, False], [False, False], [True, False]])
    action = choose(belief, EVEN, allowed)
    assert (action.candidate, action.size) == (2, 0)
    assert choose(belief, EVEN, excluded=[False, True, True]).candidate == 0
    nothing = np.zeros((3, 2), dtype=bool)
    assert best_action(belief, belief.outlook(SIZES), np.ones((3, 2)), nothing, excluded=nothing[:, 0]) is None


def test_what_is_settled_promises_nothing() -> None:
    settled = [Run(c, size, r, 0.1 + 0.5 * c) for c in range(3) for size in (256, 512) for r in range(8)]
    open_question = choose(believe([0.0] * 3, [0.5] * 3), EVEN).gain
    assert choose(believe([0.0] * 3, [0.5] * 3, settled), EVEN).gain < open_question / 100


def test_a_run_under_way_is_not_made_twice() -> None:
    belief = believe([0.0, 0.05, 0.05], [0.4, 0.41, 0.4])
    outlook = belief.outlook(SIZES)
    allowed, nobody = np.ones((3, 2), dtype=bool), np.zeros(3, dtype=bool)
    chosen = []
    for _ in range(3):
        action = best_action(belief, outlook, np.ones((3, 2)), allowed, excluded=nobody)
        assert action is not None
        chosen.append(action.candidate)
        outlook = outlook.after(action.candidate, action.size, action.noise)
    assert sorted(chosen) == [0, 1, 2]


def test_a_run_alone_at_its_size_is_followed_by_one_to_compare_it_with() -> None:
    belief = believe([0.0, 0.1, 0.1], [0.4] * 3, [Run(1, 256, 0, 0.5)])
    np.testing.assert_allclose(belief.mean, [0.0, 0.1, 0.1], atol=1e-3)
    action = choose(belief, [[1.0, 50.0]] * 3)
    assert (action.size, action.candidate != 1) == (0, True)


def test_seconds_are_corrected_by_what_was_seen() -> None:
    predicted = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])
    costs = Costs(predicted, SIZES, ["a", "a", "b"])
    before = costs.seconds([Run(0, 256, 0, 0.5, 1.0)])
    after = costs.seconds([Run(0, 256, r, 0.5, 10.0) for r in range(4)])
    assert after[0, 1] > after[1, 1] > 3 * before[1, 1]
    np.testing.assert_array_equal(after[2], before[2])


def test_unknown_seconds_grow_with_the_rows() -> None:
    costs = Costs(np.full((1, 2), np.nan), SIZES, ["new"])
    cheap, dear = costs.seconds([])[0]
    assert 0 < cheap < dear
    assert costs.seconds([Run(0, 256, 0, 0.5, 5.0)])[0, 1] > 3 * dear


def test_the_first_run_of_a_strategy_is_dearer() -> None:
    costs = Costs(np.full((3, 2), 0.1), SIZES, ["a", "a", "b"])
    nobody, first = costs.seconds([]), costs.seconds([Run(0, 256, 0, 0.5, 0.1)])
    assert (first[:2] < nobody[:2] / 2).all()
    np.testing.assert_array_equal(first[2], nobody[2])
