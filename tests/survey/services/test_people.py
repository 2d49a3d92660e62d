"""People come in one by one or from a table; names and addresses are what they seem."""

import pytest
from sqlalchemy import select

from survey.models import AuditEntry
from survey.services import people
from survey.services.people import AddressInvalid, AddressTaken, Entry, NameInvalid
from tests import factories
from tests.conftest import NOW


def test_an_address_is_known_in_any_spelling(session):
    people.add(session, "Ada", " Ada@Example.ORG ", ["leader"], NOW)

    with pytest.raises(AddressTaken, match="Ada has the address"):
        people.add(session, "Ada Two", "ada@example.org", [], NOW)


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "ada@", "@example.org", "ada@example", "a b@example.org",
        "ada@example.org, eve@example.org", "ada@example.org;eve@example.org",
        "ada@example.org\nBcc: eve@example.org", "Ada <ada@example.org>", "ada@exa\0mple.org",
        "a" * 300 + "@example.org", "ada@[127.0.0.1]",
    ],
)  # fmt: skip
def test_what_is_not_one_address_is_refused(session, address):
    with pytest.raises(AddressInvalid):
        people.add(session, "Ada", address, [], NOW)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Ada\u202eadA", "Ada\0", "\ud800"])
def test_a_name_that_is_none_is_refused(session, name):
    with pytest.raises(NameInvalid):
        people.add(session, name, "ada@example.org", [], NOW)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ada \t Example\n", "Ada Example"),
        ("Jose\u0301", "José"),
        ("李雷", "李雷"),
        ("علی‌رضا", "علی‌رضا"),
    ],
)
def test_names_are_kept_in_one_line_and_composed(session, typed, kept):
    assert people.add(session, typed, "ada@example.org", [], NOW).name == kept


def test_a_domain_is_stored_as_every_mail_server_takes_it(session):
    assert people.clean_address("ada@müller.example") == "ada@xn--mller-kva.example"


def test_other_rights_sign_a_person_out_everywhere(session, keyring):
    person = factories.person(session, "Robin", "leader")
    before = person.session_key

    entry = Entry("Robin Example", person.email, ["leader"])
    people.change(session, keyring, person, entry, "en", NOW)
    assert person.session_key == before

    people.change(session, keyring, person, Entry("Robin Example", person.email, []), "en", NOW)
    assert person.session_key != before


def test_what_was_done_to_people_is_on_the_audit_list(session):
    actor = factories.person(session, "Andy", "administrator")
    people.add(session, "Ada", "ada@example.org", [], NOW, actor)

    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[-1]
    assert (last.actor, last.act, last.subject) == (actor, "person added", "ada@example.org")
