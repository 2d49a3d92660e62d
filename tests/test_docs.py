"""What the documents say is there, is there."""

import re
import shutil
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import click
import pytest

from survey.cli import cli, settings
from survey.config import Settings
from tests.launching import PROGRAM

ROOT = Path(__file__).parent.parent
ELSEWHERE = {".venv", ".venv-oldest", ".uv", "demo", "mutants", "site"}
DOCUMENTS = sorted(p for p in ROOT.rglob("*.md") if not ELSEWHERE & set(p.parts))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", text)

    for target in (a or b for a, b in targets):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_the_site_is_built_without_a_fault_and_asks_for_nothing_elsewhere(tmp_path):
    """Strict: a link that leads nowhere, or a page that is not there, ends the build."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    done = subprocess.run(
        [PROGRAM.parent / "zensical", "build", "--strict"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    guides = {path.stem for path in (ROOT / "docs" / "guides").iterdir()}
    assert guides == {page.parent.name for page in pages if page.parent.parent.name == "guides"}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"(?:src=|<link[^>]* href=)[\"']?https?://[^\"' >]+", text) == []


def test_every_guide_is_in_the_sites_navigation():
    listed = str(
        tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    )
    for path in (ROOT / "docs").rglob("*.md"):
        if "decisions" not in path.parts:
            assert str(path.relative_to(ROOT / "docs")) in listed, path


def test_the_page_of_settings_is_what_the_program_prints():
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert text == settings.page(), "preview360 settings --markdown > docs/settings.md"
    for name, field in Settings.model_fields.items():
        assert f"| `PREVIEW360_{name.upper()}` | " in text
        assert field.description, name


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


STATES = ("met", "not applicable", "not met")


def asvs_rows() -> list[list[str]]:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    lines = text.partition("## OWASP ASVS 5.0")[2].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]


def test_the_asvs_table_holds_every_requirement_once():
    """Levels 1 and 2 of version 5.0.0 have 70 and 183 requirements."""
    rows = asvs_rows()
    numbers = [tuple(map(int, row[0].split("."))) for row in rows]

    assert numbers == sorted(set(numbers))
    assert Counter(row[1] for row in rows) == {"1": 70, "2": 183}
    assert {row[2] for row in rows} == set(STATES)
    assert all(row[3] for row in rows)


def test_the_asvs_table_counts_honestly():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = asvs_rows()
    for level, levels in (("1", "1"), ("2", "2"), ("both", "12")):
        [told] = re.findall(rf"^\| {level} \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.M)
        counts = [sum(row[2] == state and row[1] in levels for row in rows) for state in STATES]
        assert [int(number) for number in told] == [*counts, sum(counts)]


def test_what_the_asvs_table_calls_met_is_shown_by_a_test_or_document_that_is_there():
    for number, _, state, _, shown in asvs_rows():
        assert bool(shown) == (state == "met"), number
        if "::" in shown:
            file, _, name = shown.strip("`").partition("::")
            assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8"), number
