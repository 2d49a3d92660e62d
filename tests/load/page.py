"""Writes what the load run found into docs/performance.md."""

from __future__ import annotations

from collections.abc import Callable

from tests import measured
from tests.load.run import CLOSING, OPENING, SENDING, Found, Load
from tests.measured import Ratio

# What a page or a close may take, as a share of what it takes with the fewest rounds stored.
MOST = 1.2


def bars(found: Found) -> list[Ratio]:
    """Return what all set-ups together are held to."""
    every = [load for loads in found.values() for load in loads.values()]
    ratios = [
        Ratio("Errors", sum(len(load.errors) for load in every), 0, ""),
        Ratio("Lost answers", sum(load.lost for load in every), 0, ""),
    ]
    for setup, loads in found.items():
        few, many = loads[min(loads)], loads[max(loads)]
        ends = f"{max(loads):,} / {min(loads):,} rounds"
        page, ratio = max(_growth(few, many).items(), key=lambda item: item[1])
        ratios += [
            Ratio(f"{setup}: page that grows most ({page}), {ends}", ratio, MOST),
            Ratio(
                f"{setup}: closing a round, {ends}",
                many.median(CLOSING) / few.median(CLOSING),
                MOST,
            ),
        ]
    return ratios


def write(found: Found) -> None:
    """Write the tables of all set-ups."""
    parts = [f"Machine: {measured.machine()}.", measured.held(bars(found))]
    for setup, loads in found.items():
        parts += [f"### {setup}", _loads(loads), _pages(loads)]
    measured.write("load", "\n\n".join(parts))


def _growth(few: Load, many: Load) -> dict[str, float]:
    return {page: many.pages[page] / few.pages[page] for page in few.pages}


def _loads(loads: dict[int, Load]) -> str:
    rows: dict[str, Callable[[Load], str]] = {
        "Journeys": lambda load: f"{load.journeys}",
        "Journeys a second": lambda load: f"{load.journeys / load.seconds:.2f}",
        "CPU of a journey, all processes, ms": lambda load: f"{_cpu(load):.0f}",
        "Requests a second": lambda load: f"{load.requests / load.seconds:.0f}",
        "Request, p50, ms": lambda load: f"{load.percentile(0.5):.1f}",
        "Request, p99, ms": lambda load: f"{load.percentile(0.99):.1f}",
        "Errors": lambda load: f"{len(load.errors)}",
        "Lost answers": lambda load: f"{load.lost}",
        "Database, MB": lambda load: f"{load.stored_mb:.0f}",
        "Memory, MB": lambda load: f"{load.memory_mb:.0f}",
        **{f"{name}, ms": _usual(name) for name in (OPENING, SENDING, CLOSING)},
        "Daily work, CPU seconds": lambda load: f"{load.daily_seconds:.1f}",
    }
    return measured.table(
        ["Rounds that collect", *(f"{size:,}" for size in loads)],
        (_row(name, [tell(load) for load in loads.values()]) for name, tell in rows.items()),
    )


def _usual(work: str) -> Callable[[Load], str]:
    return lambda load: f"{load.median(work):.1f}"


def _cpu(load: Load) -> float:
    return load.cpu_seconds / load.journeys * 1000


def _pages(loads: dict[int, Load]) -> str:
    few, many = loads[min(loads)], loads[max(loads)]
    growth = _growth(few, many)
    return measured.table(
        ["Page, median ms", *(f"{size:,}" for size in loads), "Growth"],
        (
            _row(page, [*(f"{load.pages[page]:.1f}" for load in loads.values()), f"{ratio:.2f} ×"])
            for page, ratio in growth.items()
        ),
    )


def _row(name: str, values: list[str]) -> str:
    return "| " + " | ".join([name, *values]) + " |"
