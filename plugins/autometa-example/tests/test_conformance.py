"""The checks of autometa: one for each thing that it relies on."""

from autometa.testing import PluginConformance, StrategyConformance

from autometa_example import ExampleStrategy


class TestExampleStrategy(StrategyConformance):
    strategy = ExampleStrategy()


class TestPlugin(PluginConformance):
    plugin = "example"
    strategies = ("example",)
