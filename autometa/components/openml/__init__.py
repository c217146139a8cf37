"""Reading OpenML: datasets, tasks with their official splits, and suites, through a robust cache.

The only place that imports the ``openml`` client, and only when something is read.
"""

from __future__ import annotations

from autometa.components.openml.client import OpenMLClient
from autometa.components.openml.records import OpenMLSuite, OpenMLTable

__all__ = ["OpenMLClient", "OpenMLSuite", "OpenMLTable"]
