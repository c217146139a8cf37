"""Every statistic against a published or hand-made example."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from autometa.components.leaderboard.differences import corrected_intervals, mean_differences, task_differences
from autometa.components.leaderboard.elo import bradley_terry, elo_ratings
from autometa.components.leaderboard.ranks import normalised_scores, rank_systems, rounded, wins_on_tasks
from autometa.components.leaderboard.resampling import (
    draw_group_counts,
    draw_task_counts,
    draw_tasks,
    percentile_ends,
    percentile_intervals,
)
from autometa.components.leaderboard.significance import (
    critical_difference,
    find_differences,
    friedman,
    groups_without_difference,
    holm,
    iman_davenport,
    wilcoxon_p_values,
)
from autometa.foundation.errors import ParameterError

# Demšar (JMLR 7, 2006), table 6: AUC of C4.5 and three variants on 14 datasets. On "voting" the printed values of
# the last two are equal and their printed ranks are not, so the fourth digit tells them apart.
DEMSAR = 1 - np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
# 1 - sum(t^3 - t) / (n (k^3 - k)) over the groups of ties: the paper's statistic is not corrected for them.
TIES = 1 - (3 * (2**3 - 2) + (4**3 - 4)) / (14 * (4**3 - 4))


def test_mean_ranks_of_demsar():
    assert rank_systems(DEMSAR).mean(axis=0) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)


def test_friedman_of_demsar():
    statistic, _ = friedman(DEMSAR)
    assert statistic * TIES == pytest.approx(9.28, abs=0.01)
    assert iman_davenport(9.28, 14, 4) == pytest.approx(3.69, abs=0.01)


def test_friedman_agrees_with_scipy():
    losses = np.random.default_rng(0).random((12, 5))
    assert friedman(losses)[0] == pytest.approx(stats.friedmanchisquare(*losses.T).statistic)


def test_iman_davenport_of_unanimous_tasks():
    losses = np.tile(np.arange(4.0), (6, 1))
    assert friedman(losses) == (pytest.approx(18.0), 0.0)


@pytest.mark.parametrize(
    ("n_systems", "quantile"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
)
def test_critical_values_of_nemenyi_are_demsars(n_systems, quantile):
    """His table 5 (a); with 14 datasets and 4 classifiers the critical difference is 1.25."""
    scale = math.sqrt(n_systems * (n_systems + 1) / (6 * 10))
    assert critical_difference(10, n_systems) / scale == pytest.approx(quantile, abs=1e-3)
    assert critical_difference(14, 4) == pytest.approx(1.25, abs=0.005)


def test_wilcoxon_of_demsar():
    """His table 2: C4.5 against C4.5 with m tuned, rank sums 93 and 12, ties shared."""
    z = (12 - 14 * 15 / 4) / math.sqrt(14 * 15 * 29 / 24)
    assert wilcoxon_p_values(DEMSAR)[0, 1] == pytest.approx(2 * stats.norm.sf(-z), abs=5e-4)


def test_wilcoxon_is_exact_without_ties():
    difference = np.array([0.1, -0.02, 0.3, 0.45, 0.06, 0.7, 0.81])
    losses = np.column_stack([difference + 1, np.ones(7)])
    # Only the smallest difference is against the others: W = 1, and two of 2^7 signs have W <= 1, on either side.
    assert wilcoxon_p_values(losses)[0, 1] == pytest.approx(2 * 2 / 2**7)


def test_holm_of_demsar():
    """His section 3.2.2: 0.016, 0.019 and 0.607 pass 0.05 / 3, 0.05 / 2 and fail 0.05 / 1."""
    assert holm(np.array([0.607, 0.016, 0.019])) == pytest.approx([0.607, 0.048, 0.048])


@pytest.mark.parametrize(
    ("difference", "groups"),
    [
        (0.4, ((0, 3),)),
        (1.25, ((1, 2), (2, 4), (0, 3))),
        (1.35, ((1, 2), (2, 4), (4, 0), (0, 3))),
        (9.0, ((1, 2, 4, 0, 3),)),
        (0.05, ()),
    ],
)
def test_groups_are_the_largest_runs_without_a_difference(difference, groups):
    ranks = np.array([3.9, 1.0, 1.5, 4.0, 2.6])
    assert groups_without_difference(ranks, np.abs(ranks[:, None] - ranks) > difference) == groups


def test_nemenyi_by_itself_for_three_and_more_wilcoxon_for_two():
    assert find_differences(DEMSAR).posthoc == "nemenyi"
    assert find_differences(DEMSAR[:, :2]).posthoc == "wilcoxon-holm"
    assert find_differences(DEMSAR, "wilcoxon-holm").posthoc == "wilcoxon-holm"


def test_p_values_are_corrected_for_all_pairs():
    raw, corrected = wilcoxon_p_values(DEMSAR), find_differences(DEMSAR).p_values
    pairs = np.triu_indices(4, 1)
    assert corrected[pairs] == pytest.approx(holm(raw[pairs]))
    assert corrected[pairs].min() == pytest.approx(6 * raw[pairs].min())
    assert (corrected == corrected.T).all()


def test_without_a_difference_one_bar_joins_all():
    losses = np.random.default_rng(3).random((8, 4))
    found = find_differences(losses)
    assert found.p_value > 0.05
    assert not found.finds_a_difference
    assert found.groups == (tuple(np.argsort(rank_systems(losses).mean(axis=0), kind="stable")),)


def test_systems_that_never_differ():
    found = find_differences(np.full((5, 3), 0.25))
    assert (found.statistic, found.p_value) == (0.0, 1.0)
    assert (found.p_values == 1).all()


def test_tests_need_two_tasks_and_a_known_name():
    with pytest.raises(ParameterError, match="two tasks and two systems; got 1 and 4"):
        find_differences(DEMSAR[:1])
    with pytest.raises(ParameterError, match="posthoc must be one of"):
        find_differences(DEMSAR, "tukey")


def test_bradley_terry_of_four_players():
    """The worked example of the encyclopedia's article on the model: strengths with geometric mean 1."""
    wins = np.array([[0, 2, 0, 1], [3, 0, 5, 0], [0, 3, 0, 1], [4, 0, 3, 0]], dtype=float)
    assert np.exp(bradley_terry(wins, virtual_draws=0)) == pytest.approx([0.640, 1.043, 0.660, 2.270], abs=1e-3)


