"""Plugins: hooks, discovery in isolation, and the registry of what is installed."""

from __future__ import annotations

from autometa.plugins.hookspecs import hookimpl
from autometa.plugins.registry import PluginRecord, Registry, get_registry

__all__ = ["PluginRecord", "Registry", "get_registry", "hookimpl"]
