"""Gathers ratios of things measured side by side in one run, and writes the page about them."""

from __future__ import annotations

import gc
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import pytest

from reports.release import Release

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


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
        return self.found >= self.bar if self.at_least else self.found <= self.bar

    def row(self) -> str:
        sign = "≥" if self.at_least else "≤"
        found, bar = (f"{value:.3g} {self.unit}" for value in (self.found, self.bar))
        return f"| {self.what} | {found} | {sign} {bar} | {'yes' if self.holds else '**no**'} |"


RATIOS: list[Ratio] = []
SECONDS: dict[str, float] = {}


@pytest.fixture
def ratio():
    """Note a ratio for the page, and hold it to its bar."""

    def note(*arguments, **more) -> None:
        found = Ratio(*arguments, **more)
        RATIOS.append(found)
        assert found.holds, found.row()

    return note


@pytest.fixture
def timed(benchmark):
    """Measure functions in turns, round by round, so that all meet the same machine."""

    def measure(rounds: int = 7, **functions) -> dict[str, float]:
        found: dict[str, list[float]] = {name: [] for name in functions}

        def once() -> None:
            for name, function in functions.items():
                gc.collect()
                found[name].append(function())

        benchmark.pedantic(once, rounds=rounds, warmup_rounds=1)
        medians = {name: sorted(times[1:])[rounds // 2] for name, times in found.items()}
        SECONDS.update(medians)
        return medians

    return measure


@pytest.fixture(scope="session")
def preview(tmp_path_factory) -> Release:
    """The release of the demonstration: twelve raters with comments."""
    from tests.benchmarks.bench_preview import demonstration

    return demonstration()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not RATIOS or not os.environ.get("BENCH_PAGE"):
        return
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    rows = "\n".join(each.row() for each in RATIOS)
    seconds = "\n".join(f"| {name} | {value:.3f} |" for name, value in SECONDS.items())
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    ratios = f"| What | Found | Bar | Held |\n|---|---|---|---|\n{rows}"
    behind = f"| Behind it | Seconds, median |\n|---|---|\n{seconds}"
    table = f"{BEGIN}\n\nMachine: {machine}.\n\n{ratios}\n\n{behind}\n\n{END}"
    PAGE.write_text(before + table + after, encoding="utf-8")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for each in RATIOS:
        terminalreporter.write_line(each.row())
