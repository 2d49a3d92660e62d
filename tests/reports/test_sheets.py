"""Tables from CSV files and workbooks come out alike; what is none is refused with its place."""

import io
import zipfile
from datetime import date

import openpyxl
import pytest

from reports.sheets import SheetUnreadable, read_sheet


def cells(content: bytes) -> list[list[str]]:
    return [line.cells for line in read_sheet(content)]


def workbook(rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


ROWS = [["relationship", "MM01", "OP1"], ["peer", "4", "=SUM(1) is how it feels"]]


@pytest.mark.parametrize(
    "content",
    [
        b"relationship,MM01,OP1\npeer,4,=SUM(1) is how it feels\n",
        b"\xef\xbb\xbfrelationship;MM01;OP1\r\npeer;4;=SUM(1) is how it feels\r\n",
        b'"relationship"\t"MM01"\t"OP1"\n"peer"\t" 4 "\t"=SUM(1) is how it feels"',
        workbook([["relationship", "MM01", "OP1"], ["peer", 4, "=SUM(1) is how it feels"]]),
        # What spreadsheets keep beyond a table.
        workbook([["relationship", "MM01", "OP1", None], ["peer", 4.0, ROWS[1][2]], [None], [""]]),
    ],
)
def test_a_table_is_the_same_however_it_was_saved(content):
    assert cells(content) == ROWS


def test_headings_may_hold_any_separator():
    content = b'"When, and how often, and why?";"Who, then?"\n1;2\n'

    assert cells(content) == [["When, and how often, and why?", "Who, then?"], ["1", "2"]]


def test_rows_are_numbered_as_a_spreadsheet_does():
    content = b'name,said\nAda,"two\nlines"\n\nBert,one\n'

    assert [line.number for line in read_sheet(content)] == [1, 2, 3, 4]


def test_a_workbooks_days_and_truths_are_text():
    content = workbook([["a", "b"], [date(2026, 11, 22), True]])

    assert cells(content)[1] == ["2026-11-22T00:00:00", "true"]


def broken() -> bytes:
    return workbook(ROWS)[:1000]


def inflated() -> bytes:
    content = io.BytesIO(workbook(ROWS))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet2.xml", b"<x>" + b" " * 101_000_000)
    return content.getvalue()


def another_archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as parts:
        parts.writestr("hello.txt", "hello")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "problem", "row"),
    [
        (lambda: b"", "empty", 0),
        (lambda: workbook([]), "empty", 0),
        (lambda: "a,b\nJürgen,1\n".encode("latin-1"), "not_utf8", 2),
        (lambda: b"a,b\n1,\0\n", "not_utf8", 2),
        (lambda: b'a,b\n1,2\n"3,4\n', "quotes", 3),
        (lambda: b"a\n" * 20_001, "too_many_rows", 0),
        (lambda: b"a," * 1_001, "too_many_columns", 1),
        (broken, "no_workbook", 0),
        (another_archive, "no_workbook", 0),
        (inflated, "too_many_rows", 0),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(content, problem, row):
    with pytest.raises(SheetUnreadable) as refused:
        read_sheet(content())
    assert (refused.value.problem, refused.value.row) == (problem, row)


def test_entities_in_a_workbook_are_not_unfolded():
    """A thousand million letters from a few lines."""
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    sheet = f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{lines}]><x>&a8;</x>'
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(ROWS))) as parts,
        zipfile.ZipFile(content, "w") as spoilt,
    ):
        for name in parts.namelist():
            wanted = sheet.encode() if "sheet1" in name else parts.read(name)
            spoilt.writestr(name, wanted)

    with pytest.raises(SheetUnreadable, match=r"no_workbook|empty"):
        read_sheet(content.getvalue())
