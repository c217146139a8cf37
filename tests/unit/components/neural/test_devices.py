"""Resolving a device, on machines with and without a GPU."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autometa.components.neural import devices
from autometa.components.neural.devices import ResolvedDevice, resolve_device
from autometa.foundation.errors import ParameterError


def test_the_cpu_is_always_there():
    assert resolve_device("cpu") == ResolvedDevice("cpu", "the CPU was asked for")


@pytest.mark.parametrize("request_", ["gpu", "", "cuda:", "cuda:x", "cuda:-1", "CPU"])
def test_other_names_are_refused(request_):
    with pytest.raises(ParameterError, match="device must be"):
        resolve_device(request_)


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus(monkeypatch, hidden):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert resolve_device("auto") == ResolvedDevice("cpu", "CUDA_VISIBLE_DEVICES hides every GPU")
    with pytest.raises(ParameterError, match="hides every GPU"):
        resolve_device("cuda")


def test_no_driver(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "_DRIVERS", {sys.platform: "no-such-library"})
    assert resolve_device("auto").reason == "no NVIDIA driver was found"


@pytest.mark.parametrize(
    ("built", "available", "count", "request_", "reason"),
    [
        (None, False, 0, "cuda", "built without CUDA"),
        ("13.0", False, 0, "cuda", "finds no GPU"),
        ("13.0", True, 2, "cuda:2", "only 2 GPUs"),
        ("13.0", True, 2, "cuda:1", ""),
        ("13.0", True, 1, "auto", ""),
    ],
)
def test_what_torch_says(monkeypatch, built, available, count, request_, reason):
    import torch

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "_driver_loads", lambda: True)
    monkeypatch.setattr(torch.version, "cuda", built)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    if reason:
        with pytest.raises(ParameterError, match=reason):
            resolve_device(request_)
    else:
        assert resolve_device(request_).name == ("cuda" if request_ == "auto" else request_)


def test_without_a_driver_torch_is_not_imported():
    code = (
        "import sys; from autometa.components.neural import devices; devices._DRIVERS = {};"
        "print(devices.resolve_device('auto').name, 'torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["cpu", "False"]


@pytest.mark.gpu
def test_a_real_gpu_is_found():
    assert resolve_device("auto").name == "cuda"
