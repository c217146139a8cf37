"""The report: what it says, in HTML and in Markdown."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from autometa.components.leaderboard import make_leaderboard
from autometa.components.leaderboard.report import render_html, render_markdown, wording
from autometa.components.leaderboard.report.diagrams import rank_diagram, time_diagram, whiskers
from autometa.components.leaderboard.resampling import Interval
from tests.results_tables import fail, results_table

HOSTILE = "<script>alert(1)</script>|`x`[y](z)"
VOID = {"meta", "input", "br", "link", "img"}


def hostile_board(metric="log_loss", **arguments):
    draw = np.random.default_rng(0)
    losses = {name: draw.random(8) + 0.3 * k for k, name in enumerate(["plain", HOSTILE, "slow & sure"])}
    table = results_table(losses, metric=metric, n_folds=5, spread=0.01)
    table.loc[table["system"] == "slow & sure", "fit_seconds"] = 5_000.0
    table = fail(table, HOSTILE, 2, message="<img src=x onerror=alert(2)> | two\nlines")
    return make_leaderboard(table, metric, **arguments)


class Page(HTMLParser):
    """Tags in balance, what loads something, and the texts of the cells by section."""

    def __init__(self, html):
        super().__init__()
        self.open, self.loads, self.cells, self.section = [], [], {}, ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if given.get("src") or (tag == "link") or (tag != "a" and given.get("href")):
            self.loads.append(given)
        if tag == "section":
            self.section = given["id"]
        if tag == "tr":
            self.cells.setdefault(self.section, []).append([])
        if tag in ("td", "th"):
            self.cells[self.section][-1].append("")

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data):
        if {"td", "th"} & set(self.open) and data.strip():
            self.cells[self.section][-1][-1] += data


@pytest.fixture(scope="module")
def page():
    return Page(render_html(hostile_board()))


def test_every_tag_is_closed(page):
    assert page.open == []


def test_the_page_loads_nothing():
    html = render_html(hostile_board())
    assert Page(html).loads == []
    assert not re.search(r"url\(|@import|https?://|fetch\(|XMLHttpRequest", html)
    assert "default-src 'none'" in html


def test_names_and_reasons_of_others_are_text(page):
    html = render_html(hostile_board())
    assert "<script>alert" not in html
    assert "<img" not in html
    assert html.count("<script>") == 1
    assert [row[1] for row in page.cells["leaderboard"][1:]] == ["plain", HOSTILE, "slow & sure"]


def test_failures_stand_with_their_reason(page):
    system, status, n_cells, reason, datasets = page.cells["failures"][1]
    assert (system, status, n_cells, datasets) == (HOSTILE, "timeout", "5", "data-002")
    assert reason.startswith("<img src=x")


def test_without_failures():
    html = render_html(make_leaderboard(results_table({"a": [0.1, 0.2], "b": [0.2, 0.3]})))
    assert "No cell failed." in html


def test_tasks_show_scores_marks_and_failures(page):
    rows = {row[0]: row for row in page.cells["tasks"][1:]}
    assert len(rows) == 8
    assert "5/5" in rows["data-002"][6]
    assert sum("▼" in text for row in rows.values() for text in row) > 0


@pytest.mark.parametrize(("metric", "direction"), [("log_loss", "lower"), ("accuracy", "higher")])
def test_it_says_what_is_compared_and_how(metric, direction):
    for text in (render_html(hostile_board(metric)), render_markdown(hostile_board(metric)).replace("\\", "")):
        assert f"{metric}, {direction} is better" in text
        assert "official: those that OpenML defines" in text
        assert "8 tasks, 5 splits a task" in text
        assert "gets the worst value that any system has on that split" in text
        assert "A split on which some system has no row is left out" in text


@pytest.mark.parametrize(("n_folds", "said"), [(1, ["–", "–"]), (5, ["0", "2"])])
def test_what_one_split_a_task_cannot_tell_is_not_said(n_folds, said):
    losses = {"a": [0.1, 0.2], "b": [0.8, 0.9]}
    board = make_leaderboard(results_table(losses, n_folds=n_folds, spread=0.01), reference="a")
    html = render_html(board)
    assert Page(html).cells["duels"][1][6:8] == said
    assert ("disabled" in html) == (n_folds == 1)
    assert f"| {said[0]} | {said[1]} |" in render_markdown(board)


def test_a_long_description_of_what_was_chosen_is_cut_and_whole_in_its_title():
    long = "xgboost{" + "x" * 200 + "}"
    html = render_html(make_leaderboard(results_table({"a": [0.1, 0.2], "b": [0.2, 0.3]}).assign(chosen=long)))
    assert html.count(f'title="{long}"') == 2
    assert all(long not in cell for row in Page(html).cells["provenance"] for cell in row)


def test_own_splits_are_marked():
    board = make_leaderboard(results_table({"a": [0.1, 0.2], "b": [0.2, 0.3]}, split_source="own"))
    for text in (render_html(board), render_markdown(board)):
        assert "not comparable with results on official splits" in text


def test_different_machines_are_mentioned():
    table = results_table({"a": [0.1, 0.2], "b": [0.2, 0.3]})
    assert "machines of different kinds" not in render_html(make_leaderboard(table))
    table.loc[table["system"] == "b", "cores"] = 64
    assert "machines of different kinds" in render_html(make_leaderboard(table))


def test_few_tasks_are_mentioned():
    for n_tasks, said in ((9, True), (10, False)):
        board = make_leaderboard(results_table({"a": [0.1] * n_tasks, "b": [0.2] * n_tasks}))
        assert ("too narrow" in render_html(board)) == said


def test_differences_have_the_metrics_sign():
    """A system that is better has a positive difference of accuracy and a negative one of log loss."""
    for metric, sign in (("accuracy", "+"), ("log_loss", "−")):
        values = {"good": [0.9, 0.8, 0.9], "base": [0.5, 0.5, 0.4]}
        if metric == "log_loss":
            values = {"base": values["good"], "good": values["base"]}
        board = make_leaderboard(results_table(values, metric=metric), metric, reference="base")
        row = Page(render_html(board)).cells["duels"][1]
        assert row[0] == "good"
        assert row[1].startswith(sign)
        low, high = (float(end.replace("−", "-")) for end in row[2].split(" to "))
        assert low <= float(row[1].replace("−", "-")) <= high
        assert row[1] in render_markdown(board)


def test_title_is_suite_and_metric_unless_given():
    board = hostile_board()
    assert "<title>toy: log_loss</title>" in render_html(board)
    assert "<h1>Mine &amp; yours</h1>" in render_html(board, "Mine & yours")
    assert render_markdown(board, "Mine").startswith("# Mine\n")


def test_one_task_and_two_systems_make_a_page():
    board = make_leaderboard(results_table({"a": [0.1], "b": [0.2]}))
    html = render_html(board)
    assert not re.search(r"\bnan\b|\bNone\b", html)
    assert 'id="ranks"' not in html
    assert "nothing to test" in render_markdown(board)


def test_markdown_tables_have_as_many_cells_in_every_row():
    text = render_markdown(hostile_board())
    widths = []
    for line in text.splitlines():
        if line.startswith("|"):
            widths.append(len(re.split(r"(?<!\\)\|", line)) - 2)
        elif widths:
            assert len(set(widths)) == 1
            widths = []
    assert "<script>" not in text.replace("\\<", "")


def test_markdown_makes_no_links_and_no_characters_of_the_texts_of_others():
    message = "see https://example.org/a or www.example.org, &#60;b&#62;"
    table = fail(results_table({"a": [0.1, 0.2], "b": [0.2, 0.3]}), "a", 0, message=message)
    text = render_markdown(make_leaderboard(table))
    assert not re.search(r"://|www\.|(?<!\\)&#", text)
    assert message in re.sub(r"\\(.)", r"\1", text)


def test_marks_of_the_rank_diagram_are_at_their_ranks():
    board = hostile_board()
    diagram = rank_diagram(board)
    unit = (diagram.axis.x2 - diagram.axis.x1) / 2  # the axis is from 1 to 3
    expected = [diagram.axis.x1 + (one.mean_rank.value - 1) * unit for one in board.standings]
    assert [mark.x for mark in diagram.marks] == pytest.approx(expected)
    assert [mark.label.text for mark in diagram.marks] == ["plain", "<script>alert(1)<…|`x`[y](z)", "slow & sure"]
    for bar, group in zip(diagram.groups, board.significance.groups, strict=True):
        assert bar.x1 < expected[group[0]] <= expected[group[-1]] < bar.x2


def test_the_front_has_who_is_best_in_the_time():
    table = results_table({"fast": [0.3] * 5, "good": [0.1] * 5, "bad": [0.4] * 5, "same": [0.2] * 5})
    for system, seconds in {"fast": 1.0, "good": 100.0, "bad": 50.0, "same": 100.0}.items():
        table.loc[table["system"] == system, "fit_seconds"] = seconds
    found = {point.label.text: point for point in time_diagram(make_leaderboard(table)).points}
    assert {name for name, point in found.items() if point.on_front} == {"fast", "good"}
    assert found["fast"].x < found["bad"].x < found["good"].x == found["same"].x
    assert found["good"].y < found["same"].y < found["fast"].y < found["bad"].y


def test_without_times_there_is_no_diagram_of_them():
    board = make_leaderboard(results_table({"a": [0.1, 0.2], "b": [0.2, 0.3]}).assign(fit_seconds=np.nan))
    assert time_diagram(board) is None
    assert 'id="time"' not in render_html(board)


def test_whiskers_share_a_scale():
    first, second = whiskers([Interval(10, 0, 20), Interval(15, np.nan, np.nan)])
    assert (first.x1, first.x, first.x2) == (3, 50, 97)
    assert (second.x, second.x1) == (73.5, None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12.3 ms"), (2.5, "2.5 s"), (90, "1.5 min"), (7200, "2 h"), (np.nan, "–")],
)
def test_durations(seconds, text):
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(36_864, "36 KiB"), (5e8, "477 MiB"), (2**31, "2 GiB"), (np.nan, "–")])
def test_memory(size, text):
    assert wording.memory(size) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.1235"), (-0.5, "−0.5000"), (12.345, "12.35"), (0.0, "0.0000"), (1e-5, "1e−05"), (np.nan, "–")],
)
def test_scores(value, text):
    assert wording.score(value) == text


def test_minus_zero_has_no_sign():
    assert wording.number(-0.001, 2) == "0.00"
