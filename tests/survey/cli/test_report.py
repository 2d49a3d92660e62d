"""A preview from a file of answers, from the command line alone."""

import io
import json
import os
from pathlib import Path

import pdfplumber
import pytest

SAMPLE = Path(__file__).parents[2] / "samples" / "limesurvey-codes.csv"
MAPPED = (
    "--relationship-column", "REL", "--relationship", "PEER=peer", "--relationship",
    "DR=direct_report", "--relationship", "MGR=manager", "--relationship", "SELF=self",
)  # fmt: skip
ABOUT = ("--leader", "Robin Sample", "--level", "new_lead", "--closed-on", "2026-11-22")
HEADINGS = ["relationship", *(f"{t}0{n}" for t in ("MM", "SA", "TR") for n in range(1, 10))]


@pytest.fixture
def run(tmp_path, program):
    """Run the command in an empty folder, without any setting."""

    def command(*words, code=0):
        environment = {"PATH": os.environ["PATH"]}
        return program("report", *words, folder=tmp_path, environment=environment, code=code)

    return command


def table(path, roster):
    rows = [HEADINGS, *([each, *"3" * 27] for each in roster)]
    path.write_text("\n".join(",".join(row) for row in rows))
    return str(path)


def test_a_file_becomes_a_preview_and_nothing_else_is_made(run, tmp_path):
    said = run(
        str(SAMPLE), *ABOUT, *MAPPED, "--output", "preview.pdf", "--json", "release.json",
        "--page", "letter",
    )  # fmt: skip

    assert {path.name for path in tmp_path.iterdir()} == {"preview.pdf", "release.json"}
    assert "Shown: Peers and managers (7), Direct reports (6)." in said
    assert "Begun but never sent, so not counted: row 10." in said
    release = json.loads((tmp_path / "release.json").read_text())
    assert [(atom["id"], atom["n"], atom["asked"]) for atom in release["atoms"]] == [
        ("peer+manager", 7, None), ("direct_report", 6, None),
    ]  # fmt: skip
    assert release["sealed"] is False
    with pdfplumber.open(io.BytesIO((tmp_path / "preview.pdf").read_bytes())) as pdf:
        first = pdf.pages[0]
        text = "\n".join(page.extract_text() for page in pdf.pages)
        assert (round(first.width), round(first.height)) == (612, 792)
    assert "13 people answered up to 22 November 2026" in text
    assert "Whoever has the file has every answer" in text
    assert "sealed until" not in text
    comments = [text for group in release["comments"] for text in group["texts"]]
    assert any(text.startswith("=SUM(1) is how it feels") for text in comments)


def test_a_files_figures_are_those_of_its_rows(run, tmp_path):
    """Peers answer 4, 4, 5 and direct reports 2, 3, 4 to everything; items are turned by key."""
    rows = [HEADINGS]
    for relationship, answers in {"peer": "445", "direct_report": "234"}.items():
        rows += [[relationship, *answer * 27] for answer in answers]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in rows))
    run("a.csv", *ABOUT, "--json", "r.json", "--asked", "peer=5", "--asked", "direct_report=3")
    release = json.loads((tmp_path / "r.json").read_text())
    means = {(f["key"], f["of"]): f["mean"] for f in release["figures"]}

    # MM3 holds three items with key +: peers 13/3, direct reports 3, all others their mean.
    assert means["MM3", "peer"] == 4.3
    assert means["MM3", "direct_report"] == 3.0
    assert means["MM3", "others"] == 3.7
    assert [atom["asked"] for atom in release["atoms"]] == [5, 3]


def test_german_and_a_folder_of_ones_own_work_as_well(run, tmp_path):
    from questionnaires import loader

    file = table(tmp_path / "a.csv", ["peer"] * 4)
    folder = str(loader.INSTRUMENTS / "technical_leader")
    said = run(
        file, *ABOUT, "--questionnaire", folder, "--language", "de", "--output", "preview.pdf"
    )

    assert "(4)" in said
    with pdfplumber.open(tmp_path / "preview.pdf") as pdf:
        assert "haben 4 Personen" in pdf.pages[0].extract_text()


def test_a_file_with_faults_names_all_of_them_and_writes_nothing(run, tmp_path):
    content = ",".join(HEADINGS) + "\nboss," + ",".join(["9"] * 27) + "\n"
    (tmp_path / "a.csv").write_text(content)
    said = run("a.csv", *ABOUT, "--output", "preview.pdf", "--json", "r.json", code=1)

    assert said.count("a.csv: row 2, column") == 28
    assert "Nothing was written." in said
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv"}


