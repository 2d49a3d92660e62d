"""Reads tables from CSV files; every fault is named with row, column and reason, all at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from survey.errors import Gettext, Refused, marked

MOST_ROWS = 20_000
DELIMITERS = ",;\t"


class Fault(Refused):
    """One thing to mend in a table; row 1 holds the headings, and row 0 is the whole file."""

    message = marked("row %(row)s, %(column)s: %(reason)s")

    def __init__(self, row: int, column: str, reason: Refused) -> None:
        super().__init__()
        self.row, self.column, self.reason = row, column, reason

    def said(self, gettext: Gettext) -> str:
        """Return place and reason in a language."""
        reason = self.reason.said(gettext)
        if not self.row:
            return reason
        return gettext(self.message, row=self.row, column=self.column, reason=reason)


class TableInvalid(Refused):
    """A table with faults; nothing of it was taken."""

    status = 422
    message = marked("The table was not taken. Mend these places and try again: %(faults)s")

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = tuple(faults)

    def said(self, gettext: Gettext) -> str:
        """Return all faults in a language."""
        faults = "; ".join(fault.said(gettext) for fault in self.faults)
        return gettext(self.message, faults=faults)


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
        reason = Refused(marked("its quotation marks do not fit together"))
        raise TableInvalid([Fault(reader.line_num, "row", reason)]) from error
    if not lines:
        raise TableInvalid([Fault(0, "", Refused(marked("The file is empty.")))])
    if len(lines) > MOST_ROWS:
        reason = Refused(marked("The file has more than %(most)s rows."), most=MOST_ROWS)
        raise TableInvalid([Fault(0, "", reason)])
    headings = [heading.lower() for heading in lines[0][1]]
    _check_headings(headings, required, optional)
    return _rows(headings, lines[1:])


def _rows(headings: list[str], lines: list[tuple[int, list[str]]]) -> list[Row]:
    rows, faults = [], []
    for number, cells in lines:
        if not any(cells):
            continue
        if len(cells) != len(headings):
            reason = Refused(
                marked("%(there)s cells where there are %(headings)s headings"),
                there=len(cells),
                headings=len(headings),
            )
            faults.append(Fault(number, "row", reason))
        rows.append(Row(number, dict(zip(headings, cells, strict=False))))
    if faults:
        raise TableInvalid(faults)
    return rows


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise TableInvalid([Fault(row, "row", _not_utf8())]) from None
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise TableInvalid([Fault(row, "row", _not_utf8())])
    return text


def _not_utf8() -> Refused:
    return Refused(marked("this is not text in UTF-8; save the file as CSV in UTF-8"))


def _delimiter(text: str) -> str:
    heading = text.split("\n", 1)[0]
    return max(DELIMITERS, key=heading.count)


def _check_headings(headings: list[str], required: Sequence[str], optional: Sequence[str]) -> None:
    known = [*required, *optional]
    faults = [
        Fault(1, name, Refused(marked("this heading is missing")))
        for name in required
        if name not in headings
    ]
    for name in dict.fromkeys(headings):
        if name not in known:
            reason = Refused(marked("no heading here; known: %(known)s"), known=", ".join(known))
            faults.append(Fault(1, name or "–", reason))
        elif headings.count(name) > 1:
            faults.append(Fault(1, name, Refused(marked("this heading is there twice"))))
    if faults:
        raise TableInvalid(faults)
