"""Plugins: hooks, discovery in isolation, and the registry of what is installed."""

from __future__ import annotations

from autometa.plugins.hookspecs import hookimpl
from autometa.plugins.loading import MetaFeatureFunction
from autometa.plugins.registry import PluginKnowledge, PluginRecord, Registry, get_registry

__all__ = ["MetaFeatureFunction", "PluginKnowledge", "PluginRecord", "Registry", "get_registry", "hookimpl"]
