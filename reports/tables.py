"""A release as tables, for a spreadsheet: what the release holds, and nothing else.

What people typed stays text. A workbook can say of each cell that it is text; a CSV file
cannot, so there an apostrophe stands before whatever a spreadsheet would work out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, time

from questionnaires.definition import SELF
from reports.preview import Preview
from reports.release import OTHERS, Scope

Value = str | float | bool | None
Table = Sequence[Sequence[Value]]

NAMES = ("about", "groups", "figures", "comments", "words")
# Where a cell may begin for a spreadsheet that takes another separator, and what it then reads
# as the beginning of a formula; also in full width, as on East Asian keyboards.
FORMULA = re.compile(r"""(\A|[,;|\t\r\n])([\s"'\ufeff]*)(?=[=+\-@＝＋－＠])""")


def tables(preview: Preview) -> dict[str, Table]:
    """Return the tables of a release by name (`NAMES`), each with its headings first."""
    release = preview.release
    return {
        "about": [
            ("what", "value"),
            ("leader", release.leader),
            ("level", preview.level.label),
            ("opened_on", release.opened_on.isoformat() if release.opened_on else None),
            ("closed_on", release.closed_on.isoformat()),
            ("sealed", release.sealed),
            ("questionnaire", release.questionnaire.name),
            ("version", release.questionnaire.version),
            ("smallest_group", release.rules.k),
            ("items_from", release.rules.items_from),
            ("comments_labelled_from", release.rules.comments_labelled_from),
            ("ends_from", release.rules.ends_from),
        ],
        "groups": [
            ("group", "label", "relationships", "asked", "n", "identified"),
            *(
                (each.id, each.label, " ".join(each.relationships), each.asked, each.n,
                 each.identified)
                for each in release.atoms
            ),
        ],
        "figures": [
            ("scope", "key", "label", "group", "group_label", "n", "mean", "end_coded",
             "band_low", "band_high", "spread", "gap", "view", "field", "not_seen"),
            *_figures(preview),
        ],
        "comments": [("prompt", "heading", "group", "group_label", "text"), *_comments(preview)],
        "words": [("prompt", "heading", "group", "group_label", "word", "times"), *_words(preview)],
    }  # fmt: skip


def to_csv(table: Table) -> bytes:
    """Return a table as CSV in UTF-8, with the mark by which spreadsheets know it."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerows([_plain(value) for value in row] for row in table)
    return written.getvalue().encode("utf-8-sig")


def to_xlsx(preview: Preview) -> bytes:
    """Return all tables as the sheets of one workbook; the same release gives the same bytes."""
    from xlsxwriter import Workbook

    content = io.BytesIO()
    book = Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"created": datetime.combine(preview.release.closed_on, time())})
    heading = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for name, table in tables(preview).items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for column in range(len(table[0])):
            longest = max(len(str(row[column])) for row in table)
            sheet.set_column(column, column, min(max(longest, 8) + 2, 80), wrapped)
        for number, row in enumerate(table):
            for column, value in enumerate(row):
                # Whatever does not fit a cell is left out by the library without a word.
                if sheet.write(number, column, value, wrapped if number else heading):
                    raise ValueError(f"{name}, row {number + 1}: too long for a spreadsheet")
    book.close()
    return content.getvalue()


def _plain(value: Value) -> Value:
    """Return a value as CSV holds it: text that can only be read as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return FORMULA.sub(r"\1\2'", value) if isinstance(value, str) else value


def _figures(preview: Preview) -> Iterator[Sequence[Value]]:
    for each in preview.release.figures:
        low, high = each.band or (None, None)
        gap = each.gap
        yield (
            *(each.scope, each.key, _place(preview, each.scope, each.key)),
            *(each.of, _group(preview, each.of)),
            *(each.n, each.mean, each.end_coded, low, high, each.spread),
            *((gap.value, gap.view, gap.field) if gap else (None, None, None)),
            each.not_seen,
        )


def _comments(preview: Preview) -> Iterator[Sequence[Value]]:
    for group in preview.release.comments:
        heading = preview.texts.prompts[group.prompt].heading
        for text in group.texts:
            yield group.prompt, heading, group.of, _group(preview, group.of), text
    for prompt, said in preview.release.own_words.items():
        heading = preview.texts.prompts[prompt].heading
        for text in said:
            yield prompt, heading, SELF, _group(preview, SELF), text


def _words(preview: Preview) -> Iterator[Sequence[Value]]:
    for group in preview.release.words:
        heading = preview.texts.prompts[group.prompt].heading
        for each in group.words:
            yield group.prompt, heading, group.of, _group(preview, group.of), each.word, each.times


def _place(preview: Preview, scope: Scope, key: str) -> str:
    if scope == "item":
        return preview.texts.items[key].at(preview.release.level).behaviour
    return (preview.texts.themes if scope == "theme" else preview.texts.facets)[key].label


def _group(preview: Preview, of: str | None) -> str | None:
    if of == SELF:
        return preview.release.leader
    return preview.say.gettext("All others") if of == OTHERS else preview.group_label(of)
