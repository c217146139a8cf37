"""Every code block of the README and the docs runs.

``python`` blocks of one document share a namespace; of a ``console`` block every line that starts with
``$ autometa`` is run as a process. A block below the comment ``<!-- not run: reason -->`` is only checked to
compile.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(
    r"(?P<skip><!-- not run: .+? -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    is_run: bool


def _blocks(document: Path) -> list[Block]:
    found = BLOCK.finditer(document.read_text(encoding="utf-8"))
    return [Block(match["language"], match["code"], match["skip"] is None) for match in found]


def _with(language: str) -> list[Path]:
    return [path for path in DOCUMENTS if any(block.language == language for block in _blocks(path))]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_no_placeholder_is_left(document: Path) -> None:
    left = [line for line in document.read_text(encoding="utf-8").splitlines() if "@@" in line]
    assert not left


@pytest.mark.parametrize("document", _with("python"), ids=_name)
def test_python_blocks_run(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__document__"}
    for block in _blocks(document):
        if block.language == "python":
            compiled = compile(block.code, str(document), "exec")
            if block.is_run:
                exec(compiled, namespace)


@pytest.mark.parametrize("document", _with("console"), ids=_name)
def test_commands_run(document: Path, tmp_path: Path) -> None:
    for block in _blocks(document):
        if block.language != "console" or not block.is_run:
            continue
        for line in block.code.splitlines():
            if line.startswith("$ autometa"):
                command = [sys.executable, "-m", "autometa", *shlex.split(line[2:], comments=True)[1:]]
                process = subprocess.run(
                    command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ}, check=False
                )
                assert process.returncode == 0, f"{line}\n{process.stderr}"
