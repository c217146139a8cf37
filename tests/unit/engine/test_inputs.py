"""as_task: everything that a user may call a dataset becomes the same task."""

from __future__ import annotations

import time
import tracemalloc
import types
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn import datasets
from sklearn.utils import Bunch

from autometa.domain.task import Task
from autometa.engine.inputs import as_task
from autometa.foundation.errors import (
    DataWarning,
    FileFormatError,
    OpenMLError,
    ParameterError,
    TableError,
    TargetError,
)

X, Y = datasets.load_iris(return_X_y=True, as_frame=True)
X.columns = ["a", "b", "c", "d"]
Y = Y.map({0: "x", 1: "y", 2: "z"}).astype(object)
FRAME = X.assign(label=Y)
EXPECTED = Task.from_arrays(X, Y).fingerprint()

FORMS = {
    "frame": lambda: (FRAME, "label"),
    "pair": lambda: ((X, Y), None),
    "table and target": lambda: (X, Y),
    "table and array": lambda: (X, Y.to_numpy()),
    "table and list": lambda: (X, Y.tolist()),
    "table and column of two dimensions": lambda: (X, Y.to_frame()),
    "arrays": lambda: ((X.to_numpy(), Y.to_numpy()), None),
    "arrays with a column": lambda: ((X.to_numpy(), Y.to_numpy()[:, None]), None),
    "array and position": lambda: (FRAME.to_numpy(), 4),
    "array and last": lambda: (FRAME.to_numpy(), -1),
    "rows": lambda: (FRAME.to_numpy().tolist(), -1),
    "rows and name": lambda: (FRAME.to_numpy().tolist(), "x4"),
    "records": lambda: (FRAME.to_dict("records"), "label"),
    "columns": lambda: (FRAME.to_dict("list"), "label"),
    "list of a name": lambda: (FRAME, ["label"]),
    "polars": lambda: (pl.from_pandas(FRAME), "label"),
    "polars lazy": lambda: (pl.from_pandas(FRAME).lazy(), "label"),
    "polars pair": lambda: ((pl.from_pandas(X), pl.Series(Y.tolist())), None),
    "pyarrow": lambda: (pa.Table.from_pandas(FRAME), "label"),
    "pyarrow pair": lambda: ((pa.Table.from_pandas(X), pa.chunked_array([Y.tolist()])), None),
    "sparse": lambda: ((sparse.csr_matrix(X.to_numpy()), Y), None),
    "nullable": lambda: (FRAME.convert_dtypes(), "label"),
    "arrow dtypes": lambda: (FRAME.convert_dtypes(dtype_backend="pyarrow"), "label"),
    "category": lambda: (FRAME.astype({"label": "category"}), "label"),
    "bunch": lambda: (Bunch(data=X.to_numpy(), target=Y.to_numpy(), feature_names=list(X.columns)), None),
    "frame bunch": lambda: (Bunch(data=X, target=Y, frame=FRAME), None),
    "task": lambda: (as_task(FRAME, "label"), None),
    "other columns first": lambda: (FRAME[["label", "d", "c", "b", "a"]], "label"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_task(form):
    dataset, target = FORMS[form]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        task = as_task(dataset, target)
    assert task.fingerprint() == EXPECTED
    assert task.type == "multiclass"
    assert task.target in {"label", "target", "x4"}


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "parquet", "arff"])
@pytest.mark.parametrize("kind", [str, "path"])
def test_files(tmp_path, suffix, kind):
    path = tmp_path / f"flowers.{suffix}"
    if suffix == "parquet":
        FRAME.to_parquet(path)
    elif suffix == "arff":
        header = "".join(f"@attribute {name} real\n" for name in X) + "@attribute label {x,y,z}\n@data\n"
        path.write_text("@relation iris\n" + header + FRAME.to_csv(index=False, header=False))
    else:
        FRAME.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    task = as_task(path if kind == "path" else str(path), "label")
    assert task.fingerprint() == EXPECTED
    assert (task.name, task.target) == ("flowers", "label")


