"""Every hostile text goes everywhere that people's texts go, and nowhere does it do anything.

No request leaves, no file is read, no second recipient, no foreign element on a page, no
error that is ours. The corpus is in `hostile.py`.
"""

from __future__ import annotations

import csv
import email
import email.policy
import io
import itertools
import shutil
from collections import Counter
from contextlib import suppress
from email.message import EmailMessage
from html.parser import HTMLParser

import openpyxl
import pdfplumber
import pytest
import xlsxwriter
from ruamel.yaml import YAML
from sqlalchemy import delete, select

from questionnaires import loader
from questionnaires.loader import QuestionnaireInvalid
from reports.collected import FileInvalid, Meaning, collect
from reports.pdf import preview_html
from reports.preview import Preview
from reports.printing import Printer
from reports.sheets import Line, SheetUnreadable, read_sheet
from reports.tables import tables, to_csv, to_xlsx
from reports.text import clean_line, clean_text
from survey import jobs
from survey.mail import compose
from survey.models import Mail, MailKind, Person
from survey.services import ballots, mails, nominations, people, rounds
from survey.services.nominations import Named
from survey.services.people import AddressInvalid, NameInvalid
from survey.services.rounds import Choices
from survey.services.tables import TableInvalid, read_table
from survey.site import EXTENSION
from tests import factories
from tests.conftest import CLOSES, NOW, Sink, on_sqlite
from tests.hostile import corpus
from tests.reports.conftest import answered, release
from tests.spreadsheet import formulas, worked_out
from tests.visitor import Visitor

# Fixtures of the reports' tests.
__all__ = ["answered", "release"]

SECRET = "Unmistakable secret of the server"
HARMLESS = "Plain words"
HEADERS = {
    "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "Reply-To", "MIME-Version",
    "Content-Type", "List-Unsubscribe", "List-Unsubscribe-Post",
}  # fmt: skip


@pytest.fixture(scope="module")
def everywhere():
    """The server that counts."""
    sink = Sink()
    yield sink
    sink.stop()


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """The file that nobody may read."""
    file = tmp_path_factory.mktemp("server") / "secret.svg"
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><text y="20">{SECRET}</text></svg>')
    return file


@pytest.fixture(scope="module")
def texts(everywhere, secret):
    return corpus(everywhere.url, str(secret))


@pytest.fixture(autouse=True)
def nobody_is_asked(everywhere):
    """Whatever a test does, the server elsewhere hears nothing of it."""
    everywhere.forget()
    yield
    assert everywhere.paths == []


