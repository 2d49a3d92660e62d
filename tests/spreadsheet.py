"""Opens tables as spreadsheets do, and tells which cells they would work out or follow."""

from __future__ import annotations

import csv
import io
import zipfile

import openpyxl

SEPARATORS = ",;\t|"
# The first letter by which spreadsheets know a formula, in full width as well.
BEGINNINGS = tuple("=+-@＝＋－＠")


def worked_out(content: bytes) -> list[str]:
    """Return the cells of a CSV file that some spreadsheet takes for formulas.

    Which separator it expects depends on the country of whoever opens the file; read with
    another one than it was written with, cells begin in the middle of a text.
    """
    text = content.decode("utf-8-sig")
    cells = [
        cell.strip('\ufeff" \t\r\n')
        for separator in SEPARATORS
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        for cell in row
    ]
    return [cell for cell in cells if cell.startswith(BEGINNINGS) and not _is_number(cell)]


def formulas(content: bytes) -> list[str]:
    """Return the formulas of a workbook, and whatever in it points outside."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    found = [str(cell.value) for cell in cells if cell.data_type == "f"]
    found += [str(cell.hyperlink.target) for cell in cells if cell.hyperlink]
    return found + ["a reference"] * inside(content).count(b'TargetMode="External"')


def inside(content: bytes) -> bytes:
    """Return all parts of a workbook, unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return b"".join(parts.read(name) for name in parts.namelist())


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
