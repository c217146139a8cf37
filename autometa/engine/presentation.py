"""How a recommendation looks: plain text, Markdown, HTML, a plot. Reads values, decides nothing."""

from __future__ import annotations

import html as html_escape
import math
from typing import TYPE_CHECKING

from autometa.foundation.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from autometa.engine.recommendation import RankedCandidate, Recommendation

__all__ = [
    "ENDINGS",
    "explanation",
    "format_configuration",
    "format_score",
    "format_seconds",
    "headline",
    "html",
    "plain_table",
    "plot",
]


def format_configuration(place: RankedCandidate) -> str:
    """Return a configuration as ``name=value, ...``; numbers with three significant digits."""
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in place.candidate.configuration.items()
    )


def format_seconds(seconds: float) -> str:
    """Return seconds as people write them: ``0.04 s``, ``12 s``, ``3.5 min``, ``2.0 h``."""
    if math.isnan(seconds):
        return "?"
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def format_score(value: float) -> str:
    """Return a score with three decimals, an unknown one as ``?``."""
    return "?" if math.isnan(value) else f"{value:.3f}"


def _cells(place: RankedCandidate) -> tuple[str, ...]:
    interval = f"[{format_score(place.low)}, {format_score(place.high)}]"
    return (
        str(place.rank),
        place.candidate.strategy,
        format_configuration(place) or "defaults",
        format_score(place.expected_score),
        interval,
        format_seconds(place.fit_seconds),
    )


def _header(recommendation: Recommendation) -> tuple[str, ...]:
    return ("rank", "strategy", "configuration", recommendation.task.metric, "80 % interval", "fit time")


def headline(recommendation: Recommendation) -> str:
    """Return one line that says what the table is."""
    task = recommendation.task
    classes = f", {task.n_classes} classes" if task.n_classes else ""
    roles = ", ".join(f"{count} {role}" for role, count in task.role_counts.items())
    return (
        f"{task.name}: {task.type}, {task.n_samples:,} rows x {task.n_features} columns ({roles}){classes}, "
        f"target {task.target!r}, metric {task.metric}"
    )


def plain_table(recommendation: Recommendation) -> str:
    """Return the headline and the list as aligned text."""
    rows = [_header(recommendation), *(_cells(place) for place in recommendation.ranking)]
    widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([headline(recommendation), *lines, *(f"note: {note}" for note in recommendation.notes)])


def explanation(recommendation: Recommendation) -> str:
    """Return the reasons as Markdown."""
    best = recommendation.best
    expected, low, high = map(format_score, (best.expected_score, best.low, best.high))
    parts = [
        f"# Why {best.candidate.strategy} for {recommendation.task.name}",
        headline(recommendation) + ".",
        f"First choice: **{best.candidate}**, expected {recommendation.task.metric} {expected} "
        f"(80 % interval {low} to {high}), about {format_seconds(best.fit_seconds)} to "
        f"fit. Ranked by the policy `{recommendation.policy}` on {recommendation.knowledge}. "
        "The places below it are chosen to complement those above them, not to repeat them.",
        *_evidence_section(recommendation),
        *_neighbour_section(recommendation),
        *_influence_section(recommendation),
        *_excluded_section(recommendation),
    ]
    if recommendation.notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in recommendation.notes)]
    return "\n\n".join(parts) + "\n"


ENDINGS = {
    "time": "the time was over",
    "interrupted": "it was interrupted",
    "settled": "no further run was worth its seconds",
}


def _evidence_section(recommendation: Recommendation) -> list[str]:
    evidence = recommendation.evidence
    if evidence is None:
        return []
    tried = [place for place in recommendation.ranking if place.trials]
    spent = (
        f"{evidence.n_runs} fits of {evidence.n_candidates} candidates on parts of it took "
        f"{format_seconds(evidence.seconds)} of the {format_seconds(evidence.time_budget)} granted, until "
        f"{ENDINGS[evidence.ending]}."
    )
    lines = [f"- {place.rank}. {place.candidate}: {_trials(place)}" for place in tried[:5]]
    return [
        "## What runs on this table showed",
        f"{spent} {_change(recommendation)}",
        *(["\n".join(lines)] if lines else []),
    ]


def _change(recommendation: Recommendation) -> str:
    before, now = getattr(recommendation.evidence, "first_before", ""), str(recommendation.best.candidate)
    if not before:
        return "No candidate has a history: the list rests on them alone."
    if before == now:
        return "They left the first choice as it was."
    return f"Before them {before} was the first choice."


def _trials(place: RankedCandidate) -> str:
    return ", ".join(
        f"{format_score(trial.score)} on {trial.n_train:,} rows ({trial.repetitions} x, "
        f"{format_seconds(trial.seconds)})"
        for trial in place.trials
    )


def _neighbour_section(recommendation: Recommendation) -> list[str]:
    if not recommendation.neighbours:
        return []
    lines = [
        f"- {near.name}{f' (OpenML {near.dataset_id})' if near.dataset_id else ''}, {near.n_train:,} rows, "
        f"{near.weight:.0%} of the answer: {near.winner} did best there"
        for near in recommendation.neighbours
    ]
    return ["## Nearest known tasks, and what they taught", "\n".join(lines)]


def _influence_section(recommendation: Recommendation) -> list[str]:
    if not recommendation.influences:
        return []
    lines = [
        f"- `{item.name}` = {item.value:.4g} (known tasks: median {item.typical:.4g}), "
        f"{item.share:.0%} of the decisions"
        for item in recommendation.influences
    ]
    return ["## Meta-features that mattered", "\n".join(lines)]


def _excluded_section(recommendation: Recommendation) -> list[str]:
    if not recommendation.excluded:
        return []
    lines = [f"- {name}: {reason}" for name, reason in recommendation.excluded.items()]
    return ["## Excluded", "\n".join(lines)]


def html(recommendation: Recommendation) -> str:
    """Return a small HTML table for notebooks."""
    head = "".join(f"<th>{html_escape.escape(cell)}</th>" for cell in _header(recommendation))
    body = "".join(
        "<tr>" + "".join(f"<td>{html_escape.escape(cell)}</td>" for cell in _cells(place)) + "</tr>"
        for place in recommendation.ranking
    )
    notes = "".join(f"<p><small>{html_escape.escape(note)}</small></p>" for note in recommendation.notes)
    caption = html_escape.escape(headline(recommendation))
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def plot(recommendation: Recommendation, ax: Axes | None = None) -> Axes:
    """Draw expected scores with their intervals, best on top."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ParameterError("plot() needs matplotlib: pip install 'autometa-ml[plot]'.") from error
    if ax is None:
        _, ax = pyplot.subplots(figsize=(7, 0.4 * len(recommendation.ranking) + 1.2), layout="constrained")
    known = [place for place in recommendation.ranking if not math.isnan(place.expected_score)]
    labels = [f"{place.rank}. {place.candidate.strategy}: {format_configuration(place)[:60]}" for place in known]
    positions = range(len(known))
    for position, place in zip(positions, known, strict=True):
        ax.plot([place.low, place.high], [position, position], color="tab:blue", alpha=0.5, linewidth=3)
        ax.plot([place.expected_score], [position], "o", color="tab:blue")
    ax.set_yticks(list(positions), labels, fontsize="small")
    ax.invert_yaxis()
    ax.set_xlabel(f"expected {recommendation.task.metric} (80 % interval)")
    ax.set_title(f"{recommendation.task.name}: {recommendation.task.n_samples:,} rows", fontsize="medium")
    ax.grid(axis="x", alpha=0.3)
    return ax
