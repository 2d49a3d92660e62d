"""Answers from a table: each where it belongs, and every fault with its place."""

from pathlib import Path

import pytest

from questionnaires.definition import SELF
from reports.answers import NO_CHANCE
from reports.collected import FileInvalid, Meaning, collect
from reports.sheets import Line, read_sheet

SAMPLES = Path(__file__).parents[1] / "samples"
LIMESURVEY = Meaning(
    relationship_column="REL",
    relationships={
        "PEER": "peer",
        "DR": "direct_report",
        "MGR": "manager",
        "SELF": "self",
    },
)
ITEMS = [f"{theme}0{n}" for theme in ("MM", "SA", "TR") for n in range(1, 10)]


def lines(rows) -> list[Line]:
    return [Line(number, list(cells)) for number, cells in enumerate(rows, start=1)]


@pytest.fixture
def read(questionnaire):
    """Read a table given as headings besides the items', and rows of their values."""

    def read(*rows, level="new_lead", meaning=None, items=ITEMS):
        first, *more = rows
        table = [[*first, *items], *([*row, *["3"] * len(items)] for row in more)]
        return collect(lines(table), questionnaire, level, meaning or Meaning())

    return read


@pytest.fixture
def faults(read):
    def faults(*rows, **more) -> list[str]:
        with pytest.raises(FileInvalid) as refused:
            read(*rows, **more)
        return [str(fault) for fault in refused.value.faults]

    return faults


@pytest.mark.parametrize("name", ["limesurvey-codes.csv", "limesurvey-codes.xlsx"])
def test_an_export_of_limesurvey_is_read_as_it_comes(questionnaire, name):
    """Fifteen invented raters, of whom one peer never sent the response (row 10)."""
    collected = collect(
        read_sheet((SAMPLES / name).read_bytes()), questionnaire, "new_lead", LIMESURVEY
    )
    relationships = [each.relationship for each in collected.answers]
    own = collected.answers[0]
    third = collected.answers[2]

    assert {name: relationships.count(name) for name in set(relationships)} == {
        "self": 1, "manager": 1, "peer": 6, "direct_report": 6,
    }  # fmt: skip
    assert (own.relationship, own.items["MM01"], own.items["TR09"]) == ("self", 4, 5)
    assert own.words == {"OP3S": ("clear", "curious", "dependable")}
    assert "MM02" not in third.items
    assert third.words["OP3"] == ("open", '"no-nonsense"', "quick")
    assert collected.answers[1].words["OP3"] == ("fair", "busy", "precise")
    assert collected.answers[3].words["OP2"][0].count("\n") == 3
    assert collected.answers[5].words["OP1"][0].startswith("=SUM(1) is how it feels")
    assert collected.notes == ("Begun but never sent, so not counted: row 10.",)


def test_an_export_with_whole_questions_says_how_to_export_again(questionnaire):
    content = (SAMPLES / "limesurvey-full-text.csv").read_bytes()
    with pytest.raises(FileInvalid) as refused:
        collect(read_sheet(content), questionnaire, "new_lead", LIMESURVEY)

    assert "Headings: Question code, Responses: Answer codes" in str(refused.value)


def test_our_own_headings_need_no_explanation(read):
    collected = read(
        ["rater", "relationship", "identified", "OP3", "OP1"],
        ["r1", "manager", "yes", "calm; fair", "More of\nthis."],
        ["r2", "peer", "", "", ""],
        ["", "self", "", "", ""],
    )
    manager, peer, own = collected.answers

    assert (manager.identified, peer.identified, own.identified) == (True, False, False)
    assert manager.words == {"OP3": ("calm", "fair", ""), "OP1": ("More of\nthis.",)}
    assert own.relationship == SELF
    assert collected.notes == ()


def test_skipped_and_not_observed_are_kept_apart(questionnaire):
    table = [["relationship", *ITEMS], ["peer", "NOBS", "", "nobs", *["5"] * 24]]
    [peer] = collect(lines(table), questionnaire, "new_lead", Meaning()).answers

    assert peer.items["MM01"] == peer.items["MM03"] == NO_CHANCE
    assert "MM02" not in peer.items
    assert peer.items["MM04"] == 5


