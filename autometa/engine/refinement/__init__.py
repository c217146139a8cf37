"""Refinement: cross-validate the best candidates on the table, tune the best families, combine what complements.

`folds` splits, `cross_validation` runs candidates on the splits until the time is over, `tuning` proposes further
configurations, `choice` decides for one candidate or an ensemble, `outcome` builds what was chosen,
`spending` does all that in order.
"""

from __future__ import annotations

from autometa.engine.refinement.choice import Choice, Member
from autometa.engine.refinement.outcome import LEADERBOARD_COLUMNS, build, leaderboard
from autometa.engine.refinement.spending import Reserve, refine

__all__ = ["LEADERBOARD_COLUMNS", "Choice", "Member", "Reserve", "build", "leaderboard", "refine"]