class Elements(HTMLParser):
    """Counts elements with the names of their attributes, and keeps the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: Counter[tuple[str, ...]] = Counter()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found[tag, *sorted(name for name, _ in attrs)] += 1

    def handle_data(self, data):
        self.text += data


def elements(page: str) -> Counter[tuple[str, ...]]:
    return Elements(page).found


def accepted(texts, clean) -> list[str]:
    """Return those that may be names, cleaned and each once."""
    found = []
    for text in texts:
        try:
            found.append(clean(text))
        except NameInvalid:
            continue
    return list(dict.fromkeys(found))


@pytest.fixture
def names(texts):
    return accepted(texts, people.clean_name)


def imported(administrator, rows) -> list[int]:
    """Import tables of sixty rows; return how each was answered."""
    statuses = []
    for at in range(0, len(rows), 60):
        administrator.open("/administration/people/import")
        content = io.BytesIO(table(rows[at : at + 60]))
        administrator.send({"table": (content, "people.csv")}, action="")
        statuses.append(administrator.status)
        content.close()
    return statuses


def table(rows) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([("name", "email", "roles"), *rows])
    return written.getvalue().encode("utf-8", "surrogatepass")


def everybody(administrator) -> list[str]:
    """Return the pages that list all people."""
    pages = [administrator.open("/administration/people")]
    while 'rel="next"' in pages[-1]:
        pages.append(administrator.open(f"/administration/people?page={len(pages) + 1}"))
    return pages


@pytest.fixture
def administrator(app, session):
    andy = factories.person(session, "Andy", "administrator")
    session.commit()
    return Visitor(app, andy)


def test_the_corpus_is_large_and_the_twin_falls_for_it(texts, everywhere, secret):
    """Without escaping, a page made of it has hundreds of elements that nobody wrote."""
    assert len(texts) == len(set(texts)) > 5000
    assert sum(everywhere.url in text for text in texts) > 100
    assert sum(str(secret) in text for text in texts) > 100
    foreign = sum(bool(elements(f"<p>{text}</p>") - Counter({("p",): 1})) for text in texts)
    assert foreign > 1000


def test_names_by_import_are_refused_row_by_row_or_are_only_names(
    administrator, session, texts, names
):
    rows = [(text, f"p{number}@example.org", "") for number, text in enumerate(texts)]
    assert set(imported(administrator, rows)) <= {200, 422}
    session.execute(delete(Person).where(Person.email.startswith("p")))
    session.commit()
    session.close()

    assert len(names) > 3000
    plain = [(f"{HARMLESS} {number}", f"p{number}@example.org", "") for number in range(len(names))]
    assert set(imported(administrator, plain)) == {200}
    expected = sum(map(elements, everybody(administrator)), Counter())
    session.execute(delete(Person).where(Person.email.startswith("p")))
    session.commit()
    session.close()

    named = [(name, email, "") for name, (_, email, _) in zip(names, plain, strict=True)]
    assert set(imported(administrator, named)) == {200}
    pages = everybody(administrator)
    assert sum(map(elements, pages), Counter()) == expected
    stored = set(session.scalars(select(Person.name)))
    session.close()
    assert set(names) <= stored
    told = Elements("".join(pages)).text
    assert all(name in told for name in names)


def packed(texts) -> list[str]:
    """Put texts into as few messages as hold them, 600 characters each."""
    messages = [""]
    for text in texts:
        if len(messages[-1]) + len(text) >= 600:
            messages.append("")
        messages[-1] += f"\n{text}" if messages[-1] else text
    return messages


@on_sqlite
def test_no_name_or_message_adds_to_a_mail(app, session, keyring, names, texts, app_context):
    """To whom, which headers, which elements: as in a mail of plain words."""
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    site = app.extensions[EXTENSION]
    [mail] = session.scalars(select(Mail).where(Mail.address == "peer0@example.org")).all()
    leader, rater = round_.leader, mail.person

    def written() -> EmailMessage:
        content = compose(site, session, mail).as_bytes(policy=email.policy.SMTP)
        return email.message_from_bytes(content, policy=email.policy.default)

    leader.name = rater.name = round_.message = HARMLESS
    session.flush()
    usual = written()
    usual_elements = elements(usual.get_body(["html"]).get_content())
    messages = packed([clean_text(text)[:600] for text in texts])
    told = itertools.zip_longest(names[::2], names[1::2], messages, fillvalue=HARMLESS)
    for asking, asked, message in told:
        leader.name, rater.name, round_.message = asking, asked, message
        session.flush()
        got = written()
        assert [to.addr_spec for to in got["To"].addresses] == ["peer0@example.org"], asked
        assert set(got.keys()) == HEADERS
        assert len(got["Subject"].splitlines()) == 1
        assert got.get_body(["plain"]) is not None
        found = elements(got.get_body(["html"]).get_content())
        assert found == usual_elements, (asking, asked, message)
        assert got["From"] == usual["From"]
        assert got["List-Unsubscribe"] == usual["List-Unsubscribe"]
    session.rollback()


@on_sqlite
def test_a_mail_server_gets_one_recipient_for_each(app, session, names, catcher):
    """Every tenth name, through a real server."""
    chosen = names[::10]
    for number, name in enumerate(chosen):
        person = people.add(session, name, f"p{number}@example.org", (), NOW)
        mails.queue(session, MailKind.RELEASED, f"k{number}", person, "en", NOW)
    session.commit()
    session.close()
    for _ in range(len(chosen) // 50 + 1):
        jobs.sweep(app)

    assert len(catcher.mails) == len(chosen)
    assert {len(mail["To"].addresses) for mail in catcher.mails} == {1}


def test_an_address_is_one_address_or_refused(texts):
    for text in texts:
        try:
            address = people.clean_address(text)
        except AddressInvalid:
            continue
        assert address.count("@") == 1
        assert not set(address) & set(' ,;<>"\r\n')


@on_sqlite
def test_comments_are_kept_as_words_and_shown_as_words(app, session, keyring, texts):
    """Through the form itself, two a page, and over the page on which answers are checked."""
    round_ = factories.opened(session, keyring, roster={"peer": 3})
    link = factories.links(session, keyring, round_)["peer0"]
    session.close()
    rater = Visitor(app)
    rater.open(f"/r/{link}")
    rater.send(action="/start")
    words_page = f"/r/{link}/part/10"
    rater.open(words_page)
    rater.send({"OP1-1": HARMLESS, "OP2-1": HARMLESS})
    usual = elements(rater.page)
    token = rater.page.split('name="csrf_token" value="')[1].split('"')[0]
    for number, (one, two) in enumerate(zip(texts[::2], texts[1::2], strict=False)):
        data = {"csrf_token": token, "OP1-1": one, "OP2-1": two, "filled": "OP1-1 OP2-1"}
        answer = rater.client.post(words_page, data=data)
        assert answer.status_code in (302, 413, 422), (one, two)
        if number % 10 or answer.status_code != 302:
            continue
        kept = ballots.draft(session, ballots.rater(session, keyring, link, NOW)).words
        session.rollback()
        assert (kept["OP1"], kept["OP2"]) == ((clean_text(one),), (clean_text(two),))
        if clean_text(one) and clean_text(two):
            assert elements(rater.client.get(f"/r/{link}/check").text) == usual, (one, two)


def spoilt(release, texts):
    """Return a release with these texts as comments, as they would be stored."""
    group = release.comments[0].model_copy(update={"texts": tuple(texts)})
    return release.model_copy(update={"comments": (group,), "leader": clean_line(texts[0])[:90]})


@pytest.fixture
def comments(texts):
    stored = dict.fromkeys(clean_text(text)[:1000] for text in texts)
    return [text for text in stored if text]


@pytest.fixture
def releases(release, comments):
    """The whole corpus as comments of a dozen previews."""
    return [spoilt(release, comments[at : at + 450]) for at in range(0, len(comments), 450)]


def test_the_pdf_shows_them_reads_no_file_and_asks_nobody(releases, questionnaire, secret):
    printer = Printer()
    for spoilt_one in releases:
        pdf = printer.print(preview_html(Preview(spoilt_one, questionnaire)))
        assert b"/EmbeddedFile" not in pdf
        assert b"/JavaScript" not in pdf
        assert b"/URI" not in pdf
        with pdfplumber.open(io.BytesIO(pdf)) as document:
            text = "\n".join(page.extract_text() for page in document.pages)
        assert SECRET not in text
    printer.close()


def test_no_cell_of_a_table_is_worked_out_or_followed(releases, release, questionnaire, texts):
    """As names and comments; read with every separator that some spreadsheet expects."""
    usual = io.StringIO(newline="")
    csv.writer(usual).writerows([text] for text in texts)
    assert len(worked_out(usual.getvalue().encode("utf-8", "replace"))) > 100

    for spoilt_one in releases:
        preview = Preview(spoilt_one, questionnaire)
        for table_ in tables(preview).values():
            assert worked_out(to_csv(table_)) == []
        workbook = to_xlsx(preview)
        assert formulas(workbook) == []
        book = openpyxl.load_workbook(io.BytesIO(workbook))
        held = {cell.value for cell in book["comments"]["E"]}
        assert len(held) > len(spoilt_one.comments[0].texts) * 0.95


def test_in_a_browser_no_comment_runs_loads_or_adds_anything(
    releases, release, questionnaire, browser
):
    """The page without its policy: whatever the browser let through would show."""
    context = browser.new_context()
    page = context.new_page()
    said, asked = [], []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))

    def count(shown):
        page.set_content(preview_html(Preview(shown, questionnaire)))
        return Counter(page.evaluate("[...document.querySelectorAll('*')].map(e => e.tagName)"))

    usual = count(spoilt(release, [f"{HARMLESS} {n}" for n in range(10)]))
    for hostile in releases:
        number = len(hostile.comments[0].texts)
        plain = count(spoilt(release, [f"{HARMLESS} {n}" for n in range(number)]))
        assert set(plain) == set(usual)
        assert count(hostile) == plain
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "about:"))] == []
    context.close()


def test_a_table_of_nothing_but_them_is_read_or_refused(texts):
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        for table_ in (content, b"name,email\n" + content):
            with suppress(TableInvalid):
                assert all(row.values for row in read_table(table_, required=["name", "email"]))


def test_a_file_of_answers_is_read_or_refused_with_its_row(texts, questionnaire):
    """As comments, as words, and as whatever else may stand in a row; then as whole files."""
    items = [item.id for item in questionnaire.items_at("new_lead")]
    headings = ["relationship", *items, "OP1", "OP3"]
    whole = [["peer", *"3" * len(items), text, "calm"] for text in texts]
    written = io.StringIO(newline="")
    csv.writer(written).writerows([headings, *whole])
    content = written.getvalue().encode("utf-8", "replace").replace(b"\0", b"")
    answers = collect(read_sheet(content), questionnaire, "new_lead", Meaning()).answers
    assert len(answers) == len(texts)
    kept = {text for each in answers for text in each.words.get("OP1", ())}
    assert len(kept) > 4000
    assert all(clean_text(text) == text for text in kept)

    elsewhere = [[text, *[text] * len(items), "", text] for text in texts]
    table_ = [Line(n, row) for n, row in enumerate([headings, *elsewhere], start=1)]
    with pytest.raises(FileInvalid) as refused:
        collect(table_, questionnaire, "new_lead", Meaning())
    assert {fault.row for fault in refused.value.faults} >= set(range(2, len(texts)))
    for text in texts:
        with suppress(SheetUnreadable, FileInvalid):
            sheet = read_sheet(text.encode("utf-8", "surrogatepass"))
            collect(sheet, questionnaire, "new_lead", Meaning())


def test_a_questionnaires_file_is_read_or_refused_with_its_line(texts, tmp_path, secret):
    """Raw, wherever YAML could take them for more than words."""
    file = tmp_path / "questionnaire.yaml"
    (tmp_path / "en.yaml").write_text("format: 1\n")
    for number, text in enumerate(texts):
        raw = (f"name: {text}\n", f"{text}\n")[number % 2]
        file.write_bytes(raw.encode("utf-8", "surrogatepass"))
        with pytest.raises(QuestionnaireInvalid) as refused:
            loader.read(tmp_path)
        assert refused.value.mistakes
        assert SECRET not in str(refused.value)


def test_a_workbook_of_them_is_read_as_words(texts):
    """As people import it: what a spreadsheet would work out is a name like any other."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("name", "email"))
        kept = [text for text in texts if clean_line(text) == text and text.isprintable()]
        for number, text in enumerate(kept, start=1):
            sheet.write_string(number, 0, text)
            sheet.write_string(number, 1, "a@example.org")
    rows = read_table(content.getvalue(), ["name", "email"])

    assert len(kept) > 3500
    assert [row.values["name"] for row in rows] == kept


