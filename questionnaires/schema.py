"""The JSON Schemas of questionnaire files, for editors that check while one writes.

`python -m questionnaires.schema` writes them anew beside this module.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from questionnaires.definition import Structure, Texts

FOLDER = Path(__file__).parent / "schemas"
FILES: dict[str, type[BaseModel]] = {
    "questionnaire.schema.json": Structure,
    "texts.schema.json": Texts,
}


def documents() -> dict[str, str]:
    """Return each schema file's name and its text, made from the code."""
    return {name: document(name, model) for name, model in FILES.items()}


def document(name: str, model: type[BaseModel]) -> str:
    """Return the schema of a model as the text of its file."""
    schema = model.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name.split(".")[0]}
    return json.dumps({**head, **schema, "title": head["title"]}, indent=2) + "\n"


def main() -> None:
    """Write the schema files."""
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
