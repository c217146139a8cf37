"""The command line: parse, call a public function, render."""

from __future__ import annotations

from autometa.cli.application import main

__all__ = ["main"]
