"""The table of attacks: what each came to on the twin and on the product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.attacks.score import Leaks, Score

BEGIN, END = "<!-- table of attacks: begin -->", "<!-- table of attacks: end -->"
GROUPS = ("storage", "custody", "network and logs", "results", "links and accounts", "documents")
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "": ""}


@dataclass(frozen=True)
class Line:
    """One attack on one kind of database (or on none in particular)."""

    group: str
    attack: str
    database: str
    twin: Score | Leaks | str
    product: Score | Leaks | str


@dataclass
class Table:
    """All attacks of this run."""

    rounds: int
    lines: list[Line] = field(default_factory=list)

    def contest(
        self,
        group: str,
        attack: Callable[[Any], Sequence[object]],
        twin: Any,
        product: Any,
        database: str = "",
    ) -> tuple[Sequence[object], Sequence[object]]:
        """Run an attack on both, note what it came to, and return what it found on each."""
        on_twin = attack(twin)
        on_product = attack(product)
        name = attack.__name__.replace("_", " ")
        self.add(group, name, database, Leaks.of(on_twin), Leaks.of(on_product))
        return on_twin, on_product

    def add(
        self, group: str, attack: str, database: str, twin: Score | Leaks, product: Score | Leaks
    ) -> None:
        """Note what an attack came to."""
        self.lines.append(Line(group, attack, database, twin, product))

    def text(self) -> str:
        """Return the table in Markdown, group by group."""
        attacks = len({(line.group, line.attack) for line in self.lines})
        told = [f"{attacks} attacks; those on storage over {self.rounds} simulated rounds.", ""]
        for group in GROUPS:
            lines = [line for line in self.lines if line.group == group]
            if lines:
                told += [f"### {group.capitalize()}", "", *_rows(lines), ""]
        return "\n".join(told)

    def write(self, document: Path) -> None:
        """Put the table into a document, between its marks."""
        before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        text = f"{before}{BEGIN}\n\n{self.text()}\n{END}{after}"
        document.write_text(text, encoding="utf-8")


def _rows(lines: Sequence[Line]) -> list[str]:
    if not any(line.database for line in lines):
        rows = ["| Attack | On the twin | On the product |", "|---|---|---|"]
        return rows + [f"| {line.attack} | {line.twin} | {line.product} |" for line in lines]
    rows = ["| Attack | Database | On the twin | On the product |", "|---|---|---|---|"]
    return rows + [
        f"| {line.attack} | {DATABASES[line.database]} | {line.twin} | {line.product} |"
        for line in lines
    ]