@pytest.mark.parametrize(
    ("name", "kind", "shape"),
    [
        ("breast_cancer", "binary", (569, 30)),
        ("diabetes", "regression", (442, 10)),
        ("digits", "multiclass", (1797, 64)),
        ("iris", "multiclass", (150, 4)),
        ("wine", "multiclass", (178, 13)),
    ],
)
def test_bundled_datasets(name, kind, shape):
    task = as_task(f"sklearn:{name}")
    assert (task.type, task.X.shape, task.name, task.target) == (kind, shape, name, "target")
    assert as_task(getattr(datasets, f"load_{name}")()).fingerprint() == task.fingerprint()


def test_another_column_of_a_bunch_can_be_the_target():
    for dataset in ("sklearn:wine", datasets.load_wine(as_frame=True)):
        task = as_task(dataset, "alcohol")
        assert (task.type, task.target, task.n_features) == ("regression", "alcohol", 13)
        assert "target" in task.X.columns


def test_texts_of_a_bunch_are_one_column():
    texts = [f"a text of some words number {i}" for i in range(20)]
    task = as_task(Bunch(data=texts, target=np.arange(20) % 2))
    assert task.roles == {"text": "text"}


def test_what_fetch_openml_says_is_kept():
    task = as_task(Bunch(data=X, target=Y.rename("class"), frame=None, details={"id": "61", "name": "iris"}))
    assert (task.dataset_id, task.name, task.target) == (61, "iris", "class")


def test_facts_can_be_overridden():
    task = as_task(FRAME, "label", roles={"a": "categorical"}, metric="accuracy", name="mine")
    assert (task.roles["a"], task.metric, task.name) == ("categorical", "accuracy", "mine")
    assert as_task(FRAME, "a", type="regression").type == "regression"


class TestTaskAgain:
    def test_nothing_changed_is_the_same_task(self):
        task = as_task(FRAME, "label")
        assert as_task(task) is task
        assert as_task(task, "label") is task

    def test_changes(self):
        task = as_task(FRAME, "label", roles={"a": "categorical"}, metric="accuracy")
        changed = as_task(task, roles={"b": "categorical"}, name="n")
        assert changed.columns("categorical") == ["a", "b"]
        assert (changed.metric, changed.name) == ("accuracy", "n")
        assert as_task(task, metric="brier").metric == "brier"

    def test_type(self):
        task = as_task((X, np.arange(150) % 3), metric="accuracy", roles={"a": "categorical"})
        changed = as_task(task, type="regression")
        assert (changed.type, changed.metric, changed.y.dtype) == ("regression", "nrmse", np.float64)
        assert changed.roles["a"] == "categorical"

    def test_errors(self):
        task = as_task(FRAME, "label")
        with pytest.raises(ParameterError, match="has its target already"):
            as_task(task, "a")
        with pytest.raises(ParameterError, match="metric must be one of"):
            as_task(task, metric="r2")


