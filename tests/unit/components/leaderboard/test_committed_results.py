"""The report of committed results, and the size of a large one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from autometa.components.leaderboard import make_leaderboard
from autometa.components.leaderboard.report import render_html
from benchmarks.report import cc18_table, synthetic_table

RESULTS = Path(__file__).parents[4] / "benchmarks" / "results"


def test_openml_cc18_agrees_with_the_figures_of_its_own_driver():
    """``benchmarks/cc18.py`` computes ranks, differences and their intervals by itself, with other draws."""
    board = make_leaderboard(cc18_table(), "log_loss", reference="autometa")
    expected = pd.read_csv(RESULTS / "cc18.csv").set_index("system")
    for one in board.standings:
        row = expected.loc[one.system]
        assert one.mean_rank.value == pytest.approx(row["rank"], abs=1e-4)
        assert (one.mean_rank.low, one.mean_rank.high) == pytest.approx(
            (row["rank_low"], row["rank_high"]), abs=0.1
        )
        assert one.n_first == row["wins"]
        assert one.fit_seconds == pytest.approx(row["median_fit_seconds"], abs=1e-4)
    for duel in board.duels:
        row = expected.loc[duel.system]
        assert duel.difference.value == pytest.approx(-row["ours_less"], abs=1e-4)
        assert duel.difference.low == pytest.approx(-row["ours_less_high"], abs=0.05)
    assert "own splits" in render_html(board).replace("<b>", "").replace("</b>", "")


def test_a_report_of_100_tasks_20_systems_and_10_folds_is_below_5_megabytes():
    table = synthetic_table()
    assert len(table) == 100 * 20 * 10
    html = render_html(make_leaderboard(table, "log_loss", n_bootstrap=50))
    assert len(html.encode()) < 5_000_000
    assert html.count('class="n s"') + html.count('class="n s best"') == 100 * 20