def test_elo_of_two_systems():
    """Three wins of four are 400 log10(3) points; with one virtual draw 3.5 wins of 5."""
    wins = np.array([[0.0, 3.0], [1.0, 0.0]])
    assert elo_ratings(wins, reference=1, virtual_draws=0) == pytest.approx([1000 + 400 * math.log10(3), 1000])
    assert elo_ratings(wins, reference=1) == pytest.approx([1000 + 400 * math.log10(3.5 / 1.5), 1000])
    assert elo_ratings(wins).mean() == pytest.approx(1000)


def test_elo_expects_the_wins_that_there_were():
    """At the maximum of the likelihood, expected wins are the wins."""
    wins = wins_on_tasks(np.random.default_rng(0).random((30, 6)) + 0.1 * np.arange(6)).sum(axis=0)
    rating = elo_ratings(wins, virtual_draws=0)
    expected = 30 / (1 + 10 ** ((rating[None, :] - rating[:, None]) / 400))
    np.fill_diagonal(expected, 0)
    assert expected.sum(axis=1) == pytest.approx(wins.sum(axis=1), abs=1e-6)


def test_elo_is_that_of_chatbot_arena():
    """Their code: logistic regression on battles as +ln 10 and -ln 10, ties counted for both sides."""
    losses = np.round(np.random.default_rng(2).random((20, 5)) + 0.1 * np.arange(5), 1)
    signs, won = [], []
    for task in wins_on_tasks(losses):
        for i, j in zip(*np.triu_indices(5, 1), strict=True):
            for outcome in (task[i, j] > 0, task[i, j] == 1):  # two wins, two defeats, or one of each for a tie
                signs.append(math.log(10) * (np.eye(5)[i] - np.eye(5)[j]))
                won.append(outcome)
    fitted = LogisticRegression(fit_intercept=False, C=1e6, tol=1e-10, max_iter=1000).fit(np.array(signs), won)
    theirs = 400 * fitted.coef_[0] + 1000
    ours = elo_ratings(wins_on_tasks(losses).sum(axis=0), virtual_draws=0)
    assert ours == pytest.approx(theirs - theirs.mean() + 1000, abs=0.05)


def test_elo_of_somebody_who_wins_everything_is_finite_only_with_the_draw():
    wins = np.array([[0.0, 9.0, 9.0], [0.0, 0.0, 5.0], [0.0, 4.0, 0.0]])
    assert elo_ratings(wins)[0] > elo_ratings(wins)[1] + 400
    with pytest.raises(ParameterError, match="no maximum"):
        elo_ratings(wins, virtual_draws=0)


def test_elo_of_many_problems_is_that_of_each():
    draws = np.random.default_rng(1).random((7, 5, 5)) * 10
    together = elo_ratings(draws, reference=2)
    assert together == pytest.approx(np.stack([elo_ratings(one, reference=2) for one in draws]), abs=1e-6)


def test_wins():
    wins = wins_on_tasks(np.array([[0.1, 0.2, 0.1]]))[0]
    assert wins.tolist() == [[0, 1, 0.5], [0, 0, 0], [0.5, 1, 0]]


def test_ties_are_not_broken_by_the_order_of_summation():
    losses = np.array([[0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.6001]])
    assert losses[0, 0] != losses[0, 1]
    assert rank_systems(losses).tolist() == [[1.5, 1.5, 3]]


