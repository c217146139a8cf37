from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from autometa.components.knowledge import KnowledgeBase, Manifest, shipped_with_plugins
from autometa.domain import METRICS, Candidate, Configuration, Task
from autometa.foundation.errors import (
    KnowledgeError,
    KnowledgeIntegrityError,
    KnowledgeSchemaError,
    ParameterError,
    PluginWarning,
    StoreError,
)
from autometa.foundation.settings import settings_context
from autometa.plugins.loading import LoadedPlugin
from autometa.plugins.registry import PluginRecord, Registry

A, B, C = (
    Candidate("one", Configuration(c=1)),
    Candidate("one", Configuration(c=2)),
    Candidate("two", Configuration()),
)
WINE = Task.from_arrays(*load_wine(return_X_y=True))
NAMES = {"classification": ["n", "entropy"], "regression": ["n", "skew"]}


def evaluation(task, size, candidate, status="ok", split=0, **more):
    facts = {"n_train": 10, "n_test": 5, "fit_seconds": np.nan, "predict_seconds": 0.1, "peak_memory": 7}
    key = {"task": task, "split": split, "train_size": size, "candidate": candidate.id, "status": status}
    return {**key, **facts, **dict.fromkeys(METRICS, np.nan), **more}


def base(evaluations=None, *, task="wine", candidates=(A, B, C), **manifest):
    facts = {"dataset_id": 187, "task_id": None, "name": "wine", "group": "g", "n_train": 125}
    sizes = {"n_samples": WINE.n_samples, "n_features": WINE.n_features, "n_classes": 3}
    tasks = [
        {"task": task, "type": "multiclass", "fingerprint": WINE.fingerprint(), **facts, **sizes},
        {
            "task": "price",
            "type": "regression",
            "fingerprint": "f",
            **facts,
            **sizes,
            "dataset_id": None,
            "n_classes": 0,
        },
    ]
    if evaluations is None:
        evaluations = [
            evaluation(task, 0, A, accuracy=0.8, log_loss=0.5, fit_seconds=1.0),
            evaluation(task, 0, A, accuracy=0.6, log_loss=0.7, fit_seconds=3.0, split=1),
            evaluation(task, 0, B, "timeout"),
            evaluation(task, 64, A, accuracy=0.5, log_loss=0.9, fit_seconds=0.5),
            evaluation(task, 64, C, accuracy=0.4, log_loss=1.0, fit_seconds=0.5),
            evaluation("price", 0, A, nrmse=0.3, r2=0.9, fit_seconds=0.5),
        ]
    metafeatures = [
        {"task": task, "train_size": 0, "n_train": 125, "n": 125.0, "entropy": 1.5, "skew": np.nan},
        {"task": "price", "train_size": 0, "n_train": 125, "n": 125.0, "entropy": np.nan, "skew": 0.25},
    ]
    rows = [
        {"candidate": c.id, "strategy": c.strategy, "configuration": c.configuration.to_json()} for c in candidates
    ]
    facts = {"metafeature_version": 3, "metafeature_names": NAMES, "provenance": {"protocol": {"seed": 0}}}
    return KnowledgeBase(
        Manifest(**{**facts, **manifest}),
        tasks=pd.DataFrame(tasks).astype({"dataset_id": "Int64", "task_id": "Int64"}),
        metafeatures=pd.DataFrame(metafeatures),
        candidates=pd.DataFrame(rows),
        evaluations=pd.DataFrame(evaluations),
    )


@pytest.fixture
def folder(tmp_path):
    base().save(tmp_path / "kb")
    return tmp_path / "kb"


def arrays(meta):
    return meta.tasks, meta.loss, meta.failed, meta.fit_seconds, meta.metafeatures, meta.candidates


