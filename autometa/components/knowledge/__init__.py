"""Knowledge: what is known of past tasks, on disk and as aligned arrays."""

from __future__ import annotations

from autometa.components.knowledge.base import KnowledgeBase, shipped_with_plugins
from autometa.components.knowledge.known_task import KnownTask
from autometa.components.knowledge.manifest import SCHEMA_VERSION, Manifest
from autometa.components.knowledge.meta_dataset import MetaDataset

__all__ = ["SCHEMA_VERSION", "KnowledgeBase", "KnownTask", "Manifest", "MetaDataset", "shipped_with_plugins"]
