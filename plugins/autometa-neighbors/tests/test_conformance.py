"""What autometa relies on in every strategy and plugin."""

from __future__ import annotations

from autometa_neighbors.bayes import NaiveBayes
from autometa_neighbors.discriminants import Discriminant
from autometa_neighbors.nearest import NearestNeighbors

from autometa.testing import PluginConformance, StrategyConformance


class TestNearestNeighbors(StrategyConformance):
    strategy = NearestNeighbors()


class TestNaiveBayes(StrategyConformance):
    strategy = NaiveBayes()


class TestDiscriminant(StrategyConformance):
    strategy = Discriminant()


class TestPlugin(PluginConformance):
    plugin = "neighbors"
    strategies = ("nearest_neighbors", "naive_bayes", "discriminant")
