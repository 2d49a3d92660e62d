"""The administrator adds people and watches delivery, and finds no answers anywhere."""

import io
import re

import pytest
from sqlalchemy import select

from survey import jobs
from survey.models import Mail, MailState, Person
from survey.services import people
from tests import factories
from tests.conftest import NOW
from tests.visitor import Visitor


@pytest.fixture
def andy(app, session):
    andy = factories.person(session, "Andy", "administrator")
    session.commit()
    return Visitor(app, andy)


def upload(visitor, content: bytes, **more):
    visitor.open("/administration/people/import")
    visitor.send({"table": (io.BytesIO(content), "people.csv"), **more})


def test_a_person_is_added_by_form(session, andy):
    andy.open("/administration/people/new")
    andy.send({"name": "Ada Example", "email": "ada@example.org", "leads": "y", "coaches": "y"})

    assert "Ada Example was added." in andy.page
    ada = people.by_address(session, "ada@example.org")
    assert people.roles_of(ada) == ["leader", "coach"]


def test_a_person_with_a_taken_or_broken_address_keeps_what_was_typed(andy):
    for address, said in (
        ("andy@example.org", "has the address"),
        ("nonsense", "is not a mail address"),
    ):
        andy.open("/administration/people/new")
        andy.send({"name": "Ada Example", "email": address})
        assert andy.status == 422
        assert said in andy.page
        assert 'value="Ada Example"' in andy.page


def test_a_person_can_be_changed_and_made_inactive(session, andy):
    ada = factories.person(session, "Ada", "leader")
    session.commit()
    andy.open(f"/administration/people/{ada.id}")
    assert 'name="leads" value="y" checked' in andy.page
    andy.client.post(
        f"/administration/people/{ada.id}",
        data={
            "csrf_token": andy.page.split('name="csrf_token" value="')[2].split('"')[0],
            "name": "Ada New",
            "email": "ada@example.org",
            "coaches": "y",
        },
    )

    changed = session.get(Person, ada.id, populate_existing=True)
    assert (changed.name, people.roles_of(changed), changed.active) == ("Ada New", ["coach"], False)


def test_a_table_of_people_is_imported(session, andy):
    upload(andy, "name;email;roles\nJürgen;j@example.org;leader\n".encode())

    assert "One person was added." in andy.page
    assert "0 people were changed." in andy.page
    assert people.by_address(session, "j@example.org").name == "Jürgen"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "name,email\nJürgen,j@example.org\n".encode("latin-1"),
            "row 2, row: this is not text in UTF-8",
        ),
        (
            b"name,email\nA,a@example.org\nB,A@example.org\n",
            "row 3, email: in row 2 already",
        ),
        (b"name,email\nA,a@example\n", "row 2, email:"),
        (b"name,mail\n", "row 1, email: this heading is missing"),
        (b"name,email,roles\nA,a@example.org,king\n", "row 2, roles: king is no role"),
        (b"", "The file is empty."),
    ],
)
def test_a_faulty_table_names_row_and_column_and_imports_nothing(session, andy, content, said):
    upload(andy, content)

    assert andy.status == 422
    assert said in andy.page
    assert len(session.scalars(select(Person)).all()) == 1


def large(number: int) -> bytes:
    rows = "".join(f"Person {n},p{n}@example.org\n" for n in range(number))
    return f"name,email\n{rows}".encode()


def test_a_large_table_is_imported_by_workers_and_the_page_says_how_far_it_is(app, andy):
    """A table of 10,000 is as large as other pages may not be."""
    upload(andy, large(10_000))
    assert "250 of 10000 rows are done" in andy.page
    assert '<progress value="250" max="10000">' in andy.page
    place = andy.address
    andy.open("/administration/people")
    assert "An import goes on: 250 of 10000 rows are done." in andy.page

    jobs.sweep(app)
    andy.open(place)
    assert "500 of 10000 rows are done" in andy.page


