"""Exact or landmarks: by rows, memory and time."""

from __future__ import annotations

import numpy as np
import pytest

from autometa.components.kernels import backends
from autometa.components.kernels.backends import open_backend, reopen_backend
from autometa.components.kernels.linalg import NumpyBackend
from autometa.components.kernels.plan import make_plan
from autometa.foundation.errors import ParameterError


class Tight(NumpyBackend):
    def free_memory(self) -> int:
        return 5 * 8 * 1_000**2  # five matrices of 1,000 rows in float64


class OnGpu(NumpyBackend):
    device = "cuda:0"

    def free_memory(self) -> int:
        return 10**12


def test_exact_up_to_the_limit_and_landmarks_beyond():
    assert make_plan(OnGpu(), 20_000, 10).approximation == "exact"
    assert make_plan(OnGpu(), 20_001, 10).approximation == "nystroem"
    assert make_plan(NumpyBackend(), 800, 10, max_exact_rows=799).approximation == "nystroem"
    plan = make_plan(NumpyBackend(), 800, 10, max_exact_rows=800)
    assert (plan.approximation, plan.basis_rows) == ("exact", 800)


def test_landmarks_cost_what_the_largest_exact_fit_costs():
    plan = make_plan(OnGpu(), 100_000, 10, max_exact_rows=3_000)
    assert 4 * 100_000 * plan.basis_rows**2 == pytest.approx(3_000**3, rel=0.02) or plan.basis_rows == 300
    assert make_plan(OnGpu(), 10_000, 10, max_exact_rows=3_000).basis_rows == 821
    assert make_plan(OnGpu(), 10**7, 10, max_exact_rows=3_000).basis_rows == 300
    assert make_plan(OnGpu(), 1_000, 10, max_exact_rows=50).basis_rows == 50


def test_memory_lowers_the_limit():
    plan = make_plan(Tight(), 1_001, 10)
    assert plan.approximation == "nystroem"
    assert "memory" in plan.reason


def test_time_lowers_the_limit():
    plan = make_plan(NumpyBackend(), 2_900, 10, seconds=0.02)
    assert plan.approximation == "nystroem"
    assert "time" in plan.reason
    assert make_plan(NumpyBackend(), 200, 1, seconds=3_600.0).approximation == "exact"


def test_small_fits_stay_on_the_cpu_in_double_precision():
    backend, reason = open_backend("auto", 1_500)
    assert (backend.device, backend.precision) == ("cpu", "float64")
    assert "1500" in reason
    backend, reason = open_backend("cpu", 1_501)
    assert (backend.device, backend.precision) == ("cpu", "float32")
    with pytest.raises(ParameterError, match="tpu"):
        open_backend("tpu", 10)


def test_a_model_from_a_gpu_predicts_on_the_cpu_when_there_is_none(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    reopened = reopen_backend(OnGpu("float32"))
    assert (reopened.device, reopened.precision) == ("cpu", "float32")
    same = NumpyBackend()
    assert backends.reopen_backend(same) is same


def test_probe_of_the_time_is_finite():
    assert np.isfinite(make_plan(NumpyBackend(), 100, 10, seconds=1e-9).basis_rows)
