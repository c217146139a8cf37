from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from autometa.components.neural.encoders.affording import affordable_rows
from autometa.components.neural.encoders.fine_tuning import EncoderNetwork, fine_tune, fine_tuning_plan
from autometa.components.neural.encoders.probe import linear_probe
from autometa.components.neural.encoders.rows import JoinedRows, TokenRows
from autometa.components.neural.model import load_arrays
from autometa.components.neural.training import Rows

CPU = torch.device("cpu")


def make_rows(n=80, n_held_out=20, *, classification=True, n_plain=0):
    """Rows of which the sign of a product decides: no linear model of them can tell."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n, 4, generator=generator)
    y = (X[:, 0] * X[:, 1] > 0).long() if classification else X[:, 0] * X[:, 1]
    held_out = torch.zeros(n, 1)
    held_out[:n_held_out] = 1.0
    plain = y[:, None].float().repeat(1, n_plain)
    return Rows(JoinedRows(X, plain), y, 1.0 - held_out, held_out)


def make_encoder():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh())


def losses(network, rows):
    network.eval()
    with torch.no_grad():
        outputs = network(rows.X)[:, 0]
    return nn.functional.cross_entropy(outputs, rows.y, reduction="none")


@pytest.mark.parametrize("classification", [True, False])
def test_fine_tuning_learns_what_the_frozen_encoder_does_not_show(classification):
    rows = make_rows(400, 100, classification=classification)
    plan = fine_tuning_plan(
        classification=classification, learning_rate=1e-2, max_epochs=20, patience=20, max_seconds=60
    )
    report = fine_tune(make_encoder(), rows, 2 if classification else 1, plan).report
    assert len(report.losses) == 21  # the probe's, and one an epoch
    assert min(report.losses) < 0.6 * report.losses[0]


def test_the_probe_is_kept_where_training_makes_it_worse():
    rows = make_rows(200, 100)
    rows = replace(rows, y=torch.randint(2, (200,), generator=torch.Generator().manual_seed(1)))  # noise
    plan = fine_tuning_plan(classification=True, learning_rate=1.0, max_epochs=2)
    tuned = fine_tune(make_encoder(), rows, 2, plan)
    assert tuned.report.best_epoch == 0
    load_arrays(tuned.network, tuned.report.weights)
    assert losses(tuned.network, rows).mean() < 0.8


def test_ten_rows_are_learned_by_heart():
    rows = make_rows(10, 0)
    plan = fine_tuning_plan(classification=True, learning_rate=3e-2, max_epochs=60, patience=60)
    tuned = fine_tune(make_encoder(), rows, 2, plan)
    load_arrays(tuned.network, tuned.report.weights)
    assert losses(tuned.network, rows).max() < 0.1


def test_no_time_leaves_the_probe():
    rows = make_rows()
    tuned = fine_tune(make_encoder(), rows, 2, fine_tuning_plan(classification=True, max_seconds=0.0))
    assert tuned.report.stopped_by == "time"
    assert tuned.report.losses[0] == pytest.approx(tuned.report.losses[-1])


def test_frozen_parameters_stay():
    rows, encoder = make_rows(), make_encoder()
    encoder[0].requires_grad_(False)
    before = encoder[0].weight.clone(), encoder[2].weight.clone()
    fine_tune(encoder, rows, 2, fine_tuning_plan(classification=True, learning_rate=1e-2, max_epochs=1))
    assert torch.equal(encoder[0].weight, before[0])
    assert not torch.equal(encoder[2].weight, before[1])


def test_what_is_out_of_date_is_settled_before_it_is_judged():
    """Statistics of batch normalisation are no parameters: without `settle` they would be those of the start."""
    rows = make_rows()
    seen = []

    def settle(network):
        if not isinstance(network, EncoderNetwork):  # before the probe there is no head yet
            seen.append(network)
            return
        with torch.no_grad():
            network.head.bias.fill_(7.0)
        seen.append(network)

    plan = fine_tuning_plan(classification=True, max_epochs=2, patience=5, learning_rate=1e-6)
    report = fine_tune(make_encoder(), rows, 2, plan, settle).report
    assert [isinstance(network, EncoderNetwork) for network in seen] == [False, True, True]
    assert report.losses[1] != report.losses[0]


def test_the_probe_finds_a_linear_target():
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(200, 3, generator=generator)
    X[:, 2] = 5.0  # constant: has no slope
    y = 2 * X[:, 0] - X[:, 1]
    held_out = (torch.arange(200) % 4 == 0).float()[:, None]
    slope, bias = linear_probe(X, Rows(X, y, 1 - held_out, held_out), 1, classification=False)
    assert slope.shape == (1, 3)
    np.testing.assert_allclose(slope.numpy(), [[2, -1, 0]], atol=0.05)
    np.testing.assert_allclose(bias.numpy(), [0], atol=0.05)


def test_token_rows_are_padded_to_the_longest_of_a_batch():
    rows = TokenRows((np.array([5, 6, 7]), np.array([8]), np.array([9, 9])), padding=0, device=CPU)
    tokens, there = rows[torch.tensor([2, 1])].padded()
    assert tokens.tolist() == [[9, 9], [8, 0]]
    assert there.tolist() == [[1, 1], [1, 0]]
    assert len(rows[1:]) == 2


def test_rows_that_cannot_be_read_in_time_are_left_out_in_their_shares():
    n = 4_000
    y = torch.zeros(n, dtype=torch.int64)
    y[n // 2 :], y[7] = 1, 2  # a class of one row
    held_out = (torch.arange(n) % 4 == 0).float()[:, None]
    rows = Rows(JoinedRows(torch.randn(n, 4), torch.empty(n, 0)), y, 1 - held_out, held_out)
    reader = nn.Sequential(Encoded(), nn.Unflatten(1, (1, 4)))
    assert len(affordable_rows(reader, rows, 64, 3_600.0)) == n
    kept = affordable_rows(reader, rows, 64, 0.0)
    assert len(kept) <= 1_003
    assert kept.y.bincount().tolist()[2] == 1
    assert kept.y.bincount()[:2].tolist() == pytest.approx([500, 500], abs=5)
    assert kept.held_out.mean() == pytest.approx(0.25, abs=0.01)
    assert (kept.weights[kept.y == 2] > 0).all()


class Encoded(nn.Module):
    def forward(self, rows):
        return rows.encoded
