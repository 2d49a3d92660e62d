"""An invented Arabic: the English texts, letter by letter, so that pages run from right to left.

It proves the layout, not the language; gaps and markup stay as they are.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog

from questionnaires.definition import Questionnaire, Texts
from tests.messages import gathered, write

CODE = "ar"
LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", "ابثدهفغحيجكلمنوبقرستوفوكيز", strict=True))
KEPT = re.compile(r"%\(\w+\)s|%%|\{\w+\}|<[^>]+>|&\w+;")
IDS = ("language", "format")


def mirrored(text: str) -> str:
    """Return a text in Arabic letters, but for its gaps and markup."""
    pieces, end = [], 0
    for kept in KEPT.finditer(text):
        pieces += [_letters(text[end : kept.start()]), kept.group()]
        end = kept.end()
    return "".join([*pieces, _letters(text[end:])])


def _letters(text: str) -> str:
    return "".join(LETTERS.get(letter.lower(), letter) for letter in text)


def write_catalogue(folder: Path) -> None:
    """Write a catalogue of all messages."""
    catalog = Catalog(locale=CODE, fuzzy=False)
    for message in gathered():
        if not message.id:
            continue
        if isinstance(message.id, str):
            catalog.add(message.id, mirrored(message.id))
        else:
            forms = (mirrored(message.id[0]), *[mirrored(message.id[1])] * 5)
            catalog.add(message.id, forms)
    write(folder / f"{CODE}.po", catalog)


def questionnaire_in_both(questionnaire: Questionnaire) -> Questionnaire:
    """Return a questionnaire that can also be asked in the invented language."""
    english = questionnaire.texts["en"]
    content = json.loads(english.model_dump_json(by_alias=True))
    texts = Texts.model_validate_json(json.dumps(_mirrored_values({**content, "language": CODE})))
    return questionnaire.model_copy(update={"texts": {**questionnaire.texts, CODE: texts}})


def _mirrored_values(content: Any, key: str = "") -> Any:
    if isinstance(content, dict):
        return {name: _mirrored_values(value, name) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_mirrored_values(value, key) for value in content]
    return mirrored(content) if isinstance(content, str) and key not in IDS else content