def test_an_import_that_is_done_says_so(app, andy):
    upload(andy, large(501))
    place = andy.address
    jobs.sweep(app)
    jobs.sweep(app)
    andy.open(place)
    assert "The import is done: 501 rows." in andy.page
    assert "501 people were added." in andy.page
    assert "<progress" not in andy.page


def test_an_import_can_be_stopped(app, session, andy):
    upload(andy, large(600))
    andy.send(action="/stop")
    assert "The import was stopped: 250 of 600 rows are done, and stay." in andy.page
    jobs.sweep(app)

    assert len(session.scalars(select(Person)).all()) == 251


def test_delivery_shows_what_failed_and_sends_it_again(session, keyring, andy):
    factories.opened(session, keyring, roster={"peer": 3})
    mail = session.scalars(select(Mail).where(Mail.address == "peer1@example.org")).one()
    mail.state, mail.trouble = MailState.FAILED, "the address was refused: 550 no such user"
    session.commit()
    andy.open("/administration/delivery")
    assert andy.page.index("peer1@example.org") < andy.page.index("peer0@example.org")
    assert "550 no such user" in andy.page

    andy.send(action=f"/delivery/{mail.id}/again")
    assert session.get(Mail, mail.id, populate_existing=True).state is MailState.WAITING
    andy.open("/administration/audit")
    assert "mail sent again" in andy.page


def test_a_missing_mail_server_is_said(app, andy, settings):
    from survey.site import EXTENSION

    app.extensions[EXTENSION].settings = settings.model_copy(update={"mail_url": ""})
    andy.open("/administration/delivery")

    assert "No mail server is set" in andy.page


def test_no_page_of_the_administrator_tells_answers_or_who_answered(session, keyring, andy):
    round_ = factories.opened(session, keyring)
    session.close()
    addresses = [f"/administration/{page}" for page in ("people", "rounds", "delivery", "audit")]
    before = {}
    for address in addresses:
        andy.open(address)
        before[address] = andy.page

    links = factories.links(session, keyring, round_)
    for name in ("peer0", "peer1", "manager0", "robin"):
        factories.answer(session, keyring, links[name])
    session.close()

    for address in addresses:
        andy.open(address)
        plain = [page.split("<main")[1] for page in (before[address], andy.page)]
        assert without_tokens(plain[0]) == without_tokens(plain[1])


def without_tokens(page: str) -> str:

    return re.sub(r'value="[^"]+"', "", page)


def test_only_checking_says_what_would_happen_and_changes_nothing(session, andy):
    people.add(session, "Ada Old", "ada@example.org", ["coach"], NOW)
    people.add(session, "Same", "same@example.org", ["leader"], NOW)
    session.commit()
    content = (
        "name,email,roles\nAda New,ADA@example.org,leader\nSame,same@example.org,leader\n"
        "Bert,bert@example.org,coach\n"
    )
    upload(andy, content.encode(), only_check="y")

    text = " ".join(re.sub("<[^>]+>", " ", andy.page).split())
    assert "Ada New so far Ada Old ada@example.org Leader so far Coach would be changed" in text
    assert "Same same@example.org Leader stays as it is" in text
    assert "Bert bert@example.org Coach would be added" in text
    session.expire_all()
    assert people.by_address(session, "ada@example.org").name == "Ada Old"
    assert people.by_address(session, "bert@example.org") is None


def test_only_checking_names_faults_as_importing_does(andy):
    upload(andy, b"name,email\nA,a@example\n", only_check="y")

    assert (andy.status, "row 2, email:" in andy.page) == (422, True)


def test_importing_changes_only_who_would_be_another_afterwards(session, andy):
    """A second import of the same table signs nobody out and fills no audit list."""
    table = b"name,email,roles\nAda,ada@example.org,coach\n"
    upload(andy, table)
    key = people.by_address(session, "ada@example.org").session_key
    session.close()
    upload(andy, table)

    assert "0 people were added." in andy.page
    assert people.by_address(session, "ada@example.org").session_key == key