def test_a_questionnaires_own_words_are_only_words(app, session, keyring, texts, tmp_path):
    """As texts of points, items and prompts in a whole file; then the form is made of it."""
    folder = tmp_path / "technical_leader"
    shutil.copytree(loader.INSTRUMENTS / "technical_leader", folder)
    (folder / "de.yaml").unlink()
    structure = (folder / "questionnaire.yaml").read_text()
    yaml = YAML()
    document = yaml.load((folder / "en.yaml").read_text())
    clean = [clean_line(text) for text in texts]
    words = itertools.cycle(
        [text for text in clean[::11] if 3 < len(text) < 200 and "{" not in text]
    )
    usual = [elements(page) for page in form_of(app, session, keyring, factories.QUESTIONNAIRE)]
    for number in range(12):
        for point in document["scale"]["points"]:
            point["label"] = next(words)
        for item in document["items"].values():
            item["other"] = f"{{name}} {next(words)}"
        for prompt in document["prompts"].values():
            prompt["text"] = f"{'{name} ' if '{name}' in prompt['text'] else ''}{next(words)}"
        version = structure.replace('version: "1.0"', f'version: "9.{number}"')
        (folder / "questionnaire.yaml").write_text(version)
        with (folder / "en.yaml").open("w") as file:
            yaml.dump(document, file)
        pages = form_of(app, session, keyring, loader.read(folder))
        assert [elements(page) for page in pages] == usual
        assert document["scale"]["points"][0]["label"] in Elements(pages[0]).text


def form_of(app, session, keyring, questionnaire) -> list[str]:
    """Return the pages of a peer's form in a round with this questionnaire."""
    leader = people.by_address(session, "robin@example.org")
    leader = leader or factories.person(session, "Robin", "leader")
    choices = Choices("new_lead", "en", CLOSES)
    round_ = rounds.prepare(session, leader, questionnaire, choices, 3, NOW)
    peers = [Named(n, f"P{n}", f"p{n}@example.org", "peer") for n in range(3)]
    nominations.name_raters(session, round_, peers, NOW)
    rounds.open_round(session, keyring, round_, NOW)
    session.commit()
    link = factories.links(session, keyring, round_)["p0"]
    session.close()
    rater = Visitor(app)
    rater.open(f"/r/{link}")
    rater.send(action="/start")
    return [rater.open(f"/r/{link}/part/{number}") for number in range(1, 11)]
