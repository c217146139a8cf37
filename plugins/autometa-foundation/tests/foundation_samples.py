"""Tables, tasks, and checkpoints of the real architectures: tiny, with random weights."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from autometa import Task

from autometa_foundation.models import CLASSIFICATION, TABICL, TABPFN

LIBRARIES = ("tabpfn", "tabicl")
KINDS = ("classification", "regression")
TABPFN_SIZES = {"emsize": 24, "nlayers": 2, "nhead": 2}
TABPFN_3_SIZES = {
    "embed_dim": 16,
    "dist_embed_num_blocks": 1,
    "dist_embed_num_heads": 2,
    "dist_embed_num_inducing_points": 4,
    "feat_agg_num_blocks": 1,
    "feat_agg_num_heads": 2,
    "feat_agg_num_cls_tokens": 2,
    "nlayers": 1,
    "icl_num_heads": 2,
    "decoder_head_dim": 8,
    "decoder_num_heads": 2,
}
TABICL_SIZES = {
    "num_quantiles": 20,
    "embed_dim": 16,
    "col_num_blocks": 1,
    "col_nhead": 2,
    "col_num_inds": 4,
    "row_num_blocks": 1,
    "row_nhead": 2,
    "row_num_cls": 2,
    "icl_num_blocks": 1,
    "icl_nhead": 2,
    "zero_init": False,
}


def write_tabpfn(folder: Path, kind: str, version: str = "v2") -> Path:
    """Write random weights of a version of TabPFN under the name of the published file."""
    import torch
    from tabpfn.architectures import ARCHITECTURES
    from tabpfn.architectures.shared.bar_distribution import FullSupportBarDistribution
    from tabpfn.constants import ModelVersion
    from tabpfn.inference_config import InferenceConfig

    torch.manual_seed(0)
    name = f"tabpfn_{version.replace('.', '_')}"
    architecture = ARCHITECTURES[name]
    n_classes = 10 if kind == CLASSIFICATION else 0
    sizes = TABPFN_3_SIZES if version == "v3" else TABPFN_SIZES
    config, unused = architecture.parse_config({"max_num_classes": n_classes, "num_buckets": 50, **sizes})
    assert not unused
    model = architecture.get_architecture(config, cache_trainset_representation=False)
    state = {key: _random(tensor) for key, tensor in model.state_dict().items()}
    borders = torch.linspace(-4.0, 4.0, 51)
    if version == "v3":
        state["regression_borders"] = borders
    elif kind != CLASSIFICATION:
        bars = FullSupportBarDistribution(borders).state_dict()
        state |= {f"criterion.{key}": tensor for key, tensor in bars.items()}
    checkpoint = {"config": asdict(config), "state_dict": state}
    if version != "v2":
        checkpoint["architecture_name"] = name
    if version in ("v2.6", "v3"):  # the first ones that bring their preprocessing
        task_type = "multiclass" if kind == CLASSIFICATION else "regression"
        checkpoint["inference_config"] = asdict(InferenceConfig.get_default(task_type, ModelVersion.V2_5))
    return _write(checkpoint, folder / TABPFN[version].files[kind])


def write_tabicl(folder: Path, kind: str) -> Path:
    """Write random weights of TabICL's architecture under the name of the published file."""
    import torch
    from tabicl._model.tabicl import TabICL

    torch.manual_seed(0)
    config = {"max_classes": 10 if kind == CLASSIFICATION else 0, **TABICL_SIZES}
    return _write(
        {"config": config, "state_dict": TabICL(**config).state_dict()}, folder / TABICL["v2"].files[kind]
    )


def _random(tensor: Any) -> Any:
    """Larger weights than an untrained network has, so that predictions depend on the rows."""
    return tensor.normal_(0.0, 0.2) if tensor.is_floating_point() and tensor.ndim > 1 else tensor


def _write(checkpoint: dict[str, Any], path: Path) -> Path:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint, path)
    return path


def need(library):
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")


def table(n_samples=60, seed=0):
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(n_samples, 3))
    numbers[generator.random((n_samples, 3)) < 0.1] = np.nan
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"])
    frame["few"] = pd.Categorical(generator.choice(["x", "y", "z"], n_samples))
    frame.loc[:3, "few"] = None
    frame["when"] = pd.date_range("2020-02-01", periods=n_samples, freq="37h")
    return frame


def task(kind="classification", n_samples=60):
    X = table(n_samples)
    signal = X["a"].fillna(0.0).to_numpy()
    if kind == "regression":
        return Task.from_arrays(X, 100.0 + 7.0 * signal, type="regression")
    return Task.from_arrays(X, np.where(signal > 0, "up", "down").astype(object))
