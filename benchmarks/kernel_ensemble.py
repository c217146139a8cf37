"""Compare the kernel ensemble with support vectors and a linear model on real tables.

Usage::

    python benchmarks/kernel_ensemble.py FOLDER [--output benchmarks/results/kernel_ensemble.csv]

FOLDER holds ``index.csv`` (columns did, group, task_type, n_rows, n_features, file) and ``parquet/`` with one
table a file, the target last and nominal columns as categories. One table of each group, of 100 to 3,000 rows
and at most 500 columns, is split once (30 % for testing, stratified, seed 0), training rows capped at 2,000;
classes of fewer than ten rows are left out. Nominal columns become indicators of their twelve most frequent
levels. The loss is the log-loss or, for regression, the root mean squared error over the standard deviation
of the test targets: lower is better. Seconds are of processor time, for fit and prediction.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from autometa.components.kernels import KernelEnsembleClassifier, KernelEnsembleRegressor

MAX_LEVELS = 12
MAX_TRAIN = 2_000


def choose(index: pd.DataFrame, task_type: str) -> pd.DataFrame:
    """One table of each group, of suitable size."""
    fits = (index.task_type == task_type) & index.n_rows.between(100, 3_000) & (index.n_features <= 500)
    return index[fits].sort_values("did").drop_duplicates("group")


def split(folder: Path, file: str, task_type: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and test arrays of one table."""
    table = pd.read_parquet(folder / "parquet" / file)
    y = table.iloc[:, -1]
    table, y = table[y.notna()], y[y.notna()]
    if task_type == "classification":
        enough = (
            y.map(y.value_counts()).astype(int) >= 10
        )  # calibration of the support vectors needs a few of each class
        table, y = table[enough], y[enough].astype(str)
        splitter: Any = StratifiedShuffleSplit(3, test_size=0.3, random_state=0)
    else:
        splitter = ShuffleSplit(3, test_size=0.3, random_state=0)
    train, test = next(splitter.split(table, y))
    train = train[:MAX_TRAIN]
    X = table.iloc[:, :-1]
    target = y.to_numpy(dtype=object if task_type == "classification" else float)
    return (*encode(X.iloc[train], X.iloc[test]), target[train], target[test])


def encode(train: pd.DataFrame, test: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Float arrays: indicators of frequent levels, numbers as they are, NaN kept."""
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    for name in train:
        if isinstance(train[name].dtype, pd.CategoricalDtype) or train[name].dtype == object:
            levels = train[name].value_counts().index[:MAX_LEVELS]
            parts += [tuple(np.asarray(t[name] == level, dtype=float) for t in (train, test)) for level in levels]
        else:
            parts.append(tuple(t[name].to_numpy(dtype=float, na_value=np.nan) for t in (train, test)))
    return np.column_stack([a for a, _ in parts]), np.column_stack([b for _, b in parts])


def methods(task_type: str) -> dict[str, Any]:
    """Fresh estimators, by name."""
    clean = (SimpleImputer(keep_empty_features=True), StandardScaler())
    if task_type == "classification":
        return {
            "kernel ensemble": KernelEnsembleClassifier(),
            "SVC, calibrated": make_pipeline(*clean, CalibratedClassifierCV(SVC(), ensemble=False, cv=3)),
            "logistic regression": make_pipeline(*clean, LogisticRegression(max_iter=2_000)),
        }
    return {
        "kernel ensemble": KernelEnsembleRegressor(),
        "SVR": make_pipeline(*clean, SVR()),
        "ridge": make_pipeline(*clean, RidgeCV(np.logspace(-3, 3, 13))),
    }


def score(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    """Log-loss, or relative root mean squared error; lower is better."""
    if hasattr(model, "predict_proba"):
        return float(log_loss(y, model.predict_proba(X), labels=model.classes_))
    return float(np.sqrt(np.mean((model.predict(X) - y) ** 2)) / np.std(y))


def main() -> None:
    """Run every method on every table and write one row for each pair."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/kernel_ensemble.csv"))
    arguments = parser.parse_args()
    index, rows = pd.read_csv(arguments.folder / "index.csv"), []
    warnings.simplefilter("ignore")
    for task_type in ("classification", "regression"):
        for entry in choose(index, task_type).itertuples():
            X, X_test, y, y_test = split(arguments.folder, entry.file, task_type)
            for name, model in methods(task_type).items():
                begin = time.process_time()
                value = score(model.fit(X, y), X_test, y_test)
                seconds = time.process_time() - begin
                rows.append((entry.did, task_type, len(X), X.shape[1], name, round(value, 5), round(seconds, 3)))
                print(*rows[-1], sep=",", flush=True)
    columns = ["dataset", "task_type", "n_train", "n_columns", "method", "loss", "seconds"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.to_csv(arguments.output, index=False)
    print(frame.groupby(["task_type", "method"]).agg({"loss": "mean", "seconds": "median"}))


if __name__ == "__main__":
    main()
