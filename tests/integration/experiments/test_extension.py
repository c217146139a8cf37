"""A plugin is measured on a knowledge base's tasks and ships what it takes to be ranked with evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from autometa.components.knowledge import KnowledgeBase
from autometa.engine import collection, collection_export, extension, recommend
from autometa.engine.collection import build_knowledge
from autometa.engine.extension import extend_with_plugin, plugin_supplement
from autometa.foundation.errors import KnowledgeError, ParameterError
from autometa.plugins import MetaFeatureFunction, PluginRecord, Registry
from autometa.plugins.loading import LoadedPlugin
from tests.experiment_helpers import make_registry, write_folder

QUICK = {"n_jobs": 1, "backend": "sequential"}


@pytest.fixture(scope="module", autouse=True)
def installed():
    """Install a plugin that brings the test's strategy, and one that brings none."""
    records = (PluginRecord("rogue", strategies=("misbehaving",)), PluginRecord("empty"))
    rows = MetaFeatureFunction("rogue", ("rows",), lambda task: {"rows": task.n_samples})
    plugins = (LoadedPlugin("rogue", None, metafeatures=(rows,)),)
    registry = replace(make_registry(), records=records, plugins=plugins)
    with pytest.MonkeyPatch.context() as patch:
        for module in (collection, extension, recommend):
            patch.setattr(module, "get_registry", lambda: registry)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("data") / "openml")


@pytest.fixture(scope="module")
def base(folder, tmp_path_factory):
    options = {"strategies": ["linear"], "tasks": ["openml-1", "openml-2"], "sizes": (64,), "n_splits": 1, **QUICK}
    return build_knowledge(folder, tmp_path_factory.mktemp("base"), **options)


@pytest.fixture(scope="module")
def shipped(base, folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin")
    extend_with_plugin(base, folder, path / "workspace", "rogue", output=path / "kb", **QUICK)
    return path


def test_a_plugin_ships_evaluations_on_the_same_tasks_and_splits_only(base, shipped):
    supplement = KnowledgeBase.load(shipped / "kb")
    assert set(supplement.candidates["strategy"]) == {"misbehaving"}
    assert len(supplement.evaluations) == 2 * 4
    assert len(supplement.metafeatures) == 0
    meta = base.with_supplement(supplement).meta_dataset(True, "log_loss")
    assert len(meta.tasks) == 2
    assert np.isfinite(meta.loss[:, -4:]).all()
    np.testing.assert_array_equal(meta.loss[:, :-4], base.meta_dataset(True, "log_loss").loss)


def test_the_metafeatures_of_plugins_are_collected_and_used(base):
    meta = base.meta_dataset(True, "log_loss", metafeatures=["rogue:rows"])
    assert meta.metafeature_names[-1] == "rogue:rows"
    assert meta.metafeatures[:, -1].tolist() == [64.0, 64.0]
    found = recommend.recommend(load_breast_cancer(as_frame=True), knowledge=base, top_k=None)
    assert {place.candidate.strategy for place in found.ranking} == {"linear", "misbehaving"}


def test_the_same_call_goes_on_where_one_was_stopped(base, shipped, folder):
    journal = shipped / "workspace" / "journal.jsonl"
    before = journal.read_text().count('"kind":"evaluation"')
    extend_with_plugin(base, folder, shipped / "workspace", "rogue", **QUICK)
    assert journal.read_text().count('"kind":"evaluation"') == before


def test_any_workspace_with_its_strategies_will_do(base, shipped):
    supplement = plugin_supplement(base, shipped / "workspace", "rogue")
    assert len(supplement.evaluations) == 8


def test_what_it_ships_has_the_plugins_own_names(base, shipped, monkeypatch):
    """In an environment where two plugins use a name, each is measured as plugin:strategy."""
    local = {"misbehaving": "rogue:misbehaving"}
    measured = collection_export.export_knowledge(shipped / "workspace").renamed(local)
    record = PluginRecord("rogue", strategies=("rogue:misbehaving",))
    monkeypatch.setattr(extension, "get_registry", lambda: Registry(records=(record,)))
    monkeypatch.setattr(extension, "export_knowledge", lambda workspace: measured)
    supplement = plugin_supplement(base, shipped / "workspace", "rogue", output=shipped / "renamed")
    assert set(supplement.candidates["strategy"]) == {"misbehaving"}
    alone = KnowledgeBase.load(shipped / "kb")
    found = KnowledgeBase.load(shipped / "renamed")
    assert set(found.candidates["candidate"]) == set(alone.candidates["candidate"])
    assert len(base.with_supplement(found).evaluations) == len(base.evaluations) + len(alone.evaluations)


def test_a_plugin_without_strategies_or_figures_has_nothing_to_ship(base, shipped, folder, tmp_path):
    with pytest.raises(ParameterError, match="'empty' brings no strategy"):
        extend_with_plugin(base, folder, tmp_path, "empty")
    with pytest.raises(ParameterError, match=r"'nobody'; there are \['rogue', 'empty'\]"):
        plugin_supplement(base, shipped / "workspace", "nobody")
    build_knowledge(folder, tmp_path, strategies=["linear"], tasks=["openml-2"], sizes=(64,), **QUICK)
    with pytest.raises(KnowledgeError, match=r"no evaluation of \['misbehaving'\]"):
        plugin_supplement(base, tmp_path, "rogue")


def test_a_run_states_the_versions_of_the_plugins_libraries():
    found = collection_export._versions({"autometa-ml", "not-installed"})
    assert {"autometa-ml", "numpy", "pluggy", "joblib"} <= set(found)
    assert "not-installed" not in found