def test_a_candidate_that_ran_on_the_hardest_split_only_is_not_blamed_for_it():
    rows = [
        evaluation("wine", 0, A, log_loss=0.5, fit_seconds=1.0),
        evaluation("wine", 0, B, log_loss=0.4, fit_seconds=1.0),
        evaluation("wine", 0, A, log_loss=0.9, fit_seconds=1.0, split=1),
        evaluation("wine", 0, B, log_loss=0.8, fit_seconds=1.0, split=1),
        evaluation("wine", 0, C, log_loss=0.75, fit_seconds=1.0, split=1),  # the best there
    ]
    loss = base(rows).meta_dataset(True, "log_loss").loss[0]
    np.testing.assert_allclose(loss, [0.7, 0.6, 0.55], atol=1e-6)


def test_evaluations_are_aligned():
    meta = base().meta_dataset(True, "log_loss")
    assert meta.tasks[["task", "train_size", "n_train"]].values.tolist() == [["wine", 0, 125], ["wine", 64, 64]]
    assert meta.candidates == (A, B, C)
    np.testing.assert_allclose(meta.loss, [[0.6, np.nan, np.nan], [0.9, np.nan, 1.0]])
    np.testing.assert_array_equal(meta.failed, [[False, True, False], [False, False, False]])
    np.testing.assert_allclose(meta.fit_seconds, [[2.0, np.nan, np.nan], [0.5, np.nan, 0.5]])
    np.testing.assert_allclose(meta.metafeatures, [[125, 1.5], [np.nan, np.nan]])
    assert meta.metafeature_names == ("n", "entropy")


def test_a_score_becomes_a_loss():
    np.testing.assert_allclose(base().meta_dataset(True, "accuracy").loss[0, 0], -0.7)


def test_kinds_of_tasks_and_strategies_are_kept_apart():
    regression = base().meta_dataset(False, "nrmse")
    assert (regression.tasks["task"].tolist(), regression.candidates) == (["price"], (A,))
    assert regression.metafeature_names == ("n", "skew")
    assert base().meta_dataset(True, "brier", strategies=["two"]).candidates == (C,)


def test_what_is_not_known_is_an_error():
    with pytest.raises(KnowledgeError, match="holds no evaluation"):
        base().meta_dataset(True, "log_loss", strategies=["nobody"])
    with pytest.raises(ParameterError, match="metric must be"):
        base().meta_dataset(False, "log_loss")


def test_a_round_trip_through_a_folder(folder):
    loaded, original = KnowledgeBase.load(folder), base()
    for classification, metric in ((True, "log_loss"), (False, "nrmse")):
        for left, right in zip(
            arrays(loaded.meta_dataset(classification, metric)),
            arrays(original.meta_dataset(classification, metric)),
            strict=True,
        ):
            if isinstance(left, pd.DataFrame):
                pd.testing.assert_frame_equal(left, right, check_dtype=False)
            elif isinstance(left, np.ndarray):
                np.testing.assert_allclose(left, right, rtol=1e-6)
            else:
                assert left == right
    assert loaded.info() == {**original.info(), "created": loaded.manifest.created}
    assert sorted(path.name for path in folder.parent.iterdir()) == ["kb"]


def test_saving_replaces_the_old_one_whole(folder):
    smaller = base([evaluation("wine", 0, A)])
    smaller.save(folder)
    assert len(KnowledgeBase.load(folder).evaluations) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["kb"]


def test_a_folder_with_other_files_is_not_replaced(folder):
    (folder / "thesis.tex").write_text("")
    with pytest.raises(StoreError, match=r"other files.*thesis"):
        base().save(folder)
    assert len(KnowledgeBase.load(folder).evaluations) == 6


def test_a_folder_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Cannot write"):
        base().save(tmp_path / "file" / "kb")


def test_opening_reads_a_content_once(folder):
    first = KnowledgeBase.open(folder)
    assert KnowledgeBase.open(folder) is first
    base([evaluation("wine", 0, A)]).save(folder)
    assert len(KnowledgeBase.open(folder).evaluations) == 1


