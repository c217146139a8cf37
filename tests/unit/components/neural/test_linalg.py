"""The torch backend gives what the NumPy backend gives; on a GPU when there is one."""

from __future__ import annotations

import numpy as np
import pytest

from autometa.components.kernels import KERNELS, KernelEnsembleClassifier
from autometa.components.kernels.ensemble import fit_members
from autometa.components.kernels.kernels import kernel_matrices
from autometa.components.kernels.landmarks import fit_landmark_members
from autometa.components.kernels.linalg import NumpyBackend
from autometa.components.kernels.selection import Choice, Setting
from autometa.components.kernels.views import Views
from autometa.components.neural.linalg import TorchBackend

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
TOLERANCE = {"float64": 1e-8, "float32": 2e-3}


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    relevance = random.uniform(0.1, 2.0, size=6)
    views = Views(random.normal(size=(120, 6)), random.uniform(-1, 1, size=(120, 6)), relevance / relevance.mean())
    return views, random.normal(size=(120, 3)), random.uniform(0.5, 2.0, size=120)


@pytest.mark.parametrize("device", DEVICES)
def test_kernel_values_are_equal(data, device):
    views = data[0]
    settings = [Setting(name, kernel.rates[0]) for name, kernel in KERNELS.items()]
    theirs = kernel_matrices(NumpyBackend(), settings, views, views.take(slice(0, 40)))
    torch = TorchBackend(device, "float64")
    ours = kernel_matrices(torch, settings, views, views.take(slice(0, 40)))
    for (_, expected), (setting, values) in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(torch.to_numpy(values), expected, atol=1e-12, err_msg=setting.kernel_name)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_fits_are_equal(data, device, precision):
    views, targets, weights = data
    choices = [Choice("laplace_relevant", 4.0, 0.01, 0.0), Choice("linear", 1.0, 1.0, 0.0)]
    _, expected = fit_members(NumpyBackend("float64"), choices, views, targets, weights)
    _, left_out = fit_members(TorchBackend(device, precision), choices, views, targets, weights)
    np.testing.assert_allclose(left_out, expected, atol=TOLERANCE[precision])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_landmark_fits_are_equal(data, device, precision):
    views, targets, weights = data
    choices, basis, rows = [Choice("gaussian", 3.0, 0.1, 0.0)], views.take(np.arange(30)), np.arange(120)
    _, expected = fit_landmark_members(NumpyBackend("float64"), choices, basis, views, targets, weights, rows)
    torch = TorchBackend(device, precision)
    _, left_out = fit_landmark_members(torch, choices, basis, views, targets, weights, rows)
    np.testing.assert_allclose(left_out, expected, atol=TOLERANCE[precision])


@pytest.mark.parametrize("device", DEVICES)
def test_indefinite_matrices_are_refused(device):
    torch = TorchBackend(device, "float64")
    with pytest.raises(np.linalg.LinAlgError):
        torch.solve_ridge(torch.asarray(-np.eye(3)), 0.5, torch.asarray(np.ones((3, 1))))


@pytest.mark.parametrize("device", DEVICES)
def test_memory_is_counted(device):
    assert TorchBackend(device).free_memory() > 10**6


@pytest.mark.gpu
def test_estimators_agree_on_cpu_and_gpu():
    random = np.random.default_rng(0)
    X = random.normal(size=(800, 8))
    y = (X[:, 0] * X[:, 1] + 0.3 * random.normal(size=800) > 0).astype(int)
    on_cpu = KernelEnsembleClassifier(device="cpu").fit(X, y)
    on_gpu = KernelEnsembleClassifier(device="cuda").fit(X, y)
    assert on_gpu.device_.startswith("cuda")
    np.testing.assert_allclose(on_gpu.predict_proba(X), on_cpu.predict_proba(X), atol=1e-6)
