"""What the documents say is there, is there."""

import re
from pathlib import Path

import click
import pytest

from survey.cli import cli
from survey.config import Settings

ROOT = Path(__file__).parent.parent
ELSEWHERE = {".venv", ".uv", "demo", "mutants"}
DOCUMENTS = sorted(p for p in ROOT.rglob("*.md") if not ELSEWHERE & set(p.parts))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", text)

    for target in (a or b for a, b in targets):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_every_setting_is_explained_with_its_default():
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")

    for name, field in Settings.model_fields.items():
        default = str(field.default).replace("<", "&lt;").replace(">", "&gt;")
        row = (
            f"| `PREVIEW360_{name.upper()}` | {default} | "
            if default
            else f"`PREVIEW360_{name.upper()}` | |"
        )
        assert row in text


def test_every_command_is_explained():
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| `preview360 ")]

    for name, command in cli.commands.items():
        if isinstance(command, click.Group):
            told = " ".join(row for row in rows if row.startswith(f"| `preview360 {name} "))
            for each in command.commands:
                assert re.search(rf"[ `]{each}\b", told), f"{name} {each}"
        else:
            assert any(f"`preview360 {name}`" in row or f"`{name}`" in row for row in rows), name