@pytest.mark.parametrize("name", ["tasks", "metafeatures", "candidates", "evaluations"])
def test_a_damaged_file_is_named(folder, name):
    path = folder / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(KnowledgeIntegrityError, match=rf"{name}\.parquet.*SHA-256"):
        KnowledgeBase.load(folder)
    path.unlink()
    with pytest.raises(KnowledgeIntegrityError, match=rf"{name}\.parquet cannot be read"):
        KnowledgeBase.load(folder)


def test_a_file_that_is_hashed_but_no_parquet(folder):
    from autometa.components.knowledge.manifest import file_hash

    path = folder / "tasks.parquet"
    path.write_bytes(b"PAR1 nonsense")
    change_manifest(folder, files={**read(folder)["files"], path.name: file_hash(path)})
    with pytest.raises(KnowledgeIntegrityError, match="cannot be read"):
        KnowledgeBase.load(folder)
    pd.DataFrame({"task": ["a"]}).to_parquet(path)
    change_manifest(folder, files={**read(folder)["files"], path.name: file_hash(path)})
    with pytest.raises(KnowledgeIntegrityError, match="lacks the columns"):
        KnowledgeBase.load(folder)


def read(folder):
    return json.loads((folder / "manifest.json").read_text())


def change_manifest(folder, **values):
    (folder / "manifest.json").write_text(json.dumps({**read(folder), **values}))


def test_another_schema_version_is_refused(folder):
    change_manifest(folder, schema_version=99)
    with pytest.raises(KnowledgeSchemaError, match=r"schema version 99.*reads version 1"):
        KnowledgeBase.open(folder)


def test_what_is_no_knowledge_base_is_refused(folder, tmp_path):
    with pytest.raises(KnowledgeError, match="is not a knowledge base"):
        KnowledgeBase.open(tmp_path)
    change_manifest(folder, files=3)
    with pytest.raises(KnowledgeError, match="not a valid manifest: files"):
        KnowledgeBase.open(folder)
    (folder / "manifest.json").write_text("{cut")
    with pytest.raises(KnowledgeError, match="not JSON"):
        KnowledgeBase.open(folder)


def test_a_known_table_is_found_whatever_it_is_called():
    X, y = load_wine(return_X_y=True)
    shuffled = Task.from_arrays(X[::-1, ::-1], y[::-1], name="renamed")
    found = base().find(shuffled)
    assert (found.task, found.group, found.dataset_id) == ("wine", "g", 187)
    assert base().find(Task.from_arrays(X + 1, y)) is None


def test_a_table_of_another_shape_is_not_hashed(monkeypatch):
    known = base()
    monkeypatch.setattr(Task, "fingerprint", lambda self: pytest.fail("hashed"))
    X, y = load_wine(return_X_y=True)
    assert known.find(Task.from_arrays(X[:-1], y[:-1])) is None


def test_merging_adds_tasks_candidates_and_evaluations():
    other = base([evaluation("cheese", 0, C, log_loss=2.0)], task="cheese", candidates=[C])
    merged = KnowledgeBase.merge(base(), other)
    meta = merged.meta_dataset(True, "log_loss")
    assert meta.tasks["task"].tolist() == ["cheese", "wine", "wine"]
    assert meta.loss[0, 2] == 2.0
    assert merged.manifest.provenance["protocol"] == {"seed": 0}
    assert len(merged.candidates) == 3


def test_where_two_hold_the_same_cell_the_later_one_counts():
    later = base([evaluation("wine", 0, A, log_loss=9.0)])
    merged = KnowledgeBase.merge(base(), later)
    row = merged.evaluations.query("task == 'wine' and train_size == 0 and split == 0").set_index("candidate")
    assert row.loc[A.id, "log_loss"] == 9.0
    assert len(merged.evaluations) == len(base().evaluations)


def test_merging_saved_ones_can_be_saved(folder, tmp_path):
    loaded = KnowledgeBase.load(folder)
    KnowledgeBase.merge(loaded, base([evaluation("cheese", 0, C)], task="cheese")).save(tmp_path / "merged")
    assert set(KnowledgeBase.load(tmp_path / "merged").tasks["task"]) == {"wine", "cheese", "price"}


