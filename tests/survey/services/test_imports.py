"""An import takes a table whole or not at all, and goes on where it stood."""

import pytest
from sqlalchemy import func, select

from survey.models import AuditEntry, ImportState, PeopleImport, Person
from survey.services import imports, people
from survey.services.tables import TableInvalid
from tests import factories
from tests.conftest import NOW

MANY = 2 * imports.PIECE + 1


def table(number: int = MANY) -> bytes:
    rows = (f"Person {n} Example,p{n}@example.org,leader\n" for n in range(number))
    return ("name,email,roles\n" + "".join(rows)).encode()


def test_a_table_adds_new_people_and_changes_known_ones(session):
    people.add(session, "Ada Old", "ada@example.org", ["coach"], NOW)
    table = (
        b"name,email,roles\nAda New,ADA@example.org,leader\nBert,bert@example.org,coach leader\n"
    )

    done = imports.begin(session, table, NOW)

    assert (done.added, done.changed) == (1, 1)
    ada, bert = people.everybody(session)
    assert (ada.name, people.roles_of(ada)) == ("Ada New", ["leader"])
    assert people.roles_of(bert) == ["leader", "coach"]


def test_a_table_without_roles_takes_none_away(session):
    people.add(session, "Ada", "ada@example.org", ["administrator"], NOW)
    imports.begin(session, b"name,email\nAda,ada@example.org\n", NOW)

    assert people.roles_of(people.everybody(session)[0]) == ["administrator"]


def test_all_faults_of_a_table_are_named_and_nothing_is_imported(session):
    table = b"name,email,roles\nAda,ada@example.org,\n,bert@example,king\nEve,ADA@example.org,\n"

    with pytest.raises(TableInvalid) as refused:
        imports.begin(session, table, NOW)

    said = [str(fault) for fault in refused.value.faults]
    assert [fault.split(":")[0] for fault in said] == [
        "row 3, name", "row 3, email", "row 3, roles", "row 4, email"
    ]  # fmt: skip
    assert said[3] == "row 4, email: in row 2 already"
    assert session.scalars(select(Person)).all() == []


def test_a_large_table_is_carried_out_piece_by_piece(session):
    import_ = imports.begin(session, table(), NOW)
    session.commit()
    seen = [import_.done]
    while import_.state is ImportState.RUNNING:
        imports.go_on(session, NOW)
        session.commit()
        seen.append(import_.done)

    assert seen == [250, 500, 501]
    assert (import_.added, import_.changed) == (501, 0)
    assert session.scalar(select(func.count()).select_from(Person)) == 501
    # What stood in the table is kept no longer than it is needed.
    assert import_.rows is None


def test_a_piece_that_is_cut_short_is_done_again_as_a_whole(session):
    """Counted with the people it is about, in one transaction."""
    import_ = imports.begin(session, table(), NOW)
    session.commit()
    imports.go_on(session, NOW)
    assert import_.done == 500
    session.rollback()

    assert session.scalar(select(func.count()).select_from(Person)) == 250
    imports.go_on(session, NOW)
    imports.go_on(session, NOW)
    assert (import_.state, import_.added) == (ImportState.DONE, 501)


def test_stopped_what_is_done_stays_and_the_rest_does_not_come(session):
    andy = factories.person(session, "Andy", "administrator")
    import_ = imports.begin(session, table(), NOW, andy)
    imports.stop(session, import_.id, NOW, andy)
    imports.go_on(session, NOW)

    assert (import_.state, import_.done, import_.rows) == (ImportState.STOPPED, 250, None)
    assert session.scalar(select(func.count()).select_from(Person)) == 251
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[-1]
    assert (last.actor, last.act, last.subject) == (andy, "import stopped", "250/501")


def test_who_was_changed_since_the_table_was_read_is_changed_by_what_stands_in_it(session):
    import_ = imports.begin(session, table(), NOW)
    people.add(session, "Somebody Else", "p500@example.org", ["coach"], NOW)
    imports.go_on(session, NOW)
    imports.go_on(session, NOW)

    assert (import_.added, import_.changed) == (500, 1)
    person = people.by_address(session, "p500@example.org")
    assert (person.name, people.roles_of(person)) == ("Person 500 Example", ["leader"])


def test_imports_that_ended_a_week_ago_are_forgotten(session):
    imports.begin(session, table(1), NOW - imports.KEPT * 2)
    running = imports.begin(session, table(), NOW - imports.KEPT * 2)
    latest = imports.begin(session, table(2), NOW)

    assert set(session.scalars(select(PeopleImport))) == {running, latest}
