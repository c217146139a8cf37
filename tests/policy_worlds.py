"""Made-up knowledge: worlds in which it is known what a policy can learn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.domain.strategy import Candidate, Configuration

CANDIDATES = tuple(
    Candidate(strategy, Configuration(strength=float(value)))
    for strategy in ("linear", "svm", "kernel")
    for value in (0.1, 1.0, 10.0)
)


def make_world(
    n_tasks: int = 60,
    *,
    informative: bool = True,
    sizes: tuple[int, ...] = (0,),
    n_metafeatures: int = 6,
    holes: float = 0.0,
    failures: float = 0.0,
    seed: int = 0,
) -> MetaDataset:
    """Return a world where the first two meta-features decide who wins, or (not informative) where none does."""
    rng = np.random.default_rng(seed)
    latent = rng.uniform(-1, 1, (n_tasks, 2))
    seen = latent if informative else rng.uniform(-1, 1, (n_tasks, 2))
    favourite = rng.normal(size=(2, len(CANDIDATES)))
    level = rng.uniform(0.1, 0.6, n_tasks)
    rows, features, loss = [], [], []
    for size in sizes:
        n_train = rng.integers(1500, 4000, n_tasks) if size == 0 else np.full(n_tasks, size)
        for i in range(n_tasks):
            rows.append(
                {
                    "task": f"t{i}",
                    "train_size": size,
                    "name": f"name {i}",
                    "group": f"g{i // 2}",
                    "dataset_id": i if i % 3 else None,
                    "n_train": int(n_train[i]),
                    "n_features": int(5 + i % 7),
                    "n_classes": 2 + i % 3,
                }
            )
            features.append([*seen[i], level[i], *rng.normal(size=n_metafeatures - 3)])
            quality = 0.15 * np.maximum(0, latent[i] @ favourite) + 0.01 * rng.normal(size=len(CANDIDATES))
            loss.append(level[i] + 0.3 - quality + (0.05 if size else 0.0))
    tasks = pd.DataFrame(rows).astype({"dataset_id": "Int64"})
    losses = np.asarray(loss)
    failed = rng.random(losses.shape) < failures
    missing = (rng.random(losses.shape) < holes) & ~failed
    missing[:, 0] = failed[:, 0] = False
    costs = np.exp(rng.normal(-4, 0.2, losses.shape)) * (tasks["n_train"].to_numpy(dtype=float)[:, None] / 500)
    return MetaDataset(
        tasks=tasks,
        candidates=CANDIDATES,
        metafeature_names=tuple(f"feature_{j}" for j in range(n_metafeatures)),
        metafeatures=np.asarray(features),
        loss=np.where(missing | failed, np.nan, losses),
        failed=failed,
        fit_seconds=np.where(missing | failed, np.nan, costs),
        metric="log_loss",
    )