@pytest.mark.parametrize(
    ("other", "error", "message"),
    [
        (base(metafeature_version=4), KnowledgeSchemaError, r"versions \[3, 4\]"),
        (base(provenance={"protocol": {"seed": 1}}), KnowledgeError, "different data or splits"),
        (replace(base(), tasks=base().tasks.assign(fingerprint="x")), KnowledgeError, "different data or splits"),
    ],
)
def test_what_cannot_be_compared_is_not_merged(other, error, message):
    with pytest.raises(error, match=message):
        KnowledgeBase.merge(base(), other)


def shipping(name, folder, strategies=("one", "two")):
    return LoadedPlugin(name, None, strategies=dict.fromkeys(strategies), knowledge=(folder,))


def install(monkeypatch, *plugins):
    records = tuple(PluginRecord(plugin.name, strategies=tuple(plugin.strategies)) for plugin in plugins)
    registry = Registry(records=records, plugins=plugins)
    monkeypatch.setattr("autometa.components.knowledge.base.get_registry", lambda: registry)


def test_a_plugin_cannot_state_the_figures_of_anothers_strategies(folder, tmp_path, monkeypatch):
    own = Candidate("forest", Configuration(depth=3))
    for name, loss in [("forger", 0.0), ("trees", 0.4)]:
        rows = [evaluation("wine", 0, own, log_loss=loss)]
        base(rows, candidates=[own]).save(tmp_path / name)
    install(
        monkeypatch,
        shipping("forger", tmp_path / "forger", ["mine"]),
        shipping("trees", tmp_path / "trees", ["forest"]),
    )
    with (
        settings_context(knowledge=folder),
        pytest.warns(PluginWarning, match=r"Plugin 'forger': .* of the strategies \['forest'\], .* \['mine'\]"),
    ):
        found = shipped_with_plugins()
    assert set(found.errors) == {"forger"}
    stated = found.base.evaluations.query("candidate == @own.id")
    np.testing.assert_allclose(stated["log_loss"], [0.4])


def test_the_default_is_the_setting_with_what_plugins_ship(folder, tmp_path, monkeypatch):
    base([evaluation("cheese", 0, C)], task="cheese").save(tmp_path / "plugin")
    base([evaluation("cheese", 0, C)], task="cheese", provenance={}).save(tmp_path / "other")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "manifest.json").write_bytes(b"\xff\xfe")
    names = ["plugin", "nowhere", "other", "odd"]
    install(monkeypatch, *(shipping(name, tmp_path / name) for name in names))
    with settings_context(knowledge=folder), pytest.warns(PluginWarning) as seen:
        shipped = shipped_with_plugins()
    with settings_context(knowledge=folder):
        assert KnowledgeBase.shipped() is shipped.base
    assert set(shipped.base.tasks["task"]) == {"wine", "cheese", "price"}
    assert set(shipped.errors) == {"nowhere", "other", "odd"}
    assert "is not a knowledge base" in shipped.errors["nowhere"]
    assert "another protocol" in shipped.errors["other"]
    assert len(seen) == 3  # once, not at every look
    assert str(seen[0].message).startswith("Plugin 'nowhere': The knowledge in 'nowhere' was left out:")


def test_evaluations_are_counted_by_strategy():
    assert base().evidence() == {"one": 5, "two": 1}
    assert base([evaluation("wine", 0, A)]).evidence() == {"one": 1, "two": 0}


def test_it_says_what_it_holds():
    facts = base().info()
    assert facts["candidates"] == {"one": 2, "two": 1}
    assert facts["evaluations"] == {"ok": 5, "timeout": 1}
    assert (facts["n_classification_tasks"], facts["n_regression_tasks"], facts["n_splits"]) == (1, 1, 2)
    json.dumps(facts)
    assert (
        base().description(classification=True).startswith("5 evaluations on 1 classification tasks in 1 groups")
    )