def test_a_roster_that_cannot_be_shown_says_why(run, tmp_path):
    file = table(tmp_path / "a.csv", ["self", "peer", "manager"])
    said = run(file, *ABOUT, "--output", "preview.pdf", code=1)

    assert "2 of at least 3 raters answered" in said
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--level", "boss"), "has no level boss; known: self_leader, new_lead"),
        (("--language", "xx"), "has no language xx; known: de, en"),
        (("--questionnaire", "nothing"), "no questionnaire nothing; known: technical_leader"),
        (("--asked", "peer=3"), "--asked: 4 of peer answered"),
        (("--leader", " "), "A name is needed, of at most 100 letters"),
        (("--asked", "peer=many"), "--asked peer=many: such as peer=8."),
        (("--output", "nowhere/preview.pdf"), "nowhere/.preview.pdf.part: No such file"),
    ],
)
def test_what_does_not_fit_is_one_sentence(run, tmp_path, words, sentence):
    file = table(tmp_path / "a.csv", ["peer"] * 4)

    assert sentence in run(file, *ABOUT, "--json", "r.json", *words, code=1)
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv"}


def test_without_anything_to_write_it_says_what_to_ask_for(run, tmp_path):
    file = table(tmp_path / "a.csv", ["peer"] * 4)

    assert "Say what to write" in run(file, *ABOUT, code=2)
    assert "is not of the form WORD=MEANING" in run(file, *ABOUT, "--column", "Q1", code=2)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--output", "a.csv"), "a.csv is named twice"),
        (("--output", "x.pdf", "--guide", "./x.pdf"), "x.pdf is named twice"),
        (("--before", "a.csv", "--json", "a.csv"), "a.csv is named twice"),
        (("--opened-on", "2026-11-23", "--json", "r.json"), "--opened-on lies after"),
    ],
)
def test_nothing_is_written_over_the_answers_or_another_file(run, tmp_path, words, sentence):
    file = table(tmp_path / "a.csv", ["peer"] * 4)
    before = Path(file).read_bytes()

    assert sentence in run(file, *ABOUT, *words, code=2)
    assert Path(file).read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv"}


def test_a_follow_up_says_what_has_changed_since_an_earlier_release(run, tmp_path):
    earlier = table(tmp_path / "a.csv", ["peer"] * 6)
    run(earlier, *ABOUT, "--closed-on", "2026-05-15", "--json", "before.json")
    run(earlier, *ABOUT, "--before", "before.json", "--output", "after.pdf")

    with pdfplumber.open(tmp_path / "after.pdf") as pdf:
        text = " ".join(page.extract_text() for page in pdf.pages)
    assert "What has changed" in text
    assert "It follows the preview of 15 May 2026." in text.replace("\n", " ")


@pytest.mark.parametrize(
    ("spoil", "words", "sentence"),
    [
        ({"leader": "Somebody Else"}, (), "it is about Somebody Else, not Robin Sample"),
        ({"questionnaire": {"name": "other", "version": "1.0", "digest": "0"}}, (),
         "it was asked with other 1.0, whose words are not those of technical_leader 1.0"),
        ({}, ("--closed-on", "2026-05-15"), "the earlier round ended on 2026-05-15, this one on"),
        ({"figures": [{}]}, (), "no release as --json writes it (figures.0.scope: Field required)"),
        (None, (), "no release as --json writes it (the file: Invalid JSON"),
    ],
)  # fmt: skip
def test_an_earlier_release_that_does_not_fit_is_refused_with_its_file(
    run, tmp_path, spoil, words, sentence
):
    file = table(tmp_path / "a.csv", ["peer"] * 6)
    run(file, *ABOUT, "--closed-on", "2026-05-15", "--json", "before.json")
    before = tmp_path / "before.json"
    document = json.loads(before.read_text())
    before.write_text("{" if spoil is None else json.dumps(document | spoil))

    said = run(file, *ABOUT, "--before", "before.json", "--output", "x.pdf", *words, code=1)
    assert f"before.json: {sentence}" in said or f"before.json: this is {sentence}" in said
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "before.json"}


def test_a_guide_for_the_coach_comes_from_the_same_file(run, tmp_path):
    run(str(SAMPLE), *ABOUT, *MAPPED, "--guide", "guide.pdf")

    with pdfplumber.open(tmp_path / "guide.pdf") as pdf:
        assert "Debrief guide for the coach" in pdf.pages[0].extract_text()
        assert "Peers and managers cannot be told apart" in pdf.pages[0].extract_text()
