"""The release format is as published, and holds every number that is printed."""

import io
import json
import re
from pathlib import Path

import jsonschema
import pdfplumber
import pytest
from pydantic import BaseModel

from reports import release as format_
from reports import schema
from reports.pdf import preview_pdf
from reports.preview import Preview
from tests.messages import gathered

DOCUMENT = Path(__file__).parents[2] / "docs" / "release-format.md"
MODELS = [
    each
    for each in vars(format_).values()
    if isinstance(each, type) and issubclass(each, format_.Frozen) and each.model_fields
]
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def test_the_published_schemas_are_made_from_the_code():
    """If this fails, run `python -m reports.schema`."""
    assert {path.name: path.read_text() for path in schema.FOLDER.iterdir()} == schema.documents()


def test_a_release_fits_the_published_schema_and_a_spoilt_one_does_not(release):
    published = json.loads((schema.FOLDER / "release.schema.json").read_text())
    document = json.loads(release.to_json())

    jsonschema.validate(document, published)
    for spoilt in ({**document, "format": 2}, {**document, "ballots": []}, {"format": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spoilt, published)


def test_a_release_is_the_same_after_writing_and_reading(release):
    assert format_.Release.model_validate_json(release.to_json()) == release


@pytest.mark.parametrize("model", MODELS)
def test_every_field_is_documented(model: type[BaseModel]):
    told = set(re.findall(r"`(\w+)`", DOCUMENT.read_text()))

    assert set(model.model_fields) <= told
    for name, field in model.model_fields.items():
        for option in re.findall(r"Literal\[(.*?)\]", str(field.annotation)):
            assert set(re.findall(r"'(\w+)'", option)) <= told, name


def numbers(text: str) -> set[str]:
    return {each.replace(",", ".") for each in NUMBER.findall(text)}


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_number_in_the_pdf_stands_in_the_release(release, questionnaire, language):
    """Besides those of the questionnaire's and the program's own words, and of pages."""
    spoken = release.model_copy(update={"language": language})
    with pdfplumber.open(io.BytesIO(preview_pdf(Preview(spoken, questionnaire)))) as pdf:
        read = "\n".join(page.extract_text() for page in pdf.pages)
        digest = format_.sha256(spoken.to_json())
        # However the line is broken.
        for part in re.findall(r"[0-9a-f]{4,}", read):
            read = read.replace(part, "") if part in digest else read
        pages = {str(number) for number in range(1, len(pdf.pages) + 1)}
    texts = questionnaire.texts[language].model_dump_json()
    messages = " ".join(
        " ".join(message.id if isinstance(message.id, tuple) else [message.id])
        for message in gathered()
    )
    structure = questionnaire.structure
    counted = {str(structure.scale.points), str(structure.scale.often_from)}
    counted |= {str(sum(atom.n for atom in release.atoms)), *map(str, structure.pulse.after_days)}
    dates = {
        str(part)
        for day in (release.opened_on, release.closed_on)
        for part in (day.day, day.year, f"{day.day}.")
    }
    known = numbers(release.to_json()) | numbers(texts) | numbers(messages) | counted | dates

    assert len(numbers(read)) > 30
    assert numbers(read) - known - pages == set()
    # The test can fail: a number that is nowhere is found.
    assert numbers(read + " 7.77") - known - pages == {"7.77"}
