"""The course of a refinement, with workers that evaluate in this process."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import replace

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from autometa.domain import Candidate, Configuration, Strategy, Task, evaluate
from autometa.domain.evaluation import Evaluation
from autometa.engine.constraints import Constraints
from autometa.engine.recommendation import RankedCandidate, Recommendation, TaskSummary
from autometa.engine.refinement import Choice, Reserve, leaderboard, refine
from autometa.foundation.errors import LimitWarning, NoCandidateError

NEIGHBOURS = (1, 5, 15, 40)


class Neighbours(Strategy):
    name = "neighbours"

    def search_space(self, task):
        return {"k": CategoricalDistribution(NEIGHBOURS)}

    def portfolio(self, task):
        return [Configuration(k=k) for k in (40, 15)]

    def build(self, configuration, task, *, device="auto", random_state=None):
        return KNeighborsClassifier(configuration["k"])


class Logistic(Strategy):
    name = "logistic"

    def search_space(self, task):
        return {}

    def portfolio(self, task):
        return [Configuration()]

    def build(self, configuration, task, *, device="auto", random_state=None):
        return LogisticRegression(max_iter=1000)


class Guess(Logistic):
    name = "guess"

    def build(self, configuration, task, *, device="auto", random_state=None):
        return DummyClassifier()


class Broken(Logistic):
    name = "broken"

    def build(self, configuration, task, *, device="auto", random_state=None):
        raise ValueError("a bug")


STRATEGIES = {strategy.name: strategy for strategy in (Neighbours(), Logistic(), Guess(), Broken())}


class Inline:
    """Workers that evaluate when they are asked what has finished."""

    n_workers = 2

    def __init__(self, interrupted_after: int | None = None) -> None:
        self.cells: deque = deque()
        self.ran: list[tuple[str, int]] = []
        self.interrupted_after = interrupted_after
        self.is_cleared = False

    @property
    def under_way(self) -> int:
        return len(self.cells)

    def start(self) -> None:
        pass

    def prepare(self, task, strategies, *, device, random_state, keep_predictions):
        assert keep_predictions
        self.task, self.strategies = task, strategies

    def submit(self, cell, limits) -> None:
        self.cells.append(cell)

    def finished(self, seconds: float) -> list[tuple[object, Evaluation]]:
        if len(self.ran) == self.interrupted_after:
            raise KeyboardInterrupt
        cell = self.cells.popleft()
        self.ran.append((cell.candidate.strategy, cell.split))
        strategy = self.strategies[cell.candidate.strategy]
        return [
            (
                cell,
                evaluate(self.task, self.task.splits[cell.split], cell.candidate, strategy, keep_prediction=True),
            )
        ]

    def clear(self) -> None:
        self.is_cleared = True


@pytest.fixture(scope="module")
def task() -> Task:
    X, y = load_iris(return_X_y=True, as_frame=True)
    return Task.from_arrays(X, y)


def recommendation(task: Task, fit_seconds: float = 0.01, names=("guess", "neighbours", "broken", "logistic")):
    candidates = [candidate for name in names for candidate in STRATEGIES[name].candidates(task)]
    places = [
        RankedCandidate(rank, candidate, 0.5, 0.4, 0.6, fit_seconds, "made up")
        for rank, candidate in enumerate(candidates, start=1)
    ]
    return Recommendation(TaskSummary.of(task), tuple(places), random_state=0)


def refined(task: Task, workers: Inline | None = None, *, seconds: float = 1000.0, **options) -> Choice | None:
    deadline = time.monotonic() + seconds
    workers = workers or Inline()
    return refine(task, recommendation(task), STRATEGIES, workers=workers, deadline=deadline, **options)


@pytest.fixture(scope="module")
def choice(task: Task) -> Choice:
    found = refined(task)
    assert found is not None
    return found


def test_everything_is_judged_on_the_same_folds_and_the_best_family_is_tuned(task, choice):
    board = leaderboard(choice, task)
    assert list(board.columns) == [
        *("candidate", "strategy", "configuration", "cross_validated_score"),
        *("fit_seconds", "weight", "origin"),
    ]
    assert board["cross_validated_score"].is_monotonic_increasing  # log_loss: lower is better
    assert board["weight"].sum() == pytest.approx(1.0)
    assert {"logistic", "neighbours"} <= set(board["strategy"])
    assert "broken" not in set(board["strategy"])
    assert board["origin"].value_counts()["recommended"] == 4
    assert (board["fit_seconds"] > 0).all()


def test_the_same_seed_and_the_same_figures_lead_to_the_same_choice(task, choice):
    again = refined(task)
    assert again is not None
    assert again.members == choice.members
    assert [found.candidate for found in again.results] == [found.candidate for found in choice.results]


def test_without_permission_there_is_one_member(task):
    found = refined(task, ensemble=False)
    assert found is not None
    (member,) = found.members
    best = min(found.results, key=lambda result: result.loss)
    assert member.candidate == best.candidate


def test_a_failing_candidate_costs_one_fold_and_a_clearly_worse_one_is_dropped(task):
    workers = Inline()
    ranked = recommendation(task, names=("logistic", "guess", "broken"))
    found = refine(task, ranked, STRATEGIES, workers=workers, deadline=time.monotonic() + 1000)
    ran = [name for name, _ in workers.ran]
    assert ran.count("logistic") == 15
    assert ran.count("guess") <= 3  # two to see it, one that was under way
    assert ran.count("broken") <= 2
    assert found is not None
    assert [result.candidate.strategy for result in found.results] == ["logistic"]
    assert workers.is_cleared


def test_ctrl_c_ends_it_with_what_is_known(task):
    workers = Inline(interrupted_after=20)
    found = refined(task, workers)
    assert found is not None
    assert len(found.results) == 1
    assert workers.is_cleared


def test_without_time_nothing_is_run_and_the_first_of_the_list_chosen_if_it_can_be_fitted(task):
    workers = Inline()
    found = refined(task, workers, seconds=0.5)
    assert found is not None
    assert [member.candidate.strategy for member in found.members] == ["guess"]
    slow = recommendation(task, fit_seconds=100.0)
    assert refine(task, slow, STRATEGIES, workers=workers, deadline=time.monotonic() + 60) is None
    assert not workers.ran


def times(monkeypatch, predict_seconds):
    """Let predicting take as long as said of each strategy."""
    plain = evaluate

    def timed(task, split, candidate, strategy, **options):
        found = plain(task, split, candidate, strategy, **options)
        return replace(found, predict_seconds=predict_seconds.get(candidate.strategy, 1e-9))

    monkeypatch.setattr("tests.unit.engine.refinement.test_spending.evaluate", timed)


def test_if_all_candidates_break_a_measured_limit_the_error_says_so_and_by_how_much(task):
    with pytest.raises(NoCandidateError, match=r"max_fit_seconds excluded") as caught:
        refined(task, constraints=Constraints(max_fit_seconds=1e-9))
    assert "seen to fit in" in str(caught.value)
    assert "nearest miss" in str(caught.value)
    assert all("predicted" not in reason for reason in caught.value.context["excluded"].values())


def test_what_breaks_a_measured_limit_is_not_chosen_however_good_it_is(task, monkeypatch):
    times(monkeypatch, {"logistic": 100.0, "neighbours": 100.0})
    found = refined(task, constraints=Constraints(max_predict_ms_per_row=100.0))
    assert found is not None
    assert [member.candidate.strategy for member in found.members] == ["guess"]
    assert "logistic" in {result.candidate.strategy for result in found.results}


def test_where_the_best_ones_break_a_limit_the_most_modest_of_the_others_are_tried(task, monkeypatch):
    times(monkeypatch, {"neighbours": 100.0})
    candidates = [Candidate("neighbours", Configuration(k=k)) for k in NEIGHBOURS]
    candidates += [Candidate("logistic", Configuration()), Candidate("guess", Configuration())]
    places = [
        RankedCandidate(rank, candidate, 0.5, 0.4, 0.6, seconds, "made up", predict_ms_per_row=0.01 * rank)
        for rank, (candidate, seconds) in enumerate(
            zip(candidates, (0.01, 0.01, 0.01, 0.01, 1e6, 1e6), strict=True), start=1
        )
    ]
    ranked = Recommendation(TaskSummary.of(task), tuple(places), random_state=0)
    limits = Constraints(max_predict_ms_per_row=100.0)
    workers = Inline()
    deadline = time.monotonic() + 1000
    found = refine(task, ranked, STRATEGIES, workers=workers, deadline=deadline, constraints=limits)
    assert found is not None
    assert [member.candidate.strategy for member in found.members] == ["logistic"]
    assert list(dict.fromkeys(name for name, _ in workers.ran))[:2] == ["neighbours", "logistic"]


def test_one_that_was_not_measured_is_fitted_with_a_warning_if_the_measured_ones_break_a_limit(task, monkeypatch):
    times(monkeypatch, {"neighbours": 100.0})
    workers = Inline(interrupted_after=30)
    ranked = recommendation(task, names=("neighbours", "logistic"))
    limits = Constraints(max_predict_ms_per_row=100.0)
    deadline = time.monotonic() + 1000
    with pytest.warns(LimitWarning, match=r"None of the 2 .* seen to predict a row .*logistic.* only a forecast"):
        found = refine(task, ranked, STRATEGIES, workers=workers, deadline=deadline, constraints=limits)
    assert found is not None
    assert [member.candidate.strategy for member in found.members] == ["logistic"]


def test_running_out_of_memory_under_a_limit_of_memory_is_named(task, monkeypatch):
    plain = evaluate

    def hungry(*given, **options):
        return replace(plain(*given, **options), status="memory", prediction=None)

    monkeypatch.setattr("tests.unit.engine.refinement.test_spending.evaluate", hungry)
    with pytest.raises(NoCandidateError, match=r"max_memory_gb excluded 5") as caught:
        refined(task, constraints=Constraints(max_memory_gb=0.5))
    assert set(caught.value.context["excluded"].values()) == {"seen to take more memory in the fit than 0.5 GB"}
    assert refined(task) is None, "without a limit nothing was promised"


def test_one_that_failed_on_the_folds_is_not_fitted_for_want_of_another(task):
    ranked = recommendation(task, names=("broken", "guess"))
    workers = Inline(interrupted_after=2)
    found = refine(task, ranked, STRATEGIES, workers=workers, deadline=time.monotonic() + 1000)
    assert found is not None
    assert [member.candidate.strategy for member in found.members] == ["guess"]


def test_a_strategy_of_which_nothing_is_known_is_left_to_the_evidence(task):
    unknown = RankedCandidate(
        1, Candidate("guess", Configuration()), math.nan, math.nan, math.nan, math.nan, "no history"
    )
    ranked = Recommendation(TaskSummary.of(task), (unknown,), random_state=0)
    workers = Inline()
    assert refine(task, ranked, STRATEGIES, workers=workers, deadline=time.monotonic() + 1000) is None
    assert not workers.ran


@pytest.mark.parametrize(
    ("first_seconds", "second_seconds", "chosen", "n_judged"),
    [
        (30.0, 0.01, "neighbours", 0),
        (60.1, 0.01, "neighbours", 0),
        (6.0, 0.01, "logistic", 2),
        (100.0, 30.0, "logistic", 0),
    ],
)
def test_what_there_is_no_time_to_judge_is_not_beaten_for_want_of_a_rival(
    task, first_seconds, second_seconds, chosen, n_judged
):
    """In 60 seconds fits of 30 and of some 60 have their time, folds do not; 6 is right for both, 100 for none."""
    names = {"neighbours": first_seconds, "logistic": second_seconds}
    places = [
        RankedCandidate(
            rank, STRATEGIES[name].candidates(task)[0], 0.5 * rank, 0.4 * rank, 0.6 * rank, seconds, "made up"
        )
        for rank, (name, seconds) in enumerate(names.items(), start=1)
    ]
    ranked = Recommendation(TaskSummary.of(task), tuple(places), random_state=0)
    workers = Inline()
    found = refine(
        task, ranked, STRATEGIES, workers=workers, deadline=time.monotonic() + 60, ensemble=False, adjust=False
    )
    assert found is not None
    assert found.members[0].candidate.strategy == chosen
    assert len({name for name, _ in workers.ran}) == n_judged


def test_evidence_leaves_the_time_for_two_cross_validations_or_for_the_fit_alone():
    reserve = Reserve(time_budget=60.0, n_samples=5_000, n_workers=2)
    assert reserve(0.1) == reserve(5.0) == pytest.approx(36.0)
    assert reserve(6.0) == 6.0
    assert np.isfinite(reserve(0.0))


def test_labels_are_adjusted_where_that_pays_unless_it_is_forbidden():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = (X[:, 0] + rng.normal(size=400) > 1.5).astype(int)
    rare = Task.from_arrays(X, y, metric="balanced_accuracy")
    adjustment = refined(rare, ensemble=False).adjustment
    assert adjustment.class_weights[1] > 2 * adjustment.class_weights[0]
    assert refined(rare, ensemble=False, adjust=False).adjustment is None


@pytest.mark.parametrize(
    ("metric", "options", "kept_back"),
    [
        ("balanced_accuracy", {}, 200),
        ("balanced_accuracy", {"ensemble": False}, 100),
        ("balanced_accuracy", {"ensemble": False, "adjust": False}, 0),
        ("roc_auc", {}, 100),
        ("roc_auc", {"ensemble": False}, 0),
    ],
)
def test_the_seconds_of_the_choice_and_of_class_weights_are_kept_back(task, metric, options, kept_back):
    granted = []

    class Noting(Inline):
        def finished(self, seconds):
            granted.append(seconds)
            raise KeyboardInterrupt

    asked = Task.from_arrays(task.X, task.y, metric=metric)
    refined(asked, Noting(), seconds=1000.0, **options)
    assert granted[0] == pytest.approx(1000 - kept_back, abs=30)
