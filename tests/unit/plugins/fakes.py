"""Plugins and strategies as the loader meets them, without an installation."""

from __future__ import annotations

import types

from sklearn.dummy import DummyRegressor

from autometa.domain.backbones import EncoderBackbone
from autometa.domain.strategy import Configuration, Strategy
from autometa.plugins import hookimpl
from autometa.plugins.registry import load_registry


def strategy(name, reason=None):
    class Dummy(Strategy):
        def supports(self, task):
            if isinstance(reason, Exception):
                raise reason
            return reason

        def search_space(self, task):
            return {}

        def portfolio(self, task):
            return [Configuration()]

        def build(self, configuration, task, *, device="auto", random_state=None):
            return DummyRegressor()

    Dummy.name = name
    return Dummy()


class Point:
    """What the loader needs of an entry point, around an object instead of an import."""

    def __init__(self, name, plugin, distribution="autometa-test"):
        self.name, self.plugin = name, plugin
        self.dist = types.SimpleNamespace(name=distribution, version="1.2")

    def load(self):
        if isinstance(self.plugin, BaseException):
            raise self.plugin
        return self.plugin


def bringing(*strategies, folders=()):
    class Plugin:
        @hookimpl
        def register_strategies(self, register):
            for each in strategies:
                register(each)

        @hookimpl
        def register_knowledge(self, register):
            for folder in folders:
                register(folder)

    return Plugin()


def describing(names, function=len):
    class Plugin:
        @hookimpl
        def register_metafeatures(self, register):
            register(["first"], len)
            register(names, function)

        @hookimpl
        def register_commands(self, application):
            application.append("describing")

    return Plugin()


def backbone(name, modality="image", **facts):
    return EncoderBackbone(name, modality, loader=lambda: None, licence="MIT", source="a test", **facts)


def encoding(*backbones):
    class Plugin:
        @hookimpl
        def register_backbones(self, register):
            for each in backbones:
                register(each)

    return Plugin()


def commands_of(found):
    commands = []
    for plugin in found.plugins:
        plugin.add_commands(commands)
    return commands


def load(*points):
    return load_registry(points)


GOOD = Point("good", bringing(strategy("alpha")))
