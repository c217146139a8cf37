"""Shapes, bins and stored weights of the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autometa.components.neural.model import TabularNetwork, load_arrays, make_bins, to_arrays
from autometa.components.neural.specification import ARCHITECTURES, EMBEDDINGS, NetworkSpec

ROWS, NUMERIC, PLAIN, OUTPUTS = 7, 3, 2, 4


def spec_of(architecture, embedding, *, n_numeric=NUMERIC):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(80, NUMERIC)).astype(np.float32)
    bins = make_bins(X, (X[:, 0] > 0).astype(np.int64), n_bins=6, classification=True)
    return NetworkSpec(
        n_numeric=n_numeric,
        n_plain=PLAIN,
        n_outputs=OUTPUTS,
        architecture=architecture,
        k=1 if architecture == "mlp" else 3,
        width=8,
        embedding=embedding,
        bins=bins if embedding == "piecewise" else (),
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_every_member_answers_for_every_row(architecture, embedding):
    spec = spec_of(architecture, embedding)
    network = TabularNetwork(spec)
    assert network(torch.randn(ROWS, NUMERIC + PLAIN)).shape == (ROWS, spec.k, OUTPUTS)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_a_table_of_two_valued_columns_needs_no_embedding(embedding):
    network = TabularNetwork(NetworkSpec(0, PLAIN, OUTPUTS, k=2, width=8, embedding=embedding))
    assert network(torch.zeros(ROWS, PLAIN)).shape == (ROWS, 2, OUTPUTS)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("architecture", ["mlp", "packed"])
def test_each_weight_of_members_that_share_none_is_multiplied_once_a_row(architecture, embedding):
    spec = spec_of(architecture, embedding)
    network = TabularNetwork(spec)
    matrices = [p for name, p in network.named_parameters() if name.endswith("weight") and "embedding" not in name]
    assert spec.n_multiplications == sum(matrix.numel() for matrix in matrices)


@pytest.mark.parametrize("architecture", ["packed", "tabm"])
def test_members_differ_before_training(architecture):
    outputs = TabularNetwork(spec_of(architecture, "none")).eval()(torch.randn(ROWS, NUMERIC + PLAIN))
    assert not torch.allclose(outputs[:, 0], outputs[:, 1])


def test_independent_members_do_not_share_gradients():
    network = TabularNetwork(spec_of("packed", "none"))
    network(torch.randn(ROWS, NUMERIC + PLAIN))[:, 0].sum().backward()
    assert network.head.weight.grad[0].abs().sum() > 0
    assert network.head.weight.grad[1:].abs().sum() == 0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_stored_weights_give_the_same_network(architecture, embedding):
    spec = spec_of(architecture, embedding)
    network, copy = TabularNetwork(spec).eval(), TabularNetwork(spec).eval()
    load_arrays(copy, to_arrays(network))
    X = torch.randn(ROWS, NUMERIC + PLAIN)
    assert torch.equal(network(X), copy(X))


def test_bins_are_narrow_where_the_target_changes():
    X = np.linspace(0.0, 1.0, 400, dtype=np.float32)[:, None]
    (edges,) = make_bins(X, (X[:, 0] > 0.7).astype(np.int64), n_bins=8, classification=True)
    assert edges[0] == 0.0
    assert edges[-1] == 1.0
    assert np.abs(edges - 0.7).min() < 0.01
    assert (np.diff(edges) > 0).all()


def test_a_column_that_is_constant_in_the_looked_at_rows_gets_one_bin():
    X = np.zeros((20_001, 2), dtype=np.float32)
    X[:, 0] = np.arange(20_001) % 7
    X[1, 1] = 1.0  # only every second row is looked at
    edges = make_bins(X, (X[:, 0] > 3).astype(np.int64), n_bins=4, classification=True)
    assert edges[1].tolist() == [0.0, 1.0]
    assert len(edges[0]) > 2
