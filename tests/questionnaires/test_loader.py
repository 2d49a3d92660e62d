"""A questionnaire is read whole, or every mistake in it is named with file, line and field."""

import shutil
from pathlib import Path

import pytest

from questionnaires import loader
from questionnaires.loader import Mistake, QuestionnaireInvalid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped questionnaire, to be spoilt."""
    copy = tmp_path / "technical_leader"
    shutil.copytree(loader.INSTRUMENTS / "technical_leader", copy)
    return copy


def mistakes(folder: Path) -> list[Mistake]:
    with pytest.raises(QuestionnaireInvalid) as refused:
        loader.read(folder)
    return refused.value.mistakes


def spoil(path: Path, old: str, new: str) -> int:
    """Replace the first `old` in a file and return the line it stood on."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_a_missing_name_is_found_with_file_line_and_field(folder):
    line = spoil(
        folder / "en.yaml", "other: Routine decisions have to wait for {name}'s", "other: X"
    )

    assert [str(mistake) for mistake in mistakes(folder)] == [
        f"technical_leader/en.yaml:{line}: items.MM03.other: {{name}} is missing"
    ]


def test_every_mistake_in_every_file_is_named_at_once(folder):
    lines = [
        spoil(folder / "questionnaire.yaml", 'key: "-"', "key: minus"),
        spoil(folder / "en.yaml", "label: Handing over", "lable: Handing over"),
        spoil(folder / "de.yaml", "language: de", "language: nl"),
    ]

    found = [(mistake.file, mistake.line, mistake.field) for mistake in mistakes(folder)]

    assert (
        "technical_leader/questionnaire.yaml",
        lines[0],
        "themes.MM.facets.MM1.items.MM02.key",
    ) in found
    assert ("technical_leader/en.yaml", lines[1], "facets.MM1.lable") in found
    assert ("technical_leader/en.yaml", lines[1] - 1, "facets.MM1.label") in found
    assert ("technical_leader/de.yaml", lines[2], "language") in found


def test_text_and_structure_must_hold_the_same_items(folder):
    spoil(folder / "en.yaml", "  TR09:\n", "  TR99:\n")

    assert [mistake.field + ": " + mistake.message for mistake in mistakes(folder)] == [
        "items: TR09 is missing",
        "items.TR99: there is no item TR99",
    ]


def test_an_unknown_hole_in_a_text_is_refused(folder):
    spoil(folder / "en.yaml", "Tries something visibly different", "Tries {idea} different")

    assert mistakes(folder)[0].message == "{idea} has no meaning here"


def test_an_id_must_not_come_twice(folder):
    spoil(folder / "questionnaire.yaml", "id: MM02", "id: MM01")

    assert "MM01 is there 2 times" in [mistake.message for mistake in mistakes(folder)]


@pytest.mark.parametrize("name", ["MM02", "OP1", "PU0"])
def test_the_id_of_what_is_asked_holds_a_digit(folder, name):
    """Or it might be an attribute of the form: a page with an item `data` could not be shown."""
    spoil(folder / "questionnaire.yaml", f"id: {name}", "id: data")

    assert any("'data' does not fit the pattern" in each.message for each in mistakes(folder))


def test_an_item_must_name_every_level(folder):
    spoil(folder / "questionnaire.yaml", ", senior_leader: asked}", "}")

    assert ("themes.MM.facets.MM1.items.MM01.levels", "senior_leader is missing") in [
        (mistake.field, mistake.message) for mistake in mistakes(folder)
    ]


def test_no_stays_a_word(folder):
    """YAML 1.1 would read the option `No` as false."""
    spoil(folder / "en.yaml", '"Yes, once", "No"', '"Yes, once", No')

    assert loader.read(folder).texts["en"].pulse.items["PU0"].options[2] == "No"


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (b"format: 1\nformat: 1\n", 'found duplicate key "format" with value "1"'),
        (b"format: [1\n", "expected ',' or ']'"),
        (b"- one\n", "should hold fields"),
        (b"", "should hold fields"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"a: &a [1, 2]\nb: *a\n", "aliases (*) are not read here"),
        (b"a: " + b"x" * loader.LARGEST_FILE, "is larger than 1000 kB"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "is nested too deeply"),
        (b"".join(b" " * n + b"a:\n" for n in range(800)), "is nested too deeply"),
        (b"day: 2020-99-99\n", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_to_be_so(folder, spoilt, message):
    (folder / "en.yaml").write_bytes(spoilt)

    [mistake] = mistakes(folder)

    assert mistake.file == "technical_leader/en.yaml"
    assert message in mistake.message


def test_a_folder_without_questionnaire_is_refused(tmp_path):
    [mistake] = mistakes(tmp_path)

    assert mistake.message == "is not there"


def test_a_questionnaire_without_words_is_refused(folder):
    (folder / "en.yaml").unlink()
    (folder / "de.yaml").unlink()

    assert "has no text file beside it" in mistakes(folder)[0].message


def test_the_structure_file_may_be_named_instead_of_its_folder(folder):
    assert loader.read(folder / "questionnaire.yaml") == loader.read(folder)


def test_mistakes_in_texts_are_named_although_the_structure_has_mistakes_too(folder):
    spoil(folder / "questionnaire.yaml", 'key: "-"', "key: minus")
    spoil(folder / "en.yaml", "  TR09:\n", "  TR99:\n")
    spoil(folder / "de.yaml", "Probiert nach einem Vorschlag", "Probiert nach {idea}")

    assert [(mistake.file, mistake.field, mistake.message) for mistake in mistakes(folder)] == [
        (
            "technical_leader/questionnaire.yaml",
            "themes.MM.facets.MM1.items.MM02.key",
            "input should be '+' or '-', not 'minus'",
        ),
        ("technical_leader/de.yaml", "items.SA08.behaviour", "{idea} has no meaning here"),
        ("technical_leader/en.yaml", "items", "TR09 is missing"),
        ("technical_leader/en.yaml", "items.TR99", "there is no item TR99"),
    ]


def test_a_folder_is_named_in_full_from_wherever_it_is_checked(folder, monkeypatch):
    spoil(folder / "en.yaml", "  TR09:\n", "  TR99:\n")
    monkeypatch.chdir(folder)

    for path in (".", "questionnaire.yaml", "en.yaml"):
        assert mistakes(Path(path))[0].file == "technical_leader/en.yaml"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("[60, 120]", "[60, 61]", "pulse.after_days: should rise from 1 on"),
        ("[60, 120]", "[-5]", "pulse.after_days: should rise from 1 on"),
        ("[60, 120]", "[9999999]", "pulse.after_days: should end at 365"),
        ("options: 4}", "options: 1}", "pulse.items.PU0.options: should be 2 or more"),
        ("{id: PU2, format: change}", "{id: PU2, format: change, options: 3}", "has no meaning"),
        (
            "    - {id: PU0, format: options, options: 4}\n"
            "    - {id: PU1, format: change, per_practice: true}\n"
            "    - {id: PU2, format: change}\n",
            "",
            "pulse.items: nothing in it can be counted",
        ),
    ],
)
def test_a_pulse_that_could_not_be_shown_is_refused(folder, before, after, said):
    spoil(folder / "questionnaire.yaml", before, after)

    assert said in "\n".join(str(mistake) for mistake in mistakes(folder))
