"""A small folder to serve, written from scikit-learn's bundled datasets and one made-up table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

IRIS, WDBC, WINE, DIABETES, MIXED = 61, 1510, 187, 800_001, 800_002
IRIS_TASK, WDBC_TASK = 59, 9946


def write_sample_folder(folder: Path) -> Path:
    """Write ``index.csv`` and ``parquet/``: four of scikit-learn's datasets and `mixed_table`.

    They stand in for the OpenML datasets whose ids they carry; column names differ from OpenML's.

    Parameters
    ----------
    folder : Path
        Made if missing.

    Returns
    -------
    Path
        The folder.
    """
    (folder / "parquet").mkdir(parents=True, exist_ok=True)
    rows = [
        _write(folder, IRIS, str(IRIS_TASK), "iris", "small", "class", _bunch(datasets.load_iris(), "class")),
        _write(folder, WDBC, str(WDBC_TASK), "wdbc", "CC18;small", "Class", _wdbc()),
        _write(folder, WINE, "", "wine", "small", "class", _bunch(datasets.load_wine(), "class")),
        _write(folder, DIABETES, "", "diabetes-regression", "", "target", _diabetes()),
        _write(folder, MIXED, "", "mixed, 'quoted' & odd", "", "label", mixed_table()),
    ]
    rows[-1] |= {"ignore_attribute": "leak;note to self", "row_id_attribute": "row id"}
    pd.DataFrame(rows).to_csv(folder / "index.csv", index=False)
    return folder


def mixed_table() -> pd.DataFrame:
    """Return 60 rows with all that an ARFF file can get wrong: quotes, commas, non-ASCII, missing, booleans."""
    rng = np.random.default_rng(0)
    n = 60
    odd = ["it's", 'say "hi"', "a,b", "50%", "{x}", "back\\slash", " padded ", "größe", "日本", "-"]
    frame = pd.DataFrame(
        {
            "row id": np.arange(n, dtype=float),
            "number, with comma": rng.normal(size=n) * 10.0 ** rng.integers(-12, 12, size=n),
            "small integers": rng.integers(0, 256, size=n).astype(float),
            "odd 'category'": pd.Categorical(rng.choice(odd, size=n), categories=[*odd, "unused"]),
            "flag": pd.Categorical(rng.choice(["TRUE", "FALSE"], size=n), categories=["TRUE", "FALSE"]),
            "single": pd.Categorical(["only"] * n),
            "text": [f'row {i}: it\'s, said "{i}%"' for i in range(n)],
            "leak": rng.normal(size=n),
            "note to self": rng.normal(size=n),
            "all missing": np.full(n, np.nan),
            "label": pd.Categorical(rng.choice(["true", "false"], size=n), categories=["false", "true"]),
        }
    )
    for name in ["number, with comma", "odd 'category'", "flag", "text"]:
        frame.loc[rng.choice(n, size=7, replace=False), name] = None
    return frame


def _write(
    folder: Path, did: int, task_id: str, name: str, suites: str, target: str, frame: pd.DataFrame
) -> dict[str, str]:
    file = f"{did}.parquet"
    frame.to_parquet(folder / "parquet" / file)
    is_nominal = isinstance(frame[target].dtype, pd.CategoricalDtype)
    return {
        "did": str(did),
        "task_id": task_id,
        "name": name,
        "task_type": "classification" if is_nominal else "regression",
        "suites": suites,
        "target": target,
        "license": "BSD-3-Clause" if did != MIXED else "CC0",
        "file": file,
        "ignore_attribute": "",
        "row_id_attribute": "",
    }


def _bunch(bunch: Any, target: str) -> pd.DataFrame:
    frame = pd.DataFrame(bunch.data, columns=[str(name) for name in bunch.feature_names])
    names = [str(name) for name in bunch.target_names]
    frame[target] = pd.Categorical.from_codes(bunch.target, categories=names)
    return frame


def _wdbc() -> pd.DataFrame:
    # 120 rows: the tests read this table often
    frame = _bunch(datasets.load_breast_cancer(), "Class")
    return frame.iloc[:120].reset_index(drop=True)


def _diabetes() -> pd.DataFrame:
    bunch = datasets.load_diabetes()
    frame = pd.DataFrame(bunch.data, columns=[str(name) for name in bunch.feature_names])
    frame["target"] = bunch.target
    return frame.iloc[:120].reset_index(drop=True)
