from __future__ import annotations

import numpy as np

from autometa.decision.policy.trust import Trust, cautious_first, learn_trust, trusting_order

EVEN = np.full(40, 1 / 40)
GROUPS = np.arange(40) // 2
INF = float("inf")


def two_kinds_of_tasks():
    """Candidate 0 wins on the first half, 1 on the second; 2 is the single best, never far behind."""
    kind = np.arange(40) // 20
    return np.column_stack([kind * 1.0, 1.0 - kind, np.full(40, 0.1)]), kind


def knowing(kind):
    """Weights that know the kind."""
    return lambda inside, outside: np.array(
        [(kind[inside] == kind[row]) / (kind[inside] == kind[row]).sum() for row in outside]
    )


def guessing(inside, outside):
    return np.random.default_rng(0).dirichlet(np.full(len(inside), 0.05), size=len(outside))


def test_weights_that_know_are_trusted():
    regret, kind = two_kinds_of_tasks()
    trust = learn_trust(knowing(kind), regret, EVEN, GROUPS)
    assert np.isfinite(trust.caution)
    weights = (kind == 1) / 20
    assert trusting_order(weights, EVEN, regret, trust)[0] == 1


def test_weights_that_guess_are_not():
    regret, _ = two_kinds_of_tasks()
    trust = learn_trust(guessing, regret, EVEN, GROUPS)
    assert trusting_order(guessing(np.arange(40), [0])[0], EVEN, regret, trust)[0] == 2


def test_the_judged_rows_are_never_in_the_past_nor_their_groups():
    seen = []

    def spy(inside, outside):
        seen.append((set(GROUPS[inside]), set(GROUPS[outside]), set(outside.tolist())))
        return np.full((len(outside), len(inside)), 1 / len(inside))

    regret, _ = two_kinds_of_tasks()
    share = EVEN * (np.arange(40) % 2 == 0)
    learn_trust(spy, regret, share / share.sum(), GROUPS)
    assert not any(past & judged for past, judged, _ in seen)
    assert set().union(*(rows for *_, rows in seen)) == set(range(0, 40, 2))


def test_every_judged_task_counts_its_share():
    # Closeness names the right kind for one half of each kind's tasks and the wrong one for the other half.
    regret, kind = two_kinds_of_tasks()
    is_helped = np.arange(40) % 20 < 10
    guess = np.where(is_helped, kind, 1 - kind)

    def weigh(inside, outside):
        return np.array([(kind[inside] == guess[row]) / (kind[inside] == guess[row]).sum() for row in outside])

    def caution(share_of_helped):
        even = np.where(is_helped, share_of_helped, 1 - share_of_helped) / 20
        return learn_trust(weigh, regret, even, GROUPS).caution

    assert caution(0.99) < caution(0.5) == INF


def test_caution_is_a_threshold():
    # Candidate 1 is .1 better than the reference on average, with a standard error of about .06.
    regret = np.column_stack([np.full(10, 0.4), np.tile([0.1, 0.5], 5)])
    weights = np.full(10, 0.1)
    assert cautious_first(weights, regret, 0, 0.0) == 1
    assert cautious_first(weights, regret, 0, 2.0) == 0
    assert cautious_first(weights, regret, 0, INF) == 0


def test_full_evenness_and_caution_is_the_static_portfolio():
    regret, kind = two_kinds_of_tasks()
    order = trusting_order((kind == 1) / 20, EVEN, regret, Trust(INF, 1.0))
    assert order.tolist() == [2, 0, 1]


def test_trust_round_trips():
    trust = Trust(INF, 0.25)
    assert Trust.from_arrays(trust.to_arrays("t."), "t.") == trust
