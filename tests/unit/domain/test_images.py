"""Columns of images are found, kept as they are, recognised again, and refused by who cannot read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autometa.components.metafeatures import extract
from autometa.domain.columns import ColumnCanonicalizer, ColumnRole, infer_roles
from autometa.domain.images import holds_images
from autometa.domain.task import Task
from autometa.foundation.errors import DataWarning, ParameterError, TableError
from autometa.plugins.isolation import unsupported
from tests.unit.plugins.fakes import strategy

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)


def files(folder, count=6):
    for row in range(count):
        Image.fromarray(PIXELS[row]).save(folder / f"{row}.PNG")
    return [str(folder / f"{row}.PNG") for row in range(count)]


def role_of(cells):
    return infer_roles(pd.DataFrame({"x": pd.Series(cells, dtype=object)}))["x"]


def test_arrays_and_existing_files_are_images(tmp_path):
    paths = files(tmp_path)
    assert role_of(list(PIXELS)) is ColumnRole.IMAGE
    assert role_of([np.zeros((3, 4)), np.zeros((5, 4, 3)), None]) is ColumnRole.IMAGE
    assert role_of([Image.fromarray(pixels) for pixels in PIXELS]) is ColumnRole.IMAGE
    assert role_of(paths) is ColumnRole.IMAGE
    assert role_of([Path(path) for path in [*paths, paths[0]]]) is ColumnRole.IMAGE
    assert role_of([*paths, None]) is ColumnRole.IMAGE
    assert role_of([*paths, "no image"]) is not ColumnRole.IMAGE


def test_names_of_files_that_are_not_there_are_told_of():
    with pytest.warns(DataWarning, match=r"no 'a\.png' here"):
        assert role_of(["a.png", "b.png"]) is ColumnRole.CATEGORICAL


@pytest.mark.parametrize("cell", [np.zeros(3), np.zeros((2, 2, 3, 1)), np.array([["a"]]), np.zeros((0, 2))])
def test_other_arrays_are_no_cells(cell):
    with pytest.raises(TableError, match="nested objects"):
        role_of([cell, cell])


def test_a_role_can_be_chosen_where_cells_can_be_images(tmp_path):
    (tmp_path / "scan").write_bytes(b"")
    y = [0, 1, 0, 1]
    X = pd.DataFrame({"x": [str(tmp_path / "scan")] * 4, "n": np.arange(4.0)})
    assert Task.from_arrays(X, y, roles={"x": "image"}).columns("image") == ["x"]
    with pytest.raises(ParameterError, match="'n' cannot be used as image"):
        Task.from_arrays(X, y, roles={"n": "image"})


def test_canonical_cells_are_paths_and_arrays(tmp_path):
    cells = [files(tmp_path, 1)[0], PIXELS[0], Image.fromarray(PIXELS[1]), None, np.nan, 3]
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=object)})
    column = ColumnCanonicalizer({"x": "image"}).fit(frame).transform(frame)["x"]
    assert column[0] == tmp_path / "0.PNG"
    np.testing.assert_array_equal(column[1], PIXELS[0])
    np.testing.assert_array_equal(column[2], PIXELS[1])
    assert [column[row] for row in (3, 4, 5)] == [None] * 3
    assert holds_images(column)
    assert not holds_images(pd.Series(["a"], dtype=object))


def test_a_task_is_known_by_its_pixels_in_any_order(tmp_path):
    y = np.arange(6) % 2
    task = Task.from_arrays(pd.DataFrame({"x": list(PIXELS)}), y)
    order = np.array([3, 1, 5, 0, 2, 4])
    shuffled = Task.from_arrays(pd.DataFrame({"y": list(PIXELS[order])}), y[order])
    assert task.fingerprint() == shuffled.fingerprint()
    changed = PIXELS.copy()
    changed[2, 0, 0] += 1
    assert Task.from_arrays(pd.DataFrame({"x": list(changed)}), y).fingerprint() != task.fingerprint()
    by_name = Task.from_arrays(pd.DataFrame({"x": files(tmp_path)}), y).fingerprint()
    for path, pixels in zip(files(tmp_path), changed, strict=True):
        Image.fromarray(pixels).save(path)
    assert Task.from_arrays(pd.DataFrame({"x": files(tmp_path)}), y).fingerprint() == by_name
    Image.fromarray(changed[2]).save(tmp_path / "2.PNG")
    assert Task.from_arrays(pd.DataFrame({"x": sorted(map(str, tmp_path.iterdir()))}), y).fingerprint() != by_name


def test_a_strategy_that_reads_no_images_is_refused_with_a_reason():
    task = Task.from_arrays(pd.DataFrame({"photo": list(PIXELS), "n": np.arange(6.0)}), np.arange(6) % 2)
    reader, other = strategy("reader"), strategy("other")
    type(reader).reads_images = True
    reasons = unsupported({"reader": reader, "other": other}, task)
    assert list(reasons) == ["other"]
    assert "does not read images, and 'photo' holds some" in reasons["other"]
    assert unsupported({"other": other}, Task.from_arrays(task.X[["n"]], task.y)) == {}


def test_meta_features_leave_images_out():
    table = pd.DataFrame({"n": np.arange(6.0), "m": np.arange(6.0) % 2})
    y = np.arange(6) % 2
    alone = extract(Task.from_arrays(table, y)).to_dict()
    beside = extract(Task.from_arrays(table.assign(photo=list(PIXELS)), y)).to_dict()
    assert beside["nr_attr"] == 3
    assert beside["whole_share"] == alone["whole_share"] == 1.0
    only = extract(Task.from_arrays(pd.DataFrame({"photo": [*PIXELS[:5], None]}), y)).to_dict()
    assert (only["nr_attr"], only["nr_cat"], only["text_share"]) == (1, 0, 0)
    assert only["missing_share"] == pytest.approx(1 / 6)
