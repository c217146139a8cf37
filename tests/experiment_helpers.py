"""A strategy that does everything wrong on demand, and sources of tasks: importable by sandboxes."""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.dummy import DummyClassifier, DummyRegressor

from autometa.components.strategies import Linear
from autometa.domain import Candidate, Configuration, Strategy, Task, holdout_splits
from autometa.plugins import Registry

__all__ = ["Broken", "Misbehaving", "WineSource", "candidate", "make_registry", "write_folder"]

# The fit that warms a strategy up has at most this many rows; it behaves, so that the measured one misbehaves.
WARM_UP_ROWS = 60


@dataclass(frozen=True)
class WineSource:
    """One bundled table under any key; notes each load in a file."""

    log: str = ""

    def load(self, key: str) -> Task:
        """Load it."""
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{os.getpid()} {key}\n")
        X, y = load_wine(return_X_y=True)
        task = Task.from_arrays(X, y, name=key)
        return replace(task, splits=holdout_splits(task, 2))


class Misbehaving(Strategy):
    """Predicts the class frequencies, after doing what the configuration says."""

    name = "misbehaving"

    def supports(self, task):
        """Refuse tables with one column."""
        return "one column only" if task.n_features == 1 else None

    def search_space(self, task):
        """Nothing to tune."""
        return {}

    def portfolio(self, task):
        """Only good behaviour."""
        return [Configuration(mode="brief", number=number) for number in range(4)]

    def build(self, configuration, task, *, device="auto", random_state=None):
        """Return the classifier."""
        if not task.is_classification:
            return DummyRegressor()
        return MisbehavingClassifier(configuration.get("mode", "ok"), configuration.get("marker"))


class Broken(Misbehaving):
    """An earlier version with a bug."""

    def build(self, configuration, task, *, device="auto", random_state=None):
        """Raise."""
        raise AttributeError("a bug")


class MisbehavingClassifier(DummyClassifier):
    """See `Misbehaving`."""

    def __init__(self, mode="ok", marker=None):
        self.mode = mode
        self.marker = marker
        super().__init__()

    def fit(self, X, y):
        """Do it."""
        if len(X) > WARM_UP_ROWS or self.mode == "exit at once":
            getattr(self, "_" + self.mode.replace(" ", "_"))()
        return super().fit(X, y)

    def _ok(self):
        pass

    def _brief(self):
        time.sleep(0.03)

    def _print(self):
        os.write(1, b"not an answer\n" * 100)
        print("nor this")  # noqa: T201

    def _exit(self):
        os._exit(7)

    _exit_at_once = _exit

    def _segfault(self):
        ctypes.string_at(0)

    def _loop(self):
        while True:
            pass

    def _hog(self):
        hoard = []
        while True:
            hoard.append(np.ones(1_000_000))
            time.sleep(0.001)

    def _spike(self):
        np.ones(40_000_000).sum()

    def _raise(self):
        raise ValueError("on purpose")

    def _out_of_memory(self):
        raise MemoryError("on purpose")

    def _kill_worker_once(self):
        marker = Path(self.marker)
        if not marker.exists():
            marker.touch()
            os.kill(os.getppid(), 9)
            time.sleep(60)


def make_registry(*strategies: Strategy) -> Registry:
    """Return a registry of the given strategies, by default `Misbehaving`, and the built-in linear one."""
    return Registry({strategy.name: strategy for strategy in (*(strategies or (Misbehaving(),)), Linear())})


def candidate(mode: str = "ok", **more: object) -> Candidate:
    """Return a candidate of `Misbehaving`."""
    return Candidate("misbehaving", Configuration(mode=mode, **more))


def write_folder(path: Path) -> Path:
    """Write a folder in the format of `OpenMLFolder`: bundled tables, and some that cannot be used."""
    (path / "parquet").mkdir(parents=True)
    rows = []
    for did, (name, loader, kind) in enumerate(
        [
            ("wine", load_wine, "classification"),
            ("iris", load_iris, "classification"),
            ("diabetes", load_diabetes, "regression"),
        ],
        start=1,
    ):
        frame = loader(as_frame=True).frame
        if kind == "classification":
            frame["target"] = pd.Categorical([f"c{label}" for label in frame["target"]])
        rows.append(_written(path, did, name, kind, frame))
    few = load_iris(as_frame=True).frame.iloc[::10]
    rows.append(_written(path, 11, "few", "classification", few))
    wide = pd.DataFrame(np.zeros((60, 2001))).add_prefix("x").assign(target=["a", "b"] * 30)
    rows.append(_written(path, 12, "wide", "classification", wide))
    rows.append({**rows[0], "did": 13, "name": "gone", "file": "gone.parquet"})
    pd.DataFrame(rows).to_csv(path / "index.csv", index=False)
    return path


def _written(path: Path, did: int, name: str, kind: str, frame: pd.DataFrame) -> dict[str, object]:
    file = f"{did}_{name}.parquet"
    frame.to_parquet(path / "parquet" / file)
    facts = {"n_rows": len(frame), "n_features": frame.shape[1] - 1}
    names = {"did": did, "task_id": "", "name": name, "group": "", "target": "target"}
    return {**names, "task_type": kind, "file": file, **facts}
