"""Meta-features: a fixed vector of numbers that describes a task."""

from __future__ import annotations

from autometa.components.metafeatures.catalogue import (
    CATALOGUE,
    SCHEMA_VERSION,
    MetaFeature,
    metafeature_names,
)
from autometa.components.metafeatures.extract import MetaFeatures, extract
from autometa.components.metafeatures.plugged import describe

__all__ = [
    "CATALOGUE",
    "SCHEMA_VERSION",
    "MetaFeature",
    "MetaFeatures",
    "describe",
    "extract",
    "metafeature_names",
]