def test_other_tools_say_what_their_headings_and_answers_mean(questionnaire):
    headings = ["Who?", "Q1", *ITEMS[1:], "Words[1]", "Words[2]"]
    meaning = Meaning(
        relationship_column="Who?",
        relationships={"A colleague": "peer"},
        columns={"Q1": "MM01", "Words[1]": "OP3[1]", "Words[2]": "OP3-2"},
        answers={"Often": "4", "Cannot say": "NOBS"},
    )
    table = [headings, ["A colleague", "Often", "Cannot say", *["3"] * 25, "calm", "fair"]]
    [peer] = collect(lines(table), questionnaire, "new_lead", meaning).answers

    assert (peer.relationship, peer.items["MM01"], peer.items["MM02"]) == ("peer", 4, NO_CHANCE)
    assert peer.words == {"OP3": ("calm", "fair", "")}


def test_what_is_not_used_is_said(read):
    collected = read(
        ["relationship", "Team", "OP4"],
        ["peer", "North", "A peer is not asked this."],
        level="self_leader",
    )

    assert collected.answers[0].words == {}
    assert collected.notes[0].startswith("Not asked at the level self_leader, so left out: MM02,")
    assert collected.notes[1] == "Columns that mean nothing here, so left out: Team."
    assert collected.notes[2].startswith("OP4: 1 left out. The questionnaire does not ask it of")


def test_every_fault_is_named_at_once_with_its_place(faults, questionnaire):
    table = [["rater", "relationship", "identified", "OP3", *ITEMS]]
    table.append(["a", "boss", "", "", "7", *["3"] * 26])
    table.append(["a", "", "perhaps", "one, two, three, four", "3.5", "x", *["3"] * 25])
    table.append(["b", "self", "", "w" * 25, *["3"] * 27])
    table.append(["c", "self", "", "", *["3"] * 26])
    table.append(["d", "self", "", "", *["3"] * 27])
    with pytest.raises(FileInvalid) as refused:
        collect(lines(table), questionnaire, "new_lead", Meaning())
    said = [str(fault) for fault in refused.value.faults]

    assert [fault.split(":")[0] for fault in said] == [
        "column relationship",
        "row 2, column relationship", "row 2, column MM01",
        "row 3, column relationship", "row 3, column identified", "row 3, column MM01",
        "row 3, column MM02", "row 3, column OP3", "row 3, column rater",
        "row 4, column OP3",
        "row 5",
    ]  # fmt: skip
    assert said[0].endswith("self is there more than once")
    assert "“boss” is no relationship; known: self, manager, peer, direct_report" in said[1]
    assert "“7” is no point of the scale, 1 to 5" in said[2]
    assert "the relationship is missing" in said[3]
    assert said[4].endswith("“perhaps” is neither yes nor no")
    assert said[7].endswith("4 words where 3 are asked for")
    assert said[8].endswith("“a” has answered in row 2 already")
    assert said[9].endswith("25 letters; at most 24 fit")
    assert said[10].endswith("30 cells where there are 31 headings")


def test_somebody_who_began_once_and_sent_later_is_there_once(read):
    collected = read(
        ["rater", "submitdate", "relationship"], ["a", "", "peer"], ["a", "1980-01-01", "peer"]
    )

    assert len(collected.answers) == 1
    assert collected.notes == ("Begun but never sent, so not counted: row 2.",)


def test_missing_headings_are_named(faults):
    assert faults(["Team"], ["North"], items=ITEMS[2:]) == [
        "row 1, column MM01: this column is missing; the level new_lead asks for it",
        "row 1, column MM02: this column is missing; the level new_lead asks for it",
        "row 1, column relationship: this column is missing; it says who each rater is to the "
        "leader (--relationship-column names another)",
    ]


def test_faults_of_headings_and_of_rows_are_named_together(faults):
    said = faults(["relationship", "MM01"], ["peer", "9"], items=ITEMS[2:])

    assert said == [
        "row 1, column MM02: this column is missing; the level new_lead asks for it",
        "row 2, column MM01: “9” is no point of the scale, 1 to 5; leave it empty if it was "
        "skipped, write NOBS for no chance to see",
    ]


def test_a_heading_twice_and_a_table_without_items_are_refused(faults):
    assert "row 1, column MM01: this heading is there twice" in faults(
        ["relationship", "MM01"], ["peer", "3"]
    )
    assert "no heading is the id of an item" in faults(["relationship"], ["peer"], items=[])[0]


def test_a_file_without_a_response_is_refused(faults):
    assert faults(["relationship"]) == ["there is no response in this file"]


def test_a_comment_beyond_all_measure_is_refused_and_a_long_one_is_kept(read, faults):
    assert faults(["relationship", "OP1"], ["peer", "w" * 10_001]) == [
        "row 2, column OP1: 10001 letters; at most 10000 fit"
    ]
    kept = read(["relationship", "OP1"], ["peer", "w" * 9_000]).answers[0]
    assert len(kept.words["OP1"][0]) == 9_000
