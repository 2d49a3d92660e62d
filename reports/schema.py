"""The JSON Schema of a release, for whoever reads releases with a program of their own.

`python -m reports.schema` writes it anew beside this module.
"""

from __future__ import annotations

from pathlib import Path

from questionnaires import schema
from reports.release import Release

FILE = Path(__file__).parent / "schemas" / "release.schema.json"


def document() -> str:
    """Return the schema's text, made from the code."""
    return schema.document(FILE.name, Release)


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
