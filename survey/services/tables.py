"""Reads tables from CSV files; every fault is named with row, column and reason, all at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from survey.errors import Refused, marked

MOST_ROWS = 20_000
DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Fault:
    """One thing to mend in a table; row 1 holds the headings."""

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.reason}" if self.column else self.reason


class TableInvalid(Refused):
    """A table with faults; nothing of it was taken."""

    status = 422
    message = marked("The table was not taken. Mend these places and try again: %(faults)s")

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults="; ".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Row:
    """A row by heading, stripped, and where it stands."""

    number: int
    values: dict[str, str]


def read_table(content: bytes, required: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Return the rows of a CSV file with these headings, in any order.

    Commas, semicolons and tabs are understood; empty rows are passed over.
    Raises TableInvalid for a file that cannot be read so.
    """
    text = _decoded(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader]
    except csv.Error as error:
        raise TableInvalid([Fault(reader.line_num, "quotes", str(error))]) from None
    if not lines:
        raise TableInvalid([Fault(1, "", "the file is empty")])
    if len(lines) > MOST_ROWS:
        raise TableInvalid([Fault(len(lines), "", f"the file has more than {MOST_ROWS} rows")])
    headings = [heading.lower() for heading in lines[0][1]]
    _check_headings(headings, required, optional)
    return _rows(headings, lines[1:])


def _rows(headings: list[str], lines: list[tuple[int, list[str]]]) -> list[Row]:
    rows, faults = [], []
    for number, cells in lines:
        if not any(cells):
            continue
        if len(cells) != len(headings):
            said = f"has {len(cells)} cells where the headings have {len(headings)}"
            faults.append(Fault(number, "row", said))
        rows.append(Row(number, dict(zip(headings, cells, strict=False))))
    if faults:
        raise TableInvalid(faults)
    return rows


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise TableInvalid(
            [Fault(row, "encoding", "is not UTF-8; save the file as CSV in UTF-8")]
        ) from None
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise TableInvalid(
            [Fault(row, "encoding", "holds null bytes; save the file as CSV in UTF-8")]
        )
    return text


def _delimiter(text: str) -> str:
    heading = text.split("\n", 1)[0]
    return max(DELIMITERS, key=heading.count)


def _check_headings(headings: list[str], required: Sequence[str], optional: Sequence[str]) -> None:
    known = [*required, *optional]
    faults = [
        Fault(1, name, "this heading is missing") for name in required if name not in headings
    ]
    for name in dict.fromkeys(headings):
        if name not in known:
            faults.append(
                Fault(1, name or "(empty)", f"is no heading here; known: {', '.join(known)}")
            )
        elif headings.count(name) > 1:
            faults.append(Fault(1, name, "this heading is there twice"))
    if faults:
        raise TableInvalid(faults)
