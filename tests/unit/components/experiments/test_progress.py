from __future__ import annotations

import io
import logging

from rich.console import Console

from autometa.components.experiments import Progress


def test_a_terminal_gets_a_bar_with_the_time_left():
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with Progress(3, "Collecting", console=console) as progress:
        for status in ("ok", "timeout", "ok"):
            progress.advance(status)
    text = console.file.getvalue()
    assert "3/3" in text
    assert "left" in text
    assert "timeout 1" in text


def test_elsewhere_the_log_gets_a_line_now_and_then(caplog):
    console = Console(file=io.StringIO())
    with caplog.at_level(logging.INFO), Progress(2, "Collecting", console=console, log_seconds=0.0) as progress:
        progress.advance("ok")
        progress.advance("error")
    assert console.file.getvalue() == ""
    assert "Collecting: 1 of 2 done" in caplog.messages[0]
    assert "error 1" in caplog.messages[-1]
