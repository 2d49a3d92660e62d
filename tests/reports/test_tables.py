"""A release as tables: each figure where it belongs, and text that stays text."""

import csv
import io
import zipfile

import openpyxl
import pytest

from reports.preview import Preview
from reports.tables import NAMES, tables, to_csv, to_xlsx


@pytest.fixture
def preview(release, questionnaire):
    return Preview(release, questionnaire)


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_figures_stand_in_the_table_with_their_group_band_and_gap(preview):
    """The means by hand: peers say 2, 2, 2, 3, 3 and direct reports 2, 2, 3, 3."""
    found = {(row["key"], row["group"]): row for row in rows(to_csv(tables(preview)["figures"]))}
    assert len(found) == len(preview.release.figures)
    peers, others, own = (found["MM", of] for of in ("peer", "others", "self"))
    assert (peers["label"], peers["group_label"]) == ("Room to lead", "Peers")
    assert (peers["scope"], peers["n"], peers["mean"], peers["gap"]) == ("theme", "5", "2.4", "")
    assert (others["n"], others["mean"], others["gap"]) == ("9", "2.4", "1.6")
    assert (others["view"], others["field"], others["not_seen"]) == ("clear", "talk", "false")
    assert float(others["band_low"]) < 2.4 < float(others["band_high"])
    assert (own["group_label"], own["mean"], own["band_low"]) == ("Robin Sample", "4.0", "")
    assert found["MM01", "peer"]["label"] == preview.texts.items["MM01"].behaviour


def test_comments_words_and_groups_have_tables_of_their_own(preview):
    made = {name: rows(to_csv(table)) for name, table in tables(preview).items()}

    assert tuple(made) == NAMES
    assert {(row["group_label"], row["text"]) for row in made["comments"]} == {
        *{("", f"Peer's wish {n}") for n in range(3)},
        ("Your manager", "Bring me plans, not details."),
        *{("Robin Sample", text) for text in ("Let go.", "clear", "calm", "fair")},
    }
    assert {(row["word"].lower(), row["times"]) for row in made["words"]} == {
        ("calm", "4"), ("fast", "2"), ("precise", "2"), ("fair", "2"),
    }  # fmt: skip
    assert [(row["label"], row["asked"], row["n"]) for row in made["groups"]] == [
        ("Your manager", "1", "1"), ("Peers", "6", "5"), ("Direct reports", "4", "4"),
    ]  # fmt: skip
    about = {row["what"]: row["value"] for row in made["about"]}
    assert (about["leader"], about["closed_on"], about["smallest_group"]) == (
        "Robin Sample", "2026-11-22", "3",
    )  # fmt: skip


def test_the_workbook_holds_the_same_and_numbers_are_numbers(preview):
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(preview)))

    assert tuple(book.sheetnames) == NAMES
    for name, table in tables(preview).items():
        found = [tuple(cell.value for cell in row) for row in book[name].iter_rows()]
        assert found == [tuple(each if each != "" else None for each in row) for row in table]


def test_the_same_release_gives_the_same_bytes(preview):
    first, second = to_xlsx(preview), to_xlsx(preview)

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as parts:
        assert b"2026-11-22T00:00:00Z" in parts.read("docProps/core.xml")


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("=1+1", "'=1+1"),
        (" \t@SUM(A1)", " \t'@SUM(A1)"),
        ("＝1＋1", "'＝1＋1"),
        ('well;"=1+1', "well;\"'=1+1"),
        ("well\r\n-1", "well\r\n'-1"),
        ("a,+b", "a,'+b"),
        ("well-meant = good", "well-meant = good"),
        ("1 - 2, then 3", "1 - 2, then 3"),
    ],
)
def test_what_a_spreadsheet_would_work_out_gets_an_apostrophe(typed, held):
    [row] = rows(to_csv([("text",), (typed,)]))
    assert row["text"] == held


def test_numbers_below_zero_stay_numbers():
    assert to_csv([("gap",), (-0.5,)]).endswith(b'"gap"\r\n-0.5\r\n')


def test_a_text_that_no_cell_can_hold_is_never_dropped_in_silence(release, questionnaire):
    long = release.comments[0].model_copy(update={"texts": ("w" * 40_000,)})
    spoilt = release.model_copy(update={"comments": (long,)})

    with pytest.raises(ValueError, match="comments, row 2: too long"):
        to_xlsx(Preview(spoilt, questionnaire))
