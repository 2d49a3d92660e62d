"""Reads a table from a CSV file or a workbook (XLSX) as rows of text."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Literal

MOST_ROWS = 20_000
MOST_COLUMNS = 1_000
LARGEST_UNPACKED = 100_000_000
DELIMITERS = ",;\t"
ZIP = b"PK\x03\x04"

Problem = Literal["empty", "not_utf8", "quotes", "too_many_rows", "too_many_columns", "no_workbook"]


class SheetUnreadable(ValueError):
    """A file is no table; `row` is where it shows, or 0 for the whole file."""

    def __init__(self, problem: Problem, row: int = 0) -> None:
        super().__init__(f"row {row}: {problem}")
        self.problem, self.row = problem, row


@dataclass(frozen=True)
class Line:
    """One row, its cells stripped, and its number as a spreadsheet counts."""

    number: int
    cells: list[str]


def read_sheet(content: bytes) -> list[Line]:
    """Return the rows of a CSV file in UTF-8 or of a workbook's first sheet, headings first.

    Commas, semicolons and tabs are understood. A formula in a workbook is read as the
    text that was typed. Raises SheetUnreadable.
    """
    lines = _workbook(content) if content.startswith(ZIP) else _csv(content)
    if not lines:
        raise SheetUnreadable("empty")
    return lines


def _csv(content: bytes) -> list[Line]:
    text = _decoded(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    lines: list[Line] = []
    try:
        for number, cells in enumerate(reader, start=1):
            _limit(number, len(cells))
            lines.append(Line(number, [cell.strip() for cell in cells]))
    except csv.Error:
        raise SheetUnreadable("quotes", len(lines) + 1) from None
    return lines


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetUnreadable("not_utf8", content[: error.start].count(b"\n") + 1) from None
    if "\0" in text:
        raise SheetUnreadable("not_utf8", text[: text.index("\0")].count("\n") + 1)
    return text


def _delimiter(text: str) -> str:
    """Return what separates the headings; a heading in quotation marks may hold any of them."""
    heading = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
    return max(DELIMITERS, key=heading.count)


def _workbook(content: bytes) -> list[Line]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > LARGEST_UNPACKED:
                raise SheetUnreadable("too_many_rows")
        book = load_workbook(io.BytesIO(content), read_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        lines = []
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            _limit(number, len(values))
            lines.append(Line(number, [_text(value) for value in values]))
    except SheetUnreadable:
        raise
    # A broken or hostile workbook fails anywhere in the library, in many ways.
    except Exception:
        raise SheetUnreadable("no_workbook") from None
    return _trimmed(lines)


def _trimmed(lines: list[Line]) -> list[Line]:
    """Cut what spreadsheets keep beyond the table: empty rows and columns at its end."""
    while lines and not any(lines[-1].cells):
        lines.pop()
    width = max((n for line in lines for n, cell in enumerate(line.cells, 1) if cell), default=0)
    return [
        Line(line.number, line.cells[:width] + [""] * (width - len(line.cells))) for line in lines
    ]


def _limit(rows: int, columns: int) -> None:
    if rows > MOST_ROWS:
        raise SheetUnreadable("too_many_rows")
    if columns > MOST_COLUMNS:
        raise SheetUnreadable("too_many_columns", rows)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case date() | time():
            return value.isoformat()
        case _:
            return str(value).strip()