class TestNames:
    def test_column_names_of_any_type(self):
        frame = FRAME.set_axis([0, 1, 2, 3, 4], axis=1)
        assert as_task(frame, 4).fingerprint() == EXPECTED
        assert as_task(frame, "4").target == "4"
        multi = FRAME.set_axis(pd.MultiIndex.from_product([["p"], list("abcde")]), axis=1)
        assert as_task(multi, ("p", "e")).fingerprint() == EXPECTED
        assert as_task(FRAME.rename(columns={"label": "größe"}), "größe").target == "größe"

    def test_no_target_names_the_columns(self):
        with pytest.raises(TargetError, match=r"No target.*target='label'.*'a', 'b', 'c', 'd', 'label'\]"):
            as_task(FRAME)

    def test_a_wrong_name_names_the_close_ones(self):
        with pytest.raises(TargetError, match=r"no column 'lable'\. Did you mean 'label'") as caught:
            as_task(FRAME, "lable")
        assert caught.value.context["columns"] == ["a", "b", "c", "d", "label"]

    @pytest.mark.parametrize(
        ("text", "hint"),
        [("a:b:c\n1:2:3\n4:5:6\n", "right delimiter"), ("5.1,3.5,0\n4.9,3.0,1\n", "lack a header line")],
    )
    def test_files_that_were_not_understood_are_explained(self, tmp_path, text, hint):
        path = tmp_path / "t.csv"
        path.write_text(text)
        with pytest.raises(TargetError, match=hint):
            as_task(path, "y")

    def test_several_targets_are_refused(self):
        with pytest.raises(TargetError, match=r"2 targets were given.*one column at a time"):
            as_task(FRAME, ["a", "label"])
        with pytest.raises(TargetError, match="one dimension"):
            as_task(datasets.load_linnerud())
        with pytest.raises(TargetError, match="one dimension"):
            as_task((X, X))

    def test_a_target_given_twice_is_refused(self):
        with pytest.raises(ParameterError, match=r"given twice.*target='label'"):
            as_task((X, Y), "label")
        with pytest.raises(ParameterError, match=r"given twice.*a Series"):
            as_task((X, Y), Y)

    def test_duplicate_names_are_refused(self):
        with pytest.raises(TableError, match="must be unique"):
            as_task(pd.concat([FRAME, X["a"]], axis=1), "label")


class TestPairs:
    def test_the_target_is_no_feature(self):
        with pytest.warns(DataWarning, match="holds the target, 'label', as a column"):
            task = as_task(FRAME, FRAME["label"])
        assert list(task.X.columns) == ["a", "b", "c", "d"]

    def test_a_column_of_the_targets_name_but_other_cells_is_a_feature(self):
        assert "label" in as_task(FRAME, FRAME["label"].iloc[::-1].reset_index(drop=True)).X.columns

    def test_row_labels_in_another_order_are_a_warning(self):
        with pytest.warns(DataWarning, match="same row labels in another order"):
            as_task(X, Y.sample(frac=1, random_state=0))
        as_task(X.set_axis(range(1000, 1150)), Y)

    def test_lengths_differ(self):
        with pytest.raises(TargetError, match="149 values and the table 150 rows"):
            as_task((X, Y[:-1]))


@pytest.mark.parametrize(
    ("dataset", "error", "message"),
    [
        ("nowhere.csv", FileFormatError, "There is no file nowhere.csv"),
        ("https://example.org/t.csv", ParameterError, "Addresses are not opened"),
        ("sklearn:boston", ParameterError, "scikit-learn bundles .*'sklearn:boston'"),
        ("openml:many", ParameterError, "'many' is not an OpenML id"),
        ("openml-task:", ParameterError, "'' is not an OpenML id"),
        (3, TableError, "A int is no table"),
        (None, TableError, "A NoneType is no table"),
        (Bunch(DESCR="x"), TableError, "has no 'data'"),
        (pd.Series([1]), TableError, "one column"),
        (pd.DataFrame({"y": [1, 2]}), TableError, "no feature columns"),
        (pd.DataFrame({"x": [], "y": []}), TableError, r"0 row\(s\)"),
        (pd.DataFrame({"x": [1, 2], "y": [None, 1]}), TargetError, "is missing"),
        (pd.DataFrame({"x": [[1], [2]] * 2, "y": [0, 1] * 2}), TableError, "nested objects"),
    ],
)
def test_what_cannot_be_used_is_explained(dataset, error, message):
    with pytest.raises(error, match=message):
        as_task(dataset, "y" if isinstance(dataset, pd.DataFrame) else None)


