"""What was measured beside one another in one run, and the page that says so."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


@dataclass(frozen=True)
class Ratio:
    """Something measured, and the bar it is held to."""

    what: str
    found: float
    bar: float
    unit: str = "×"
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Say whether the bar is met."""
        return self.found >= self.bar if self.at_least else self.found <= self.bar

    def row(self) -> str:
        """Return it as a row of the table."""
        sign = "≥" if self.at_least else "≤"
        found, bar = (f"{value:.3g} {self.unit}".strip() for value in (self.found, self.bar))
        return f"| {self.what} | {found} | {sign} {bar} | {'yes' if self.holds else '**no**'} |"


def held(ratios: Iterable[Ratio]) -> str:
    """Return the table of ratios and their bars."""
    return table(["What", "Found", "Bar", "Held"], (each.row() for each in ratios))


def table(heads: list[str], rows: Iterable[str]) -> str:
    """Return a table in Markdown."""
    return "\n".join(["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|", *rows])


def machine() -> str:
    """Say what all of it ran on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def write(block: str, text: str) -> None:
    """Write the text into the page, between the marks of this block."""
    begin, end = (f"<!-- {block}: {mark} -->" for mark in ("begin", "end"))
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.partition(begin)[0], page.partition(end)[2]
    PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