@pytest.mark.parametrize("value", [0.0, 5e-324, 1e-300, 1e-7, 0.1, -3.0, 1e300])
def test_rounding_keeps_ten_digits_of_any_size(value):
    assert rounded(np.array([value, -value])) == pytest.approx([value, -value], rel=1e-9, abs=1e-290)


@pytest.mark.parametrize(
    ("losses", "baseline", "expected"),
    [
        ([0.1, 0.3, 0.5], None, [1, 0, 0]),
        ([0.1, 0.2, 0.4, 0.5], None, [1, 0.5, 0, 0]),
        ([0.1, 0.1, 0.1, 0.5], None, [1, 1, 1, 0]),
        ([0.1, 0.3, 0.5], 2, [1, 0.5, 0]),
        ([0.1, 0.3, 0.5], 0, [0, 0, 0]),
        ([-0.9, -0.8, -0.4], 2, [1, 0.8, 0]),
    ],
)
def test_normalised_scores(losses, baseline, expected):
    assert normalised_scores(np.array([losses]), baseline)[0] == pytest.approx(expected)


def test_interval_over_folds_is_nadeaus_and_bengios():
    """Differences 1, 2, 3 with a test set half as large: 2 -+ t(0.975, 2) sqrt((1/3 + 1/2) * 1)."""
    mean, low, high = corrected_intervals(np.array([[1.0], [2.0], [3.0]]), 0.5)
    reach = 4.302653 * math.sqrt(1 / 3 + 1 / 2)
    assert (mean[0], low[0], high[0]) == pytest.approx((2, 2 - reach, 2 + reach), abs=1e-5)


def test_interval_over_folds_without_the_correction_is_students():
    values = np.random.default_rng(0).normal(0.3, 1, (9, 1))
    _, low, high = corrected_intervals(values, 0.0)
    expected = stats.ttest_1samp(values[:, 0], 0).confidence_interval(0.95)
    assert (low[0], high[0]) == pytest.approx(tuple(expected))


def test_one_fold_has_no_interval():
    mean, low, high = corrected_intervals(np.array([[0.5]]), 0.1)
    assert mean[0] == 0.5
    assert np.isnan([low[0], high[0]]).all()


def test_differences_that_matter():
    index = pd.MultiIndex.from_product(
        [["a", "b"], [0], range(5), [0]], names=["task", "repeat", "fold", "sample"]
    )
    noise = np.random.default_rng(0).normal(0, 0.01, 10)
    losses = pd.DataFrame({"x": 0.5 + noise, "y": 0.6 + noise[::-1], "z": 0.5 + noise[::-1]}, index=index)
    found = task_differences(losses, pd.Series({"a": 0.25, "b": 0.25}), "y")
    assert found.better.to_numpy().tolist() == [[True, False, True]] * 2
    assert not found.worse.to_numpy().any()
    against_z = task_differences(losses, pd.Series({"a": 0.25, "b": 0.25}), "z")
    assert against_z.worse["y"].all()
    assert not (against_z.better["x"] | against_z.worse["x"]).any()


def test_bootstrap_draws_as_many_tasks_as_there_are():
    counts = draw_task_counts(7, 50, 0)
    assert (counts.sum(axis=1) == 7).all()
    assert (counts == draw_task_counts(7, 50, 0)).all()


def test_a_group_is_drawn_with_all_of_its_tasks():
    groups = np.array([0, 1, 0, 2, 0])
    counts = draw_group_counts(groups, 50, 0)
    assert (counts[:, 0] == counts[:, 2]).all()
    assert (counts[:, 0] == counts[:, 4]).all()
    assert (counts[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert (counts[:, [0, 1, 3]] == draw_task_counts(3, 50, 0)).all()


def test_tasks_are_drawn_with_replacement_from_all():
    drawn = draw_tasks(7, 50, 0)
    assert drawn.shape == (50, 7)
    assert set(drawn.ravel()) == set(range(7))
    assert any(len(set(row)) < 7 for row in drawn)


def test_the_ends_leave_a_fortieth_on_each_side():
    assert percentile_ends(np.arange(1001.0)) == pytest.approx([25, 975])


def test_bootstrap_intervals_cover_the_mean_of_the_population():
    """Of 200 samples of 40 tasks, about 95 % have the true mean difference, 0.1, in their interval."""
    generator = np.random.default_rng(0)
    counts = draw_task_counts(40, 400, 0)
    found = [
        mean_differences(np.column_stack([generator.normal(0.1, 0.3, 40), np.zeros(40)]), 1, counts)[0]
        for _ in range(200)
    ]
    assert 0.90 <= np.mean([one.low <= 0.1 <= one.high for one in found]) <= 0.98


def test_one_task_has_no_interval():
    (found,) = percentile_intervals(np.array([3.0]), np.full((10, 1), 3.0), 1)
    assert found.value == 3
    assert not found.is_known
    assert not found.excludes_zero
