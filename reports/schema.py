"""The JSON Schemas of releases, for whoever reads them with a program of their own.

`python -m reports.schema` writes them anew beside this module.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from questionnaires import schema
from reports.release import Release, TeamRelease

FOLDER = Path(__file__).parent / "schemas"
MODELS: dict[str, type[BaseModel]] = {
    "release.schema.json": Release,
    "team_release.schema.json": TeamRelease,
}


def document(name: str) -> str:
    """Return a schema's text, made from the code."""
    return schema.document(name, MODELS[name])


if __name__ == "__main__":
    for name in MODELS:
        (FOLDER / name).write_text(document(name), encoding="utf-8")
