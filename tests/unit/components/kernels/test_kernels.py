"""Kernel values against their definitions, written out."""

from __future__ import annotations

import numpy as np
import pytest

from autometa.components.kernels import DEFAULT_KERNELS, KERNELS
from autometa.components.kernels.kernels import kernel_matrices
from autometa.components.kernels.linalg import NumpyBackend
from autometa.components.kernels.selection import Setting
from autometa.components.kernels.views import Views


@pytest.fixture
def views():
    random = np.random.default_rng(0)
    relevance = np.array([0.5, 2.0, 0.7, 0.8])
    return Views(random.normal(size=(30, 4)), random.uniform(-1, 1, size=(30, 4)), relevance)


def matrix(name, rate, left, right):
    [(_, values)] = kernel_matrices(NumpyBackend(), [Setting(name, rate)], left, right)
    return values


def test_values_follow_the_definitions(views):
    z, u, w = views.standard, views.rank, views.relevance / 4
    i, j = 3, 17
    dz, du = z[i] - z[j], u[i] - u[j]
    focused = views.relevance**2 / (views.relevance**2).sum()
    expected = {
        ("linear", 1.0): z[i] @ z[j] / 4,
        ("quadratic", 1.0): (1 + (w * z[i]) @ z[j]) ** 2 / 4,
        ("additive", 1.0): w @ np.exp(-3 * np.abs(du)),
        ("interactions", 4.0): (w @ np.exp(-8 * np.abs(du))) ** 4,
        ("gaussian", 3.0): np.exp(-3 * (dz**2).mean()),
        ("gaussian_relevant", 0.5): np.exp(-0.5 * w @ dz**2),
        ("gaussian_rank", 6.0): np.exp(-6 * w @ du**2),
        ("laplace", 2.0): np.exp(-2 * np.abs(du).mean()),
        ("laplace_standard", 1.0): np.exp(-w @ np.abs(dz)),
        ("laplace_relevant", 4.0): np.exp(-4 * w @ np.abs(du)),
        ("laplace_focused", 2.0): np.exp(-2 * focused @ np.abs(du)),
    }
    for (name, rate), value in expected.items():
        assert matrix(name, rate, views, views)[i, j] == pytest.approx(value, rel=1e-9), name


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_kernel_is_symmetric_and_positive(views, name):
    for rate in KERNELS[name].rates:
        gram = matrix(name, rate, views, views)
        np.testing.assert_allclose(gram, gram.T, atol=1e-12)
        assert np.linalg.eigvalsh(gram).min() > -1e-9


def test_blocks_of_rows_give_what_the_whole_gives():
    random = np.random.default_rng(3)
    a, b, c, d = (random.uniform(size=(n, 3)) for n in (700, 700, 400, 400))
    whole = sum(np.minimum(np.outer(a[:, j], d[:, j]), np.outer(b[:, j], c[:, j])) for j in range(3))
    np.testing.assert_allclose(NumpyBackend().crossed_minima((a, b), (c, d)), whole)


def test_matrices_come_shape_by_shape_in_a_stable_order(views):
    names = ["laplace_relevant", "linear", "laplace_relevant_narrow"]
    settings = [Setting(name, 1.0) for name in names]
    order = [item for item, _ in kernel_matrices(NumpyBackend(), settings, views, views)]
    assert [item.kernel_name for item in order] == ["laplace_relevant", "laplace_relevant_narrow", "linear"]
    assert [item for item, _ in kernel_matrices(NumpyBackend(), order, views, views)] == order


def test_default_names_exist_and_shapes_are_unique():
    assert set(DEFAULT_KERNELS) <= set(KERNELS)
    shapes = {id(kernel.shape): kernel.shape.name for kernel in KERNELS.values()}
    assert len(set(shapes.values())) == len(shapes)
