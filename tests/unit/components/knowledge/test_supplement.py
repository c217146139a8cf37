"""What a plugin adds to a knowledge base: its own evaluations of described tasks, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autometa.components.knowledge import KnowledgeBase, Manifest
from autometa.domain import METRICS, Candidate, Configuration
from autometa.foundation.errors import KnowledgeError, KnowledgeSchemaError

OWN = Candidate("one", Configuration(c=1))
NEW = [Candidate("forest", Configuration(depth=depth)) for depth in (1, 2)]
PROTOCOL = {"seed": 0, "max_train": 2000}
FACTS = {"dataset_id": 1, "task_id": None, "name": "wine", "group": "g", "type": "binary", "n_train": 125}
SIZES = {"n_samples": 178, "n_features": 13, "n_classes": 2}


def evaluation(task, candidate, size=0, loss=0.5, **more):
    key = {"task": task, "split": 0, "train_size": size, "candidate": candidate.id, "status": "ok"}
    costs = {"n_train": 10, "n_test": 5, "fit_seconds": 0.1, "predict_seconds": 0.1, "peak_memory": 7}
    return {**key, **costs, **dict.fromkeys(METRICS, np.nan), "log_loss": loss, **more}


def base(evaluations, candidates, *, described=(), tasks=("wine", "iris"), fingerprint="f", **manifest):
    rows = [{"task": task, **FACTS, **SIZES, "fingerprint": f"{task}-{fingerprint}"} for task in tasks]
    vectors = [{"task": task, "train_size": size, "n_train": 125, "n": 1.0 + size} for task, size in described]
    stated = {
        "metafeature_version": 1,
        "metafeature_names": {"classification": ["n"]},
        "provenance": {"protocol": PROTOCOL},
        **manifest,
    }
    texts = [
        {"candidate": c.id, "strategy": c.strategy, "configuration": c.configuration.to_json()} for c in candidates
    ]
    return KnowledgeBase(
        Manifest(**stated),
        tasks=pd.DataFrame(rows).astype({"dataset_id": "Int64", "task_id": "Int64"}),
        metafeatures=pd.DataFrame(vectors, columns=["task", "train_size", "n_train", "n"]),
        candidates=pd.DataFrame(texts),
        evaluations=pd.DataFrame(evaluations),
    )


@pytest.fixture
def shipped():
    rows = [evaluation("wine", OWN), evaluation("iris", OWN), evaluation("wine", OWN, 64)]
    return base(rows, [OWN], described=[("wine", 0), ("iris", 0), ("wine", 64)])


def collected(**more):
    rows = [evaluation(task, c, loss=0.1 * place) for task in ("wine", "iris") for place, c in enumerate(NEW, 1)]
    everything = [*rows, evaluation("wine", OWN, loss=9.0)]
    return base(everything, [OWN, *NEW], described=[("wine", 0), ("iris", 0), ("wine", 64)], **more)


def test_what_a_plugin_ships_repeats_nothing_that_the_knowledge_base_has(shipped, tmp_path):
    supplement = collected().supplement_to(shipped, ["forest"])
    assert set(supplement.candidates["strategy"]) == {"forest"}
    assert len(supplement.evaluations) == 4
    assert len(supplement.metafeatures) == 0
    supplement.save(tmp_path / "kb")
    merged = shipped.with_supplement(KnowledgeBase.load(tmp_path / "kb"))
    meta = merged.meta_dataset(True, "log_loss")
    assert meta.candidates == (OWN, *NEW)
    assert meta.tasks[["task", "train_size"]].values.tolist() == [["iris", 0], ["wine", 0], ["wine", 64]]
    np.testing.assert_allclose(meta.loss[:2], [[0.5, 0.1, 0.2]] * 2)
    np.testing.assert_allclose(meta.metafeatures[:, 0], [1.0, 1.0, 65.0])


def test_a_supplement_brings_the_description_of_sizes_that_only_it_has(shipped):
    more = base(
        [evaluation("wine", NEW[0], 32)], NEW, described=[("wine", 32), ("wine", 0), ("iris", 32)], tasks=["wine"]
    )
    supplement = more.supplement_to(shipped, ["forest"])
    assert supplement.metafeatures[["task", "train_size"]].values.tolist() == [["wine", 32]]
    assert len(shipped.with_supplement(supplement).metafeatures) == 4


def test_what_is_known_is_never_replaced(shipped):
    """A plugin that claims other figures for a built-in learner is not believed."""
    claims = base(
        [evaluation("wine", OWN, loss=9.0), evaluation("wine", NEW[0])],
        [OWN, *NEW],
        described=[("wine", 0)],
        tasks=["wine"],
    )
    claims.metafeatures["n"] = -1.0
    meta = shipped.with_supplement(claims).meta_dataset(True, "log_loss")
    np.testing.assert_allclose(meta.loss[:, 0], [0.5, 0.5, 0.5])
    assert (meta.metafeatures > 0).all()


def test_meta_features_of_another_version_do_not_matter_where_none_are_shipped(shipped):
    supplement = collected(metafeature_version=7).supplement_to(shipped, ["forest"])
    assert shipped.with_supplement(supplement).manifest.metafeature_version == 1
    with pytest.raises(KnowledgeSchemaError, match=r"versions \[1, 7\]"):
        shipped.with_supplement(collected(metafeature_version=7))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"provenance": {"protocol": {**PROTOCOL, "max_train": 50}}}, "max_train: 50 there, 2000 here"),
        ({"provenance": {}}, "seed: None there, 0 here"),
        ({"fingerprint": "other"}, "different data"),
        ({"tasks": ["wine"]}, r"tasks \['iris'\], which its tasks.parquet does not list"),
    ],
)
def test_figures_that_are_not_comparable_are_refused(shipped, change, message):
    with pytest.raises(KnowledgeError, match=message):
        shipped.with_supplement(collected(**change))


def test_tasks_that_nobody_describes_are_refused(shipped):
    rows = [evaluation("new", NEW[0]), evaluation("wine", NEW[0], 32)]
    with pytest.raises(KnowledgeError, match="on 2 pairs of task and training size"):
        shipped.with_supplement(base(rows, NEW, tasks=["new", "wine"]))
    described = base(rows, NEW, tasks=["new", "wine"], described=[("new", 0), ("wine", 32)])
    assert len(shipped.with_supplement(described).tasks) == 3


def test_candidates_under_false_ids_are_refused(shipped):
    stolen = collected()
    stolen.candidates.loc[0, "strategy"] = "forest"
    with pytest.raises(KnowledgeError, match=rf"'{OWN.id}' is 'forest-"):
        shipped.with_supplement(stolen)
    stolen.candidates.loc[0, "configuration"] = "[]"
    with pytest.raises(KnowledgeError, match="no usable configuration"):
        shipped.with_supplement(stolen)
    unlisted = base([evaluation("wine", NEW[0])], [OWN], tasks=["wine"])
    with pytest.raises(KnowledgeError, match=r"candidates\.parquet does not list"):
        shipped.with_supplement(unlisted)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"loss": -5.0}, r"1 scores of log_loss outside of \[0, inf\], such as -5"),
        ({"accuracy": 1.5}, r"accuracy outside of \[0, 1\], such as 1\.5"),
        ({"r2": 2.0}, r"r2 outside of \[-inf, 1\]"),
        ({"spearman": -1.1}, r"spearman outside of \[-1, 1\]"),
    ],
)
def test_scores_that_no_measurement_gives_are_refused(shipped, scores, message):
    with pytest.raises(KnowledgeError, match=message):
        shipped.with_supplement(base([evaluation("wine", NEW[0], **scores)], NEW, tasks=["wine"]))


def test_scores_at_the_ends_of_their_range_are_taken(shipped):
    rows = [
        evaluation("wine", NEW[0], loss=0.0, accuracy=np.float32(1.0000001), brier=2.0),
        evaluation("wine", NEW[1], loss=20.0, accuracy=0.0, r2=-1e9),
    ]
    assert len(shipped.with_supplement(base(rows, NEW, tasks=["wine"])).evaluations) == 5


def described_by_a_plugin(rows, n_known=3):
    more = base([evaluation("wine", NEW[0]), evaluation("iris", NEW[0])], NEW, described=rows)
    values = [0.5 + place if place < n_known else np.nan for place in range(len(rows))]
    names = {"metafeature_names": {"classification": ["n", "words:count"]}}
    return KnowledgeBase(
        more.manifest.model_copy(update=names),
        more.tasks,
        more.metafeatures.assign(**{"words:count": values}),
        more.candidates,
        more.evaluations,
    )


def test_a_plugin_ships_its_own_metafeatures_of_known_tasks(shipped, tmp_path):
    supplement = described_by_a_plugin([("wine", 0), ("iris", 0)]).supplement_to(shipped, ["forest"])
    assert supplement.metafeatures["n"].isna().all()  # not repeated
    supplement.save(tmp_path / "kb")
    merged = shipped.with_supplement(KnowledgeBase.load(tmp_path / "kb"))
    assert merged.meta_dataset(True, "log_loss").metafeature_names == ("n",)
    meta = merged.meta_dataset(True, "log_loss", metafeatures=["words:count", "others:count"])
    assert meta.metafeature_names == ("n", "words:count")
    np.testing.assert_allclose(meta.metafeatures, [[1.0, 1.5], [1.0, 0.5], [65.0, np.nan]])


def test_metafeatures_that_few_tasks_have_are_not_used(shipped):
    merged = shipped.with_supplement(described_by_a_plugin([("wine", 0), ("iris", 0)], n_known=1))
    assert merged.meta_dataset(True, "log_loss", metafeatures=["words:count"]).metafeature_names == ("n",)


def test_strategies_can_be_renamed(shipped):
    renamed = collected().supplement_to(shipped, ["forest"]).renamed({"forest": "mine:forest"})
    meta = shipped.with_supplement(renamed).meta_dataset(True, "log_loss")
    assert [c.strategy for c in meta.candidates] == ["one", "mine:forest", "mine:forest"]
    assert [c.configuration for c in meta.candidates[1:]] == [c.configuration for c in NEW]
    np.testing.assert_allclose(meta.loss[0, 1:], [0.1, 0.2])


def test_a_workspace_without_the_strategies_is_no_supplement(shipped):
    with pytest.raises(KnowledgeError, match=r"no evaluation of \['boosting'\]; measured are \['forest', 'one'\]"):
        collected().supplement_to(shipped, ["boosting"])
