"""Gathers the messages of code and templates, and brings them into every catalogue.

`make messages` does so; what is then still empty or fuzzy waits for a translator,
and a test finds it.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from reports.language import CATALOGUES

ROOT = Path(__file__).parent.parent
METHODS = [
    ("survey/**.py", "python"),
    ("reports/**.py", "python"),
    ("templates/survey/**.html", "jinja2"),
    ("templates/survey/mail/**.txt", "jinja2"),
    ("templates/reports/**.html", "jinja2"),
]
# Templates ask for "100 %%" where a page says "100 %".
OPTIONS = {pattern: {"newstyle_gettext": "true"} for pattern, kind in METHODS if kind == "jinja2"}
KEYWORDS = {**DEFAULT_KEYWORDS, "marked": None}
HEADERS = ("Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")


def gathered() -> Catalog:
    """Return every message that is said somewhere, untranslated."""
    catalog = Catalog(fuzzy=False)
    for _, _, message, _, context in extract_from_dir(
        ROOT, METHODS, OPTIONS, keywords=KEYWORDS, directory_filter=lambda _: True
    ):
        catalog.add(message, context=context)
    return catalog


def catalogue(path: Path) -> Catalog:
    """Return what a `.po` file holds."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def write(path: Path, catalog: Catalog) -> None:
    """Write a `.po` file in a form that changes only where its messages do."""
    content = io.BytesIO()
    write_po(content, catalog, width=100, sort_output=True, no_location=True, ignore_obsolete=True)
    text = content.getvalue().decode()
    unknown = re.compile(rf'^"(?!(?:{"|".join(HEADERS)}):)[A-Z][\w-]+: .*\\n"\n', re.MULTILINE)
    head, blank, rest = text.partition("\n\n")
    path.write_text(unknown.sub("", head + "\n") + blank[1:] + rest)


if __name__ == "__main__":
    for each in sorted(CATALOGUES.glob("*.po")):
        merged = catalogue(each)
        merged.update(gathered(), no_fuzzy_matching=True)
        write(each, merged)
