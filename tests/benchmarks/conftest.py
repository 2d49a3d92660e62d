"""Gathers ratios of things measured side by side in one run, and writes the page about them."""

from __future__ import annotations

import gc
import os

import pytest

from reports.release import Release
from tests import measured
from tests.measured import Ratio

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
    seconds = (f"| {name} | {value:.3f} |" for name, value in SECONDS.items())
    behind = measured.table(["Behind it", "Seconds, median"], seconds)
    text = f"Machine: {measured.machine()}.\n\n{measured.held(RATIOS)}\n\n{behind}"
    measured.write("measured", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for each in RATIOS:
        terminalreporter.write_line(each.row())
