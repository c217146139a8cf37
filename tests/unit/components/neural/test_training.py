"""The loop: losses, limits, selection of weights, and what it leaves untouched."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from autometa.components.neural import execution, training
from autometa.components.neural.losses import held_out_loss, training_loss
from autometa.components.neural.training import Rows, TrainingPlan, fit_network
from autometa.foundation.errors import EvaluationError

STEP = 0.02  # seconds of the clock


class Members(nn.Module):
    """Two linear members that keep the sizes of batches; a pass takes `STEP` seconds, the first `start` more."""

    def __init__(self, n_columns=3, limit=10**9, clock=None, start=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, n_columns, 1))
        self.limit, self.clock, self.start, self.sizes = limit, clock, start, []

    def forward(self, x):
        self.sizes.append(len(x))
        if len(x) > self.limit:
            raise torch.cuda.OutOfMemoryError
        if self.clock is not None:
            self.clock.now += STEP + (self.start if len(self.sizes) == 1 else 0.0)
        return torch.einsum("bd,kdc->bkc", x, self.weight)


def linear_rows(n_samples=60, *, held_out=True):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n_samples, 3, generator=generator)
    y = X @ torch.tensor([1.0, -2.0, 0.5])
    is_held = torch.zeros(n_samples, 2)
    is_held[: n_samples // 4] = float(held_out)
    return Rows(X, y, 1.0 - is_held, is_held)


def plan_of(**changes):
    values = {
        "classification": False,
        "learning_rate": 0.05,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "max_epochs": 40,
        "patience": 40,
        "batch_size": 8,
        "max_seconds": 60.0,
        "seed": 0,
    }
    return TrainingPlan(**{**values, **changes})


def train(network, rows, **changes):
    return fit_network(network, rows, rows.judged(1_000), plan_of(**changes))


def test_the_loop_learns_a_linear_target():
    report = train(Members(), linear_rows())
    assert report.losses[report.best_epoch - 1] == min(report.losses)
    assert min(report.losses) < 0.01
    assert report.weights["weight"][0, :, 0] == pytest.approx([1.0, -2.0, 0.5], abs=0.1)


def test_returned_weights_are_those_of_the_best_epoch():
    rows = linear_rows()
    report = train(Members(), rows, learning_rate=0.5, max_epochs=15)
    network = Members()
    network.load_state_dict({name: torch.as_tensor(array) for name, array in report.weights.items()})
    judged = rows.judged(1_000)
    loss = held_out_loss(network(judged.X).detach(), judged.y, judged.held_out, classification=False)
    assert loss == pytest.approx(min(report.losses), rel=1e-5)


def test_patience_ends_training_on_noise():
    rows = linear_rows()
    noise = Rows(rows.X, torch.randn(60, generator=torch.Generator().manual_seed(1)), rows.weights, rows.held_out)
    report = train(Members(), noise, max_epochs=500, patience=5)
    assert report.stopped_by == "patience"
    assert len(report.losses) == report.best_epoch + 5


def test_without_held_out_rows_all_epochs_are_run_and_the_last_weights_kept():
    report = train(Members(), linear_rows(held_out=False), max_epochs=7, patience=2)
    assert (report.stopped_by, len(report.losses), report.best_epoch) == ("epochs", 7, 7)
    assert np.isnan(report.losses).all()


def test_the_time_limit_is_kept_within_a_step(monkeypatch):
    clock = SimpleNamespace(now=100.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(training, "time", clock)
    members = Members(clock=clock)
    report = train(members, linear_rows(), max_seconds=0.3, max_epochs=1_000, patience=1_000)
    assert report.stopped_by == "time"
    # The weights' average, which is watched after an epoch, is a copy of the members with a clock of its own.
    assert 0.3 < STEP * len(members.sizes) <= 0.3 + 2 * STEP
    assert np.isfinite(report.weights["weight"]).all()


@pytest.mark.parametrize(("start", "is_the_same"), [(20.0, True), (31.0, False)])
def test_a_fit_within_half_of_its_seconds_is_the_same_however_slowly_it_starts(monkeypatch, start, is_the_same):
    def weights(seconds):
        clock = SimpleNamespace(now=100.0, perf_counter=lambda: clock.now)
        monkeypatch.setattr(training, "time", clock)
        return train(
            Members(clock=clock, start=seconds), linear_rows(), max_seconds=60.0, max_epochs=20, patience=20
        ).weights["weight"]

    assert np.array_equal(weights(0.0), weights(start)) == is_the_same


def test_out_of_memory_halves_the_batch_and_says_so(caplog):
    network = Members(limit=2)
    with caplog.at_level(logging.WARNING):
        report = train(network, linear_rows(), max_epochs=2)
    assert report.batch_size == 2
    assert "Out of memory" in caplog.text
    assert max(network.sizes[-5:]) <= 2


def test_a_row_that_does_not_fit_is_an_error():
    with pytest.raises(EvaluationError, match="Not even one row"):
        execution.forward_in_batches(Members(limit=0), torch.zeros(3, 3), 2)


def test_rows_held_out_by_a_member_do_not_move_it():
    rows = linear_rows()
    poisoned = rows.y.clone()
    poisoned[:15] = 1e6  # held out by both members
    clean, dirty = (
        fit_network(
            Members(), Rows(rows.X, y, rows.weights, rows.held_out), rows.judged(99), plan_of(max_epochs=3)
        )
        for y in (rows.y, poisoned)
    )
    assert np.array_equal(clean.weights["weight"], dirty.weights["weight"])


def test_cross_entropy_is_the_mean_over_members():
    outputs = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([0, 1, 2, 0, 1])
    expected = torch.stack([nn.functional.cross_entropy(outputs[:, k], y) for k in range(2)]).mean()
    found = training_loss(outputs, y, torch.ones(5, 2), classification=True)
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_held_out_loss_averages_probabilities_not_losses():
    outputs = torch.tensor([[[10.0, -10.0], [-10.0, 10.0]]])
    loss = held_out_loss(outputs, torch.tensor([0]), torch.ones(1, 2), classification=True)
    assert loss == pytest.approx(np.log(2.0), rel=1e-4)


def test_threads_and_generators_are_put_back():
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with execution.cpu_threads(), execution.seeded(3, "cpu"):
        assert torch.get_num_threads() <= min(4, threads)
        torch.randn(3)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
