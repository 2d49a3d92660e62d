"""Gathers the table of attacks from all test processes, and prints or writes it at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.table import Line, Table

ROUNDS = int(os.environ.get("ROUNDS", "30"))
TABLE = Table(ROUNDS)
SENT = "attacks"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send this process's lines to the one that started it, if there is one."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[SENT] = [
            (line.group, line.attack, line.database, str(line.twin), str(line.product))
            for line in TABLE.lines
        ]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take the lines of a process that has finished."""
    TABLE.lines += [Line(*line) for line in getattr(node, "workeroutput", {}).get(SENT, ())]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, and write it where the environment says."""
    if TABLE.lines:
        terminalreporter.section("attacks")
        terminalreporter.write_line(TABLE.text())
    if document := os.environ.get("ATTACK_TABLE"):
        TABLE.write(Path(document))
