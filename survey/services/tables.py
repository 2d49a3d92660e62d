"""Tables that staff import; every fault is named with row, column and reason, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.sheets import MOST_ROWS, Line, Problem, SheetUnreadable, read_sheet
from survey.errors import Gettext, Refused, marked

UNREADABLE: dict[Problem, str] = {
    "empty": marked("The file is empty."),
    "not_utf8": marked("this is not text in UTF-8; save the file as CSV in UTF-8"),
    "quotes": marked("its quotation marks do not fit together"),
    "too_many_rows": marked("The file has more than %(most)s rows."),
    "too_many_columns": marked("more columns than any table here has"),
    "no_workbook": marked("This workbook cannot be opened; save it as XLSX or CSV again."),
}


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
    """Return the rows of a CSV file or workbook with these headings, in any order.

    Empty rows are passed over. Raises TableInvalid for a file that cannot be read so.
    """
    try:
        lines = read_sheet(content)
    except SheetUnreadable as error:
        reason = UNREADABLE[error.problem]
        raise TableInvalid([Fault(error.row, "row", Refused(reason, most=MOST_ROWS))]) from None
    headings = [heading.lower() for heading in lines[0].cells]
    _check_headings(headings, required, optional)
    return _rows(headings, lines[1:])


def _rows(headings: list[str], lines: Sequence[Line]) -> list[Row]:
    rows, faults = [], []
    for line in lines:
        if not any(line.cells):
            continue
        if len(line.cells) != len(headings):
            reason = Refused(
                marked("%(there)s cells where there are %(headings)s headings"),
                there=len(line.cells),
                headings=len(headings),
            )
            faults.append(Fault(line.number, "row", reason))
        rows.append(Row(line.number, dict(zip(headings, line.cells, strict=False))))
    if faults:
        raise TableInvalid(faults)
    return rows


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
