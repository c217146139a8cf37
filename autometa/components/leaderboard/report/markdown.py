"""The report as Markdown: the same figures, without the drawings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from autometa.components.leaderboard.report import wording
from autometa.components.leaderboard.resampling import Interval
from autometa.components.leaderboard.standings import Leaderboard

__all__ = ["render_markdown"]

# Marks of CommonMark, and what GitHub makes links of without any.
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~&]|(?<=:)/(?=/)|(?<=www)\.)")


def render_markdown(board: Leaderboard, title: str | None = None) -> str:
    """Write the report as Markdown.

    Parameters
    ----------
    board : Leaderboard
    title : str, optional
        By default made of the suites and the metric.

    Returns
    -------
    str
    """
    parts = [
        f"# {_escaped(title or wording.heading(board))}",
        "\n".join(f"- **{subject}**: {_escaped(sentence)}" for subject, sentence in wording.sentences(board)),
        "## Leaderboard",
        _standings(board),
        f"Brackets: 95 % intervals by bootstrap over tasks, {board.n_bootstrap:,} draws. Times: medians of tasks.",
        "## Critical differences",
        _escaped(" ".join(wording.tests_in_words(board))),
        _groups(board),
        f"## Against {_escaped(board.opponent)}",
        _duels(board),
        "Clearly: the 95 % interval over the folds of a task excludes 0.",
        "## Tasks",
        _tasks(board),
        f"Bold: nobody is better. ▲ clearly better, ▼ clearly worse than {_escaped(board.opponent)}. "
        "✕: some split failed.",
        "## Failures",
        _failures(board),
        "## What ran where",
        _runs(board),
        _versions(board),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _escaped(text: str) -> str:
    """Keep texts of others from being markup: no HTML, no links, one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], n_text: int = 1) -> str:
    lines = [header, ["---" if place < n_text else "--:" for place in range(len(header))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _with_ends(found: Interval, digits: int, factor: float = 1.0, unit: str = "") -> str:
    ends = f" ({wording.interval(found, digits, factor)})" if found.is_known else ""
    return f"{wording.number(found.value * factor, digits)}{unit}{ends}"


def _standings(board: Leaderboard) -> str:
    header = ("system", "place", "Elo", "mean rank", "win rate", "normalised score", "first on", "fit")
    rows = [
        (
            _escaped(one.system),
            str(one.place),
            _with_ends(one.elo, 0),
            _with_ends(one.mean_rank, 2),
            _with_ends(one.win_rate, 0, 100, " %"),
            _with_ends(one.normalised_score, 3),
            str(one.n_first),
            wording.duration(one.fit_seconds),
            wording.duration(one.predict_seconds),
            wording.memory(one.peak_memory),
            f"{one.n_failed} of {one.n_cells}",
        )
        for one in board.standings
    ]
    return _table((*header, "predict 1,000 rows", "memory", "failed"), rows)


def _groups(board: Leaderboard) -> str:
    if board.significance is None:
        return ""
    named = [", ".join(_escaped(board.systems[place]) for place in group) for group in board.significance.groups]
    return "\n".join(f"- no difference among: {group}" for group in named)


def _duels(board: Leaderboard) -> str:
    metric = board.cells.metric
    sign = -1.0 if metric.greater_is_better else 1.0
    header = ("system", f"mean difference of {_escaped(metric.name)}", "won", "tied", "lost")
    rows = [
        (
            _escaped(one.system),
            _difference(one.difference, sign),
            str(one.n_wins),
            str(one.n_ties),
            str(one.n_losses),
            *(str(n) if board.differences.has_intervals else "–" for n in (one.n_better, one.n_worse)),
            wording.p_value(one.p_value).replace("<", "&lt;"),
        )
        for one in board.duels
    ]
    return _table((*header, "clearly better on", "clearly worse on", "p (Wilcoxon, Holm)"), rows)


def _difference(found: Interval, sign: float) -> str:
    low, high = sorted((sign * found.low, sign * found.high))
    ends = f" ({wording.signed(low)} to {wording.signed(high)})" if found.is_known else ""
    return f"{wording.signed(sign * found.value)}{ends}"


def _tasks(board: Leaderboard) -> str:
    better, worse = board.differences.better, board.differences.worse
    scores = board.scores.to_numpy(dtype=float)
    best = board.is_best
    rows = []
    for row, task in enumerate(board.scores.index):
        line = [_escaped(str(board.tasks.at[task, "dataset"])), str(board.tasks.at[task, "n_splits"])]
        for place, system in enumerate(board.systems):
            text = wording.score(scores[row, place])
            text = f"**{text}**" if best[row, place] else text
            text += " ▲" if better.at[task, system] else " ▼" if worse.at[task, system] else ""
            line.append(text + (" ✕" if board.failed.at[task, system] else ""))
        rows.append(line)
    return _table(("dataset", "splits", *map(_escaped, board.systems)), sorted(rows))


def _failures(board: Leaderboard) -> str:
    if not board.failures:
        return "No cell failed."
    rows = [
        (
            _escaped(one.system),
            _escaped(one.status),
            _escaped(one.message) or "no reason given",
            str(one.n_cells),
        )
        for one in board.failures
    ]
    return _table(("system", "status", "reason", "cells"), rows, n_text=3)


def _runs(board: Leaderboard) -> str:
    rows = [
        (
            _escaped(one.system),
            _escaped(one.platform),
            str(one.cores),
            wording.duration(one.time_budget),
            str(one.n_cells),
            str(one.n_tasks),
            one.first or wording.NOTHING,
            one.last or wording.NOTHING,
        )
        for one in board.runs
    ]
    header = (
        "system",
        "platform",
        "cores",
        "time budget",
        "cells",
        "tasks",
        "first cell (UTC)",
        "last cell (UTC)",
    )
    return _table(header, rows, n_text=2)


def _versions(board: Leaderboard) -> str:
    rows = [
        (
            _escaped(one.package),
            _escaped(one.version),
            "all" if len(one.systems) == len(board.systems) else ", ".join(map(_escaped, one.systems)),
        )
        for one in board.versions
    ]
    return _table(("package", "version", "systems"), rows, n_text=3)
