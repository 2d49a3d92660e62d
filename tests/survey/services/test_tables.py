"""A table is taken whole, or every fault in it is named with row, column and reason."""

import pytest

from survey.services.tables import TableInvalid, read_table


def faults(content: bytes) -> list[str]:
    with pytest.raises(TableInvalid) as refused:
        read_table(content, required=["name", "email"], optional=["roles"])
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize(
    "content",
    [
        b"name,email\nAda,ada@example.org\n",
        b"\xef\xbb\xbfEmail;Name\r\nada@example.org;Ada\r\n\r\n;\r\n",
        b"name\temail\n Ada \t ada@example.org",
        b'name,email\n"Ada","ada@example.org"\n',
    ],
)
def test_usual_ways_to_write_a_table_are_understood(content):
    [row] = read_table(content, required=["name", "email"])

    assert row.values == {"name": "Ada", "email": "ada@example.org"}
    assert row.number == 2


def test_a_row_is_counted_as_a_spreadsheet_counts_it():
    content = b'name,email\n"Ada\nExample",ada@example.org\nBert,bert@example.org\n'

    assert [row.number for row in read_table(content, ["name", "email"])] == [2, 3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"name\nAda\n", "row 1, email: this heading is missing"),
        (b"name,email,phone\n", "row 1, phone: no heading here"),
        (b"name,email,email\n", "row 1, email: this heading is there twice"),
        (b"name,email\nAda\n", "row 2, row: 1 cells where there are 2 headings"),
        (
            "name,email\nJürgen,j@example.org\n".encode("latin-1"),
            "row 2, row: this is not text in UTF-8",
        ),
        ("name,email\n".encode("utf-16"), "row 1, row: this is not text in UTF-8"),
        (b"name,email\nA\0da,a@example.org\n", "row 2, row: this is not text in UTF-8"),
        (b'name,email\n"Ada,ada@example.org\n', "quotation marks"),
    ],
)
def test_a_fault_names_its_place(content, said):
    assert any(fault.startswith(said) or said in fault for fault in faults(content))
