from __future__ import annotations

import pickle

import pandas as pd
import pytest

from autometa.components.openml.folder import OpenMLFolder
from autometa.foundation.errors import FileFormatError
from tests.experiment_helpers import write_folder


@pytest.fixture
def folder(tmp_path):
    return OpenMLFolder(write_folder(tmp_path / "data"))


def change(folder, **columns):
    path = folder.path / "index.csv"
    pd.read_csv(path).assign(**columns).to_csv(path, index=False)


def test_the_index_is_read(folder):
    entry = folder.entries["openml-2"]
    assert (entry.name, entry.group, entry.task_id, entry.task_type) == ("iris", "iris", None, "classification")
    assert (entry.n_samples, entry.n_features) == (150, 4)


def test_a_table_becomes_a_task_of_the_index_type(folder):
    wine, diabetes = folder.load("openml-1"), folder.load("openml-3")
    assert (wine.type, wine.dataset_id, wine.group, wine.X.shape) == ("multiclass", 1, "wine", (178, 13))
    assert (diabetes.type, "target" in diabetes.X) == ("regression", False)


def test_rows_without_a_target_are_left_out(folder):
    file = folder.path / "parquet" / "1_wine.parquet"
    frame = pd.read_parquet(file)
    frame.assign(target=frame["target"].where(frame.index >= 10)).to_parquet(file)
    assert folder.load("openml-1").n_samples == 168


def test_ids_and_groups_of_the_index(folder):
    change(folder, task_id=31.0, group="all")
    entry = OpenMLFolder(folder.path).entries["openml-1"]
    assert (entry.task_id, entry.group) == (31, "all")


def test_it_travels(folder):
    assert pickle.loads(pickle.dumps(folder)).load("openml-2").n_samples == 150


def test_a_folder_without_index(tmp_path):
    with pytest.raises(FileFormatError, match=r"index.csv cannot be read"):
        OpenMLFolder(tmp_path).entries  # noqa: B018


@pytest.mark.parametrize(
    ("columns", "message"), [({"task_type": "clustering"}, "task_type must be"), ({"did": "x"}, "cannot be read")]
)
def test_a_bad_index_names_the_line(folder, columns, message):
    change(folder, **columns)
    with pytest.raises(FileFormatError, match=f"Line 2 .*{message}"):
        folder.entries  # noqa: B018


def test_an_index_without_a_column(folder):
    pd.read_csv(folder.path / "index.csv").drop(columns="target").to_csv(folder.path / "index.csv", index=False)
    with pytest.raises(FileFormatError, match=r"lacks the columns \['target'\]"):
        folder.entries  # noqa: B018


def test_tables_that_cannot_be_read(folder):
    with pytest.raises(FileFormatError, match="cannot be read as Parquet"):
        folder.load("openml-13")
    (folder.path / "parquet" / "gone.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(FileFormatError, match="cannot be read as Parquet"):
        folder.load("openml-13")
    change(folder, target="label")
    with pytest.raises(FileFormatError, match="has no column 'label'"):
        OpenMLFolder(folder.path).load("openml-1")