class FakeDataset:
    """What the openml package's dataset offers; its module says where it comes from."""

    __module__ = "openml.datasets.dataset"
    dataset_id, name, default_target_attribute = 61, "iris", "label"
    row_id_attribute, ignore_attribute = "row", ["secret"]

    def __init__(self, frame):
        self.frame = frame

    def get_data(self, include_row_id, include_ignore_attribute):
        assert include_row_id
        assert include_ignore_attribute
        return self.frame.copy(), None, None, None


class FakeTask:
    __module__ = "openml.tasks.task"
    task_id, target_name = 59, "label"
    split = None

    def __init__(self, dataset, kind="SUPERVISED_CLASSIFICATION"):
        self.dataset, self.task_type_id = dataset, types.SimpleNamespace(name=kind)

    def get_dataset(self):
        if isinstance(self.dataset, Exception):
            raise self.dataset
        return self.dataset


class TestOpenMLObjects:
    frame = FRAME.assign(row=range(150), secret=1)

    def test_dataset(self):
        task = as_task(FakeDataset(self.frame))
        assert task.fingerprint() == EXPECTED
        assert (task.dataset_id, task.task_id, task.name, task.target) == (61, None, "iris", "label")
        assert as_task(FakeDataset(self.frame), "a").type == "regression"

    def test_task_with_its_splits(self):
        posed = FakeTask(FakeDataset(self.frame))
        rows = types.SimpleNamespace(train=np.arange(100), test=np.arange(100, 150))
        posed.split = types.SimpleNamespace(split={0: {0: {0: rows}, 1: {0: rows}}})
        task = as_task(posed)
        assert (task.fingerprint(), task.task_id, len(task.splits)) == (EXPECTED, 59, 2)
        assert task.splits[1].index == 1
        assert as_task(posed, "a").splits == ()

    def test_rows_without_a_target_are_left_out_and_splits_renumbered(self):
        frame = self.frame.astype({"label": object})
        frame.loc[[0, 120], "label"] = None
        posed = FakeTask(FakeDataset(frame))
        rows = types.SimpleNamespace(train=np.arange(100), test=np.arange(100, 150))
        posed.split = types.SimpleNamespace(split={0: {0: {0: rows}}})
        with pytest.warns(DataWarning, match="2 of 150 rows of 'iris' have no 'label'"):
            task = as_task(posed)
        (split,) = task.splits
        assert (task.n_samples, len(split.train), len(split.test)) == (148, 99, 49)
        assert task.y[split.train].tolist() == Y[1:100].tolist()

    def test_a_numeric_target_of_a_classification_task_is_classes(self):
        frame = self.frame.assign(label=np.arange(150) % 30)
        assert as_task(FakeTask(FakeDataset(frame))).type == "multiclass"
        assert as_task(FakeTask(FakeDataset(frame), "SUPERVISED_REGRESSION")).type == "regression"

    def test_errors(self):
        with pytest.raises(OpenMLError, match="type CLUSTERING"):
            as_task(FakeTask(FakeDataset(self.frame), "CLUSTERING"))
        with pytest.raises(OpenMLError, match="cannot be read: OSError: no network"):
            as_task(FakeTask(OSError("no network")))
        flow = type("OpenMLFlow", (), {"__module__": "openml.flows.flow"})()
        with pytest.raises(ParameterError, match="A OpenMLFlow of openml is no dataset"):
            as_task(flow)


def test_a_million_rows_take_a_third_of_a_second_and_no_copy():
    cells = np.zeros((1_000_000, 51))
    cells[:, 25] = np.arange(1_000_000) % 3
    frame = pd.DataFrame(cells, copy=False)
    tracemalloc.start()
    started = time.process_time()
    task = as_task(frame, 25)
    seconds = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert task.n_features == 50
    assert np.shares_memory(task.X["0"].to_numpy(), cells)
    assert frame.shape == (1_000_000, 51)
    assert peak < 100e6  # the table has 408 MB
    assert seconds < 0.3  # measured: 0.03 to 0.11
