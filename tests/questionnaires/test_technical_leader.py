"""The shipped questionnaire has the size it says, and reads well in every language."""

import json
import re

import jsonschema
import pytest
from ruamel.yaml import YAML

from questionnaires import loader, schema
from questionnaires.definition import Questionnaire

QUESTIONNAIRE = loader.builtin("technical_leader")


def test_it_has_27_items_in_9_facets_of_3_themes_at_4_levels():
    structure = QUESTIONNAIRE.structure

    assert len(list(structure.items())) == 27
    assert len(list(structure.facets())) == 9
    assert [theme.id for theme in structure.themes] == ["MM", "SA", "TR"]
    assert structure.levels == ("self_leader", "new_lead", "manager", "senior_leader")


@pytest.mark.parametrize(
    ("level", "asked", "focus"),
    [
        ("self_leader", 21, "SA02 SA04 SA07 TR01"),
        ("new_lead", 27, "MM01 MM02 MM05 MM06 SA03 SA04 SA06 TR07"),
        ("manager", 27, "MM03 MM07 MM08 TR03 TR04 TR05 TR09"),
        ("senior_leader", 27, "MM03 MM08 MM09 SA01 SA05 SA06 SA09 TR02 TR08 TR09"),
    ],
)
def test_each_level_asks_and_emphasises_its_own_items(level, asked, focus):
    items = QUESTIONNAIRE.items_at(level)

    assert len(items) == asked
    assert " ".join(item.id for item in items if item.is_focus_at(level)) == focus


def test_english_and_german_say_different_things_everywhere():
    """A text that is the same in both languages was not translated."""
    english, german = (dict(words(QUESTIONNAIRE, language)) for language in ("en", "de"))

    assert english.keys() == german.keys()
    assert [path for path in english if english[path] == german[path]] == []


def words(questionnaire: Questionnaire, language: str):
    def walk(path, value):
        if isinstance(value, dict):
            for key, each in value.items():
                yield from walk((*path, key), each)
        elif isinstance(value, tuple | list):
            for index, each in enumerate(value):
                yield from walk((*path, index), each)
        elif isinstance(value, str):
            yield path, value

    yield from walk((), questionnaire.texts[language].model_dump(exclude={"format", "language"}))


@pytest.mark.parametrize("language", ["en", "de"])
def test_an_item_asks_one_thing(language):
    """An item with "and" asks two things; whoever agrees with one of them cannot answer."""
    joined = re.compile(r"\b(and|or|und|oder)\b")
    texts = QUESTIONNAIRE.texts[language]

    assert [
        wording.other
        for item in texts.items.values()
        for wording in (item, *item.levels.values())
        if joined.search(
            wording.other.replace("whether or not", "").replace(
                "ob sie im Raum sind oder nicht", ""
            )
        )
    ] == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_an_item_is_read_in_one_breath(language):
    for item in QUESTIONNAIRE.texts[language].items.values():
        assert len(item.other.split()) <= 22


def test_a_prompt_only_managers_answer_is_put_only_to_identified_ones():
    def asked(identified):
        return [p.id for p in QUESTIONNAIRE.prompts_for("manager", identified=identified)]

    assert "OP4" not in asked(identified=False)
    assert "OP4" in asked(identified=True)
    assert asked(identified=False) == [
        p.id for p in QUESTIONNAIRE.prompts_for("peer", identified=True)
    ]


def test_a_private_prompt_is_never_collected():
    assert [prompt.id for prompt in QUESTIONNAIRE.private_prompts()] == ["OP5"]
    assert "OP5" not in [p.id for p in QUESTIONNAIRE.prompts_for("self", identified=False)]


def test_a_name_with_braces_does_no_harm():
    item = QUESTIONNAIRE.texts["en"].items["MM05"]

    assert item.said_to("peer", "{0.__class__} {name}").startswith("{0.__class__} {name} asks")


def test_it_comes_back_the_same_from_json():
    again = Questionnaire.model_validate_json(QUESTIONNAIRE.to_json())

    assert again == QUESTIONNAIRE
    assert again.digest() == QUESTIONNAIRE.digest()


def test_the_published_schemas_are_made_from_the_code():
    """If this fails, run `python -m questionnaires.schema`."""
    assert {path.name: path.read_text() for path in schema.FOLDER.iterdir()} == schema.documents()


@pytest.mark.parametrize("file", ["questionnaire.yaml", "en.yaml", "de.yaml"])
def test_the_shipped_files_fit_the_published_schemas(file):
    name = "questionnaire.schema.json" if file == "questionnaire.yaml" else "texts.schema.json"
    tree = YAML(typ="safe").load(loader.INSTRUMENTS / "technical_leader" / file)

    jsonschema.validate(tree, json.loads((schema.FOLDER / name).read_text()))
