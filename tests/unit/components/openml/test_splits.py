"""Splits files: whole ones are read, cut ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autometa.components.openml.splits import read_splits
from autometa.foundation.errors import OpenMLError

HEAD = """@relation some_splits

@attribute type {TRAIN,TEST}
@attribute rowid numeric
@attribute repeat numeric
@attribute fold numeric

@data
"""
TASK = """<oml:task xmlns:oml="http://openml.org/openml">
<oml:task_id>7</oml:task_id>
<oml:input name="source_data"><oml:data_set><oml:data_set_id>1</oml:data_set_id></oml:data_set></oml:input>
<oml:input name="estimation_procedure"><oml:estimation_procedure>
<oml:type>{type}</oml:type>{parameters}
</oml:estimation_procedure></oml:input>
</oml:task>"""
COUNTS = (
    '<oml:parameter name="number_repeats">{repeats}</oml:parameter>'
    '<oml:parameter name="number_folds">{folds}</oml:parameter>'
)


def task_folder(tmp_path: Path, rows: list[str], *, procedure: str = "crossvalidation", counts: str = "") -> Path:
    folder = tmp_path / "7"
    folder.mkdir(exist_ok=True)
    (folder / "task.xml").write_text(TASK.format(type=procedure, parameters=counts))
    (folder / "datasplits.arff").write_text(HEAD + "\n".join(rows))
    return folder


def crossvalidation(n: int, repeats: int, folds: int) -> list[str]:
    return [
        f"{'TEST' if (row + repeat) % folds == fold else 'TRAIN'},{row},{repeat},{fold}"
        for repeat in range(repeats)
        for fold in range(folds)
        for row in range(n)
    ]


@pytest.mark.parametrize(("repeats", "folds"), [(1, 3), (2, 5), (12, 2)])
@pytest.mark.parametrize("is_shuffled", [False, True])
def test_repeats_come_before_folds(tmp_path: Path, repeats: int, folds: int, is_shuffled: bool) -> None:
    rows = crossvalidation(20, repeats, folds)
    if is_shuffled:
        rows = list(np.random.default_rng(0).permutation(rows))
    folder = task_folder(tmp_path, rows, counts=COUNTS.format(repeats=repeats, folds=folds))
    splits = read_splits(folder)
    assert len(splits) == repeats * folds
    for number, (train, test) in enumerate(splits):
        repeat, fold = divmod(number, folds)
        expected = (np.arange(20) + repeat) % folds == fold
        np.testing.assert_array_equal(np.sort(test), np.flatnonzero(expected))
        np.testing.assert_array_equal(np.sort(train), np.flatnonzero(~expected))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n\n",
        lambda text: text + "\0",  # as the files of OpenML's test server end
        lambda text: text.replace(",", ", "),
        lambda text: text.replace("@data\n", "@DATA\n% a comment\n"),
        lambda text: text.replace("@attribute rowid numeric", "@ATTRIBUTE 'rowid' INTEGER"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("TRAIN,0,0,0", "TRAIN,0.0,0.0,0"),
    ],
)
def test_forms_that_files_come_in(tmp_path: Path, change: object) -> None:
    folder = task_folder(tmp_path, crossvalidation(6, 1, 3))
    path = folder / "datasplits.arff"
    expected = read_splits(folder)
    path.write_bytes(change(path.read_text()).encode())  # type: ignore[operator]
    for (train, test), (expected_train, expected_test) in zip(read_splits(folder), expected, strict=True):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(test, expected_test)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "lacks"),
        (crossvalidation(6, 1, 3)[:-1], "each once"),
        (crossvalidation(6, 1, 3)[:12], "2 splits where the task states 3"),
        ([*crossvalidation(6, 1, 3)[:-1], "TEST,5,0"], "not complete"),
        ([*crossvalidation(6, 1, 3)[:-1], "TES"], "not complete"),
        ([*crossvalidation(6, 1, 3)[:-1], "BEST,5,0,2"], "neither TRAIN nor TEST"),
        ([*crossvalidation(6, 1, 3)[:-1], "TEST,-5,0,2"], "negative"),
        ([*crossvalidation(6, 1, 3), "TEST,0,0,2"], "each once"),
        ([f"TRAIN,{row},0,{fold}" for fold in range(3) for row in range(6)], "no training or no test rows"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, rows: list[str], message: str) -> None:
    folder = task_folder(tmp_path, rows, counts=COUNTS.format(repeats=1, folds=3))
    with pytest.raises(OpenMLError, match=f"task 7 is damaged: .*{message}"):
        read_splits(folder)


def test_no_cut_of_the_last_row_is_read(tmp_path: Path) -> None:
    whole = "\n".join(crossvalidation(20, 1, 2))
    folder = task_folder(tmp_path, [whole])
    for length in range(1, len(whole.splitlines()[-1]) + 1):
        (folder / "datasplits.arff").write_text(HEAD + whole[:-length])
        with pytest.raises(OpenMLError, match="damaged"):
            read_splits(folder)


def test_a_test_on_the_training_data_is_no_damage(tmp_path: Path) -> None:
    rows = [f"{kind},{row},0,0" for kind in ("TRAIN", "TEST") for row in range(4)]
    ((train, test),) = read_splits(task_folder(tmp_path, rows, procedure="testontrainingdata"))
    np.testing.assert_array_equal(train, test)
