"""Evidence about the task at hand: fits on growing subsamples, as many as the seconds allow."""

from __future__ import annotations

from autometa.engine.evidence.consultation import Consultation, Finding
from autometa.engine.evidence.ladder import Ladder
from autometa.engine.evidence.search import Search, SearchProgress, SearchResult
from autometa.engine.evidence.workers import Workers

__all__ = ["Consultation", "Finding", "Ladder", "Search", "SearchProgress", "SearchResult", "Workers"]
