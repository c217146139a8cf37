"""The closed form against fits that really leave the row out."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from autometa.components.kernels.landmarks import fit_landmark_members
from autometa.components.kernels.leave_one_out import fit_ridge, ridge_path
from autometa.components.kernels.linalg import NumpyBackend
from autometa.components.kernels.selection import Choice
from autometa.components.kernels.views import Views

N, K = 25, 3


@pytest.fixture
def problem():
    random = np.random.default_rng(0)
    points = random.normal(size=(N, 2))
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    return np.exp(-squares), random.normal(size=(N, K)), random.uniform(0.2, 3.0, size=N)


def left_out_by_refits(gram, targets, ridge, weights):
    predictions = np.empty_like(targets)
    for i in range(len(gram)):
        rest = np.arange(len(gram)) != i
        shifted = gram[np.ix_(rest, rest)] + ridge * np.diag(1.0 / weights[rest])
        predictions[i] = gram[i, rest] @ np.linalg.solve(shifted, targets[rest])
    return predictions


@pytest.mark.parametrize("ridge", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_closed_form_equals_refits(problem, ridge, weighted):
    gram, targets, weights = problem
    weights = weights if weighted else np.ones(N)
    fit = fit_ridge(NumpyBackend(), gram, targets, ridge, weights)
    np.testing.assert_allclose(
        fit.left_out, left_out_by_refits(gram, targets, ridge, weights), rtol=1e-8, atol=1e-9
    )
    expected = np.linalg.solve(gram + ridge * np.diag(1.0 / weights), targets)
    np.testing.assert_allclose(fit.coefficients, expected, rtol=1e-8, atol=1e-8)


def test_path_equals_single_fits(problem):
    gram, targets, weights = problem
    ridges = (0.03, 0.3, 3.0)
    path = list(ridge_path(NumpyBackend(), gram, targets, ridges, weights))
    assert len(path) == len(ridges)
    for ridge, left_out in zip(ridges, path, strict=True):
        np.testing.assert_allclose(
            left_out, fit_ridge(NumpyBackend(), gram, targets, ridge, weights).left_out, atol=1e-9
        )


def test_single_precision_stays_close(problem):
    gram, targets, weights = problem
    double = fit_ridge(NumpyBackend("float64"), gram, targets, 0.01, weights)
    single = fit_ridge(NumpyBackend("float32"), gram.astype(np.float32), targets, 0.01, weights)
    np.testing.assert_allclose(single.left_out, double.left_out, atol=1e-3)


def test_indefinite_matrix_gets_a_larger_ridge_and_says_so(caplog):
    gram = np.diag([1.0, -0.5])
    with caplog.at_level(logging.WARNING):
        fit = fit_ridge(NumpyBackend(), gram, np.ones((2, 1)), 0.1, np.ones(2))
    assert np.isfinite(fit.left_out).all()
    assert "ten times" in caplog.text


def test_hopeless_matrix_raises():
    with pytest.raises(np.linalg.LinAlgError):
        fit_ridge(NumpyBackend(), -1e9 * np.eye(3), np.ones((3, 1)), 0.01, np.ones(3))


@pytest.mark.parametrize("name", ["gaussian", "laplace_relevant", "interactions"])
def test_landmarks_that_are_all_rows_equal_the_exact_fit(name):
    random = np.random.default_rng(1)
    views = Views(random.normal(size=(N, 3)), random.uniform(-1, 1, size=(N, 3)), np.ones(3))
    targets, weights = random.normal(size=(N, K)), random.uniform(0.5, 2.0, size=N)
    choice = Choice(name, 2.0, 0.3, 0.0)
    members, left_out = fit_landmark_members(
        NumpyBackend(), [choice], views, views, targets, weights, np.arange(N)
    )
    shape, backend = choice.kernel.shape, NumpyBackend()
    coordinates = shape.prepare(views)
    gram = shape.finish(backend, shape.compare(backend, coordinates, coordinates), choice.rate)
    exact = fit_ridge(backend, gram, targets, choice.ridge, weights)
    np.testing.assert_allclose(left_out[0], exact.left_out, atol=1e-3)
    np.testing.assert_allclose(gram @ members[0].coefficients, gram @ exact.coefficients, atol=1e-3)


def test_landmark_closed_form_equals_refits():
    """With fewer landmarks than rows, leaving a row out is still exact."""
    random = np.random.default_rng(2)
    views = Views(random.normal(size=(N, 2)), random.uniform(-1, 1, size=(N, 2)), np.ones(2))
    targets, weights, basis = (
        random.normal(size=(N, 1)),
        random.uniform(0.5, 2.0, size=N),
        views.take(np.arange(6)),
    )
    backend, choice = NumpyBackend(), Choice("gaussian", 1.0, 0.2, 0.0)
    _, left_out = fit_landmark_members(backend, [choice], basis, views, targets, weights, np.arange(N))
    for i in range(N):
        rest = np.delete(np.arange(N), i)
        members, _ = fit_landmark_members(
            backend, [choice], basis, views.take(rest), targets[rest], weights[rest], np.arange(3)
        )
        shape = choice.kernel.shape
        row, anchors = shape.prepare(views.take(np.array([i]))), shape.prepare(basis)
        values = shape.finish(backend, shape.compare(backend, row, anchors), choice.rate)
        np.testing.assert_allclose(left_out[0, i], (values @ members[0].coefficients)[0], atol=1e-8)
