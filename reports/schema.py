"""The JSON Schemas of releases, for whoever reads them with a program of their own.

`python -m reports.schema` writes them anew beside this module.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from questionnaires import schema
from reports.release import PulseRelease, Release, TeamRelease

FOLDER = Path(__file__).parent / "schemas"
FILES: dict[str, type[BaseModel]] = {
    "release.schema.json": Release,
    "team_release.schema.json": TeamRelease,
    "pulse_release.schema.json": PulseRelease,
}


def documents() -> dict[str, str]:
    """Return each schema file's name and its text, made from the code."""
    return {name: schema.document(name, model) for name, model in FILES.items()}


if __name__ == "__main__":
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
