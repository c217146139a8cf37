"""A tiny convolutional backbone with random weights, brought by a plugin as anybody's would be."""

from __future__ import annotations

import types

import numpy as np
import pytest

from autometa import EncoderBackbone, ImageEncoder, hookimpl
from autometa.plugins import registry


def load(seed=0):
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(3, 12, 3, stride=2, padding=1),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.Conv2d(12, 24, 3, stride=2, padding=1),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
    return ImageEncoder(network, image_size=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), smallest_size=8)


def declared(name="tiny_net", loader=load, **facts):
    return EncoderBackbone(name, "image", loader, licence="MIT", source="made by the tests", **facts)


class Point:
    """An entry point of a plugin that is there already."""

    dist = types.SimpleNamespace(name="autometa-tiny", version="1")

    def __init__(self, *backbones):
        class Plugin:
            @hookimpl
            def register_backbones(self, register):
                for backbone in backbones:
                    register(backbone)

        self.name, self.load = "tiny", Plugin


@pytest.fixture
def install(monkeypatch):
    """Install a plugin with backbones beside the built-in one, for one test."""

    def installed(*backbones):
        points = [point for point in registry.discover("") if point.name == "built_in"]
        found = registry.load_registry([*points, Point(*backbones)])
        monkeypatch.setattr(registry, "_cached_registry", lambda selection: found)
        return found

    return installed


def shapes(n_samples, *, seed=0, side=12):
    """Return images, a list of arrays, of a bar that stands or lies somewhere, and which of the two."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 60, (n_samples, side, side)).astype(np.uint8)
    labels = np.arange(n_samples) % 2
    for image, label in zip(images, labels, strict=True):
        place = generator.integers(1, side - 2)
        image[(slice(None), place) if label else (place, slice(None))] += 180
    return list(images), np.array(["lying", "standing"])[labels]
